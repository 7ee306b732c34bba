"""Raise, resolve and mail what somebody should look at."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from crm.core.enums import AlertSeverity
from crm.core.models import Alert

log = structlog.get_logger(__name__)


def raise_alert(
    *,
    key: str,
    code: str,
    now: datetime,
    severity: AlertSeverity = AlertSeverity.WARNING,
    parameters: Mapping[str, Any] | None = None,
    link: str = "",
) -> Alert:
    """Open the alert of a matter; one that is open already tells the newest parameters.

    The schedule mails it once, when the caller's transaction is committed.
    """
    said = {"code": code, "severity": severity, "parameters": dict(parameters or {}), "link": link}
    alert, created = Alert.objects.get_or_create(
        key=key, resolved_at=None, defaults={**said, "raised_at": now}
    )
    if not created and any(getattr(alert, name) != value for name, value in said.items()):
        Alert.objects.filter(pk=alert.pk).update(**said, updated_at=now)
    return Alert.objects.get(pk=alert.pk)


def resolve_alert(*, key: str, now: datetime) -> bool:
    """Close the open alert of a matter; return whether there was one."""
    return bool(Alert.objects.open().filter(key=key).update(resolved_at=now, updated_at=now))


def mail_alerts(*, now: datetime, limit: int) -> int:
    """Mail superusers the alerts nobody was told of yet; return how many were taken.

    An alert is taken before it is sent and never sent twice; a failure is logged, and the alert
    stays on the dashboard.
    """
    with transaction.atomic():
        taken = list(
            Alert.objects.unmailed().select_for_update(skip_locked=True).order_by("pk")[:limit]
        )
        Alert.objects.filter(pk__in=[alert.pk for alert in taken]).update(mailed_at=now)
    if taken:
        people = get_user_model()._default_manager.filter(is_superuser=True, is_active=True)
        addresses = list(people.exclude(email="").order_by("pk").values_list("email", flat=True))
        for alert in taken:
            _mail(alert, addresses)
    return len(taken)


def _mail(alert: Alert, addresses: list[str]) -> None:
    with override(settings.LANGUAGE_CODE):
        subject = _("Huike: %(what)s") % {"what": " ".join(alert.words.split())}
        body = alert.words
        if alert.link:
            body = f"{body}\n\n{public_address()}{alert.link}"
    for address in addresses:
        try:
            EmailMessage(subject[:200], body, to=[address]).send()
        except Exception:
            # Whatever the mail server says: the alert stands on the dashboard all the same.
            log.exception("alert_mail_failed", alert=alert.public_id)


def public_address() -> str:
    """Return where staff open Huike, as far as the settings tell."""
    known = [origin for origin in settings.CSRF_TRUSTED_ORIGINS if "*" not in origin]
    return str(known[0]).rstrip("/") if known else ""
