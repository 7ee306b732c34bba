"""A customer's history, gathered from everything that keeps a part of it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model, Q, QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from crm.core.registry import TimelineBound, TimelineEntry, TimelineSource, registry
from crm.core.selectors.reach import is_limited, reached
from customers.models import (
    Consent,
    Order,
    Refund,
    Review,
    SurveyResponse,
    Ticket,
)
from customers.selectors.contacts import show_text

LAST_PK = 2**63 - 1


@dataclass(frozen=True)
class TimelinePage:
    """Some entries, newest first, and where the older ones start; None when there are none."""

    entries: list[TimelineEntry]
    next_cursor: str | None


def timeline(
    *,
    customer_id: int,
    user: AbstractBaseUser | AnonymousUser | None = None,
    cursor: str = "",
    kinds: Collection[str] = (),
    limit: int = 30,
) -> TimelinePage:
    """Return a page of the timeline: one query a source, each entry on exactly one page.

    Entries of one instant are ordered by source, then by id; an unreadable ``cursor`` starts over.
    """
    start = _parse(cursor)
    found: list[TimelineEntry] = []
    for source in visible_sources(user):
        if kinds and source.key not in kinds:
            continue
        entries = _fetched(source, user, customer_id, _bound(start, source.key), limit + 1)
        found += [replace(entry, source=source.key) for entry in entries]
    found.sort(key=lambda entry: (-entry.at.timestamp(), entry.source, -entry.pk))
    page = [_as_seen(entry, user) for entry in found[:limit]]
    last = page[-1] if len(found) > limit else None
    return TimelinePage(page, f"{last.at.isoformat()}|{last.source}|{last.pk}" if last else None)


def _fetched(
    source: TimelineSource, user: Any, customer_id: int, bound: TimelineBound | None, limit: int
) -> Sequence[TimelineEntry]:
    """Ask a source for what is there for this person."""
    if not is_limited(user):
        return source.fetch(customer_id, bound, limit)
    assert source.fetch_for is not None  # visible_sources has left it out
    return source.fetch_for(user, customer_id, bound, limit)


def _as_seen(entry: TimelineEntry, user: Any) -> TimelineEntry:
    """Return an entry as this person may read it: people write contacts into texts."""
    title, detail = show_text(str(entry.title), user), show_text(str(entry.detail), user)
    return replace(entry, title=title, detail=detail)


def visible_sources(user: Any) -> list[TimelineSource]:
    """Return the sources this person may read; without a person, all."""
    return [
        source
        for source in registry.timeline_sources
        if (user is None or not source.permission or user.has_perm(source.permission))
        and (source.fetch_for is not None or not is_limited(user))
    ]


def _parse(cursor: str) -> tuple[datetime, str, int] | None:
    parts = cursor.split("|")
    try:
        at = datetime.fromisoformat(parts[0])
        return (at, parts[1], int(parts[2])) if at.tzinfo else None
    except (ValueError, IndexError):
        return None


def _bound(start: tuple[datetime, str, int] | None, source: str) -> TimelineBound | None:
    """Say where a source goes on: what sorts before the cursor's entry was already shown."""
    if start is None:
        return None
    at, shown, pk = start
    if source == shown:
        return TimelineBound(at, pk)
    return TimelineBound(at, 0 if source < shown else LAST_PK)


def rows_before(
    rows: QuerySet[Any], field: str, bound: TimelineBound | None, limit: int
) -> Sequence[Any]:
    """Return the newest ``limit`` rows that a page may still show."""
    if bound is not None:
        earlier = Q(**{f"{field}__lt": bound.at})
        rows = rows.filter(earlier | Q(**{field: bound.at, "pk__lt": bound.pk}))
    return list(rows.order_by(f"-{field}", "-pk")[:limit])


def source_of(
    *,
    key: str,
    label: Any,
    model: type[Model],
    field: str,
    entry: Callable[[Any], TimelineEntry],
    order: int,
    related: Sequence[str] = (),
) -> TimelineSource:
    """Build a source over a table with a ``customer`` and an instant.

    ``related`` names what ``entry`` reads of other tables: it comes with the same query.
    """

    def fetch_for(
        user: Any, customer_id: int, bound: TimelineBound | None, limit: int
    ) -> list[TimelineEntry]:
        rows = reached(model._default_manager.filter(customer_id=customer_id), user)
        rows = rows.select_related(*related) if related else rows
        return [entry(row) for row in rows_before(rows, field, bound, limit)]

    permission = f"{model._meta.app_label}.view_{model._meta.model_name}"
    return TimelineSource(
        key, label, partial(fetch_for, None), order, permission, fetch_for=fetch_for
    )


def money(amount: Any, currency: str) -> str:
    """Write an amount with two places and its currency."""
    return f"{number_format(round(amount, 2), 2, force_grouping=True)} {currency}"


def order_entry(row: Order) -> TimelineEntry:
    title = _("Order %(number)s") % {"number": row.external_id}
    detail = f"{money(row.total, row.currency)} · {row.get_status_display()}"
    if row.refunded:
        detail += " · " + _("refunded %(amount)s") % {"amount": money(row.refunded, row.currency)}
    return TimelineEntry(row.placed_at, row.pk, title, detail, _url("order", row), "receipt_long")


def refund_entry(row: Refund) -> TimelineEntry:
    detail = f"{money(row.amount, row.currency)} · {row.quantity} × {row.sku}"
    title = _("Refund") if row.order_id else _("Refund without a matching order")
    return TimelineEntry(row.refunded_at, row.pk, title, detail, "", "undo")


def review_entry(row: Review) -> TimelineEntry:
    stars = "★" * row.rating + "☆" * (5 - row.rating) if row.rating else ""
    return TimelineEntry(
        row.written_at, row.pk, _("Review %(stars)s") % {"stars": stars}, row.text, "", "reviews",
        row.is_simulated,
    )  # fmt: skip


def survey_entry(row: SurveyResponse) -> TimelineEntry:
    title = _("Answer: %(question)s %(value)d") % {
        "question": row.get_metric_display(),
        "value": row.value,
    }
    return TimelineEntry(
        row.answered_at, row.pk, title, row.comment, "", "how_to_vote", row.is_simulated
    )


def ticket_entry(row: Ticket) -> TimelineEntry:
    title = _("Ticket: %(subject)s") % {"subject": row.subject}
    return TimelineEntry(
        row.opened_at, row.pk, title, row.get_state_display(), _url("ticket", row),
        "support_agent", row.is_simulated,
    )  # fmt: skip


def consent_entry(row: Consent) -> TimelineEntry:
    title = _("Consent %(action)s: %(channel)s") % {
        "action": row.get_action_display(),
        "channel": row.get_channel_display(),
    }
    return TimelineEntry(row.at, row.pk, title, row.evidence, "", "verified_user")


def _url(model: str, row: Model) -> str:
    return f"/admin/customers/{model}/{row.pk}/change/"


TABLES: dict[str, tuple[type[Model], str, Callable[[Any], TimelineEntry]]] = {
    "order": (Order, "placed_at", order_entry),
    "refund": (Refund, "refunded_at", refund_entry),
    "review": (Review, "written_at", review_entry),
    "survey": (SurveyResponse, "answered_at", survey_entry),
    "ticket": (Ticket, "opened_at", ticket_entry),
    "consent": (Consent, "at", consent_entry),
}
"""The record's own sources: table, instant, and how a row is told."""
