"""What was done, by whom, kept for good."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import get_user_model

from crm.core.models import AuditEntry


def record_audit(
    *,
    actor_id: int | None,
    action: str,
    object_type: str,
    object_id: str,
    details: Mapping[str, Any] | None = None,
    request_id: str = "",
    api_key_id: int | None = None,
) -> None:
    """Add a line to the audit log; ``details`` never holds a secret or a customer's data."""
    people = get_user_model()._default_manager.filter(pk=actor_id or 0)
    name = people.values_list("username", flat=True).first() if actor_id else None
    AuditEntry.objects.create(
        actor_id=actor_id,
        actor_name=name or "",
        api_key_id=api_key_id,
        action=action,
        object_type=object_type,
        object_id=object_id,
        details=dict(details or {}),
        request_id=request_id,
    )
