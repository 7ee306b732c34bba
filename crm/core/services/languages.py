"""Remember in which language a person is to be spoken to."""

from django.conf import settings
from django.utils.translation import gettext as _

from crm.core.errors import DomainError
from crm.core.models import PersonLanguage


class UnknownLanguageError(DomainError):
    code = "unknown_language"


def remember_language(*, user_id: int, language: str) -> None:
    """Keep a person's choice for every device and for mails; raises UnknownLanguageError."""
    if language not in dict(settings.LANGUAGES):
        raise UnknownLanguageError(_("Huike does not speak this language."))
    PersonLanguage.objects.update_or_create(user_id=user_id, defaults={"language": language})
