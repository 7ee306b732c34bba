"""How this shop counts days and money."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from customers.models import ShopSettings


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


def demo_notice() -> str:
    """Return what the demonstration must say about its data; empty in a real shop."""
    row = shop_settings()
    if not row.is_demo:
        return ""
    return _(
        "Demonstration. The orders are real (Online Retail, 2010–2011), moved by %(weeks)s weeks "
        "to the present. Names, contacts, consent, answers, reviews and tickets are simulated."
    ) % {"weeks": row.demo_note or "0"}
