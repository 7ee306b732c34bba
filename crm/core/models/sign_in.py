"""Where people are signed in."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class SignIn(models.Model):
    """One browser somebody is signed in with; gone when they sign out there."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("who")
    )
    session_key = models.CharField(max_length=40, unique=True)
    device = models.CharField(_("device"), max_length=255, blank=True, default="", db_default="")
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    created_at = models.DateTimeField(_("signed in"), db_default=Now())
    seen_at = models.DateTimeField(_("last seen"), db_default=Now())

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("where you are signed in")
        ordering = ["-seen_at", "-pk"]
        indexes = [
            # Where one person is signed in.
            models.Index(fields=["user", "-seen_at"], name="sign_in_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.device[:40]} {self.address or ''}".strip()
