"""Adjectives for the shared machinery's rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q

from crm.core.enums import FINAL_JOB_STATES, JobState

if TYPE_CHECKING:
    from crm.core.models import Alert, ApiKey, IdempotencyRecord, Job  # noqa: F401 - only for the annotations


class JobQuerySet(models.QuerySet["Job"]):
    """Jobs by what may be done with them."""

    def unfinished(self) -> Self:
        return self.filter(state__in=[JobState.QUEUED, JobState.RUNNING])

    def queued_and_due(self, now: datetime) -> Self:
        return self.filter(state=JobState.QUEUED, due_at__lte=now)

    def without_hint(self, now: datetime, *, after: timedelta, again: timedelta) -> Self:
        """Queued jobs due for ``after`` that nobody was told about during ``again``."""
        return self.queued_and_due(now - after).filter(
            Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=now - again)
        )

    def finished_before(self, moment: datetime) -> Self:
        return self.filter(state__in=FINAL_JOB_STATES, finished_at__lt=moment)

    def abandoned(self, now: datetime, stale_after: timedelta) -> Self:
        """Running jobs whose worker has not been heard of for ``stale_after``."""
        return self.filter(state=JobState.RUNNING, heartbeat_at__lt=now - stale_after)


class AlertQuerySet(models.QuerySet["Alert"]):
    """Alerts by what is still to be done about them."""

    def open(self) -> Self:
        return self.filter(resolved_at__isnull=True)

    def unmailed(self) -> Self:
        return self.open().filter(mailed_at__isnull=True)

    def resolved_before(self, moment: datetime) -> Self:
        return self.filter(resolved_at__lt=moment)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Keys by whether they open anything."""

    def usable(self, now: datetime) -> Self:
        return self.filter(revoked_at__isnull=True).filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now)
        )


class IdempotencyRecordQuerySet(models.QuerySet["IdempotencyRecord"]):
    """Stored answers by age."""

    def made_before(self, moment: datetime) -> Self:
        return self.filter(created_at__lt=moment)
