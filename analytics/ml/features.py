"""Describe buyers as of one day: what learners see of them, and nothing that came later."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from analytics.ml.arrays import BoolArray, FloatArray, IntArray, JsonDict
from analytics.ml.clv import CREDIBILITY, MBG_NBD, NBD, NEWTON, RepeatBuyingModel, SpendModel
from analytics.ml.errors import DegenerateFitError
from analytics.ml.summary import PurchaseDays, Summary, compress, occasion_gaps

WINDOWS = (14, 30, 60, 90, 180, 365)
PRIOR = 20.0
"""Customers' worth of belief that the shop is a usual one; steadies a fit where nobody leaves."""
BLOCK = 100_000
EDGE = 1e-6
LARGEST_LOG_ODDS = float(logit(1.0 - EDGE))

OF_SUMMARY = (
    "days_since_last_order",
    "log_days_since_last_order",
    "log_age",
    "log_repeats",
    "log_rate",
    "log_gap",
    "log_silence_in_gaps",
    "log_last_gap",
    "gap_unevenness",
    "bought_once",
)
OF_MODELS = ("logit_p_buy", "log_expected_orders", "logit_p_alive", "log_order_value", "log_value")
OF_SPEND = ("log_average_order", "log_total_spend", "log_last_order", "log_last_to_average")
FEATURES = (
    *OF_SUMMARY,
    *OF_MODELS,
    *OF_SPEND,
    *(f"log_orders_{days}" for days in WINDOWS),
    *(f"log_spend_{days}" for days in WINDOWS),
    "log_orders_a_year_ago",
    "log_spend_a_year_ago",
)
OF_LAST_YEAR = slice(-2, None)
"""The places of the features that look at the same days a year before."""


@dataclass(frozen=True)
class Recent:
    """What a summary forgets; one row per buyer, in its order.

    Attributes
    ----------
    last_gap : days between the last two occasions; NaN for who bought once
    unevenness : standard deviation of a customer's gaps over their mean; 0 with fewer than two
    last_value : spend of the last occasion
    orders, spend : occasions, and what was spent on them, in the last days by ``WINDOWS``
    year_ago_orders, year_ago_spend : the same in the horizon that began 365 days ago
    """

    last_gap: FloatArray
    unevenness: FloatArray
    last_value: FloatArray
    orders: FloatArray
    spend: FloatArray
    year_ago_orders: FloatArray
    year_ago_spend: FloatArray

    def take(self, keep: BoolArray | slice) -> "Recent":
        """Return the rows that ``keep`` chooses."""
        return Recent(*(column[keep] for column in vars(self).values()))


def recent_activity(occasions: PurchaseDays, *, as_of_day: int, horizon_days: int) -> Recent:
    """Return what each buyer did lately, from sorted occasions before ``as_of_day``."""
    customer = occasions.customer_id
    is_first = np.ones(customer.size, dtype=bool)
    is_first[1:] = customer[1:] != customer[:-1]
    starts = np.flatnonzero(is_first)
    size = starts.size
    ends = np.append(starts[1:], customer.size) - 1
    counts = ends - starts
    rank = np.cumsum(is_first) - 1
    gaps = np.diff(occasions.day, prepend=0).astype(np.float64)
    gaps[starts] = 0.0
    repeats = np.maximum(counts, 1)
    mean = np.bincount(rank, gaps, size) / repeats
    spread = np.sqrt(np.maximum(np.bincount(rank, gaps**2, size) / repeats - mean**2, 0.0))
    orders, spend = np.empty((size, len(WINDOWS))), np.empty((size, len(WINDOWS)))
    for place, days in enumerate(WINDOWS):
        inside = occasions.day >= as_of_day - days
        orders[:, place], spend[:, place] = _count(occasions, rank, inside, size)
    year_ago = as_of_day - 365
    inside = (occasions.day >= year_ago) & (occasions.day < year_ago + horizon_days)
    year_ago_orders, year_ago_spend = _count(occasions, rank, inside, size)
    return Recent(
        last_gap=np.where(counts > 0, gaps[ends], np.nan),
        unevenness=np.where(counts > 1, spread / np.maximum(mean, 1.0), 0.0),
        last_value=occasions.net_spend[ends],
        orders=orders,
        spend=spend,
        year_ago_orders=year_ago_orders,
        year_ago_spend=year_ago_spend,
    )


def _count(
    occasions: PurchaseDays, rank: IntArray, inside: BoolArray, size: int
) -> tuple[FloatArray, FloatArray]:
    """Return each buyer's occasions and spend inside; ``rank`` numbers the buyer of each row."""
    spend = np.bincount(rank[inside], occasions.net_spend[inside], size)
    return np.bincount(rank[inside], minlength=size).astype(np.float64), spend.astype(np.float64)


@dataclass(frozen=True)
class Base:
    """The models of repeat buying and of order value as of a day, and the shop's usual gap."""

    buying: RepeatBuyingModel
    spend: SpendModel
    shop_gap: float
    horizon_days: int

    def to_dict(self) -> JsonDict:
        """Return what was learned as a JSON-able dictionary."""
        return {
            "buying": self.buying.to_dict(),
            "spend": self.spend.to_dict(),
            "shop_gap": self.shop_gap,
            "horizon_days": self.horizon_days,
        }

    @classmethod
    def from_dict(cls, stored: JsonDict) -> "Base":
        """Rebuild what was learned from ``to_dict``."""
        return cls(
            RepeatBuyingModel.from_dict(stored["buying"]),
            SpendModel.from_dict(stored["spend"]),
            stored["shop_gap"],
            stored["horizon_days"],
        )


def fit_base(
    occasions: PurchaseDays,
    summary: Summary,
    *,
    horizon_days: int,
    engine: str = NEWTON,
    start: Base | None = None,
) -> Base:
    """Fit MBG/NBD under a weak prior and Gamma–Gamma on all orders, or the rungs below.

    Raises DegenerateFitError where not even those describe the customers.
    """
    history = compress(summary.frequency, summary.recency, summary.T)
    before = start.buying if start and start.buying.model == MBG_NBD else None
    try:
        buying = RepeatBuyingModel(MBG_NBD, prior=PRIOR, engine=engine).fit(history, start=before)
    except DegenerateFitError:
        buying = RepeatBuyingModel(NBD).fit(history)
    try:
        spend = SpendModel(engine=engine).fit(summary)
    except DegenerateFitError:
        spend = SpendModel(model=CREDIBILITY).fit(summary)
    gaps = occasion_gaps(occasions)
    return Base(buying, spend, max(float(gaps.mean()), 1.0), horizon_days)


def forecasts(summary: Summary, base: Base) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return P(buy), the expected orders within the horizon and the expected value of one."""
    history = (summary.frequency, summary.recency, summary.T)
    return (
        base.buying.p_buy(*history, horizon_days=base.horizon_days),
        base.buying.expected_orders(*history, horizon_days=base.horizon_days),
        base.spend.expected_order_value(summary),
    )


def describe(summary: Summary, recent: Recent, base: Base) -> FloatArray:
    """Return one row of ``FEATURES`` per buyer.

    Money is in units of the shop's mean order value, so that the currency does not matter.
    """
    silent = summary.days_since_last_order.astype(np.float64)
    repeats, age = summary.frequency.astype(np.float64), summary.T.astype(np.float64)
    returned = repeats > 0
    gap = np.where(returned, np.maximum(summary.recency / np.maximum(repeats, 1.0), 1.0), 0.0)
    gap = np.where(returned, gap, base.shop_gap)
    last_gap = np.where(returned, np.maximum(recent.last_gap, 1.0), base.shop_gap)
    buy, orders, worth = forecasts(summary, base)
    alive = base.buying.p_alive(summary.frequency, summary.recency, summary.T)
    unit = base.spend.scale_
    columns = [
        silent / 100.0,
        np.log1p(silent),
        np.log1p(age),
        np.log1p(repeats),
        np.log((repeats + 1.0) / (age + base.shop_gap)),
        np.log(gap),
        np.log1p(silent) - np.log(gap),
        np.log(last_gap),
        recent.unevenness,
        (~returned).astype(np.float64),
        log_odds(buy),
        np.log(np.maximum(orders, EDGE)),
        log_odds(alive),
        np.log(worth / unit),
        np.log(np.maximum(orders * worth / unit, EDGE)),
        np.log(summary.average_order / unit),
        np.log(summary.total_spend / unit),
        np.log(recent.last_value / unit),
        np.log(recent.last_value / summary.average_order),
    ]
    columns += [np.log1p(recent.orders), np.log1p(recent.spend / unit)]
    return np.column_stack(
        [*columns, np.log1p(recent.year_ago_orders), np.log1p(recent.year_ago_spend / unit)]
    )


def log_odds(probability: FloatArray) -> FloatArray:
    """Return the log-odds, kept finite at the ends."""
    return np.asarray(logit(np.clip(probability, EDGE, 1.0 - EDGE)))


def blocks(size: int) -> Iterator[slice]:
    """Yield the rows in blocks, so that what is made of them stays small."""
    for begin in range(0, size, BLOCK):
        yield slice(begin, min(begin + BLOCK, size))


def some(customer_ids: IntArray, most: int) -> BoolArray:
    """Return which customers are looked at where there are more than ``most``: always the same.

    A hash of the id decides, so that neither the order nor the age of the customers does.
    """
    if customer_ids.size <= most:
        return np.ones(customer_ids.size, dtype=bool)
    mixed = customer_ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return np.asarray(mixed <= np.partition(mixed, most - 1)[most - 1])
