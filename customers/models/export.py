"""Lists that were taken out as files."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from crm.core.models import TimeStampedModel
from customers.enums import ExportKind, ExportState, FileFormat, ListOf
from customers.querysets import SourcedQuerySet


class Export(TimeStampedModel):
    """One file made of one source's rows of a list; gone when it expires, the row stays.

    ``filters`` are the words by which the list was narrowed, as ``filtered_by`` understands them;
    those that may name a person are forgotten with the file. Who may add exports may take out what
    they may view.
    """

    public_id = PublicIdField("exp", unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=ExportKind)
    format = models.CharField(_("format"), max_length=8, choices=FileFormat)
    source = models.ForeignKey(
        "customers.Source", models.PROTECT, related_name="+", verbose_name=_("source")
    )
    filters = models.JSONField(_("filters"), default=dict, db_default={}, blank=True)
    filtered_by = models.CharField(
        _("list of"), max_length=8, choices=ListOf, default=ListOf.API, db_default=ListOf.API
    )
    shows_contacts = models.BooleanField(
        _("contacts unmasked"),
        default=True,
        db_default=True,
        help_text=_("Only who may view contacts may download such a file."),
    )
    state = models.CharField(
        _("state"),
        max_length=10,
        choices=ExportState,
        default=ExportState.RUNNING,
        db_default=ExportState.RUNNING,
    )
    rows = models.BigIntegerField(_("rows"), default=0, db_default=0)
    size = models.BigIntegerField(_("size in bytes"), default=0, db_default=0)
    file = models.FileField(_("file"), upload_to="exports/", max_length=200, blank=True)
    error = models.TextField(_("error"), blank=True, default="", db_default="")
    job = models.OneToOneField(
        "core.Job",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("job"),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked for by"),
    )
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    downloads = models.PositiveIntegerField(_("downloads"), default=0, db_default=0)

    objects = SourcedQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=ExportState.READY) | (~Q(file="") & Q(expires_at__isnull=False)),
                name="export_ready_has_file_and_end",
            ),
            models.CheckConstraint(
                condition=Q(state=ExportState.READY) | Q(file=""),
                name="export_file_only_when_ready",
            ),
        ]
        indexes = [
            # What has to be removed.
            models.Index(
                fields=["expires_at"], condition=Q(state=ExportState.READY), name="export_by_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.get_format_display()}"
