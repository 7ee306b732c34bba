"""The laws a simulated shop is drawn from, on arrays alone."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from scipy import stats

from customers.services.simulation import Plan, World
from customers.services.simulation.world.arrays import NEVER
from customers.services.simulation.world.catalogue import BRANDS, COMPLEMENT
from customers.services.simulation.world.outlook import expected_orders, silence
from customers.services.simulation.world.people import CHANNELS, PERSON, PROSPECT, STAFF, WHOLESALE
from customers.services.simulation.world.seasons import Seasons
from tests.customers.simulation.worlds import UNTIL, joined, plan

TABLES = ("people", "orders", "lines", "refunds", "reviews", "answers", "tickets", "truth")


def same(left, right):
    return all(np.array_equal(left[name], right[name], equal_nan=_is_float(left[name]))
               for name in left)  # fmt: skip


def _is_float(column):
    return column.dtype.kind == "f"


def test_the_same_plan_draws_the_same_rows_in_whatever_order_it_is_asked():
    first, second = World(plan(3000)), World(plan(3000))

    forwards = [first.cohort(index) for index in range(3)]
    backwards = [second.cohort(index) for index in reversed(range(3))][::-1]

    for left, right in zip(forwards, backwards, strict=True):
        assert all(same(getattr(left, name), getattr(right, name)) for name in TABLES)
        assert same(first.sessions(left), second.sessions(right))
    assert same(first.catalogue.table(), second.catalogue.table())


def test_another_seed_draws_another_shop_and_a_larger_one_begins_with_the_same_people():
    cohort = World(plan(1000)).cohort(0)

    other = World(plan(1000, seed=6)).cohort(0)
    larger = World(plan(5000)).cohort(0)
    smaller = World(plan(300)).cohort(0)

    assert not same(cohort.truth, other.truth)
    assert all(same(getattr(cohort, name), getattr(larger, name)) for name in TABLES)
    assert smaller.wanted.sum() == 300
    assert same(cohort.truth, smaller.truth)


def test_a_plan_survives_json_and_its_key_leaves_only_the_size_out():
    one = plan(customers=10, zone="Asia/Shanghai", currency="CNY")

    assert Plan.from_dict(one.to_dict()) == one
    assert plan(customers=10).key == plan(customers=99).key
    assert plan(returns=0.5).key != plan().key != plan(seed=6).key
    assert one.p * one.v / (one.q - 1) == pytest.approx(one.mean_order)


def test_rates_leaving_and_values_follow_their_laws():
    world = World(plan(20_000, regular_share=0.0))
    people, true = joined(world, "people"), world.plan
    plain = people["kind"] == PERSON

    rate = stats.kstest(people["weekly_rate"], stats.gamma(true.r, scale=1 / true.alpha).cdf)
    leave = stats.kstest(people["leave_probability"], stats.beta(true.a, true.b).cdf)
    scale = stats.kstest(true.v / people["value_scale"][plain], stats.gamma(true.q).cdf)

    assert min(rate.pvalue, leave.pvalue, scale.pvalue) > 0.001
    # The channel is drawn given the rate, so the rate's law is whole and channels differ in it.
    means = [people["weekly_rate"][people["channel"] == one].mean() for one in range(len(CHANNELS))]
    assert max(means) > 1.7 * min(means)
    assert abs(np.corrcoef(people["weekly_rate"], people["mean_order_value"])[0, 1]) < 0.05


def test_regular_buyers_have_the_same_rate_and_steadier_gaps():
    spread = {}
    for share in (0.0, 1.0):
        world = World(plan(3000, season=0.0, regular_share=share))
        gaps, means = [], []
        for index in range(world.cohorts):
            cohort = world.cohort(index)
            bought = cohort.purchases
            own = np.diff(bought.customer) == 0
            gaps.append(
                np.diff(bought.at)[own] * cohort.people["weekly_rate"][bought.customer[1:]][own]
            )
            means.append(cohort.people["gap_shape"])
        # Only the first gap of each is drawn without looking at when it ends; all gaps are cut by
        # the horizon alike, so the spread is compared, not measured.
        gap = np.concatenate(gaps)
        spread[share] = gap.std() / gap.mean()

    assert spread[1.0] < 0.65 * spread[0.0]


@pytest.mark.parametrize("shape", [1, 4])
def test_what_is_expected_of_the_future_is_what_comes(shape):
    world = World(plan(30_000, season=1.0, regular_share=1.0, regular_shape=shape))
    truth = joined(world, "truth")

    expected, came = truth["expected_orders"], truth["future_orders"]
    error = np.sqrt(came.var() / came.size)

    assert abs(expected.mean() - came.mean()) < 4 * error
    assert abs(truth["churn_probability"].mean() - (came == 0).mean()) < 4 * np.sqrt(
        0.25 / came.size
    )
    assert (came[~truth["is_alive"]] == 0).all()
    assert (truth["expected_orders"][truth["weekly_rate"] < 1e-6] < 0.01).all()


def test_the_closed_form_is_the_staged_sum_with_one_stage():
    rate, leave = np.array([0.05, 0.4, 3.0]), np.array([0.001, 0.3, 0.999])
    ones, none = np.ones(3, dtype=np.int64), np.zeros(3, dtype=np.int64)

    closed = expected_orders(rate, leave, ones, none, 13.0)

    # Two stages of which one is done are not one stage; twice as many at twice the pace are more.
    assert closed == pytest.approx((1 - np.exp(-rate * leave * 13)) / leave)
    assert silence(rate, ones, none, 13.0) == pytest.approx(np.exp(-rate * 13))
    assert silence(rate, 2 * ones, ones, 13.0) == pytest.approx(np.exp(-2 * rate * 13))
    simulated = np.random.default_rng(1).gamma(4, 1 / (4 * 0.4), 400_000)
    assert silence(rate[1:2], 4 * ones[:1], none[:1], 3.0)[0] == pytest.approx(
        (simulated > 3.0).mean(), abs=0.004
    )


def test_sales_peaks_are_busy_and_the_year_is_as_long_as_it_was():
    world = World(plan(4000, until=date(2026, 1, 1), years=2, regular_share=0.0))
    orders = joined(world, "orders")
    day = orders["placed_day"].astype("datetime64[D]")
    usual = np.median(np.unique(day, return_counts=True)[1])

    def placed(text):
        return int((day == np.datetime64(text)).sum())

    assert placed("2025-11-11") > 4 * usual
    assert placed("2025-06-18") > 3 * usual
    assert placed("2025-11-28") > 3 * usual  # Black Friday
    flat = Seasons(plan(season=0.0))
    assert flat.shop_time(np.array([10.25, 700.0])) == pytest.approx([10.25, 700.0])
    seasons = Seasons(plan())
    assert seasons.until == pytest.approx(seasons.days)


@pytest.mark.parametrize("zone", ["Europe/London", "Asia/Shanghai", "America/New_York"])
def test_a_day_is_a_day_in_the_shops_zone_also_when_clocks_change(zone):
    until = date(2026, 11, 20)
    seasons = Seasons(plan(until=until, zone=zone))
    first = until - timedelta(days=seasons.days)
    place = np.arange(seasons.days)

    for share in (0.0, 0.37, 0.999999):
        instants = seasons.instant(place + share)
        local = [datetime.fromtimestamp(one / 1e6, ZoneInfo(zone)).date() for one in instants]
        assert local == [first + timedelta(days=int(one)) for one in place]
    assert seasons.epoch_day(np.array([0.5]))[0] == (first - date(1970, 1, 1)).days


def test_lines_add_up_refunds_stay_within_them_and_nothing_lies_in_the_future():
    world = World(plan(3000, currency="CNY", mean_order=480.0))
    end = int(
        datetime(UNTIL.year, UNTIL.month, UNTIL.day, tzinfo=ZoneInfo("UTC")).timestamp() * 1e6
    )
    for index in range(world.cohorts):
        cohort = world.cohort(index)
        orders, lines, refunds = cohort.orders, cohort.lines, cohort.refunds
        size = orders["day"].size
        assert (lines["amount"] == lines["quantity"] * lines["unit_price"]).all()
        assert (np.bincount(lines["order"], lines["amount"], size) == orders["total"]).all()
        assert (np.bincount(lines["order"], lines["is_charge"] * lines["amount"], size)
                == orders["charges"]).all()  # fmt: skip
        assert (lines["unit_price"] >= 1).all()
        assert (lines["refunded_quantity"] <= lines["quantity"]).all()
        assert (np.bincount(refunds["order"], refunds["amount"], size) == orders["refunded"]).all()
        assert (refunds["at"] > orders["delivered_at"][refunds["order"]]).all()
        assert (np.diff(orders["placed_at"]) >= 0).all()
        happened = [
            *(orders[name] for name in ("placed_at", "paid_at", "delivered_at", "cancelled_at")),
            *(table["at"] for table in (refunds, cohort.reviews, cohort.answers, cohort.tickets)),
            cohort.tickets["closed_at"],
        ]
        assert all((column < end).all() for column in happened)
        is_cancelled = orders["status"] == "cancelled"
        assert ((orders["cancelled_at"] != NEVER) == is_cancelled).all()
        assert (orders["total"] - orders["value"]).min() > -200


def test_dear_brands_late_parcels_and_poor_things_lower_the_stars():
    world = World(plan(5000))
    orders, reviews = joined(world, "orders"), world.cohort(0).reviews
    arrived = np.isfinite(orders["delivered_day"])
    late = arrived & (orders["late_days"] > 1)
    felt = orders["experience"]

    assert 0.03 < late[arrived].mean() < 0.2
    assert felt[late].mean() < felt[arrived & ~late].mean() - 0.3
    for part in range(3):
        aspect = orders["aspects"][arrived, part]
        assert np.corrcoef(aspect, felt[arrived])[0, 1] > 0.05
    assert {"质" in text or "quality" in text for text in reviews["text"]} == {True, False}
    assert set(np.unique(reviews["rating"])) <= {1, 2, 3, 4, 5}
    # Who answers is happier than who was asked.
    answers = [world.cohort(index) for index in range(5)]
    asked = np.concatenate([one.orders["experience"][one.answers["order"]] for one in answers])
    assert asked.mean() > felt[arrived].mean() + 0.05


def test_people_buy_what_they_like_and_what_goes_with_it():
    world = World(plan(2000))
    goods, mine, liked, beside = world.catalogue, [], [], []
    for index in range(world.cohorts):
        cohort = world.cohort(index)
        lines, orders = cohort.lines, cohort.orders
        buyer = orders["customer"][lines["order"]]
        keep = ~lines["is_charge"] & (buyer >= 0)
        mine.append(
            goods.category[lines["product"]][keep] == cohort.people["category"][buyer[keep]]
        )
        liked.append(goods.brand[lines["product"]][keep] == cohort.people["brand"][buyer[keep]])
        category, order = goods.category[lines["product"]][keep], lines["order"][keep]
        follows = np.diff(order) == 0
        beside.append(np.array(COMPLEMENT)[category[:-1]][follows] == category[1:][follows])

    # By chance it would be about one in seven, one in five and one in seven.
    assert np.concatenate(mine).mean() > 0.5
    assert np.concatenate(liked).mean() > 0.5
    assert np.concatenate(beside).mean() > 0.2
    assert set(joined(world, "truth")["favourite_brand"]) == set(BRANDS)


def test_staff_wholesale_prospects_and_shared_phones_are_there():
    people = joined(World(plan(2000)), "people")
    truth = joined(World(plan(2000)), "truth")

    kinds = np.bincount(people["kind"], minlength=4)
    assert (kinds[WHOLESALE], kinds[STAFF], kinds[PROSPECT]) == (8, 4, 50)
    assert truth["orders"][people["kind"] == PROSPECT].sum() == 0
    shared = np.flatnonzero(people["number"] % 100 == 0)
    assert (people["phone"][shared] == people["phone"][shared - 1]).all()
    assert not people["owns_phone"][shared].any()
    owned = people["phone"][people["owns_phone"]]
    assert np.unique(owned).size == owned.size
    assert np.unique(people["email"]).size == 2000


def test_a_campaigns_effect_is_told_for_everybody():
    truth = joined(World(plan(20_000)), "truth")
    gained = truth["treated_orders"] - truth["future_orders"]

    for group, sign in (("sure", 0), ("lost", 0), ("persuadable", 1), ("sleeping_dog", -1)):
        mine = truth["effect_group"] == group
        assert np.sign(truth["extra_orders"][mine].sum()) == sign
        error = gained[mine].std() / np.sqrt(mine.sum())
        assert abs(gained[mine].mean() - truth["extra_orders"][mine].mean()) <= 4 * error
    assert (truth["treated_orders"] >= 0).all()


def test_a_currency_without_cents_has_whole_amounts():
    world = World(Plan.in_currency("JPY", customers=500, seed=1, until=UNTIL))

    assert world.plan.unit == 1.0
    assert 4_000 < world.cohort(0).orders["total"].mean() < 20_000
