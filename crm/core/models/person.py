"""What Huike remembers of a person who signs in."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.core.models.base import TimeStampedModel


class PersonLanguage(TimeStampedModel):
    """The language a person chose, on whatever device; without a row the device decides."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="+",
        verbose_name=_("user"),
    )
    language = models.CharField(_("language"), max_length=16)

    class Meta:
        verbose_name = _("language of a person")
        verbose_name_plural = _("languages of people")

    def __str__(self) -> str:
        return self.language
