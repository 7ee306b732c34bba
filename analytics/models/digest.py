"""The mail of Monday: who wants it, and what became of each."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analytics.enums import DigestState
from crm.core.models import TimeStampedModel


class DigestChoice(TimeStampedModel):
    """Whether a person wants the mail of Monday, since when, and in which language."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+"
    )
    wanted_since = models.DateTimeField(_("wanted since"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=16)

    class Meta:
        verbose_name = _("choice of the Monday mail")
        verbose_name_plural = _("choices of the Monday mail")

    def __str__(self) -> str:
        return str(self.user_id)


class DigestMail(models.Model):
    """One person's mail of one week, written down before it is handed over.

    A row that was begun and has no end may have been sent: it is never sent again by itself.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    week = models.DateField(_("week"), help_text=_("Its Monday."))
    state = models.CharField(
        _("state"), max_length=8, choices=DigestState, default=DigestState.CLAIMED
    )
    claimed_at = models.DateTimeField(_("begun"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("Monday mail")
        verbose_name_plural = _("Monday mails")
        ordering = ["-week", "user_id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "week"], name="digest_mail_once"),
            models.CheckConstraint(
                condition=Q(state=DigestState.CLAIMED) | Q(ended_at__isnull=False),
                name="digest_mail_ended_has_time",
            ),
        ]
        indexes = [
            # Those whose end was not seen.
            models.Index(
                fields=["claimed_at"],
                condition=Q(state=DigestState.CLAIMED),
                name="digest_mail_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.week}"
