"""Tables of the scores."""

from analytics.models.activity import ActivityCount, ActivityMark
from analytics.models.digest import DigestChoice, DigestMail
from analytics.models.scoring import (
    CurrentScore,
    CustomerScore,
    ScorePointer,
    ScoreSnapshot,
    ScoringFit,
    ScoringPart,
    ScoringRun,
)

__all__ = [
    "ActivityCount",
    "ActivityMark",
    "CurrentScore",
    "CustomerScore",
    "DigestChoice",
    "DigestMail",
    "ScorePointer",
    "ScoreSnapshot",
    "ScoringFit",
    "ScoringPart",
    "ScoringRun",
]
