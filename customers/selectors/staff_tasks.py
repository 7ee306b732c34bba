"""Tasks in words, and how many wait for somebody."""

from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.core.selectors.reach import reached
from customers.models import Task
from customers.selectors.people import person_name

MOST_COUNTED = 99


def due_words(task: Task, today: date) -> str:
    """Say when a task is due, or who did or cancelled it when."""
    if task.done_at is not None:
        words = (
            _("cancelled by %(name)s on %(day)s")
            if task.is_cancelled
            else _("done by %(name)s on %(day)s")
        )
        return words % {
            "name": person_name(task.done_by),
            "day": date_format(timezone.localtime(task.done_at), "DATE_FORMAT"),
        }
    left = (task.due_day - today).days
    if left < 0:
        words = ngettext("overdue for %(days)d day", "overdue for %(days)d days", -left)
        return words % {"days": -left}
    if left == 0:
        return _("due today")
    if left == 1:
        return _("due tomorrow")
    return _("due on %(day)s") % {"day": date_format(task.due_day, "DATE_FORMAT")}


def is_overdue(task: Task, today: date) -> bool:
    return task.done_at is None and task.due_day < today


def open_count(user: Any) -> int:
    """Return how many open tasks somebody has; what lies beyond two digits is not counted."""
    rows = reached(Task.objects.open().filter(assignee=user), user)
    return len(rows.values_list("pk")[: MOST_COUNTED + 1])


def customer_tasks(customer_id: int, *, most_done: int = 3) -> list[Task]:
    """Return a customer's open tasks, the most urgent first, and the last few that are done."""
    rows = Task.objects.filter(customer_id=customer_id)
    rows = rows.select_related("assignee", "author", "done_by")
    return [
        *rows.open().order_by("due_day", "pk")[:20],
        *rows.done().order_by("-done_at")[:most_done],
    ]
