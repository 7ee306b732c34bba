"""Adjectives for the scores' rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from analytics.enums import RunState

if TYPE_CHECKING:
    from analytics.models import ScoringRun  # noqa: F401 - only for the annotations


class ScoringRunQuerySet(models.QuerySet["ScoringRun"]):
    """Runs by state."""

    def unfinished(self) -> Self:
        return self.filter(state__in=[RunState.QUEUED, RunState.RUNNING])

    def published(self) -> Self:
        return self.filter(state=RunState.PUBLISHED)
