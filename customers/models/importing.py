"""Files that were brought in, and what became of every row."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from crm.core.models import TimeStampedModel
from customers.enums import ImportFormat, ImportState
from customers.querysets import SourcedQuerySet


class ImportBatch(TimeStampedModel):
    """One file. Rows in = created + updated + unchanged + rejected, when it has finished."""

    public_id = PublicIdField("imp", unique=True)
    source = models.ForeignKey(
        "customers.Source", models.PROTECT, related_name="+", verbose_name=_("source")
    )
    job = models.OneToOneField(
        "core.Job",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("job"),
    )
    file = models.FileField(_("file"), upload_to="imports/%Y/%m/")
    filename = models.CharField(_("file name"), max_length=255)
    size = models.BigIntegerField(_("size in bytes"), default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    format = models.CharField(_("format"), max_length=24, choices=ImportFormat, blank=True)
    header = models.JSONField(default=list, db_default=[], blank=True)
    mapping = models.JSONField(_("mapping"), default=dict, db_default={}, blank=True)
    options = models.JSONField(_("options"), default=dict, db_default={}, blank=True)
    trial = models.JSONField(_("dry run"), default=dict, db_default={}, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=ImportState, default=ImportState.UPLOADED
    )
    rows_total = models.BigIntegerField(_("rows"), default=0)
    rows_created = models.BigIntegerField(_("created"), default=0)
    rows_updated = models.BigIntegerField(_("updated"), default=0)
    rows_unchanged = models.BigIntegerField(_("unchanged"), default=0)
    rows_rejected = models.BigIntegerField(_("rejected"), default=0)
    audit = models.JSONField(_("audit"), default=dict, blank=True)
    # What it changed is on record, so that it can be undone.
    keeps_changes = models.BooleanField(default=True, editable=False)
    undo_job = models.ForeignKey(
        "core.Job", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True, editable=False)
    error = models.TextField(_("error"), blank=True, default="")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("uploaded by"),
    )

    objects = SourcedQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=ImportState.FINISHED)
                | Q(
                    rows_total=F("rows_created")
                    + F("rows_updated")
                    + F("rows_unchanged")
                    + F("rows_rejected")
                ),
                name="import_rows_balance",
            ),
            models.CheckConstraint(
                condition=Q(state=ImportState.UNDONE, undone_at__isnull=False)
                | (~Q(state=ImportState.UNDONE) & Q(undone_at__isnull=True)),
                name="import_undone_has_time",
            ),
        ]

    def __str__(self) -> str:
        return self.filename


class ImportMapping(TimeStampedModel):
    """How a source's files with one header are read; remembered from the mapping screen."""

    source = models.ForeignKey("customers.Source", models.CASCADE, related_name="+")
    fingerprint = models.CharField(max_length=64, help_text=_("Of the header's names."))
    mapping = models.JSONField(_("mapping"))
    options = models.JSONField(_("options"), default=dict, db_default={}, blank=True)

    class Meta:
        verbose_name = _("column mapping")
        verbose_name_plural = _("column mappings")
        constraints = [
            models.UniqueConstraint(fields=["source", "fingerprint"], name="import_mapping_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.fingerprint[:8]}"


class ImportRow(models.Model):
    """A row of a file on its way into the record; gone when the import has ended.

    A row that tells of several things, such as an order and its first line, is several of these,
    each of its own ``kind``. ``original`` is the row as it stood in the file, for the error file,
    kept with the first of them. ``reason`` says why it is rejected; the parsed columns are null
    where they could not be read. Formats with other columns keep what they read in ``parsed``.
    ``fate`` is noted where a row is several: created, updated, unchanged by its first letter.
    """

    batch = models.ForeignKey("customers.ImportBatch", models.CASCADE, related_name="+")
    row_number = models.BigIntegerField()
    kind = models.CharField(max_length=16, default="", db_default="")
    fate = models.CharField(max_length=1, default="", db_default="")
    original = models.JSONField()
    reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    order_number = models.CharField(max_length=120)
    sku = models.CharField(max_length=120)
    title = models.CharField(max_length=400)
    quantity = models.IntegerField(null=True)
    unit_price = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    placed_at = models.DateTimeField(null=True)
    customer_key = models.CharField(max_length=120)
    country = models.CharField(max_length=64)
    is_cancellation = models.BooleanField(default=False, db_default=False)
    parsed = models.JSONField(default=dict, db_default={})

    class Meta:
        verbose_name = _("import row")
        verbose_name_plural = _("import rows")
        constraints = [
            models.UniqueConstraint(fields=["batch", "row_number", "kind"], name="import_row_once"),
        ]
        indexes = [
            # Whole orders at a time, and a customer's cancellations at a time.
            models.Index(fields=["batch", "order_number"], name="import_row_by_order"),
            models.Index(
                fields=["batch", "customer_key", "sku"],
                condition=Q(is_cancellation=True),
                name="import_row_cancellations",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.row_number}"


class ImportChange(models.Model):
    """What an import did to one row of the record, in order; written by the tables' triggers.

    ``before`` is the row as it was, null for one that the import made; ``after_hash`` is the MD5 of
    the row as the import left it, null for one that it removed.
    """

    batch = models.ForeignKey(
        # No constraint and no index of its own: one row of these is written per row of the record.
        "customers.ImportBatch",
        models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    before = models.JSONField(null=True)
    after_hash = models.UUIDField(null=True)

    class Meta:
        verbose_name = _("change by an import")
        verbose_name_plural = _("changes by imports")
        indexes = [
            # All of one import, row by row; and which import changed a row.
            models.Index(fields=["batch", "table_name", "row_id"], name="import_change_by_row"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.table_name} {self.row_id}"
