"""The first start: the shop's settings and the person who owns them, once."""

import base64

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from crm.core.errors import WrongStateError
from crm.core.models import Job, Role
from crm.core.services.audit import record_audit
from crm.core.services.languages import remember_language
from customers.services.shop import open_shop, update_shop_settings

LOCK = 0x48756B73  # "Huks"
OWNERS = "owner"
"""The role of the first person."""
_CODE_BYTES = 15
_GROUP = 6


class AlreadySetUpError(WrongStateError):
    code = "already_set_up"


def is_set_up() -> bool:
    """Tell whether there is anybody who could sign in, or once could."""
    return get_user_model()._default_manager.exists()


def setup_code() -> str:
    """Return the words by which whoever can read the server's settings proves it.

    They follow from ``SECRET_KEY``, so that every process knows them and nobody else does.
    """
    digest = salted_hmac("huike.setup", "the first person", algorithm="sha256").digest()
    letters = base64.b32encode(digest[:_CODE_BYTES]).decode().lower()
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def is_setup_code(text: str) -> bool:
    """Compare in constant time; case, blanks and hyphens do not matter."""
    return constant_time_compare(_plain(text), _plain(setup_code()))


def set_up(
    *,
    shop_name: str,
    zone: str,
    currency: str,
    language: str,
    username: str,
    email: str,
    password: str,
) -> tuple[User, Job | None]:
    """Make the owner and the shop's settings; return the owner, and the job that recounts, if any.

    Whoever comes second, even at the same moment, is refused with AlreadySetUpError; settings that
    make no sense raise InvalidSettingsError. Then nothing has happened.
    """
    people = get_user_model()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if is_set_up():
            raise AlreadySetUpError(
                _("Huike has been set up in the meantime. Sign in, or ask who did it.")
            )
        owner = people._default_manager.create_superuser(username, email, password)
        owner.groups.add(
            *Group.objects.filter(pk__in=Role.objects.filter(key=OWNERS).values("group"))
        )
        told = {"name": shop_name, "zone": zone, "currency": currency}
        # What nobody has counted in yet needs no counting anew.
        open_shop(**told)
        shop, job = update_shop_settings(changes=told, user_id=owner.pk)
        remember_language(user_id=owner.pk, language=language)
        record_audit(
            actor_id=owner.pk,
            action="shop.set_up",
            object_type="customers.shopsettings",
            object_id=str(shop.pk),
            details={"zone": zone, "currency": currency, "language": language},
        )
    return owner, job


def _plain(text: str) -> str:
    return "".join(text.split()).replace("-", "").lower()
