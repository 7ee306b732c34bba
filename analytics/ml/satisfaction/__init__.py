"""Estimate satisfaction from what customers said and, where they are silent, from operations.

The score is a shrunken mean, ``S = 100 · (k·m + Σ wⱼ·sⱼ) / (k + Σ wⱼ)``: sⱼ is an answer on 0–1,
``wⱼ = reliability × 2^(−age / 180 days)``, ``m`` what operations let one expect, and ``k`` how many
fresh answers that expectation is worth.

``signals`` holds what is known, ``expectation`` m, ``learning`` what a shop's own answers teach
(m, k and, by ``refits`` on resampled customers, the ``bands``), ``scoring`` the score, and
``validation`` how well the whole foretells answers that were hidden from it.
"""

from analytics.ml.satisfaction.expectation import (
    BASE_STARS,
    PUBLISHED,
    Norms,
    expected_stars,
    stars_to_unit,
)
from analytics.ml.satisfaction.learning import CONSTANTS, DEFAULT_PRIOR_WEIGHT, Habits, learn
from analytics.ml.satisfaction.scoring import SatisfactionScores, score_satisfaction
from analytics.ml.satisfaction.signals import (
    HALF_LIFE_DAYS,
    RATING_KINDS,
    Deliveries,
    Operations,
    Ratings,
    Signals,
)
from analytics.ml.satisfaction.validation import MIN_HIDDEN, Proof, validate

__all__ = [
    "BASE_STARS",
    "CONSTANTS",
    "DEFAULT_PRIOR_WEIGHT",
    "HALF_LIFE_DAYS",
    "MIN_HIDDEN",
    "PUBLISHED",
    "RATING_KINDS",
    "Deliveries",
    "Habits",
    "Norms",
    "Operations",
    "Proof",
    "Ratings",
    "SatisfactionScores",
    "Signals",
    "expected_stars",
    "learn",
    "score_satisfaction",
    "stars_to_unit",
    "validate",
]
