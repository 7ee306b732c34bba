"""The people who work with the record."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils.translation import gettext as _


def person_name(user: Any) -> str:
    """Return what a colleague is called; of one who has gone, that nobody knows any more."""
    if user is None:
        return _("somebody who has left")
    return str(user.get_full_name() or user.get_username())


def colleagues() -> QuerySet[Any]:
    """Return who may sign in to the web admin, by name."""
    people = get_user_model()._default_manager.filter(is_active=True, is_staff=True)
    return people.order_by("first_name", "last_name", "username")
