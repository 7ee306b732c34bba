"""What colleagues give each other to do about a customer."""

from datetime import date, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _

from crm.core.services.audit import record_audit
from customers.errors import InvalidTaskError
from customers.models import Task
from customers.services.profiles import locked_profile

LONGEST = 200
CHANGED = {
    "assignee_id": "task.reassigned",
    "due_day": "task.rescheduled",
    "title": "task.reworded",
}
"""What the audit calls a change of each."""


def add_task(
    *,
    customer_id: int,
    title: str,
    assignee_id: int,
    due_day: date,
    user_id: int,
    today: date,
    now: datetime,
) -> Task:
    """Give a colleague something to do; raises InvalidTaskError for what nobody could do."""
    words = _clean(title)
    _check_day(due_day, today)
    _check_assignee(assignee_id)
    with transaction.atomic():
        customer = locked_profile(customer_id)
        task = Task.objects.create(
            customer=customer,
            title=words,
            assignee_id=assignee_id,
            due_day=due_day,
            author_id=user_id,
            created_at=now,
        )
        task.refresh_from_db(fields=["public_id"])
        _record("task.added", task, user_id)
    return task


def finish_task(*, task_id: int, user_id: int, now: datetime) -> Task:
    """Mark a task as done; one that is done already stays as it is."""
    with transaction.atomic():
        task = _locked(task_id)
        if task.done_at is None:
            task.done_at, task.done_by_id = now, user_id
            task.save(update_fields=["done_at", "done_by"])
            _record("task.done", task, user_id)
    return task


def change_task(
    *,
    task_id: int,
    assignee_id: int | None,
    due_day: date,
    user_id: int,
    today: date,
    title: str | None = None,
) -> Task:
    """Give an open task to somebody else, another day or other words; None leaves the words.

    What stays as it was is not asked again: a day that is over, a colleague who left. Raises
    InvalidTaskError for what nobody could do, and for a task that has ended.
    """
    with transaction.atomic():
        task = _locked(task_id)
        if task.done_at is not None:
            raise InvalidTaskError(_("This task has ended: open it again first."))
        found: dict[str, Any] = {}
        if assignee_id != task.assignee_id:
            _check_assignee(assignee_id)
            found["assignee_id"] = assignee_id
        if due_day != task.due_day:
            _check_day(due_day, today)
            found["due_day"] = due_day
        if title is not None and _clean(title) != task.title:
            found["title"] = _clean(title)
        for name, value in found.items():
            setattr(task, name, value)
        task.save(update_fields=[name.removesuffix("_id") for name in found])
        for name in found:
            _record(CHANGED[name], task, user_id)
    return task


def cancel_task(*, task_id: int, user_id: int, now: datetime) -> Task:
    """End an open task that nobody is to do any more; one that has ended stays as it is."""
    with transaction.atomic():
        task = _locked(task_id)
        if task.done_at is None:
            task.done_at, task.done_by_id, task.is_cancelled = now, user_id, True
            task.save(update_fields=["done_at", "done_by", "is_cancelled"])
            _record("task.cancelled", task, user_id)
    return task


def reopen_task(*, task_id: int, user_id: int) -> Task:
    """Open a task again; one that is open already stays as it is."""
    with transaction.atomic():
        task = _locked(task_id)
        if task.done_at is not None:
            task.done_at, task.done_by, task.is_cancelled = None, None, False
            task.save(update_fields=["done_at", "done_by", "is_cancelled"])
            _record("task.reopened", task, user_id)
    return task


def _clean(title: str) -> str:
    words = title.replace("\0", "").strip()
    if not words or len(words) > LONGEST:
        raise InvalidTaskError(
            _("Say in at most %(most)d characters what is to be done.") % {"most": LONGEST}
        )
    return words


def _check_day(due_day: date, today: date) -> None:
    if due_day < today:
        raise InvalidTaskError(_("The due day is over already: choose today or a later one."))


def _check_assignee(assignee_id: int | None) -> None:
    people = get_user_model()._default_manager.filter(is_active=True, is_staff=True)
    if not people.filter(pk=assignee_id or 0).exists():
        raise InvalidTaskError(_("Choose a colleague who can sign in."))


def _locked(task_id: int) -> Task:
    return Task.objects.select_for_update(of=("self",)).select_related("customer").get(pk=task_id)


def _record(action: str, task: Task, user_id: int) -> None:
    record_audit(
        actor_id=user_id,
        action=action,
        object_type="customers.task",
        object_id=task.public_id,
        details={"customer": task.customer.public_id, "assignee": task.assignee_id},
    )
