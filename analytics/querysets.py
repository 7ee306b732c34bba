"""Adjectives for the scores' rows."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models.functions import Cast

from analytics.enums import ChurnBand, RunState

if TYPE_CHECKING:
    from analytics.models import CurrentScore, ScoringRun  # noqa: F401 - only for annotations


class ScoringRunQuerySet(models.QuerySet["ScoringRun"]):
    """Runs by state."""

    def unfinished(self) -> Self:
        return self.filter(state__in=[RunState.QUEUED, RunState.RUNNING])

    def published(self) -> Self:
        return self.filter(state=RunState.PUBLISHED)


class CurrentScoreQuerySet(models.QuerySet["CurrentScore"]):
    """Published scores by what they say."""

    def in_churn_band(self, band: ChurnBand) -> Self:
        """Customers whose churn risk lies in the band, lower end included."""
        low, high = band.bounds
        rows = self.filter(churn_probability__gte=low)
        return rows if high is None else rows.filter(churn_probability__lt=high)

    def at_risk(self) -> Self:
        """Customers whose churn risk is not low."""
        low, _high = ChurnBand.MEDIUM.bounds
        return self.filter(churn_probability__gte=low)

    def with_clv_between(self, low: Decimal | None, high: Decimal | None) -> Self:
        """Customers whose predicted spend is at least ``low`` and below ``high``."""
        rows = self.filter(predicted_clv__isnull=False)
        if low is not None:
            rows = rows.filter(predicted_clv__gte=low)
        return rows if high is None else rows.filter(predicted_clv__lt=high)

    def by_value_at_risk(self) -> Self:
        """Those with both forecasts, by ``value_at_risk`` = churn risk × predicted spend."""
        scored = self.filter(churn_probability__isnull=False, predicted_clv__isnull=False)
        spend = Cast("predicted_clv", models.FloatField())
        product = models.F("churn_probability") * spend
        return scored.annotate(value_at_risk=product).order_by("-value_at_risk", "customer_id")
