"""Imports that run by themselves every day."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from crm.core.models import TimeStampedModel
from customers.enums import FetchOutcome, FileRefusal, ImportFormat, PlaceKind
from customers.querysets import SourcedQuerySet


class SavedImport(TimeStampedModel):
    """How files of one kind are fetched every day and brought in as the first one was.

    ``header``, ``format``, ``mapping`` and ``options`` are those of the import it was saved from: a
    file with another header stops it. ``sealed`` is the SFTP password or key, or the signed
    address, encrypted. ``stopped_reason`` and ``problem`` are a code and its parameters, worded
    when shown.
    ``active_since`` is when it was last started: hours that passed before are not made up for.
    """

    public_id = PublicIdField("sav", unique=True)
    name = models.CharField(_("name"), max_length=120, unique=True)
    source = models.ForeignKey(
        "customers.Source", models.PROTECT, related_name="+", verbose_name=_("source")
    )
    place = models.CharField(_("place"), max_length=8, choices=PlaceKind)
    folder = models.CharField(_("folder"), max_length=500, blank=True, default="")
    pattern = models.CharField(_("file pattern"), max_length=200, blank=True, default="*.csv")
    host = models.CharField(_("host"), max_length=253, blank=True, default="")
    port = models.PositiveIntegerField(
        _("port"), default=22, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    username = models.CharField(_("user name"), max_length=120, blank=True, default="")
    sealed = models.TextField(blank=True, default="", editable=False)
    host_key = models.TextField(_("host key"), blank=True, default="", editable=False)
    hour = models.PositiveSmallIntegerField(
        _("hour of the day"),
        default=5,
        validators=[MaxValueValidator(23)],
        help_text=_("In the shop's zone, 0–23."),
    )
    missing_days = models.PositiveSmallIntegerField(
        _("alert after days without a new file"),
        default=2,
        help_text=_("0: never. A file that has not changed is no new one."),
    )
    header = models.JSONField(default=list, editable=False)
    fingerprint = models.CharField(max_length=64, editable=False)
    format = models.CharField(_("format"), max_length=24, choices=ImportFormat, editable=False)
    mapping = models.JSONField(_("mapping"), default=dict, blank=True, editable=False)
    options = models.JSONField(_("options"), default=dict, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True, db_default=True, editable=False)
    active_since = models.DateTimeField(_("active since"), editable=False)
    stopped_reason = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    job = models.ForeignKey(
        "core.Job",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("job"),
    )
    last_run_at = models.DateTimeField(_("last run"), null=True, blank=True, editable=False)
    last_outcome = models.CharField(
        _("last outcome"), max_length=12, choices=FetchOutcome, blank=True, editable=False
    )
    last_file_at = models.DateTimeField(_("last new file"), null=True, blank=True, editable=False)
    problem = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("saved by"),
    )

    objects = SourcedQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved import")
        verbose_name_plural = _("saved imports")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(hour__lte=23), name="saved_import_hour"),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(stopped_reason={}),
                name="saved_import_active_or_stopped",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SavedImportFile(models.Model):
    """A file that a saved import has seen, so that it is read once.

    ``batch`` is the import it became: none for a file with the bytes of an earlier one. It waits
    until ``begun_at``: files are brought in one after the other, the oldest first.
    """

    saved = models.ForeignKey("customers.SavedImport", models.CASCADE, related_name="files")
    name = models.CharField(_("file name"), max_length=255)
    size = models.BigIntegerField(_("size in bytes"))
    version = models.CharField(max_length=200, blank=True, default="")
    sha256 = models.CharField(max_length=64)
    batch = models.ForeignKey(
        "customers.ImportBatch",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("import"),
    )
    refusal = models.CharField(
        _("refused"), max_length=12, choices=FileRefusal, blank=True, default=""
    )
    taken_at = models.DateTimeField(_("taken"))
    begun_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("file of a saved import")
        verbose_name_plural = _("files of saved imports")
        indexes = [
            # Whether a file was seen already, and what it held the last time.
            models.Index(fields=["saved", "name"], name="saved_import_file_by_name"),
            # What waits for its turn.
            models.Index(
                fields=["saved"],
                condition=Q(begun_at__isnull=True, refusal="", batch__isnull=False),
                name="saved_import_file_waiting",
            ),
        ]

    def __str__(self) -> str:
        return self.name
