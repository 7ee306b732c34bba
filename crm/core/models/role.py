"""Which groups are roles that Huike brought, and what it gave them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.core.models.base import TimeStampedModel


class Role(TimeStampedModel):
    """A role Huike brought as a group.

    ``given`` are the permissions it has given the group so far: what people added to the group or
    took from it is theirs and stays. A group that was removed stays removed.
    """

    key = models.SlugField(_("key"), max_length=32, unique=True)
    group = models.OneToOneField(
        "auth.Group",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("group"),
    )
    given = ArrayField(models.CharField(max_length=200), default=list, db_default=[])

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")

    def __str__(self) -> str:
        return self.key
