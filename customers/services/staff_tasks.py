"""What colleagues give each other to do about a customer."""

from datetime import date, datetime

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.translation import gettext as _

from crm.core.services.audit import record_audit
from customers.errors import InvalidTaskError
from customers.models import Task
from customers.services.profiles import locked_profile

LONGEST = 200


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
    words = title.replace("\0", "").strip()
    if not words or len(words) > LONGEST:
        raise InvalidTaskError(
            _("Say in at most %(most)d characters what is to be done.") % {"most": LONGEST}
        )
    if due_day < today:
        raise InvalidTaskError(_("The due day is over already: choose today or a later one."))
    people = get_user_model()._default_manager.filter(is_active=True, is_staff=True)
    if not people.filter(pk=assignee_id).exists():
        raise InvalidTaskError(_("Choose a colleague who can sign in."))
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


def reopen_task(*, task_id: int, user_id: int) -> Task:
    """Open a task again; one that is open already stays as it is."""
    with transaction.atomic():
        task = _locked(task_id)
        if task.done_at is not None:
            task.done_at, task.done_by = None, None
            task.save(update_fields=["done_at", "done_by"])
            _record("task.reopened", task, user_id)
    return task


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
