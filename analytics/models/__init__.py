"""Tables of the scores."""

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
    "CurrentScore",
    "CustomerScore",
    "ScorePointer",
    "ScoreSnapshot",
    "ScoringFit",
    "ScoringPart",
    "ScoringRun",
]
