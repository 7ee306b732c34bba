"""Who customers are."""

import pghistory
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now, Right, Upper
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from crm.core.models import TimeStampedModel
from customers.enums import AttributeType, IdentityKind, Lifecycle
from customers.querysets import CustomerQuerySet, IdentityQuerySet, MergeRecordQuerySet


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent())
class Customer(TimeStampedModel):
    """A person who buys. May have neither e-mail nor phone."""

    public_id = PublicIdField("cus", unique=True)
    source = models.ForeignKey(
        "customers.Source", models.PROTECT, related_name="+", verbose_name=_("source")
    )
    external_id = models.CharField(_("external id"), max_length=120, null=True, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True, default="", db_default="")
    email = models.CharField(_("e-mail"), max_length=254, blank=True, default="", db_default="")
    phone = models.CharField(
        _("phone"),
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text=_("In international form, such as +8613812345678."),
    )
    country = models.CharField(_("country"), max_length=64, blank=True, default="", db_default="")
    city = models.CharField(_("city"), max_length=120, blank=True, default="", db_default="")
    language = models.CharField(_("language"), max_length=16, blank=True, default="", db_default="")
    zone = models.CharField(_("time zone"), max_length=64, blank=True, default="", db_default="")
    birthday = models.DateField(_("birthday"), null=True, blank=True)
    attributes = models.JSONField(_("custom attributes"), default=dict, db_default={}, blank=True)
    lifecycle = models.CharField(
        _("lifecycle"),
        max_length=8,
        choices=Lifecycle,
        default=Lifecycle.ACTIVE,
        db_default=Lifecycle.ACTIVE,
    )
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("merged into"),
    )
    is_test = models.BooleanField(_("test account"), default=False, db_default=False)
    is_wholesale = models.BooleanField(_("wholesale"), default=False, db_default=False)
    is_simulated = models.BooleanField(
        _("simulated profile"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_("Name and contacts are made up; where the source is simulated, orders too."),
    )
    source_updated_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["-pk"]
        permissions = [
            ("view_contact", _("Can view e-mail addresses and phone numbers")),
            ("unmask_contact", _("Can view one masked contact, giving a reason")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="customer_once"),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True, lifecycle__in=["active", "erased"])
                | Q(merged_into__isnull=False, lifecycle__in=["merged", "erased"]),
                name="customer_merged_names_target",
            ),
            models.CheckConstraint(
                condition=Q(phone="") | Q(phone__regex=r"^\+[1-9][0-9]{5,14}$"),
                name="customer_phone_e164",
            ),
        ]
        indexes = [
            # Staff search by a part of name, e-mail or phone.
            GinIndex(OpClass(Upper("name"), "gin_trgm_ops"), name="customer_name_trgm"),
            GinIndex(OpClass(Upper("email"), "gin_trgm_ops"), name="customer_email_trgm"),
            GinIndex(OpClass(Upper("phone"), "gin_trgm_ops"), name="customer_phone_trgm"),
            models.Index(fields=["external_id"], name="customer_external_id"),
            # … by the begin of an e-mail; trigrams of a common domain are everybody's.
            models.Index(OpClass(Upper("email"), "text_pattern_ops"), name="customer_email_start"),
            # … by half a name as it is spoken, and by the end of a number.
            GinIndex(
                OpClass(Func(F("name"), function="customers_name_key"), "gin_trgm_ops"),
                name="customer_name_key",
            ),
            models.Index(Right("phone", 4), name="customer_phone_end"),
            # The list by these columns, read from either end.
            models.Index(fields=["name", "-id"], name="customer_rank_name"),
            models.Index(fields=["country", "-id"], name="customer_rank_country"),
            # The values the list's filter offers.
            models.Index(fields=["language"], name="customer_by_language"),
        ]

    def __str__(self) -> str:
        # No contact: whoever reads this may not be one of those who may see it.
        return self.name or self.external_id or self.public_id


@pghistory.track(pghistory.UpdateEvent(row=pghistory.Old), pghistory.DeleteEvent())
class Identity(models.Model):
    """One key by which a customer is recognised. Masked or rotating values are never keys."""

    customer = models.ForeignKey("customers.Customer", models.CASCADE, related_name="identities")
    issuer = models.CharField(
        _("issuer"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text=_("Who gave the id out: a shop or an app. Empty for e-mail and phone."),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=IdentityKind)
    value = models.CharField(_("value"), max_length=254)
    created_at = models.DateTimeField(db_default=Now())

    objects = IdentityQuerySet.as_manager()

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [
            models.UniqueConstraint(fields=["issuer", "kind", "value"], name="identity_once"),
            models.CheckConstraint(
                condition=~Q(value="") & ~Q(value__contains="*"), name="identity_not_masked"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["email", "phone"], issuer="")
                | (~Q(kind__in=["email", "phone"]) & ~Q(issuer="")),
                name="identity_issuer_when_scoped",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"


class Attribute(TimeStampedModel):
    """A declared custom field of customers; undeclared keys are refused."""

    key = models.SlugField(_("key"), max_length=48, unique=True)
    label = models.CharField(_("label"), max_length=120)
    type = models.CharField(_("type"), max_length=8, choices=AttributeType)
    choices = models.JSONField(_("choices"), default=list, blank=True)

    class Meta:
        verbose_name = _("custom attribute")
        verbose_name_plural = _("custom attributes")
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label


class MergeRecord(models.Model):
    """Two profiles made one, with everything needed to make them two again."""

    public_id = PublicIdField("mrg", unique=True)
    source_customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, related_name="+", verbose_name=_("merged profile")
    )
    target_customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, related_name="+", verbose_name=_("kept profile")
    )
    moved = models.JSONField(default=dict)
    merged_at = models.DateTimeField(db_default=Now())
    merged_by = models.ForeignKey("auth.User", models.SET_NULL, null=True, related_name="+")
    unmerged_at = models.DateTimeField(null=True, blank=True)

    objects = MergeRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints = [
            models.UniqueConstraint(
                fields=["source_customer"],
                condition=Q(unmerged_at__isnull=True),
                name="merge_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(source_customer=models.F("target_customer")), name="merge_of_two"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
