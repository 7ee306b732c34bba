"""What a shop earns on what its customers pay: one margin rate each, shrunk to the shop's.

The rates of a customer's orders scatter around a rate of their own, and those rates around the
shop's. How far a customer's own orders are trusted follows from both scatters, by the credibility
formula of Bühlmann and Straub [1]_ with the revenue as weight.

References
----------
.. [1] H. Bühlmann, A. Gisler, A Course in Credibility Theory and its Applications, Springer 2005,
   chapter 4.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from analytics.ml.arrays import BoolArray, FloatArray, IntArray, JsonDict
from analytics.ml.ladder import MIN_BUYERS, Abstention
from analytics.ml.summary import PurchaseDays

MARGIN = "margin_12m"
LEAST_KNOWN_SHARE = 0.5
KNOWN_DAYS = 365
LOWEST_RATE = -1.0
"""A loss counts to no more than what was paid: a slip in a single cost must not rule a shop."""


@dataclass(frozen=True)
class Costs:
    """What orders with known costs brought in and cost: one row per customer and local day.

    Attributes
    ----------
    customer_id : int64
    day : days since 1970-01-01 in the shop's zone
    revenue : what was paid for them, in shop currency, before anything came back
    cost : goods, platform fees and shipping, in shop currency
    """

    customer_id: IntArray
    day: IntArray
    revenue: FloatArray
    cost: FloatArray

    @classmethod
    def empty(cls) -> Self:
        """Return no rows."""
        nobody = np.empty(0, np.int64)
        return cls(nobody, nobody, np.empty(0), np.empty(0))

    def take(self, rows: IntArray | BoolArray) -> "Costs":
        """Return the rows that ``rows`` chooses."""
        return Costs(*(column[rows] for column in vars(self).values()))

    def between(self, start: int, end: int) -> "Costs":
        """Return the rows of the days in ``[start, end)``."""
        return self.take((self.day >= start) & (self.day < end))

    def before(self, day: int) -> "Costs":
        """Return the rows earlier than ``day``."""
        return self.take(self.day < day)

    def without(self, customer_ids: IntArray | None) -> "Costs":
        """Return the rows of everybody else."""
        if customer_ids is None or not customer_ids.size:
            return self
        return self.take(~np.isin(self.customer_id, customer_ids))

    def tidied(self) -> "Costs":
        """Return the rows with revenue, in an order that does not depend on the one given.

        No day's loss is larger than what was paid.
        """
        if not (np.isfinite(self.revenue).all() and np.isfinite(self.cost).all()):
            raise ValueError("revenue and cost must be finite")
        is_paid = self.revenue > 0.0
        paid = self if is_paid.all() else self.take(is_paid)
        ids, day = paid.customer_id, paid.day
        # As a database hands them out; sorting millions of rows again would take seconds.
        if not ((ids[1:] > ids[:-1]) | ((ids[1:] == ids[:-1]) & (day[1:] > day[:-1]))).all():
            paid = paid.take(np.lexsort((paid.cost, paid.revenue, day, ids)))
        return replace(paid, cost=np.minimum(paid.cost, (1.0 - LOWEST_RATE) * paid.revenue))


@dataclass(frozen=True)
class Earnings:
    """Revenue and margin of each customer with known costs, ascending by customer."""

    customer_id: IntArray
    revenue: FloatArray
    margin: FloatArray

    @property
    def rate(self) -> FloatArray:
        """Return each customer's own margin rate."""
        return self.margin / self.revenue

    @property
    def shop_rate(self) -> float:
        """Return the margin rate of all of them together."""
        return float(self.margin.sum() / self.revenue.sum())

    def of(self, customer_ids: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return revenue and margin of some customers, 0 where nothing is known."""
        revenue, margin = np.zeros(customer_ids.size), np.zeros(customer_ids.size)
        if self.customer_id.size:
            place = np.searchsorted(self.customer_id, customer_ids)
            place = np.minimum(place, self.customer_id.size - 1)
            known = self.customer_id[place] == customer_ids
            revenue[known] = self.revenue[place[known]]
            margin[known] = self.margin[place[known]]
        return revenue, margin

    def own_rate(self, customer_ids: IntArray, otherwise: float) -> FloatArray:
        """Return the own rates of some customers, ``otherwise`` where nothing is known."""
        revenue, margin = self.of(customer_ids)
        rate = np.full(customer_ids.size, otherwise)
        np.divide(margin, revenue, out=rate, where=revenue > 0.0)
        return rate


def earn(costs: Costs) -> Earnings:
    """Add up each customer's rows, which must be tidied."""
    if not costs.customer_id.size:
        return Earnings(np.empty(0, np.int64), np.empty(0), np.empty(0))
    starts = _starts(costs)
    revenue = np.add.reduceat(costs.revenue, starts)
    cost = np.add.reduceat(costs.cost, starts)
    return Earnings(costs.customer_id[starts], revenue, revenue - cost)


def known_share(costs: Costs, purchases: PurchaseDays, *, as_of_day: int) -> float:
    """Return the share of the last 365 days' spend, before refunds, whose costs are known."""
    start = as_of_day - KNOWN_DAYS
    recent = (purchases.day >= start) & (purchases.day < as_of_day)
    spent = float(np.sort(purchases.net_spend[recent]).sum())
    if spent <= 0.0:
        return 0.0
    return min(float(costs.between(start, as_of_day).revenue.sum()) / spent, 1.0)


def refuse(costs: Costs, purchases: PurchaseDays, *, as_of_day: int) -> Abstention | None:
    """Return why too little is known of the costs for a margin, or None where enough is."""
    share = known_share(costs, purchases, as_of_day=as_of_day)
    if share < LEAST_KNOWN_SHARE:
        # Cut off, not rounded: 49.9 % must not read as the half that is needed.
        have, need = np.floor(100.0 * share), 100.0 * LEAST_KNOWN_SHARE
        return Abstention(MARGIN, "costs_unknown", float(have), need)
    buyers = int(np.unique(costs.customer_id).size)
    if buyers < MIN_BUYERS:
        return Abstention(MARGIN, "too_few_costed_buyers", buyers, MIN_BUYERS)
    return None


class MarginModel:
    """Give every customer a margin rate: the own one as far as it can be trusted.

    A customer with revenue w and margin m of known costs gets (m + k·μ) / (w + k), where k is the
    spend at which the own rate counts half, and μ the rate of who is not known at all. So the rates
    of a customer follow from their own rows and from what ``to_dict`` holds.

    Attributes
    ----------
    shop_rate_ : margin over revenue of the whole shop
    usual_rate_ : μ, the mean of the customers' rates, each weighted as far as it is trusted
    half_spend_ : k in shop currency; None where customers do not differ, and all get the shop's
    buyers_ : how many customers were learned from
    """

    shop_rate_: float
    usual_rate_: float
    half_spend_: float | None
    buyers_: int

    def fit(self, costs: Costs) -> Self:
        """Learn from tidied rows, of at least one customer."""
        earned = earn(costs)
        self.shop_rate_ = self.usual_rate_ = earned.shop_rate
        self.buyers_ = int(earned.customer_id.size)
        self.half_spend_ = _half_spend(costs)
        if self.half_spend_ is not None:
            trust = earned.revenue / (earned.revenue + self.half_spend_)
            self.usual_rate_ = float((trust * earned.rate).sum() / trust.sum())
        return self

    def predict(self, customer_ids: IntArray, costs: Costs) -> FloatArray:
        """Return each customer's margin rate from tidied rows that hold all theirs."""
        if self.half_spend_ is None:
            return np.full(customer_ids.size, self.usual_rate_)
        revenue, margin = earn(costs).of(customer_ids)
        rate = np.full(customer_ids.size, self.usual_rate_)
        known = revenue > 0.0
        rate[known] = (margin[known] + self.half_spend_ * self.usual_rate_) / (
            revenue[known] + self.half_spend_
        )
        return rate

    def without_own(self) -> "MarginModel":
        """Return the model that gives everybody the shop's rate."""
        return self.from_dict(
            self.to_dict() | {"usual_rate": self.shop_rate_, "half_spend": None},
        )

    def to_dict(self) -> JsonDict:
        """Return the learned state as a JSON-able dictionary."""
        return {
            "shop_rate": self.shop_rate_,
            "usual_rate": self.usual_rate_,
            "half_spend": self.half_spend_,
            "buyers": self.buyers_,
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild a fitted model from ``to_dict``."""
        model = cls()
        model.shop_rate_, model.usual_rate_ = stored["shop_rate"], stored["usual_rate"]
        model.half_spend_, model.buyers_ = stored["half_spend"], stored["buyers"]
        return model


def margin_in(
    model: MarginModel | None, clv_12m: FloatArray, customer_ids: IntArray, costs: Costs
) -> FloatArray:
    """Return the margin in the value in 12 months; NaN for all without a model.

    ``costs`` must hold all rows of these customers before the as-of day.
    """
    if model is None:
        return np.full(clv_12m.size, np.nan)
    return clv_12m * model.predict(customer_ids, costs.tidied())


def _half_spend(costs: Costs) -> float | None:
    """Return the ratio of both scatters, k = s² / τ² [1]_, or None where customers do not differ.

    s² is the scatter of a customer's days around the own rate, for one unit of revenue, τ² that of
    the customers' own rates: what they scatter beyond what s² explains.
    """
    starts = _starts(costs)
    days = np.diff(starts, append=costs.customer_id.size)
    rates = 1.0 - costs.cost / costs.revenue
    weight = np.add.reduceat(costs.revenue, starts)
    own = np.add.reduceat(costs.revenue * rates, starts) / weight
    repeats, total = int((days - 1).sum()), float(weight.sum())
    uneven = total - float((weight**2).sum()) / total
    if not repeats or uneven <= 0.0:
        return None
    inside = float((costs.revenue * (rates - np.repeat(own, days)) ** 2).sum()) / repeats
    shop = float((weight * own).sum()) / total
    apart = float((weight * (own - shop) ** 2).sum()) - (own.size - 1) * inside
    return inside * uneven / apart if apart > 0.0 else None


def _starts(costs: Costs) -> IntArray:
    """Return where the rows of each customer begin."""
    ids = costs.customer_id
    return np.flatnonzero(np.concatenate([[True], ids[1:] != ids[:-1]])).astype(np.int64)
