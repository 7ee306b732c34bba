"""Say between which days a customer's next order is to be expected, and how often that was right.

Days are counted from the as-of day, which is the first one not seen: an order less than a whole day
away is one on that day itself.
"""

from dataclasses import dataclass

import numpy as np

from analytics.ml.arrays import BoolArray, CodeArray, FloatArray, IntArray, JsonDict
from analytics.ml.clv import RepeatBuyingModel
from analytics.ml.ladder import NULL_REASONS
from analytics.ml.metrics import average
from analytics.ml.summary import PurchaseDays, Summary

QUARTILES = (0.25, 0.75)
LEAST_CHANCE = 0.5
"""Of an order within the horizon: below it a date would mislead."""
MOST_DAYS = 730


@dataclass(frozen=True)
class Window:
    """Each customer's first and last day of a window, both inside it, counted from the as-of day.

    NaN where there is none. Whole numbers; those of a naive window may be negative.
    """

    first: FloatArray
    last: FloatArray

    def holds(self, day: FloatArray) -> BoolArray:
        """Return whether the day lies inside; a missing day or window holds nothing."""
        return np.asarray((day >= self.first) & (day <= self.last))

    def until(self, day: float) -> "Window":
        """Return the window with nothing after ``day``."""
        return Window(self.first, np.minimum(self.last, day))

    @property
    def width(self) -> FloatArray:
        """Return the number of days."""
        return self.last - self.first + 1


def expect_window(model: RepeatBuyingModel, summary: Summary, lapse: FloatArray) -> Window:
    """Return the middle half of the days on which the next order may come, given that one will.

    None where an order within the horizon is less likely than not (``lapse`` is the probability of
    none, as published), or where the window would end more than two years away.
    """
    first, last = (
        np.floor(model.days_to_next_order(summary.frequency, summary.T, share=share))
        for share in QUARTILES
    )
    is_given = (lapse <= 1.0 - LEAST_CHANCE) & (last <= MOST_DAYS)
    return Window(np.where(is_given, first, np.nan), np.where(is_given, last, np.nan))


def chance_inside(model: RepeatBuyingModel, summary: Summary, window: Window) -> FloatArray:
    """Return the model's probability that the next order comes, and comes inside the window.

    Whole days make a window a little longer than the quartiles they come from; this counts them
    from the beginning of the first to the end of the last.
    """
    history = (summary.frequency, summary.recency, summary.T)
    until = model.p_buy(*history, horizon_days=window.last + 1)
    return np.asarray(until - model.p_buy(*history, horizon_days=window.first))


def naive_window(summary: Summary) -> Window:
    """Return the naive window: one usual gap after the last order, half a gap either way.

    The usual gap is the customer's own; of who came only once, that of all who came back.
    """
    returned = np.maximum(summary.frequency, 1)
    usual = summary.recency.sum() / max(int(summary.frequency.sum()), 1)
    gap = np.where(summary.frequency > 0, summary.recency / returned, usual)
    last_order = -1.0 - summary.days_since_last_order
    return Window(np.floor(last_order + 0.5 * gap), np.floor(last_order + 1.5 * gap))


def first_orders(
    occasions: PurchaseDays, buyers: IntArray, *, start_day: int, end_day: int
) -> FloatArray:
    """Return the days from ``start_day`` to each buyer's first occasion before ``end_day``.

    NaN where none came. ``occasions`` must be sorted and unique, ``buyers`` ascending.
    """
    inside = (occasions.day >= start_day) & (occasions.day < end_day)
    customer, first = np.unique(occasions.customer_id[inside], return_index=True)
    days = occasions.day[inside][first] - start_day
    came: FloatArray = np.full(buyers.size, np.nan)
    known = np.isin(customer, buyers, assume_unique=True)
    came[np.searchsorted(buyers, customer[known])] = days[known]
    return came


def null_codes(lapse: FloatArray, first: FloatArray, lapse_null: CodeArray) -> CodeArray:
    """Return why each customer has no window, as an index into ``NULL_REASONS``; 0 with one."""
    unlikely, far = (NULL_REASONS.index(code) for code in ("order_unlikely", "order_too_far"))
    missing = np.where(lapse > 1.0 - LEAST_CHANCE, unlikely, far)
    codes = np.where(lapse_null != 0, lapse_null, np.where(np.isnan(first), missing, 0))
    return codes.astype(np.int8)


def backtest_windows(
    models: list[RepeatBuyingModel],
    summaries: list[Summary],
    lapse: list[FloatArray],
    came: list[FloatArray],
    *,
    horizon_days: int,
) -> tuple[JsonDict, JsonDict]:
    """Return how often the next order came inside the window, and inside the naive one.

    Each list holds one entry per origin: the model, what was known, the probability of no order
    within the horizon, and the days to the first order that came in it.

    Judged is who was given a window, where it and the naive one end within the horizon: whether an
    order came inside is then known of everybody, also of those who did not order at all, and who is
    judged hangs on nothing that came later. ``share_inside`` is to be held against
    ``expected_share``, what the model said of the same customers. The longer windows are judged,
    with all others, by what of them lies within the horizon: ``cut_share_inside`` against
    ``cut_expected_share``.
    """
    rows, naive_rows = [], []
    for model, summary, chance, day in zip(models, summaries, lapse, came, strict=True):
        window, naive = expect_window(model, summary, chance), naive_window(summary)
        is_judged = (window.last < horizon_days) & (naive.last < horizon_days)
        is_given, cut = np.isfinite(window.first), window.until(horizon_days - 1)
        said = chance_inside(model, summary, window)
        said_of_cut = np.maximum(chance_inside(model, summary, cut), 0.0)
        rows.append(
            _figures(window, day, is_judged)
            | {
                "expected_share": _mean(said[is_judged]),
                "given_share": float(is_given.mean()),
                "cut_share_inside": _share(cut.holds(day)[is_given]),
                "cut_expected_share": _mean(said_of_cut[is_given]),
            }
        )
        naive_rows.append(_figures(naive, day, is_judged))
    return (
        average(rows) | {"by_origin": rows},
        {"name": "own_gap_half_either_way"} | average(naive_rows) | {"by_origin": naive_rows},
    )


def _figures(window: Window, came: FloatArray, is_judged: BoolArray) -> JsonDict:
    return {
        "share_inside": _share(window.holds(came)[is_judged]),
        "mean_width_days": _mean(window.width[is_judged]),
        "n": int(is_judged.sum()),
    }


def _share(holds: BoolArray) -> float | None:
    return _mean(holds.astype(np.float64))


def _mean(values: FloatArray) -> float | None:
    return float(values.mean()) if values.size else None
