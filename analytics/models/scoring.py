"""Scores and the runs that made them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analytics.enums import RfmGroup, RunState, RunTrigger
from analytics.querysets import CurrentScoreQuerySet, ScoringRunQuerySet
from crm.core.fields import PublicIdField
from crm.core.models import TimeStampedModel


class ScoringRun(TimeStampedModel):
    """One fit and score of all customers: what it saw, what it used, how well it does."""

    public_id = PublicIdField("run", unique=True)
    job = models.OneToOneField(
        "core.Job",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("job"),
    )
    trigger = models.CharField(_("started"), max_length=8, choices=RunTrigger)
    as_of_day = models.DateField(_("as of"), help_text=_("The first day this run did not see."))
    state = models.CharField(_("state"), max_length=10, choices=RunState, default=RunState.QUEUED)
    model_name = models.CharField(_("model"), max_length=48, blank=True, default="")
    model_version = models.CharField(_("version"), max_length=16, blank=True, default="")
    horizon_days = models.PositiveSmallIntegerField(_("horizon in days"), null=True, blank=True)
    discount_rate = models.DecimalField(
        _("discount rate per year"), max_digits=5, decimal_places=4, null=True, blank=True
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="")
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    metrics = models.JSONField(_("backtest"), default=dict, blank=True)
    baseline = models.JSONField(_("naive baseline"), default=dict, blank=True)
    abstentions = models.JSONField(
        _("abstentions"),
        default=list,
        blank=True,
        help_text=_("What was not scored, and what is missing."),
    )
    customer_count = models.IntegerField(_("customers"), default=0)
    scored_count = models.IntegerField(_("scored customers"), default=0)
    data_until = models.DateTimeField(_("newest order"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True, default="")

    objects = ScoringRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("scoring run")
        verbose_name_plural = _("scoring runs")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=RunState.PUBLISHED) | Q(published_at__isnull=False),
                name="scoring_run_published_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.as_of_day:%Y-%m-%d}"


class ScoringFit(models.Model):
    """What a run's scores are made with: plain numbers that any worker can score customers by."""

    run = models.OneToOneField(
        "analytics.ScoringRun", models.CASCADE, primary_key=True, related_name="fit"
    )
    state = models.JSONField()
    withheld_sources = models.JSONField(default=list)

    class Meta:
        verbose_name = _("fitted models")
        verbose_name_plural = _("fitted models")

    def __str__(self) -> str:
        return str(self.run_id)


class ScoringPart(models.Model):
    """A part of the customers, by a hash of the id, that one worker scores in one transaction.

    A worker holds its part by the lock of this row: when it dies, Postgres lets go of the lock and
    takes back what it wrote.
    """

    run = models.ForeignKey("analytics.ScoringRun", models.CASCADE, related_name="parts")
    number = models.PositiveSmallIntegerField()
    is_done = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("part of a scoring run")
        verbose_name_plural = _("parts of a scoring run")
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="scoring_part_once"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number}"


class ScorePointer(models.Model):
    """The one row that names the published run; moving it publishes all scores at once."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    run = models.ForeignKey("analytics.ScoringRun", models.PROTECT, related_name="+")
    moved_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("published run")
        verbose_name_plural = _("published run")
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="score_pointer_one_row"),
        ]

    def __str__(self) -> str:
        return str(self.run_id)


class ScoreValues(models.Model):
    """The columns of a score row. A null is never a zero: the run's reasons say why."""

    r_score = models.SmallIntegerField(_("R"), null=True)
    f_score = models.SmallIntegerField(_("F"), null=True)
    m_score = models.SmallIntegerField(_("M"), null=True)
    rfm_group = models.CharField(_("RFM group"), max_length=24, choices=RfmGroup, null=True)
    p_alive = models.FloatField(_("probability of being a customer still"), null=True)
    churn_probability = models.FloatField(_("churn risk"), null=True)
    churn_low = models.FloatField(null=True)
    churn_high = models.FloatField(null=True)
    expected_orders = models.FloatField(_("expected orders"), null=True)
    orders_low = models.FloatField(null=True)
    orders_high = models.FloatField(null=True)
    next_order_from = models.DateField(_("next order from"), null=True)
    next_order_until = models.DateField(_("next order until"), null=True)
    next_order_abstained = models.CharField(
        _("no date of the next order because"),
        max_length=48,
        blank=True,
        default="",
        help_text=_("A code such as order_unlikely; empty where there is a date."),
    )
    predicted_clv = models.DecimalField(
        _("predicted spend"), max_digits=16, decimal_places=2, null=True
    )
    clv_low = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    clv_high = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    clv_12m = models.DecimalField(
        _("value in 12 months"), max_digits=16, decimal_places=2, null=True
    )
    margin_12m = models.DecimalField(
        _("margin in 12 months"), max_digits=16, decimal_places=2, null=True
    )
    satisfaction = models.FloatField(_("satisfaction"), null=True)
    satisfaction_low = models.FloatField(null=True)
    satisfaction_high = models.FloatField(null=True)
    satisfaction_n_eff = models.FloatField(null=True)
    satisfaction_inferred = models.FloatField(null=True)
    reasons = models.JSONField(_("reasons"), default=dict)
    abstained = models.CharField(
        _("not scored because"),
        max_length=48,
        blank=True,
        default="",
        help_text=_("A code such as no_orders; empty when everything was scored."),
    )

    class Meta:
        abstract = True


class CustomerScore(ScoreValues):
    """A score row of one run. LIST-partitioned by run; a run's rows appear all at once."""

    pk = models.CompositePrimaryKey("run_id", "customer_id")
    run = models.ForeignKey(
        "analytics.ScoringRun", models.CASCADE, related_name="+", db_constraint=False
    )
    customer = models.ForeignKey(
        "customers.Customer", models.DO_NOTHING, related_name="+", db_constraint=False
    )

    class Meta:
        managed = False
        db_table = "analytics_customerscore"
        verbose_name = _("score")
        verbose_name_plural = _("scores")

    def __str__(self) -> str:
        return f"{self.run_id}/{self.customer_id}"


class CurrentScore(ScoreValues):
    """The published scores: a view that reads one run, whatever is being published meanwhile."""

    customer = models.OneToOneField(
        "customers.Customer",
        models.DO_NOTHING,
        primary_key=True,
        related_name="+",
        db_constraint=False,
    )
    run = models.ForeignKey(
        "analytics.ScoringRun", models.DO_NOTHING, related_name="+", db_constraint=False
    )

    objects = CurrentScoreQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "analytics_currentscore"
        verbose_name = _("current score")
        verbose_name_plural = _("current scores")

    def __str__(self) -> str:
        return str(self.customer_id)


class ScoreSnapshot(models.Model):
    """A customer's scores at the first run of a month: the history behind a trend."""

    customer = models.ForeignKey("customers.Customer", models.CASCADE, related_name="+")
    run = models.ForeignKey("analytics.ScoringRun", models.PROTECT, related_name="+")
    month = models.DateField(_("month"))
    rfm_group = models.CharField(max_length=24, choices=RfmGroup, null=True)
    churn_probability = models.FloatField(null=True)
    predicted_clv = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    satisfaction = models.FloatField(null=True)

    class Meta:
        verbose_name = _("score history")
        verbose_name_plural = _("score history")
        constraints = [
            models.UniqueConstraint(fields=["customer", "month"], name="score_snapshot_once"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.month}"
