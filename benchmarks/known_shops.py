"""Shops whose truth is known: what a run may see of them, and what it cannot see."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from analytics.ml.arrays import BoolArray, FloatArray, IntArray
from analytics.ml.clv import BG_NBD, RepeatBuyingModel
from analytics.ml.run import (
    Costs,
    Deliveries,
    Operations,
    PurchaseDays,
    Ratings,
    Refunds,
    ScoringInput,
)
from analytics.ml.satisfaction import RATING_KINDS
from analytics.ml.summary import Summary, summarise
from benchmarks.buyers import draw_people, draw_purchases, draw_scales, draw_spend
from customers.services.simulation.world import Cohort, Plan, World
from customers.services.simulation.world.people import STAFF, WHOLESALE

MICROSECONDS = 86_400_000_000
FIRST_DAY, DAYS, HORIZON = 15_000, 500, 60
"""Of a shop drawn by BG/NBD: which day it begins does not matter."""
TRUTH = {"r": 0.8, "alpha": 5.0, "a": 0.8, "b": 2.5}
"""What such a shop is drawn with; ``alpha`` in weeks."""
_CSAT, _NPS = RATING_KINDS.index("csat"), RATING_KINDS.index("nps")

Columns = tuple[Any, ...]


@dataclass(frozen=True)
class SimulatedShop:
    """What a run may see of a simulated shop, and what its customers truly felt.

    Attributes
    ----------
    given : as the record would hand it out, customers by their number
    customer_id, felt : who has an order that stands, and the mean experience on 0–100
    felt_of_orders : mean experience, on 0–100, of all orders that count, of those that were
        surveyed and of those that were reviewed
    """

    given: ScoringInput
    customer_id: IntArray
    felt: FloatArray
    felt_of_orders: dict[str, float]


def simulated_shop(plan: Plan) -> SimulatedShop:
    """Draw a shop and take from it what the record's rows by day would hold.

    Orders that count are those that stand, no tests, of a known customer. The plan must be in UTC,
    where a day of the record is a day of the instants.
    """
    assert plan.zone == "UTC"
    world = World(plan)
    drawn = [_Drawn(world.cohort(index), plan) for index in range(world.cohorts)]

    def rows(kind: str) -> Columns:
        parts = zip(*(getattr(one, kind)() for one in drawn), strict=True)
        return tuple(np.concatenate(column) for column in parts)

    ids, kind = rows("people")
    customer_id, felt = rows("felt")
    return SimulatedShop(
        given=ScoringInput(
            as_of_day=int(np.datetime64(plan.until, "D").astype(int)),
            customer_ids=ids,
            purchases=PurchaseDays(*rows("purchases")),
            refunds=Refunds(*rows("refunds")),
            costs=Costs(*rows("costs")),
            ratings=Ratings(*rows("ratings")),
            deliveries=Deliveries(*rows("deliveries")),
            operations=Operations(*rows("operations")),
            excluded_from_fit=ids[np.isin(kind, [STAFF, WHOLESALE])],
        ),
        customer_id=customer_id,
        felt=felt,
        felt_of_orders={
            name: float(np.concatenate([one.felt_of_orders(name) for one in drawn]).mean())
            for name in ("all", "surveyed", "reviewed")
        },
    )


class _Drawn:
    """One cohort's rows, each kind as the columns that a run takes."""

    def __init__(self, cohort: Cohort, plan: Plan) -> None:
        self.cohort, self.unit = cohort, plan.unit
        orders = cohort.orders
        self.counts = (orders["customer"] >= 0) & ~orders["is_cancelled"] & ~orders["is_test"]
        self.counts &= cohort.wanted[orders["host"]]
        # A guest's order has no customer; it never counts, so whose number it gets is no matter.
        self.who = cohort.people["number"].astype(np.int64)[orders["customer"]]

    def people(self) -> Columns:
        folk, wanted = self.cohort.people, self.cohort.wanted
        return folk["number"][wanted].astype(np.int64), folk["kind"][wanted]

    def felt(self) -> Columns:
        folk, felt = self.cohort.people, self.cohort.truth["experience"]
        known = self.cohort.wanted & ~np.isnan(felt)
        return folk["number"][known].astype(np.int64), _points(felt[known])

    def felt_of_orders(self, which: str) -> FloatArray:
        chosen = self.counts
        if which != "all":
            said = {"surveyed": self.cohort.answers, "reviewed": self.cohort.reviews}[which]
            chosen = chosen & np.isin(np.arange(chosen.size), said["order"])
        return _points(self.cohort.orders["experience"][chosen])

    def purchases(self) -> Columns:
        orders, chosen = self.cohort.orders, self.counts
        return self.who[chosen], orders["placed_day"][chosen], orders["total"][chosen] * self.unit

    def refunds(self) -> Columns:
        rows, day = self.cohort.refunds, self.cohort.orders["placed_day"]
        kept = self.counts[rows["order"]]
        order = rows["order"][kept]
        return self.who[order], day[order], rows["day"][kept], rows["amount"][kept] * self.unit

    def costs(self) -> Columns:
        """Return what the orders of a day brought in and cost: goods, platform and shipping."""
        orders, lines, chosen = self.cohort.orders, self.cohort.lines, self.counts
        spent = lines["unit_cost"] * lines["quantity"] * ~lines["is_charge"]
        goods = np.bincount(lines["order"], spent, chosen.size)
        cost = orders["platform_fee"] + orders["shipping_cost"] + goods
        day, paid = orders["placed_day"][chosen], orders["total"][chosen]
        who, day, paid, cost = _by_day(self.who[chosen], day, paid, cost[chosen])
        return who, day, paid * self.unit, cost * self.unit

    def ratings(self) -> Columns:
        reviews, answers = self._of_shop("reviews"), self._of_shop("answers")
        is_nps, value = answers["metric"] == "nps", answers["value"]
        return (
            self.who[np.concatenate([reviews["order"], answers["order"]])],
            np.concatenate([reviews["at"], answers["at"]]) // MICROSECONDS,
            np.concatenate(
                [(reviews["rating"] - 1) / 4, np.where(is_nps, value / 10, (value - 1) / 4)]
            ),
            np.concatenate(
                [np.zeros(reviews["at"].size, np.int8), np.where(is_nps, _NPS, _CSAT)]
            ).astype(np.int8),
        )

    def deliveries(self) -> Columns:
        orders = self.cohort.orders
        came = self.counts & np.isfinite(orders["delivered_day"])
        at = orders["delivered_at"][came]
        late = (at - orders["promised_at"][came]) / MICROSECONDS
        return self.who[came], at // MICROSECONDS, late

    def operations(self) -> Columns:
        """Return each day's orders, orders of which something came back first, and tickets."""
        placed, tickets = np.flatnonzero(self.counts), self._of_shop("tickets")
        refunds = self.cohort.refunds
        by_day = np.lexsort((refunds["day"], refunds["order"]))
        back, first = np.unique(refunds["order"][by_day], return_index=True)
        kept = self.counts[back]
        events = [
            (placed, self.cohort.orders["placed_day"][placed]),
            (back[kept], refunds["day"][by_day][first][kept]),
            (tickets["order"], tickets["at"] // MICROSECONDS),
        ]
        which = np.repeat(np.arange(3), [order.size for order, _day in events])
        return _by_day(
            self.who[np.concatenate([order for order, _day in events])],
            np.concatenate([day for _order, day in events]),
            *(which == kind for kind in range(3)),
        )

    def _of_shop(self, name: str) -> dict[str, Any]:
        table = getattr(self.cohort, name)
        kept = self.counts[table["order"]]
        return {key: column[kept] for key, column in table.items()}


@dataclass(frozen=True)
class PlainShop:
    """A shop drawn by BG/NBD, as of a day, and what only who drew it knows.

    Attributes
    ----------
    lapse : of each customer of ``summary``, the true chance of no order within the horizon: that
        of the parameters the shop was drawn with, given what was seen of the customer
    lapsed : whether there came none
    """

    as_of_day: int
    purchases: PurchaseDays
    summary: Summary
    lapse: FloatArray
    lapsed: BoolArray


def plain_shop(buyers: int, seed: int) -> PlainShop:
    """Draw a shop by the story of BG/NBD with the parameters of ``TRUTH``.

    Everyone's first purchase falls evenly into the first half of the period; then orders come at
    the customer's own rate until the coin after a repeat order says that it was the last.
    """
    rng = np.random.default_rng(seed)
    rate, leaves = draw_people(rng, buyers, **TRUTH)
    first = rng.integers(0, DAYS // 2, buyers).astype(float)
    drawn = draw_purchases(rng, rate, leaves, first, until=DAYS)
    spend = draw_spend(rng, draw_scales(rng, buyers)[drawn.customer])
    day = np.floor(drawn.at).astype(np.int64) + FIRST_DAY
    purchases = PurchaseDays(drawn.customer + 1, day, spend)
    as_of_day = FIRST_DAY + DAYS
    summary = summarise(purchases.occasions(), as_of_day=as_of_day)
    true = RepeatBuyingModel(BG_NBD)
    true.r_, true.alpha_, true.a_, true.b_ = (TRUTH[name] for name in ("r", "alpha", "a", "b"))
    history = (summary.frequency, summary.recency, summary.T)
    lapse = 1.0 - true.p_buy(*history, horizon_days=HORIZON)
    return PlainShop(as_of_day, purchases, summary, lapse, drawn.following >= DAYS + HORIZON)


def _by_day(customer: IntArray, day: IntArray, *amounts: Any) -> Columns:
    """Add up the amounts of each customer and day, in whole numbers."""
    rows, place = np.unique(np.stack([customer, day]), axis=1, return_inverse=True)
    sums = (np.rint(np.bincount(place, one, rows.shape[1])).astype(np.int64) for one in amounts)
    return rows[0], rows[1], *sums


def _points(experience: FloatArray) -> FloatArray:
    """Return stars as points of 0–100."""
    return 25.0 * (experience - 1.0)
