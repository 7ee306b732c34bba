"""What the owner asks of everybody who signs in."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.core.models.base import TimeStampedModel


class SignInPolicy(TimeStampedModel):
    """The one row that says whether a password is enough; without it, it is."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    second_step_required = models.BooleanField(
        _("second step required"), default=False, db_default=False
    )

    class Meta:
        verbose_name = _("sign-in policy")
        verbose_name_plural = _("sign-in policy")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="sign_in_policy_one_row")]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
