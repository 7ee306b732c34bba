"""Score recency, frequency and spend from 1 to 5 and name the eleven groups they form."""

from collections.abc import Sequence

import numpy as np

from analytics.ml.arrays import CodeArray, FloatArray, JsonDict

SCORES = 5

CHAMPIONS = "champions"
LOYAL = "loyal"
POTENTIAL_LOYALIST = "potential_loyalist"
NEW_CUSTOMERS = "new_customers"
PROMISING = "promising"
NEEDS_ATTENTION = "needs_attention"
ABOUT_TO_SLEEP = "about_to_sleep"
AT_RISK = "at_risk"
CANNOT_LOSE_THEM = "cannot_lose_them"
HIBERNATING = "hibernating"
LOST = "lost"

# Order is part of the contract: results carry indices into it. Append only.
RFM_GROUPS: tuple[str, ...] = (
    CHAMPIONS,
    LOYAL,
    POTENTIAL_LOYALIST,
    NEW_CUSTOMERS,
    PROMISING,
    NEEDS_ATTENTION,
    ABOUT_TO_SLEEP,
    AT_RISK,
    CANNOT_LOSE_THEM,
    HIBERNATING,
    LOST,
)

# The map: (group, R from–to, F + M from–to). F + M is twice the mean of F and M (2–10), so that
# half steps stay whole numbers. The boxes tile the 5 × 9 plane: each triple falls in exactly one.
GROUP_BOXES: tuple[tuple[str, int, int, int, int], ...] = (
    (CHAMPIONS, 4, 5, 8, 10),
    (LOYAL, 3, 3, 8, 10),
    (LOYAL, 4, 5, 6, 7),
    (POTENTIAL_LOYALIST, 4, 5, 4, 5),
    (NEW_CUSTOMERS, 5, 5, 2, 3),
    (PROMISING, 4, 4, 2, 3),
    (NEEDS_ATTENTION, 3, 3, 5, 7),
    (ABOUT_TO_SLEEP, 3, 3, 2, 4),
    (CANNOT_LOSE_THEM, 1, 2, 9, 10),
    (AT_RISK, 1, 2, 6, 8),
    (HIBERNATING, 2, 2, 2, 5),
    (HIBERNATING, 1, 1, 4, 5),
    (LOST, 1, 1, 2, 3),
)


def _group_table() -> CodeArray:
    """Return the group index for every (R, F + M)."""
    table = np.full((SCORES + 1, 2 * SCORES + 1), -1, dtype=np.int8)
    for name, low_r, high_r, low_fm, high_fm in GROUP_BOXES:
        table[low_r : high_r + 1, low_fm : high_fm + 1] = RFM_GROUPS.index(name)
    return table


_GROUPS = _group_table()


def quintile_cutoffs(values: FloatArray) -> list[float]:
    """Return the four values at or below which the first four fifths of the customers lie.

    The cut-offs are values that occur, so equal values always share a score. Fewer than five
    distinct values give repeated cut-offs, and some scores then stay unused.
    """
    if values.size == 0:
        return []
    levels = np.arange(1, SCORES) / SCORES
    return [float(cut) for cut in np.quantile(values, levels, method="inverted_cdf")]


def assign(values: FloatArray, cutoffs: Sequence[float], *, low_is_good: bool = False) -> CodeArray:
    """Score values from 1 to 5 by stored cut-offs; NaN scores 0.

    A value equal to a cut-off belongs below it. With ``low_is_good`` (days since the last order)
    the scale is turned round.
    """
    steps = np.searchsorted(np.asarray(cutoffs, dtype=np.float64), values, side="left")
    scores = (SCORES - steps if low_is_good else 1 + steps).astype(np.int8)
    scores[~np.isfinite(values)] = 0
    return scores


def group_index(r_score: CodeArray, f_score: CodeArray, m_score: CodeArray) -> CodeArray:
    """Return the index into ``RFM_GROUPS`` for each triple; −1 where a score is null."""
    return _GROUPS[r_score, f_score + m_score]


def fit_cutoffs(
    days_since_last_order: FloatArray, order_count: FloatArray, total_spend: FloatArray
) -> JsonDict:
    """Return the quintile cut-offs of the three inputs as a JSON-able dictionary."""
    return {
        "days_since_last_order": quintile_cutoffs(days_since_last_order),
        "order_count": quintile_cutoffs(order_count),
        "total_spend": quintile_cutoffs(total_spend),
    }
