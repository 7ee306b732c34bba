"""How the record's alerts read."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from customers.connectors.places import problem_words


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


def _saved_stopped(told: Mapping[str, Any]) -> str:
    return _("The saved import “%(name)s” was stopped. %(reason)s") % {
        "name": told["name"],
        "reason": reason_words(told["reason"]),
    }


def _saved_failed(told: Mapping[str, Any]) -> str:
    return _("The saved import “%(name)s” could not fetch its files. %(reason)s") % {
        "name": told["name"],
        "reason": reason_words(told["reason"]),
    }


def _saved_unreadable(told: Mapping[str, Any]) -> str:
    return _("The file %(file)s of the saved import “%(name)s” cannot be read. %(error)s") % told


def _saved_missing(told: Mapping[str, Any]) -> str:
    return ngettext(
        "The saved import “%(name)s” has found no new file for more than %(days)s day.",
        "The saved import “%(name)s” has found no new file for more than %(days)s days.",
        told["days"],
    ) % dict(told)


def reason_words(reason: Mapping[str, Any]) -> str:
    """Word why a saved import stopped or failed: a code with its parameters."""
    code, told = reason.get("code", ""), reason.get("parameters", {})
    if code == "header_changed":
        return _header_changed(told)
    if code == "format_changed":
        return _("The header of %(file)s is read as another kind of file by now.") % told
    if code == "other":
        return str(told["error"])
    return problem_words(code, told)


def _header_changed(told: Mapping[str, Any]) -> str:
    parts = [_("The file %(file)s has another header.") % {"file": told["file"]}]
    labels = {
        "came": _("New columns: %(names)s."),
        "went": _("Missing columns: %(names)s."),
        "moved": _("Columns in another place: %(names)s."),
    }
    parts += [label % {"names": ", ".join(told[key])} for key, label in labels.items() if told[key]]
    words = _("Nothing of it was brought in.")
    for part in reversed(parts):
        words = _("%(sentence)s %(next)s") % {"sentence": part, "next": words}
    return words


WORDINGS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "orders_without_rate": _orders_without_rate,
    "import_failed": _import_failed,
    "saved_import_stopped": _saved_stopped,
    "saved_import_failed": _saved_failed,
    "saved_import_missing": _saved_missing,
    "saved_import_unreadable": _saved_unreadable,
}
