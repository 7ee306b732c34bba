"""How a customer's scores changed, told on their timeline."""

from collections.abc import Sequence
from itertools import zip_longest

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from analytics.models import ScoreSnapshot
from analytics.selectors.wording import number, percent
from crm.core.registry import TimelineBound, TimelineEntry
from customers.selectors.timeline import money, rows_before

AT = "run__published_at"


def score_changes(customer_id: int, bound: TimelineBound | None, limit: int) -> list[TimelineEntry]:
    """Return the customer's monthly scores beside those of the month before, newest first."""
    rows = ScoreSnapshot.objects.filter(customer_id=customer_id, run__published_at__isnull=False)
    # One more than asked for: the oldest entry shown is compared with the one before it.
    found: Sequence[ScoreSnapshot] = rows_before(rows.select_related("run"), AT, bound, limit + 1)
    pairs = zip_longest(found, found[1:])
    return [_entry(row, before) for row, before in pairs][:limit]


def _entry(row: ScoreSnapshot, before: ScoreSnapshot | None) -> TimelineEntry:
    labels = (_("Churn risk"), _("Predicted spend"), _("Satisfaction"), _("RFM group"))
    former = _values(before) if before else ("",) * len(labels)
    parts = [_part(*told) for told in zip(labels, _values(row), former, strict=True)]
    title = _("Scores of %(month)s") % {"month": date_format(row.month, "YEAR_MONTH_FORMAT")}
    at = row.run.published_at
    assert at is not None  # rows of unpublished runs are filtered out
    detail = " · ".join(part for part in parts if part)
    return TimelineEntry(at, row.pk, title, detail, "", "monitoring")


def _values(row: ScoreSnapshot) -> tuple[str, ...]:
    spend = "" if row.predicted_clv is None else money(row.predicted_clv, row.run.currency)
    satisfaction = "" if row.satisfaction is None else number(row.satisfaction)
    group = str(row.get_rfm_group_display()) if row.rfm_group else ""
    return percent(row.churn_probability), spend, satisfaction, group


def _part(label: str, now: str, former: str) -> str:
    """Return "label now (before: former)", without what is unknown or has not changed."""
    if not now:
        return ""
    was = _(" (before: %(value)s)") % {"value": former} if former and former != now else ""
    return f"{label} {now}{was}"
