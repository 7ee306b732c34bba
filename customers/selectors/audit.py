"""Say in words what an import's audit counted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.selectors.column_words import COLUMNS
from customers.selectors.recognition import LEAST_KEYED_SHARE, Recognition

KIND_LABELS = {
    "customers": gettext_noop("Customers"),
    "orders": gettext_noop("Orders"),
    "lines": gettext_noop("Order lines"),
    "orders_with_lines": gettext_noop("Orders with their lines, one row an article"),
    "products": gettext_noop("Products"),
    "categories": gettext_noop("Categories"),
    "refunds": gettext_noop("Refunds"),
    "reviews": gettext_noop("Reviews"),
    "answers": gettext_noop("Survey answers"),
    "tickets": gettext_noop("Tickets"),
    "consents": gettext_noop("Consent"),
}
LABELS = {
    "lines": gettext_noop("Rows in the file"),
    "orders": gettext_noop("Order numbers"),
    "articles": gettext_noop("Articles and charges"),
    "first": gettext_noop("First order"),
    "last": gettext_noop("Last order"),
    "total": gettext_noop("Quantity × price of all rows"),
    "without_customer": gettext_noop("Rows without a customer (guests, kept)"),
    "without_title": gettext_noop("Rows without a description"),
    "duplicates": gettext_noop("Rows that repeat another one (kept)"),
    "cancellation_lines": gettext_noop("Cancellation rows"),
    "netted_quantity": gettext_noop("Pieces netted against earlier orders"),
    "netted_amount": gettext_noop("Amount netted against earlier orders"),
    "unmatched_refunds": gettext_noop("Refunds that found no order"),
    "unmatched_quantity": gettext_noop("Pieces of refunds that found no order"),
    "unmatched_amount": gettext_noop("Amount of refunds that found no order"),
    "unknown_customers": gettext_noop("Rows of unknown customers (kept without one)"),
    "unknown_orders": gettext_noop("Rows of unknown orders (kept without one)"),
    "unknown_products": gettext_noop("Rows of unknown articles (kept without one)"),
    "unknown_parents": gettext_noop("Categories whose parent is unknown (kept at the top)"),
    "clean_customers": gettext_noop("By the usual cleaning rule: customers"),
    "clean_lines": gettext_noop("By the usual cleaning rule: rows"),
    "clean_total": gettext_noop("By the usual cleaning rule: amount"),
}


FATES = {
    "rows_total": gettext_noop("Rows in the file"),
    "rows_created": gettext_noop("Would be created"),
    "rows_updated": gettext_noop("Would be updated"),
    "rows_unchanged": gettext_noop("Would stay as they are"),
    "rows_rejected": gettext_noop("Would be rejected"),
}


@dataclass(frozen=True)
class KindWords:
    """What became of one kind of record, in figures."""

    label: str
    created: str
    updated: str
    unchanged: str
    rejected: str


@dataclass(frozen=True)
class AuditWords:
    """Labelled figures, the codes booked as charges, and the rejected rows by reason.

    ``kinds`` is filled where rows tell of several things; ``notes`` count what was left empty.
    """

    figures: list[tuple[str, str]]
    charges: list[tuple[str, str, str]]
    rejected: list[tuple[str, str]]
    kinds: list[KindWords]
    notes: list[tuple[str, str]]


@dataclass(frozen=True)
class TrialWords:
    """What a dry run counted, and the first rows that would be rejected."""

    figures: list[tuple[str, str]]
    kinds: list[KindWords]
    rejected: list[tuple[str, str]]
    notes: list[tuple[str, str]]
    first: list[tuple[str, str, list[tuple[str, str]]]]
    is_partial: bool


def describe_audit(audit: Mapping[str, Any]) -> AuditWords:
    """Return an audit in the reader's language."""
    return AuditWords(
        [(_(label), _figure(audit[key])) for key, label in LABELS.items() if key in audit],
        [
            (code, _figure(row["lines"]), _figure(row["amount"]))
            for code, row in audit.get("charges", {}).items()
        ],
        _counted(audit.get("rejected", {})),
        _kinds(audit.get("kinds", {})),
        _counted(audit.get("remarks", {})),
    )


def describe_trial(trial: Mapping[str, Any], header: Sequence[str]) -> TrialWords:
    """Return a dry run in the reader's language, its rows in the order of the file's header."""
    return TrialWords(
        [(_(label), _figure(trial["rows"][key])) for key, label in FATES.items()],
        _kinds(trial["kinds"]),
        _counted(trial["rejected"]),
        [
            *((_(LABELS[name]), _figure(count)) for name, count in trial["notes"].items() if count),
            *_counted(trial["remarks"]),
        ],
        [
            (
                _figure(one["row"]),
                page_reason(one["reason"]),
                [
                    (name, one["cells"][name])
                    for name in in_order(one["cells"], header)
                    if one["cells"][name]
                ],
            )
            for one in trial["first"]
        ],
        bool(trial.get("is_partial")),
    )


def in_order(names: Iterable[str], header: Sequence[str]) -> list[str]:
    """Return a row's columns as they stand in the file: the database keeps no order."""
    places = {name: place for place, name in enumerate(header)}
    return sorted(names, key=lambda name: places.get(name, len(places)))


@dataclass(frozen=True)
class RecognitionWords:
    """How well a source tells its customers apart, in words."""

    figures: list[tuple[str, str]]
    verdict: str
    is_enough: bool


def describe_recognition(found: Recognition) -> RecognitionWords | None:
    """Return what a source's keys are worth in the reader's language; None without orders."""
    if found.keyed_share is None:
        return None
    figures = [
        (_("Paid orders of this source"), _figure(found.orders)),
        (_("Orders that name their buyer by a key that stays"), _share(found.keyed_share)),
        (_("Buyers"), _figure(found.customers)),
    ]
    if found.once_share is not None:
        figures.append((_("Buyers with one order only"), _share(found.once_share)))
    least = _share(LEAST_KEYED_SHARE)
    verdict = (
        _("Enough orders name their buyer for this source's customers to be scored.")
        if found.is_enough
        else _(
            "Customers of this source are not scored: fewer than %(least)s of its orders name "
            "their buyer, so most of those who come back look like new ones. Bring in a file with "
            "customer ids, e-mail addresses or phone numbers that are not masked."
        )
        % {"least": least}
    )
    return RecognitionWords(figures, verdict, found.is_enough)


def _share(share: float) -> str:
    return _("%(share)s %%") % {"share": number_format(round(Decimal(100 * share), 1), 1)}


def _kinds(kinds: Mapping[str, Mapping[str, int]]) -> list[KindWords]:
    return [
        KindWords(
            _(KIND_LABELS[name]),
            *(_figure(fates[fate]) for fate in ("created", "updated", "unchanged", "rejected")),
        )
        for name in KIND_LABELS
        if any((fates := kinds.get(name, {})).values())
    ]


def _counted(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(page_reason(reason), _figure(count)) for reason, count in counts.items()]


def word_reason(reason: str) -> str:
    """Return a reject's reason in the reader's language; “column: phrase” keeps its column."""
    column, phrase = _told_apart(reason)
    return _("%(name)s: %(value)s") % {"name": column, "value": _(phrase)} if column else _(phrase)


def page_reason(reason: str) -> str:
    """Return a reason as pages show it: what a column is called stands before its name."""
    column, phrase = _told_apart(reason)
    label = str(COLUMNS.get(column, column))
    if label in ("", column):
        return word_reason(reason)
    named = _("%(label)s (%(name)s)") % {"label": label, "name": column}
    return _("%(name)s: %(value)s") % {"name": named, "value": _(phrase)}


def _told_apart(reason: str) -> tuple[str, str]:
    column, separator, phrase = reason.partition(": ")
    return (column, phrase) if separator and " " not in column else ("", reason)


def _figure(value: Any) -> str:
    """Write a number, an amount or an instant as the reader writes it."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return number_format(value, force_grouping=True)
    if value[4:5] == "-" and "T" in value:
        moment = timezone.localtime(datetime.fromisoformat(value))
        return date_format(moment, "DATETIME_FORMAT")
    return number_format(round(Decimal(value), 2), 2, force_grouping=True)
