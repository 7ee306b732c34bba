"""How the record's alerts read."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def _orders_without_rate(told: Mapping[str, Any]) -> str:
    return ngettext(
        "%(orders)s paid order in %(currencies)s counts nowhere: the exchange rate of its day is "
        "missing.",
        "%(orders)s paid orders in %(currencies)s count nowhere: the exchange rates of their days "
        "are missing.",
        told["orders"],
    ) % dict(told)


def _import_failed(told: Mapping[str, Any]) -> str:
    return _("The import of %(file)s failed: %(error)s") % dict(told)


WORDINGS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "orders_without_rate": _orders_without_rate,
    "import_failed": _import_failed,
}
