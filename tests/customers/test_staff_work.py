"""Notes and tasks: who may do what to them, and what stays on record."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from crm.core.models import AuditEntry
from customers.errors import (
    InvalidNoteError,
    InvalidTaskError,
    NotOwnNoteError,
    ProfileClosedError,
)
from customers.models import Interaction, Task
from customers.selectors.staff_tasks import due_words, open_count
from customers.selectors.timeline import timeline
from customers.services import notes, staff_tasks
from customers.services.merging import merge_customers, unmerge_customers
from tests.factories import (
    NOON,
    CustomerFactory,
    ImportBatchFactory,
    NoteFactory,
    OrderFactory,
    TaskFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


def give(customer, user, **more):
    told = {"title": "Call back", "assignee_id": user.pk, "due_day": TODAY, "user_id": user.pk}
    return staff_tasks.add_task(
        **{**told, "customer_id": customer.pk, "today": TODAY, "now": NOON, **more}
    )


def actions():
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_a_note_is_changed_and_taken_back_by_its_author_alone():
    customer, author, other = CustomerFactory(), UserFactory(), UserFactory()
    note = notes.add_note(customer_id=customer.pk, text=" Likes tea. ", user_id=author.pk, now=NOON)
    for deed in (
        lambda: notes.edit_note(note_id=note.pk, text="No.", user_id=other.pk, now=NOON),
        lambda: notes.delete_note(note_id=note.pk, user_id=other.pk, now=NOON),
    ):
        with pytest.raises(NotOwnNoteError):
            deed()
    note.refresh_from_db()
    assert (note.text, note.edited_at, note.deleted_at) == ("Likes tea.", None, None)

    notes.edit_note(note_id=note.pk, text="Likes coffee.", user_id=author.pk, now=NOON)
    shown = timeline(customer_id=customer.pk, kinds=["interaction"]).entries
    assert [entry.detail for entry in shown] == ["Likes coffee."]
    assert "(edited)" in shown[0].title
    notes.delete_note(note_id=note.pk, user_id=author.pk, now=NOON)

    assert timeline(customer_id=customer.pk, kinds=["interaction"]).entries == []
    assert Interaction.objects.get().text == ""
    assert actions() == ["note.added", "note.edited", "note.deleted"]
    assert not any("tea" in str(row.details) for row in AuditEntry.objects.all())


@pytest.mark.parametrize("text", ["", "  \n", "x" * (notes.LONGEST + 1)])
def test_a_note_without_words_or_with_too_many_is_refused(text):
    customer, author = CustomerFactory(), UserFactory()

    with pytest.raises(InvalidNoteError):
        notes.add_note(customer_id=customer.pk, text=text, user_id=author.pk, now=NOON)

    assert not Interaction.objects.exists()
    assert actions() == []


def test_a_note_taken_back_after_a_merge_does_not_stand_in_the_way_of_parting():
    source, target, author = CustomerFactory(), CustomerFactory(), UserFactory()
    note = NoteFactory(customer=source, author=author)
    record = merge_customers(source_id=source.pk, target_id=target.pk, user_id=None, now=NOON)
    notes.delete_note(note_id=note.pk, user_id=author.pk, now=NOON)

    unmerge_customers(merge_id=record.pk, now=NOON)

    note.refresh_from_db()
    assert note.customer_id == source.pk


def test_a_merged_profile_takes_nothing_new():
    source, target, user = CustomerFactory(), CustomerFactory(), UserFactory(is_staff=True)
    merge_customers(source_id=source.pk, target_id=target.pk, user_id=None, now=NOON)

    with pytest.raises(ProfileClosedError):
        notes.add_note(customer_id=source.pk, text="Late.", user_id=user.pk, now=NOON)
    with pytest.raises(ProfileClosedError):
        give(source, user)

    assert not Interaction.objects.exists()
    assert not Task.objects.exists()


def test_a_task_is_done_once_and_can_be_opened_again():
    customer, user = CustomerFactory(), UserFactory(is_staff=True)
    task = give(customer, user)
    assert open_count(user) == 1

    staff_tasks.finish_task(task_id=task.pk, user_id=user.pk, now=NOON)
    staff_tasks.finish_task(task_id=task.pk, user_id=user.pk, now=NOON + timedelta(days=1))
    task.refresh_from_db()
    assert (task.done_at, task.done_by) == (NOON, user)
    assert open_count(user) == 0
    staff_tasks.reopen_task(task_id=task.pk, user_id=user.pk)

    task.refresh_from_db()
    assert (task.done_at, task.done_by) == (None, None)
    assert actions() == ["task.added", "task.done", "task.reopened"]


def test_what_nobody_could_do_is_refused():
    customer, user, guest = CustomerFactory(), UserFactory(is_staff=True), UserFactory()
    refused = [
        {"title": "  "},
        {"title": "x" * 201},
        {"due_day": TODAY - timedelta(days=1)},
        {"assignee_id": guest.pk},
    ]
    for changes in refused:
        with pytest.raises(InvalidTaskError):
            give(customer, user, **changes)

    assert not Task.objects.exists()


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-1, "overdue for 1 day"),
        (-3, "overdue for 3 days"),
        (0, "due today"),
        (1, "due tomorrow"),
        (9, "due on"),
    ],
)
def test_a_due_day_is_told_in_words(days, words):
    task = Task(due_day=TODAY + timedelta(days=days))

    assert due_words(task, TODAY).startswith(words)


def test_a_task_outlives_the_colleague_who_had_it():
    customer, user = CustomerFactory(), UserFactory(is_staff=True)
    give(customer, user)
    get_user_model().objects.filter(pk=user.pk).delete()

    entry = timeline(customer_id=customer.pk, kinds=["task"]).entries[0]

    assert entry.title == "Task for somebody who has left: Call back"


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_notes_tasks_merges_and_imports_are_paged_with_the_rest(limit):
    customer = CustomerFactory()
    OrderFactory.create_batch(2, customer=customer)
    NoteFactory.create_batch(3, customer=customer)
    TaskFactory.create_batch(3, customer=customer)
    for _number in range(2):
        merge_customers(
            source_id=CustomerFactory().pk, target_id=customer.pk, user_id=None, now=NOON
        )
    changed_by_imports(customer, 3)

    cursor, found = "", []
    while cursor is not None:
        page = timeline(customer_id=customer.pk, cursor=cursor, limit=limit)
        found += [(entry.source, entry.pk) for entry in page.entries]
        cursor = page.next_cursor

    assert len(set(found)) == len(found)
    counted = {kind: sum(source == kind for source, _pk in found) for kind, _pk in found}
    assert counted == {"order": 2, "interaction": 3, "task": 3, "merge": 2, "import": 3}
    for kind, count in counted.items():
        assert len(timeline(customer_id=customer.pk, kinds=[kind]).entries) == count


def changed_by_imports(customer, count):
    from customers.models import ImportChange

    for number in range(count):
        batch = ImportBatchFactory(filename=f"file{number}.csv")
        ImportChange.objects.create(
            batch=batch,
            table_name="customers_customer",
            row_id=customer.pk,
            before={} if number else None,
        )
        ImportChange.objects.create(
            batch=ImportBatchFactory(), table_name="customers_order", row_id=customer.pk
        )


def test_an_import_says_whether_it_made_or_changed_the_profile():
    customer = CustomerFactory()
    changed_by_imports(customer, 2)

    titles = [entry.title for entry in timeline(customer_id=customer.pk, kinds=["import"]).entries]

    assert sorted(titles) == [
        "Changed by the import of file1.csv",
        "Made by the import of file0.csv",
    ]


def test_the_number_of_open_tasks_is_somebodys_own():
    user = UserFactory()
    TaskFactory.create_batch(2, assignee=user)
    TaskFactory(assignee=user, done_at=timezone.now())
    TaskFactory()

    assert open_count(user) == 2


def test_an_open_task_changes_hands_day_and_words_and_each_is_on_record():
    author, other = UserFactory(is_staff=True), UserFactory(is_staff=True)
    task = give(CustomerFactory(), author)
    change = {"task_id": task.pk, "user_id": author.pk, "today": TODAY}

    staff_tasks.change_task(
        **change, title=" Write back ", assignee_id=other.pk, due_day=TODAY + timedelta(days=3)
    )

    task.refresh_from_db()
    assert (task.title, task.assignee, task.due_day) == (
        "Write back",
        other,
        TODAY + timedelta(days=3),
    )
    assert actions() == ["task.added", "task.reassigned", "task.rescheduled", "task.reworded"]
    # What stays as it is was right once, and is not asked again.
    type(other).objects.filter(pk=other.pk).update(is_active=False)
    staff_tasks.change_task(
        **{**change, "today": TODAY + timedelta(days=9)},
        assignee_id=other.pk,
        due_day=task.due_day,
    )
    for wrong in (
        {"due_day": TODAY - timedelta(days=1)},
        {"assignee_id": UserFactory().pk},
        {"title": " "},
    ):
        same = {"assignee_id": other.pk, "due_day": task.due_day}
        with pytest.raises(InvalidTaskError):
            staff_tasks.change_task(**change, **{**same, **wrong})
    assert len(actions()) == 4


def test_a_cancelled_task_is_nobodys_any_more_and_may_be_opened_again():
    user = UserFactory(is_staff=True)
    customer = CustomerFactory()
    task = give(customer, user)

    for _again in range(2):
        task = staff_tasks.cancel_task(task_id=task.pk, user_id=user.pk, now=NOON)

    assert open_count(user) == 0
    assert due_words(task, TODAY).startswith("cancelled by ")
    entry = timeline(customer_id=customer.pk, kinds=["task"]).entries[0]
    assert entry.detail.startswith("cancelled by ")
    with pytest.raises(InvalidTaskError):
        staff_tasks.change_task(
            task_id=task.pk, assignee_id=user.pk, due_day=TODAY, user_id=user.pk, today=TODAY
        )
    task = staff_tasks.reopen_task(task_id=task.pk, user_id=user.pk)
    assert (task.is_cancelled, task.done_at, open_count(user)) == (False, None, 1)
    assert actions() == ["task.added", "task.cancelled", "task.reopened"]


def test_a_task_is_changed_on_its_page_and_a_mask_never_replaces_what_it_hides(client):
    from tests.admin_pages import people_may

    user = people_may("customers.view_customer", "customers.view_task", "customers.change_task")
    client.force_login(user)
    task = TaskFactory(title="Call 13812345678", assignee=user)
    address = f"/admin/customers/task/{task.pk}/"
    day = timezone.localdate() + timedelta(days=5)

    form = client.get(f"{address}edit/").content.decode()
    assert "138" not in form
    assert 'name="title"' not in form
    answer = client.post(
        f"{address}edit/", {"title": "Call 138••••5678", "assignee": user.pk, "due_day": day}
    )

    assert answer.url == f"{address}change/"
    task.refresh_from_db()
    assert (task.title, task.due_day) == ("Call 13812345678", day)
    client.post(f"{address}cancel/")
    task.refresh_from_db()
    assert task.is_cancelled
    assert "Cancelled by" in client.get(f"{address}change/").content.decode()
