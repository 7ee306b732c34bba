"""Lists as people like to see them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from crm.core.models.base import TimeStampedModel


class SavedView(TimeStampedModel):
    """A list of the web admin with its search, filters, ordering and columns, under a name.

    ``words`` are those of the address, each with its values; ``order`` and ``columns`` name
    columns, an ordering downwards with “-” before it. Without columns the list has its usual ones.
    """

    public_id = PublicIdField("viw", unique=True)
    page = models.CharField(_("list"), max_length=64)
    name = models.CharField(_("name"), max_length=60)
    words = models.JSONField(default=dict, blank=True)
    order = models.JSONField(default=list, blank=True)
    columns = models.JSONField(default=list, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("owner")
    )
    is_shared = models.BooleanField(_("shared with everybody"), default=False, db_default=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("owner", "page", Lower("name"), name="view_once"),
            models.CheckConstraint(condition=~Q(name=""), name="view_has_name"),
        ]
        indexes = [
            # The tabs above a list.
            models.Index(fields=["page", "owner"], name="view_by_list"),
        ]

    def __str__(self) -> str:
        return self.name


class DefaultView(models.Model):
    """The view with which a list opens for one person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    page = models.CharField(max_length=64)
    view = models.ForeignKey("core.SavedView", models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("default view")
        verbose_name_plural = _("default views")
        constraints = [
            models.UniqueConstraint(fields=["user", "page"], name="view_one_default"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.page}"
