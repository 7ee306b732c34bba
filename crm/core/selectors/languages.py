"""Which language people chose."""

from collections.abc import Iterable

from crm.core.models import PersonLanguage


def languages_of(user_ids: Iterable[int]) -> dict[int, str]:
    """Return the chosen languages by user; who never chose one is left out."""
    rows = PersonLanguage.objects.filter(user__in=list(user_ids))
    return dict(rows.values_list("user_id", "language"))


def language_of(user_id: int) -> str | None:
    """Return the language a person chose, or None."""
    return languages_of([user_id]).get(user_id)
