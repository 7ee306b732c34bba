"""Work that takes longer than a request."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.core.enums import FINAL_JOB_STATES, JobState, LogLevel
from crm.core.fields import PublicIdField
from crm.core.models.base import TimeStampedModel
from crm.core.querysets import JobQuerySet
from crm.core.registry import registry

FEWEST_STEPS = 20
"""Of a job with fewer, the time left is not told."""


class Job(TimeStampedModel):
    """One piece of slow work: what it is, how far it is, who does it, how it ended.

    A worker owns a job by its ``epoch``: whoever takes the job over raises it, and the former
    owner's next write is refused. ``heartbeat_at`` is the worker's last sign of life while the job
    runs, and the last time workers were told about it while it is queued. ``attempts`` counts the
    workers lost since the job last got ahead. ``title`` and ``step`` are English and
    are shown through ``title_words`` and ``step_words``; what the job says in its log, its error
    and its error file is written in the ``language`` of who started it.
    """

    public_id = PublicIdField("job", unique=True)
    kind = models.CharField(_("kind"), max_length=48)
    key = models.CharField(
        _("key"),
        max_length=120,
        null=True,
        blank=True,
        help_text=_("Unique per kind: the nightly run of one day exists once."),
    )
    title = models.CharField(_("title"), max_length=200)
    state = models.CharField(
        _("state"),
        max_length=12,
        choices=JobState,
        default=JobState.QUEUED,
        db_default=JobState.QUEUED,
    )
    language = models.CharField(_("language"), max_length=16, blank=True, default="", db_default="")
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    cursor = models.JSONField(_("resume point"), default=dict, blank=True)
    done = models.BigIntegerField(_("done"), default=0, db_default=0)
    total = models.BigIntegerField(_("total"), null=True, blank=True)
    step = models.CharField(_("step"), max_length=200, blank=True, default="")
    result = models.JSONField(_("result"), default=dict, blank=True)
    error = models.TextField(_("error"), blank=True, default="")
    error_file = models.FileField(_("error file"), upload_to="jobs/errors/", blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("started by"),
    )
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("heartbeat"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"), db_default=Now())
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True, blank=True)
    worker = models.CharField(_("worker"), max_length=120, blank=True, default="")
    epoch = models.PositiveIntegerField(_("epoch"), default=0, db_default=0)
    attempts = models.PositiveIntegerField(_("attempts"), default=0, db_default=0)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="job_once_per_key"),
            models.CheckConstraint(
                condition=~Q(state__in=FINAL_JOB_STATES) | Q(finished_at__isnull=False),
                name="job_final_has_finished_at",
            ),
            models.CheckConstraint(condition=Q(done__gte=0), name="job_done_not_negative"),
        ]
        indexes = [
            # The sweep: what is queued or may have lost its worker.
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=[JobState.QUEUED, JobState.RUNNING]),
                name="job_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return self.title_words

    @property
    def title_words(self) -> str:
        """Return what the job does, in the reader's language."""
        known = self.kind in registry.job_handlers
        words = registry.job_handlers.get(self.kind).title if known else None
        return words(self) if words else gettext(self.title)

    @property
    def step_words(self) -> str:
        """Return what the job is at, in the reader's language."""
        return gettext(self.step) if self.step else ""

    @property
    def is_final(self) -> bool:
        """Tell whether nothing more will happen."""
        return self.state in FINAL_JOB_STATES

    @property
    def percent(self) -> int | None:
        """Return how far the job is, 0–100, or None when the total is not known."""
        if self.state == JobState.SUCCEEDED:
            return 100
        if not self.total:
            return None
        return min(100, int(100 * self.done / self.total))

    def rate(self, now: datetime) -> float | None:
        """Return units done per second since the start, or None before anything was done."""
        if not self.started_at or not self.done:
            return None
        seconds = ((self.finished_at or now) - self.started_at).total_seconds()
        return self.done / seconds if seconds > 0 else None

    def time_left(self, now: datetime) -> timedelta | None:
        """Return the expected time to the end at the rate so far, or None when unknown.

        Few steps are seldom equally long, and a job that was taken over also counts the time in
        which nobody worked at it: both say nothing.
        """
        rate = self.rate(now)
        if self.is_final or not rate or not self.total:
            return None
        if self.total < FEWEST_STEPS or self.epoch > 1:
            return None
        return timedelta(seconds=max(0.0, (self.total - self.done) / rate))


class JobLog(models.Model):
    """One line a job said, kept for staff."""

    job = models.ForeignKey("core.Job", models.CASCADE, related_name="log")
    at = models.DateTimeField(db_default=Now())
    level = models.CharField(max_length=8, choices=LogLevel, default=LogLevel.INFO)
    message = models.TextField()

    class Meta:
        verbose_name = _("job log line")
        verbose_name_plural = _("job log")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.message
