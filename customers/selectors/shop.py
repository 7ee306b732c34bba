"""How this shop counts days and money."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from crm.core.models import Job
from customers.enums import SourceKind
from customers.models import Customer, ShopSettings, Source


def shop_settings() -> ShopSettings:
    """Return the shop's settings; the environment seeds the row the first time."""
    row = ShopSettings.objects.filter(pk=1).first()
    if row is not None:
        return row
    row, _created = ShopSettings.objects.get_or_create(
        pk=1,
        defaults={
            "name": settings.SHOP_NAME,
            "zone": settings.SHOP_ZONE,
            "currency": settings.SHOP_CURRENCY,
        },
    )
    return row


def shop_zone_name() -> str:
    """Return the shop's IANA zone name."""
    return shop_settings().zone


def shop_day(moment: datetime) -> date:
    """Return the shop's local day of an instant."""
    return moment.astimezone(ZoneInfo(shop_zone_name())).date()


def due_night(*, kind: str, now: datetime) -> str | None:
    """Return the key of the nightly job that is due, or None while there is none to be made.

    The key is the local day of the newest nightly hour that has passed: one job a day, whatever
    becomes of the clock or of the hour. A night that nobody was awake for is due until the next
    one; of several such nights the last. A shop's very first night is not made up for.
    """
    shop = shop_settings()
    local = now.astimezone(ZoneInfo(shop.zone))
    is_tonight = local.hour >= shop.nightly_hour
    key = (local.date() if is_tonight else local.date() - timedelta(days=1)).isoformat()
    made = Job.objects.filter(kind=kind)
    if made.filter(key=key).exists():
        return None
    return key if is_tonight or made.filter(key__lt=key).exists() else None


SIMULATED = "simulated"
"""Word of the demonstration's note: a simulated shop was written into this database."""


def has_real_customers() -> bool:
    """Tell whether anybody came from a source that is not simulated; looks at each source once."""
    own = Customer.objects.filter(source=OuterRef("pk"))
    return Source.objects.exclude(kind=SourceKind.SIMULATED).filter(Exists(own)).exists()


def demo_notice(row: ShopSettings | None = None) -> str:
    """Return what the demonstration must say about its data; empty in a real shop."""
    row = row or shop_settings()
    if not row.is_demo:
        return ""
    if SIMULATED not in row.demo_note.split():
        told = _(
            "Demonstration. The orders are real (Online Retail, 2010–2011), moved by %(weeks)s "
            "weeks to the present. Names, contacts, consent, answers, reviews and tickets are "
            "simulated."
        ) % {"weeks": row.demo_note or "0"}
        gone = _("Before real use take them out: manage.py remove_source online-retail.")
        return f"{told} {gone}"
    if has_real_customers():
        return _(
            "Simulated customers and orders lie beside the others in this database; every figure "
            "for the whole shop counts both. The simulated ones are marked."
        )
    return _(
        "Simulated shop. Customers, orders, money and opinions were drawn by chance from known "
        "laws; nobody here exists and nothing was ever sold."
    )


def demo_label(row: ShopSettings) -> str:
    """Return the two words that stand on every page; empty in a real shop."""
    if not row.is_demo:
        return ""
    if SIMULATED not in row.demo_note.split():
        return _("Demonstration")
    return _("Partly simulated") if has_real_customers() else _("Simulated shop")
