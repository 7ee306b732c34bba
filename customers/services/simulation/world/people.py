"""Who the customers are: rates, values, tastes, channel, and how they can be reached."""

from typing import Any

import numpy as np

from customers.services.simulation.world import words
from customers.services.simulation.world.arrays import PEOPLE, Floats, Table, Texts, pick
from customers.services.simulation.world.catalogue import BRANDS, POPULARITY
from customers.services.simulation.world.laws import Laws
from customers.services.simulation.world.plan import Plan

PERSON, WHOLESALE, STAFF, PROSPECT = range(4)
KINDS = ("person", "wholesale", "staff", "prospect")
CHANNELS = ("search", "social", "marketplace", "referral", "direct")
MARKETPLACE = CHANNELS.index("marketplace")
CHANNEL_SIZE = (0.30, 0.25, 0.25, 0.08, 0.12)
CHANNEL_TILT = (0.0, -0.6, -0.3, 0.6, 0.8)
"""How much more often frequent buyers come from a channel. The laws of buying stay as planned:
the rate is drawn first, the channel given the rate."""
WHOLESALE_FACTOR = 12.0
SHARED_PHONE_EVERY = 100
WITHOUT_PHONE = 0.15


def draw_people(laws: Laws, size: int) -> Table:
    """Draw one cohort's customers, numbered from ``cohort · size + 1``."""
    plan, cohort, rng = laws.plan, laws.cohort, laws.chance(PEOPLE)
    number = np.arange(cohort * size + 1, (cohort + 1) * size + 1)
    kind = np.select(
        [number % 250 == 125, number % 500 == 250, number % 40 == 20],
        [WHOLESALE, STAFF, PROSPECT],
        PERSON,
    )
    weekly = rng.gamma(plan.r, 1.0 / plan.alpha, size)
    leave = rng.beta(plan.a, plan.b, size)
    is_regular = rng.random(size) < plan.regular_share
    scale = plan.v / rng.gamma(plan.q, 1.0, size)
    scale = np.where(kind == WHOLESALE, scale * WHOLESALE_FACTOR, scale)
    tilt = np.tanh(np.log(np.maximum(weekly, 1e-12) * plan.alpha / plan.r))
    weights = np.array(CHANNEL_SIZE) * np.exp(np.outer(tilt, CHANNEL_TILT))
    people: Table = {
        "number": number,
        "kind": kind,
        "weekly_rate": weekly,
        "leave_probability": leave,
        "gap_shape": np.where(is_regular, plan.regular_shape, 1),
        "value_scale": scale,
        "mean_order_value": scale * plan.p,
        "channel": pick(rng, weights),
        "category": pick(rng, np.tile(POPULARITY, (size, 1))),
        "brand": rng.integers(0, len(BRANDS), size),
        "mood": rng.normal(0.0, 0.35, size),
        "chinese": rng.random(size) < plan.chinese_share,
    }
    return people | _contacts(plan, people, rng) | _consents(rng, size)


def _contacts(plan: Plan, people: Table, rng: np.random.Generator) -> Table:
    """Draw names and addresses that cannot exist: example.com, and numbers no network gives out.

    A Beijing subscriber's number never begins with 0, a North American area code never with 1.
    """
    number, chinese = people["number"], people["chinese"]
    size = number.size
    family, given, city = (rng.integers(0, top, size) for top in (12, 12, 8))
    zh, en = (
        _names(words.CHINESE_FAMILY, words.CHINESE_GIVEN, family, given, chinese=True),
        _names(words.FAMILY, words.GIVEN, family, given, chinese=False),
    )
    digits = np.strings.zfill((number % 10_000_000).astype(str), 7)
    handle = np.where(chinese, zh[1], en[1])
    phone = np.where(chinese, "+86100", "+1100") + digits
    phone = np.where(rng.random(size) < WITHOUT_PHONE, "", phone)
    shares = number % SHARED_PHONE_EVERY == 0
    phone = np.where(shares, np.roll(phone, 1), phone)
    born = rng.integers(-10_000, 13_500, size)
    return {
        "external_id": "S" + digits,
        "name": np.where(chinese, zh[0], en[0]),
        "email": handle + f".{plan.digest}-" + digits + "@example.com",
        "phone": phone,
        "owns_phone": (phone != "") & ~shares,
        "country": np.where(chinese, "China", "United Kingdom"),
        "city": np.where(
            chinese, np.array(words.CHINESE_CITIES)[city], np.array(words.CITIES)[city]
        ),
        "language": np.where(chinese, "zh-hans", "en"),
        "zone": np.where(chinese, "Asia/Shanghai", "Europe/London"),
        "birthday": np.where(rng.random(size) < 0.4, born, -1_000_000),
        "region": city,
    }


def _names(family: Any, given: Any, i: Any, j: Any, *, chinese: bool) -> tuple[Texts, Texts]:
    """Return names and their spelling in an address."""
    first, last = np.array(given)[j], np.array(family)[i]
    shown = last[:, 0] + first[:, 0] if chinese else first[:, 0] + " " + last[:, 0]
    return shown, first[:, 1] + "." + last[:, 1]


def _consents(rng: np.random.Generator, size: int) -> Table:
    """Draw who allows what, and after how many days it was withdrawn; zero stands for never."""
    withdrawn: Floats = np.where(rng.random((2, size)) < 0.08, rng.uniform(5, 300, (2, size)), 0.0)
    return {
        "allows_email": rng.random(size) < 0.62,
        "allows_sms": rng.random(size) < 0.35,
        "email_withdrawn_after": withdrawn[0],
        "sms_withdrawn_after": withdrawn[1],
    }
