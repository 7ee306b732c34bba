"""Shapes several resources share."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.reverse import reverse

from crm.core.api.fields import InstantField, ReadSerializer, public_id
from crm.core.models import Job, JobLog
from crm.core.registry import errors_permission, registry, shown_text


class ProblemErrorSerializer(serializers.Serializer[Any]):
    """One mistake: “/name” points into the body, “?name” at a parameter."""

    pointer = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """Why a call was refused (RFC 9457)."""

    type = serializers.CharField(help_text="A name of the kind of problem; stable.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; decide by this, not by the text.")
    detail = serializers.CharField(help_text="What to do about it.")
    request_id = serializers.CharField()
    errors = ProblemErrorSerializer(  # type: ignore[assignment]  # DRF takes it off the class
        many=True, required=False
    )
    details = serializers.DictField(
        required=False, help_text="What the rule looked at, such as the rows in the way."
    )


class ExpandableSerializer(ReadSerializer):
    """Shows the parts of a row that were asked for by ``expand``.

    ``resource`` names the slot of the upper apps; ``optional`` are fields of its own that are left
    out unless asked for.
    """

    resource = ""
    optional: tuple[str, ...] = ()

    def slot_names(self) -> list[str]:
        """Return the expansions of upper apps."""
        slots = registry.api_expansions
        return [slot.key for slot in slots if slot.resource == self.resource]

    def optional_names(self) -> list[str]:
        """Return the fields that are there only when asked for."""
        return [*self.optional, *self.slot_names()]

    def get_fields(self) -> dict[str, serializers.Field]:
        """Add a field for every expansion of an upper app."""
        fields = super().get_fields()
        for name in self.slot_names():
            shape = registry.api_expansions.get(name).schema or serializers.JSONField
            fields[name] = shape(read_only=True, required=False, allow_null=True)
        return fields

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Show what was asked for; what an expansion knows nothing about is null."""
        expanded: Mapping[str, Mapping[int, Any]] = self.context.get("expanded", {})
        shown = self.context.get("prefetched", [])
        for name in self.optional_names():
            if name not in shown:
                self.fields.pop(name, None)
        data: dict[str, Any] = super().to_representation(instance)
        for name, values in expanded.items():
            data[name] = values.get(instance.pk)
        return data


class JobLogSerializer(ReadSerializer):
    at = InstantField()
    message = serializers.SerializerMethodField()

    class Meta:
        model = JobLog
        fields = ["at", "level", "message"]

    def get_message(self, line: JobLog) -> str:
        return shown_text(line.message, reader_of(self))


class JobSerializer(ReadSerializer):
    """Slow work: how far it is, and how it ended."""

    id = public_id()
    title = serializers.CharField(source="title_words", help_text="In the caller's language.")
    step = serializers.CharField(source="step_words", help_text="In the caller's language.")
    percent = serializers.IntegerField(allow_null=True, help_text="0–100; null while unknown.")
    rate = serializers.SerializerMethodField(help_text="Units done per second.")
    seconds_left = serializers.SerializerMethodField(
        help_text="At the rate so far; null for few steps, and after another worker took over."
    )
    error_file = serializers.SerializerMethodField(
        help_text="Address of the rejected rows; null for who may not read them."
    )
    error = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = [
            "id",
            "url",
            "kind",
            "title",
            "state",
            "done",
            "total",
            "percent",
            "rate",
            "seconds_left",
            "step",
            "result",
            "error",
            "error_file",
            "created_at",
            "started_at",
            "finished_at",
            "cancel_requested_at",
        ]

    def get_rate(self, job: Job) -> float | None:
        rate = job.rate(timezone.now())
        return None if rate is None else round(rate, 2)

    def get_seconds_left(self, job: Job) -> int | None:
        left = job.time_left(timezone.now())
        return None if left is None else round(left.total_seconds())

    def get_url(self, job: Job) -> str:
        return link(self, "api:job-detail", job.public_id)

    def get_error(self, job: Job) -> str:
        return shown_text(job.error, reader_of(self))

    def get_error_file(self, job: Job) -> str | None:
        needed = errors_permission(job.kind)
        request = self.context.get("request")
        if not job.error_file or (needed and not (request and request.user.has_perm(needed))):
            return None
        return link(self, "api:job-error-file", job.public_id)


class JobDetailSerializer(JobSerializer):
    """A job with what it said."""

    log = JobLogSerializer(many=True)

    class Meta(JobSerializer.Meta):
        fields = [*JobSerializer.Meta.fields, "log"]


def reader_of(serializer: serializers.BaseSerializer[Any]) -> Any:
    """Return who reads; nobody outside a request."""
    request = serializer.context.get("request")
    return request.user if request is not None else None


def link(serializer: serializers.BaseSerializer[Any], route: str, row_id: str) -> str:
    """Return the full address of a row, or its path outside a request."""
    return str(reverse(route, kwargs={"id": row_id}, request=serializer.context.get("request")))
