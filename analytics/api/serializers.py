"""How scores and the runs that made them look from outside."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from analytics.ml.margin import MARGIN
from analytics.models import CurrentScore, ScoringRun
from analytics.selectors.wording import explain_run
from crm.core.api.fields import MoneyField, ReadSerializer, public_id
from crm.core.api.serializers import JobSerializer, link


class ReadPart(serializers.Serializer[Any]):
    """A part of an answer made from the row itself."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", read_only=True, **kwargs)


class ModelSerializer(ReadPart):
    name = serializers.CharField(source="run.model_name")
    version = serializers.CharField(source="run.model_version")


class RfmSerializer(ReadPart):
    """Recency, frequency and monetary rank, 1 (worst) to 5 (best), and the group they make."""

    r = serializers.IntegerField(source="r_score", allow_null=True)
    f = serializers.IntegerField(source="f_score", allow_null=True)
    m = serializers.IntegerField(source="m_score", allow_null=True)
    group = serializers.CharField(source="rfm_group", allow_null=True)


class ChurnSerializer(ReadPart):
    value = serializers.FloatField(source="churn_probability", allow_null=True)
    low = serializers.FloatField(source="churn_low", allow_null=True)
    high = serializers.FloatField(source="churn_high", allow_null=True)
    horizon_days = serializers.IntegerField(source="run.horizon_days", allow_null=True)
    definition = serializers.SerializerMethodField()

    def get_definition(self, score: CurrentScore) -> str:
        return _("Probability of no order in the %(days)s days from %(day)s on.") % _span(score)


class NextOrderSerializer(ReadPart):
    """The days on which the next order is expected; both are null where there is no date."""

    from_day = serializers.DateField(
        source="next_order_from", allow_null=True, help_text="The first of the days."
    )
    until_day = serializers.DateField(
        source="next_order_until", allow_null=True, help_text="The last of the days."
    )
    abstained = serializers.SerializerMethodField(
        help_text="Why there is no date, such as order_unlikely; null where there is one."
    )
    horizon_days = serializers.IntegerField(source="run.horizon_days", allow_null=True)
    definition = serializers.SerializerMethodField()

    def get_abstained(self, score: CurrentScore) -> str | None:
        return score.next_order_abstained or None

    def get_definition(self, score: CurrentScore) -> str:
        return _(
            "Half of the next orders come within these days, if they come; no date where the "
            "chance of an order in the %(days)s days from %(day)s on is below one half."
        ) % _span(score)


class ClvSerializer(ReadPart):
    value = MoneyField(source="predicted_clv", allow_null=True)
    low = MoneyField(source="clv_low", allow_null=True)
    high = MoneyField(source="clv_high", allow_null=True)
    currency = serializers.CharField(source="run.currency")
    horizon_days = serializers.IntegerField(source="run.horizon_days", allow_null=True)
    definition = serializers.SerializerMethodField()

    def get_definition(self, score: CurrentScore) -> str:
        return _(
            "Expected spend in the %(days)s days from %(day)s on, net of refunds; "
            "8 of 10 customers end between low and high."
        ) % _span(score)


class ClvYearSerializer(ReadPart):
    value = MoneyField(source="clv_12m", allow_null=True)
    currency = serializers.CharField(source="run.currency")
    definition = serializers.SerializerMethodField()

    def get_definition(self, score: CurrentScore) -> str:
        return _("Expected spend in the 365 days from %(day)s on, discounted to that day.") % _span(
            score
        )


class MarginYearSerializer(ReadPart):
    """The margin in ``clv_12m``; null where the costs of the goods are hardly known."""

    value = MoneyField(source="margin_12m", allow_null=True)
    currency = serializers.CharField(source="run.currency")
    abstained = serializers.SerializerMethodField(
        help_text="Why the run gives no margin, such as costs_unknown; null where it does."
    )
    definition = serializers.SerializerMethodField()

    def get_abstained(self, score: CurrentScore) -> str | None:
        return next(
            (entry["code"] for entry in score.run.abstentions if entry.get("score") == MARGIN), None
        )

    def get_definition(self, score: CurrentScore) -> str:
        return _(
            "Expected margin in the 365 days from %(day)s on, discounted to that day: spend less "
            "the costs of the goods, platform fees and shipping."
        ) % _span(score)


class SatisfactionSerializer(ReadPart):
    value = serializers.FloatField(source="satisfaction", allow_null=True)
    low = serializers.FloatField(source="satisfaction_low", allow_null=True)
    high = serializers.FloatField(source="satisfaction_high", allow_null=True)
    answers = serializers.FloatField(
        source="satisfaction_n_eff", allow_null=True, help_text="Weight of the answers behind it."
    )
    inferred = serializers.FloatField(
        source="satisfaction_inferred",
        allow_null=True,
        help_text="Share that comes from behaviour, not from answers: 1 means none was given.",
    )
    definition = serializers.SerializerMethodField()

    def get_definition(self, score: CurrentScore) -> str:
        return _(
            "Satisfaction from 0 to 100, from answers, ratings, returns and delivery delay "
            "before %(day)s."
        ) % _span(score)


class ScoreSerializer(serializers.Serializer[Any]):
    """A customer's published scores. A null was not scored: ``abstained`` or the run say why."""

    customer = serializers.CharField(source="customer.public_id")
    run = serializers.CharField(source="run.public_id")
    as_of_day = serializers.DateField(
        source="run.as_of_day", help_text="The first day the run did not see."
    )
    horizon_days = serializers.IntegerField(source="run.horizon_days", allow_null=True)
    model = ModelSerializer()
    abstained = serializers.SerializerMethodField(
        help_text="Why this customer was not scored, such as no_orders; null when scored."
    )
    rfm = RfmSerializer()
    churn_probability = ChurnSerializer()
    predicted_clv = ClvSerializer()
    clv_12m = ClvYearSerializer()
    margin_12m = MarginYearSerializer()
    next_order = NextOrderSerializer()
    expected_orders = serializers.FloatField(
        allow_null=True, help_text="Days with an order expected within the horizon."
    )
    orders_low = serializers.FloatField(
        allow_null=True, help_text="Their fewest: 8 of 10 customers end between low and high."
    )
    orders_high = serializers.FloatField(allow_null=True, help_text="Their most; a whole number.")
    p_alive = serializers.FloatField(
        allow_null=True,
        help_text="The model's probability of being a customer still; not one minus churn.",
    )
    satisfaction = SatisfactionSerializer()
    reasons = serializers.DictField(help_text="Per score, what drove it, strongest first.")

    def get_abstained(self, score: CurrentScore) -> str | None:
        return score.abstained or None


class RunSerializer(ReadSerializer):
    """One fit and score of all customers."""

    id = public_id()
    url = serializers.SerializerMethodField()
    job = serializers.CharField(source="job.public_id", allow_null=True)

    class Meta:
        model = ScoringRun
        fields = [
            "id",
            "url",
            "trigger",
            "state",
            "as_of_day",
            "model_name",
            "model_version",
            "horizon_days",
            "discount_rate",
            "currency",
            "customer_count",
            "scored_count",
            "data_until",
            "created_at",
            "started_at",
            "published_at",
            "error",
            "job",
        ]

    def get_url(self, run: ScoringRun) -> str:
        return link(self, "api:scoring-run-detail", run.public_id)


class RunDetailSerializer(RunSerializer):
    """A run with how well it does, beside the naive baseline, and what it did not score."""

    job = JobSerializer(allow_null=True)  # type: ignore[assignment]  # DRF takes it off the class
    sentences = serializers.SerializerMethodField(
        help_text="What was not scored and why, and what to keep in mind about the rest."
    )

    class Meta(RunSerializer.Meta):
        fields = [
            *RunSerializer.Meta.fields,
            "metrics",
            "baseline",
            "abstentions",
            "sentences",
            "parameters",
        ]

    def get_sentences(self, run: ScoringRun) -> list[str]:
        return explain_run(run)


class RunRequestSerializer(serializers.Serializer[Any]):
    """What a new run should see."""

    as_of_day = serializers.DateField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The first day the run must not see; today in the shop's zone when left out.",
    )


class RunStartedSerializer(serializers.Serializer[Any]):
    """The answer to a start: the run, and the job that computes it."""

    id = serializers.CharField(help_text="The run's id.")
    url = serializers.CharField(help_text="The run's address.")
    job = JobSerializer()


def _span(score: CurrentScore) -> dict[str, Any]:
    return {"days": score.run.horizon_days or "—", "day": score.run.as_of_day.isoformat()}
