"""What needs attention, for the dashboard."""

from typing import Any

from django.http import HttpRequest

from crm.core.models import Alert

SHOWN = 10


def open_alerts(request: HttpRequest, _customer_id: int | None) -> dict[str, Any] | None:
    """Return the newest open alerts, or None while there are none."""
    found = list(Alert.objects.open().order_by("-pk")[: SHOWN + 1])
    if not found:
        return None
    return {"alerts": found[:SHOWN], "has_more": len(found) > SHOWN}
