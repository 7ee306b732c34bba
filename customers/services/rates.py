"""Watch over orders that nobody can count, because no one told what their currency was worth."""

from datetime import datetime

from django.db.models import Count
from django.urls import reverse

from crm.core.models import Alert
from crm.core.services.alerts import raise_alert, resolve_alert
from customers.enums import COUNTED_ORDER_STATUSES
from customers.models import Order

KEY = "orders_without_rate"


def check_rates(*, now: datetime) -> int:
    """Raise the alert of paid orders without a rate, or resolve it; return how many there are."""
    found = (
        Order.objects.filter(
            status__in=COUNTED_ORDER_STATUSES, is_test=False, total_shop__isnull=True
        )
        .values_list("currency")
        .annotate(orders=Count("pk"))
        .order_by("currency")
    )
    currencies = dict(found)
    count = sum(currencies.values())
    if count:
        parameters = {"orders": count, "currencies": ", ".join(currencies)}
        link = reverse("admin:customers_exchangerate_changelist")
        raise_alert(key=KEY, code=KEY, parameters=parameters, link=link, now=now)
    else:
        resolve_alert(key=KEY, now=now)
    return count


def recheck_rates(*, now: datetime) -> None:
    """Bring an open alert up to date after a new rate; without one nothing is counted."""
    if Alert.objects.open().filter(key=KEY).exists():
        check_rates(now=now)
