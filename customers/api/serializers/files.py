"""Files that are brought in, and how they are read."""

import json
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from crm.core.api.fields import public_id
from crm.core.api.serializers import JobSerializer, link, reader_of
from customers.api.serializers.base import SourcedSerializer
from customers.enums import ImportFormat
from customers.models import ImportBatch
from customers.selectors.contacts import (
    may_see_contacts,
    show_text,
    show_trial,
    show_values,
)

SHOWN_TRIAL = ("rows", "kinds", "rejected", "notes", "remarks", "first")


class ImportSerializer(SourcedSerializer):
    """A file and what became of its rows: created + updated + unchanged + rejected = rows."""

    id = public_id()
    url = serializers.SerializerMethodField()
    job = JobSerializer(allow_null=True)
    error_file = serializers.SerializerMethodField(
        help_text="Address of the rejected rows; null for who may not view contacts."
    )
    filename = serializers.SerializerMethodField()
    header = serializers.SerializerMethodField()
    mapping = serializers.SerializerMethodField()
    options = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    dry_run = serializers.SerializerMethodField(
        help_text="What a dry run counted, and the first rows it rejected; null without one. With "
        "`is_partial` the file has more rows than were tried out."
    )

    class Meta:
        model = ImportBatch
        fields = [
            "id",
            "url",
            "source",
            "filename",
            "size",
            "sha256",
            "format",
            "state",
            "rows_total",
            "rows_created",
            "rows_updated",
            "rows_unchanged",
            "rows_rejected",
            "header",
            "mapping",
            "options",
            "dry_run",
            "audit",
            "error",
            "error_file",
            "created_at",
            "undone_at",
            "job",
        ]

    def get_url(self, batch: ImportBatch) -> str:
        return link(self, "api:import-detail", batch.public_id)

    def get_filename(self, batch: ImportBatch) -> str:
        return show_text(batch.filename, reader_of(self))

    def get_header(self, batch: ImportBatch) -> list[str]:
        shown: list[str] = show_values(batch.header, reader_of(self))
        return shown

    def get_mapping(self, batch: ImportBatch) -> dict[str, Any]:
        shown: dict[str, Any] = show_values(batch.mapping, reader_of(self))
        return shown

    def get_options(self, batch: ImportBatch) -> dict[str, Any]:
        shown: dict[str, Any] = show_values(batch.options, reader_of(self))
        return shown

    def get_error(self, batch: ImportBatch) -> str:
        return show_text(batch.error, reader_of(self))

    def get_dry_run(self, batch: ImportBatch) -> dict[str, Any] | None:
        if not batch.trial:
            return None
        trial = show_trial(batch.trial, reader_of(self))
        shown = {name: trial[name] for name in SHOWN_TRIAL}
        return {**shown, "is_partial": bool(batch.trial.get("is_partial"))}

    def get_error_file(self, batch: ImportBatch) -> str | None:
        if batch.job is None or not batch.job.error_file or not may_see_contacts(reader_of(self)):
            return None
        return link(self, "api:import-error-file", batch.public_id)


class ToldSerializer(serializers.Serializer[Any]):
    """How a file is read, where that is not clear from its header."""

    mapping = serializers.DictField(
        required=False,
        help_text="For a header that is not known: kind, columns (ours → the file's) and rules.",
    )
    options = serializers.DictField(
        required=False,
        help_text="keep: columns whose held values stay; consent: what everybody in the file "
        "agreed to, by channel (at, basis, evidence); rules: how cells are read.",
    )
    dry_run = serializers.BooleanField(
        required=False, default=False, help_text="Only count what would happen."
    )


class FormJsonField(serializers.DictField):
    """An object in a form: its JSON as text."""

    def get_value(self, dictionary: Any) -> Any:
        """Take the whole text of the field."""
        return dictionary.get(self.field_name, serializers.empty)

    def to_internal_value(self, data: Any) -> Any:
        """Return the object, or refuse text that is none."""
        if isinstance(data, str):
            try:
                data = json.loads(data)
            except ValueError:
                raise serializers.ValidationError(
                    _("This is no JSON object."), code="invalid"
                ) from None
        return super().to_internal_value(data)


class UploadSerializer(ToldSerializer):
    """A file to import."""

    mapping = FormJsonField(required=False, help_text="As of the call “start”, as JSON text.")
    options = FormJsonField(required=False, help_text="As of the call “start”, as JSON text.")
    hold = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Only store the file and say what it is; it waits for the call “start”.",
    )
    file = serializers.FileField(max_length=255, help_text="CSV, XLSX or Parquet.")
    source = serializers.SlugField(  # type: ignore[assignment]  # DRF takes it off the class
        max_length=64, help_text="Key of the source the rows come from, such as “shop”."
    )
    format = serializers.ChoiceField(
        choices=ImportFormat.choices,
        required=False,
        default="",
        help_text="Left out, it is recognised by the header.",
    )

    def validate_file(self, file: Any) -> Any:
        """Refuse what is larger than this shop accepts."""
        if file.size > settings.UPLOAD_MAX_BYTES:
            raise serializers.ValidationError(_("The file is too large."), code="max_size")
        return file


class ImportStartedSerializer(serializers.Serializer[Any]):
    """The answer to an upload or an undo: the import, and its job (null while it waits)."""

    id = serializers.CharField(help_text="The import's id.")
    url = serializers.CharField(help_text="The import's address.")
    job = JobSerializer(allow_null=True)
