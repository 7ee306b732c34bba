"""What staff did about a customer, on the timeline: notes, tasks, merges, imports."""

from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.core.registry import TimelineBound, TimelineEntry, TimelineSource
from crm.core.selectors.reach import reached
from customers.enums import InteractionKind
from customers.models import Customer, ImportBatch, ImportChange, Interaction, MergeRecord, Task
from customers.selectors.people import person_name
from customers.selectors.staff_tasks import due_words
from customers.selectors.timeline import rows_before, source_of

PROFILES = Customer._meta.db_table


def sources() -> list[TimelineSource]:
    """Return the sources; each is one query a page."""
    return [
        _source("interaction", gettext_lazy("Notes"), notes, 6, "customers.view_interaction"),
        _tasks_source(),
        _source("merge", gettext_lazy("Merges"), merges, 8, "customers.view_mergerecord"),
        _source("import", gettext_lazy("Imports"), imports, 9, "customers.view_importbatch"),
    ]


def _source(key: str, label: Any, fetch_for: Any, order: int, permission: str) -> TimelineSource:
    return TimelineSource(
        key, label, partial(fetch_for, None), order, permission, fetch_for=fetch_for
    )


def notes(
    user: Any, customer_id: int, bound: TimelineBound | None, limit: int
) -> list[TimelineEntry]:
    """Return what was written down, but for what was taken back."""
    rows = reached(Interaction.objects.standing().filter(customer_id=customer_id), user)
    rows = rows.select_related("author")
    return [_note_entry(row) for row in rows_before(rows, "at", bound, limit)]


def _note_entry(row: Interaction) -> TimelineEntry:
    if row.kind != InteractionKind.NOTE:
        return TimelineEntry(row.at, row.pk, row.get_kind_display(), row.text, "", "notes")
    title = _("Note by %(name)s") % {"name": person_name(row.author)}
    if row.edited_at:
        title = _("%(note)s (edited)") % {"note": title}
    address = reverse("admin:customers_note", args=[row.customer_id, row.pk])
    return TimelineEntry(row.at, row.pk, title, row.text, address, "notes")


def _tasks_source() -> TimelineSource:
    """Return the source of tasks, each told when it was given."""
    return source_of(
        key="task",
        label=gettext_lazy("Tasks"),
        model=Task,
        field="created_at",
        entry=_task_entry,
        order=7,
        related=("assignee", "done_by"),
    )


def _task_entry(row: Task) -> TimelineEntry:
    title = _("Task for %(name)s: %(title)s") % {
        "name": person_name(row.assignee),
        "title": row.title,
    }
    # Pages run in the shop's zone: its day is the local one, without a query an entry.
    words = due_words(row, timezone.localdate())
    address = reverse("admin:customers_task_change", args=[row.pk])
    return TimelineEntry(row.created_at, row.pk, title, words, address, "task_alt")


def merges(
    user: Any, customer_id: int, bound: TimelineBound | None, limit: int
) -> list[TimelineEntry]:
    """Return which profiles were merged into this one, or this one into which."""
    rows = MergeRecord.objects.filter(
        Q(target_customer=customer_id) | Q(source_customer=customer_id)
    ).select_related("source_customer", "target_customer", "merged_by")
    found = rows_before(reached(rows, user), "merged_at", bound, limit)
    return [_merge_entry(row, customer_id) for row in found]


def _merge_entry(row: MergeRecord, customer_id: int) -> TimelineEntry:
    is_kept = row.target_customer_id == customer_id
    other = row.source_customer if is_kept else row.target_customer
    title = (
        _("%(name)s was merged into this profile")
        if is_kept
        else _("Merged into the profile of %(name)s")
    ) % {"name": other.name or other.public_id}
    detail = _("by %(name)s") % {"name": person_name(row.merged_by)} if row.merged_by else ""
    if row.unmerged_at:
        parted = _("parted again on %(day)s") % {
            "day": date_format(timezone.localtime(row.unmerged_at), "DATE_FORMAT")
        }
        detail = " · ".join(part for part in (detail, parted) if part)
    address = reverse("admin:customers_customer_change", args=[other.pk])
    return TimelineEntry(row.merged_at, row.pk, title, detail, address, "merge")


def imports(
    user: Any, customer_id: int, bound: TimelineBound | None, limit: int
) -> list[TimelineEntry]:
    """Return the imports that made or changed this profile, as long as they keep what they did."""
    touched = ImportChange.objects.filter(
        batch=OuterRef("pk"), table_name=PROFILES, row_id=customer_id
    )
    made = touched.filter(before__isnull=True)
    rows = reached(ImportBatch.objects.filter(Exists(touched)), user).select_related("source")
    found = rows_before(rows.annotate(has_made=Exists(made)), "created_at", bound, limit)
    return [_import_entry(row) for row in found]


def _import_entry(row: ImportBatch) -> TimelineEntry:
    title = (
        _("Made by the import of %(file)s")
        if getattr(row, "has_made", False)
        else _("Changed by the import of %(file)s")
    ) % {"file": row.filename}
    detail = f"{row.source} · {row.get_state_display()}"
    address = reverse("admin:customers_importbatch_change", args=[row.pk])
    return TimelineEntry(row.created_at, row.pk, title, detail, address, "upload_file")
