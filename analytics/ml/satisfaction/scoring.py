"""Score customers: answers weighed against what operations let one expect."""

from dataclasses import dataclass

import numpy as np

from analytics.ml import reasons
from analytics.ml.arrays import BoolArray, FloatArray, IntArray
from analytics.ml.reasons import ReasonColumns, strongest
from analytics.ml.satisfaction.expectation import Record, record_of
from analytics.ml.satisfaction.learning import Habits
from analytics.ml.satisfaction.signals import Signals, positions


@dataclass(frozen=True)
class SatisfactionScores:
    """Satisfaction per customer; NaN where there is neither an order nor a signal."""

    score: FloatArray
    low: FloatArray
    high: FloatArray
    n_eff: FloatArray
    inferred_share: FloatArray
    reasons: ReasonColumns


def score_satisfaction(
    customer_ids: IntArray,
    known: Signals,
    *,
    has_orders: BoolArray,
    as_of_day: int,
    habits: Habits | None = None,
) -> SatisfactionScores:
    """Score ascending ``customer_ids`` from what ``Signals.before(as_of_day)`` gave.

    Of other signals, too, nothing on or after ``as_of_day`` is seen; only their order is theirs.
    ``has_orders`` follows ``customer_ids``; without ``habits`` the published ones hold.
    """
    habits = habits or Habits()
    size = customer_ids.size
    record = record_of(customer_ids, known, np.full(size, as_of_day))
    said = known.ratings.take(known.ratings.day < as_of_day)
    row, kept = positions(customer_ids, said.customer_id)
    weight = said.weight(np.full(said.day.size, as_of_day - 1))[kept]
    n_eff: FloatArray = np.bincount(row, weight, size).astype(np.float64)
    total: FloatArray = np.bincount(row, weight * said.score[kept], size).astype(np.float64)
    mean = habits.mean(habits.norms.mean(record), n_eff, total)
    low, high = habits.bands.of(mean, n_eff == 0)
    silent = ~(has_orders | record.is_known | (n_eff > 0))

    def publish(values: FloatArray, scale: float) -> FloatArray:
        return np.where(silent, np.nan, scale * values)

    return SatisfactionScores(
        score=publish(mean, 100.0),
        low=publish(low, 100.0),
        high=publish(high, 100.0),
        n_eff=publish(n_eff, 1.0),
        inferred_share=publish(habits.prior_weight / (habits.prior_weight + n_eff), 1.0),
        reasons=_reasons(record, total, n_eff, habits, silent),
    )


def _reasons(
    record: Record,
    total: FloatArray,
    n_eff: FloatArray,
    habits: Habits,
    silent: BoolArray,
) -> ReasonColumns:
    """Rank what moved the score away from that of an order delivered on the promised day."""
    strength = habits.prior_weight + n_eff
    answered = n_eff > 0
    mean_rating = np.where(answered, total / np.where(answered, n_eff, 1.0), np.nan)
    share = habits.prior_weight / strength
    delay, returned, tickets = (share * part for part in record.effects(habits.norms).T)
    nothing = np.zeros(n_eff.size)
    base = np.full(n_eff.size, habits.norms.base)
    return strongest(
        [
            (
                reasons.RATING,
                np.where(answered, n_eff * (mean_rating - base) / strength, 0.0),
                mean_rating,
                base,
            ),
            (reasons.DELIVERY_DELAY, delay, record.mean_delay, nothing),
            (reasons.RETURN_SHARE, returned, record.return_share, nothing),
            (reasons.TICKET_COUNT, tickets, record.ticket_count, nothing),
            # Weakest of all on purpose: it shows only when nothing else does.
            (reasons.NO_ANSWER_YET, np.where(answered, 0.0, 1e-12), n_eff, nothing),
        ],
        keep=3,
        blank=silent,
    )
