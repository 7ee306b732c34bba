"""A customer's page: what staff see, write and decide there, and who may do what."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from crm.core.models import AuditEntry
from customers.models import Attribute, Customer, Interaction, MergeRecord, Task
from customers.services.merging import merge_customers
from tests.api import publish_scores
from tests.factories import (
    NOON,
    ConsentFactory,
    CustomerFactory,
    NoteFactory,
    OrderFactory,
    ReviewFactory,
    ScoringRunFactory,
    ShopSettingsFactory,
    TaskFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
VIEW = "customers.view_customer"


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory()


@pytest.fixture
def sign_in(client):
    def sign_in(*permissions):
        user = UserFactory(is_staff=True)
        for name in permissions:
            app, codename = name.split(".")
            user.user_permissions.add(
                Permission.objects.get(content_type__app_label=app, codename=codename)
            )
        client.force_login(user)
        return user

    return sign_in


def at(customer, tail="change/"):
    return f"/admin/customers/customer/{customer.pk}/{tail}"


def text(response):
    return response.content.decode()


def scored(customer, **values):
    run = ScoringRunFactory(
        state="published", published_at="2026-03-02T03:00Z", currency="GBP", horizon_days=90
    )
    publish_scores(run, [{"customer": customer, **values}])
    return run


def test_the_strip_leads_from_each_score_to_its_reasons(staff_client):
    customer = CustomerFactory()
    scored(
        customer, churn_probability=0.87, churn_low=0.8, churn_high=0.92, rfm_group="champions",
        predicted_clv="120.50", clv_low="80", clv_high="160", abstained="",
    )  # fmt: skip

    page = text(staff_client.get(at(customer)))

    strip = page[page.index('id="glance"') : page.index('id="panel-')]
    assert "87 %" in strip
    assert "80.00 – 160.00" in strip
    assert "No order, answer or ticket yet." in strip  # of the satisfaction there is not
    for key in ("rfm_group", "churn_probability", "predicted_clv", "next_order", "satisfaction"):
        assert f'href="#why-{key}"' in strip
        assert f'id="why-{key}"' in page


def test_somebody_without_scores_or_without_the_right_to_them_gets_no_blanks(client, sign_in):
    customer = CustomerFactory()
    sign_in(VIEW, "analytics.view_currentscore")
    assert "Not scored yet: the next run will." in text(client.get(at(customer)))

    sign_in(VIEW)
    assert "Not scored yet" not in text(client.get(at(customer)))


def test_the_history_of_the_scores_is_a_table_and_from_two_months_on_a_chart(staff_client):
    from analytics.models import ScoreSnapshot

    customer = CustomerFactory()
    run = scored(customer, churn_probability=0.3)
    for month, churn in (("2026-01-01", 0.1), ("2026-02-01", 0.2)):
        ScoreSnapshot.objects.create(
            customer=customer, run=run, month=month, churn_probability=churn
        )
        page = text(staff_client.get(at(customer)))
        assert ('data-type="line"' in page) == (month == "2026-02-01")

    table = page[page.index('id="score-history"') :]
    assert table.rindex("February 2026") < table.rindex("January 2026")
    assert "20 %" in table


def test_a_note_is_written_changed_and_taken_back(client, sign_in):
    customer = CustomerFactory()
    sign_in(
        VIEW, "customers.view_interaction", "customers.add_interaction",
        "customers.change_interaction", "customers.delete_interaction",
    )  # fmt: skip

    page = text(client.post(at(customer, "notes/add/"), {"text": "Likes <tea>."}, follow=True))
    note = Interaction.objects.get()
    assert "Likes &lt;tea&gt;." in page
    client.post(at(customer, f"notes/{note.pk}/"), {"text": "Likes coffee."})
    assert "Likes coffee." in text(client.get(at(customer)))
    assert "edited" in text(client.get(at(customer)))
    client.post(at(customer, f"notes/{note.pk}/delete/"))

    assert "Likes coffee." not in text(client.get(at(customer)))


def test_an_empty_note_is_refused_beside_its_field(staff_client):
    customer = CustomerFactory()

    response = staff_client.post(at(customer, "notes/add/"), {"text": "  "})

    assert response.status_code == 200
    assert "Write something first" in text(response)
    assert not Interaction.objects.exists()


def test_somebody_elses_note_is_read_and_not_touched(staff_client):
    note = NoteFactory(text="Of somebody else")
    address = at(note.customer, f"notes/{note.pk}/")

    page = staff_client.get(address)
    assert "Of somebody else" in text(page)
    assert "<textarea" not in text(page)
    assert staff_client.post(address, {"text": "Mine now"}).status_code == 403
    assert staff_client.post(f"{address}delete/").status_code == 403

    note.refresh_from_db()
    assert note.text == "Of somebody else"
    elsewhere = at(CustomerFactory(), f"notes/{note.pk}/")
    assert staff_client.get(elsewhere).status_code == 404


def test_a_task_is_given_ticked_off_and_opened_again(staff_client, staff):
    customer, colleague = CustomerFactory(), UserFactory(is_staff=True, first_name="Bea")
    form = {"title": "Call back", "assignee": colleague.pk, "due_day": timezone.localdate()}

    page = text(staff_client.post(at(customer, "tasks/add/"), form, follow=True))
    task = Task.objects.get()
    assert "Call back" in page
    assert "due today" in page
    staff_client.post(f"/admin/customers/task/{task.pk}/done/", {"customer": customer.pk})
    task.refresh_from_db()
    assert task.done_by == staff
    assert "Done by" in text(staff_client.get(f"/admin/customers/task/{task.pk}/change/"))
    staff_client.post(f"/admin/customers/task/{task.pk}/reopen/")

    task.refresh_from_db()
    assert task.done_at is None


def test_a_day_that_is_over_is_refused_with_what_to_do(staff_client, staff):
    customer = CustomerFactory()
    yesterday = timezone.localdate() - timedelta(days=1)
    form = {"title": "Call back", "assignee": staff.pk, "due_day": yesterday}

    response = staff_client.post(at(customer, "tasks/add/"), form)

    assert "choose today or a later one" in text(response)
    assert not Task.objects.exists()


def test_the_tasks_are_mine_until_others_are_asked_for(client, sign_in):
    user = sign_in(VIEW, "customers.view_task", "customers.change_task")
    soon = timezone.localdate() + timedelta(days=5)
    mine = TaskFactory(assignee=user, title="My own", due_day=soon)
    TaskFactory(title="Of a colleague", due_day=timezone.localdate() - timedelta(days=2))
    TaskFactory(assignee=user, title="Long done", done_at=NOON, done_by=user)

    def listed(show=""):
        page = text(client.get("/admin/customers/task/", {"show": show} if show else {}))
        titles = ("My own", "Of a colleague", "Long done")
        return [title in page for title in titles], page

    shown, page = listed()
    assert shown == [True, False, False]
    assert "(1 my open tasks)" in page
    shown, page = listed("overdue")
    assert shown == [False, True, False]
    assert "overdue for 2 days" in page
    assert listed("open")[0] == [True, True, False]
    assert listed("done")[0] == [False, False, True]
    assert listed("nonsense")[0] == [False, False, False]
    client.post("/admin/customers/task/", {"action": "mark_done", "_selected_action": [mine.pk]})
    mine.refresh_from_db()
    assert mine.done_by == user
    assert "my open tasks)" not in listed()[1]


def test_attributes_are_changed_with_a_field_of_their_type(staff_client):
    customer = CustomerFactory(attributes={"member": False})
    for key, type_, choices in (
        ("shoe", "number", []), ("since", "date", []), ("member", "boolean", []),
        ("colour", "choice", ["red", "blue"]),
    ):  # fmt: skip
        Attribute.objects.create(key=key, label=key.title(), type=type_, choices=choices)
    address = at(customer, "attributes/")
    told = {"attribute-shoe": "42.5", "attribute-since": "2026-03-31",
            "attribute-member": "true", "attribute-colour": "blue"}  # fmt: skip

    wrong = text(
        staff_client.post(address, {**told, "attribute-shoe": "large", "attribute-since": "soon"})
    )
    assert "Write a number, such as 12.5." in wrong
    assert "Write a day as 2026-03-31." in wrong
    customer.refresh_from_db()
    assert customer.attributes == {"member": False}
    page = text(staff_client.post(address, told, follow=True))

    customer.refresh_from_db()
    assert customer.attributes == {
        "shoe": 42.5, "since": "2026-03-31", "member": True, "colour": "blue",
    }  # fmt: skip
    assert "<dt>Shoe</dt><dd>42.5</dd>" in page
    assert "<dt>Member</dt><dd>Yes</dd>" in page


def test_declarations_are_made_and_those_in_use_stay(staff_client):
    add = "/admin/customers/attribute/add/"
    told = {"label": "Colour", "key": "colour", "type": "choice", "choices": "red\nblue\n"}
    refused = text(staff_client.post(add, {**told, "choices": "red"}))
    assert "at least two" in refused
    assert "Use small letters" in text(staff_client.post(add, {**told, "key": "Colour"}))
    assert not Attribute.objects.exists()

    staff_client.post(add, told)
    row = Attribute.objects.get()
    assert row.choices == ["red", "blue"]
    CustomerFactory(attributes={"colour": "blue"})
    change = f"/admin/customers/attribute/{row.pk}/"
    page = text(staff_client.post(f"{change}change/", {"label": "Hue", "choices": "red\ngreen"}))
    assert "“blue” stays" in page
    page = text(staff_client.post(f"{change}delete/", {"post": "yes"}, follow=True))
    assert "“Colour” stays" in page
    assert Attribute.objects.filter(pk=row.pk).exists()

    Customer.objects.update(attributes={})
    staff_client.post(f"{change}delete/", {"post": "yes"})
    assert not Attribute.objects.exists()
    done = AuditEntry.objects.filter(object_type="customers.attribute").order_by("pk")
    assert list(done.values_list("action", flat=True)) == [
        "attribute.declared", "attribute.removed",
    ]  # fmt: skip


@pytest.fixture
def twins():
    ann = CustomerFactory(name="Ann Lee", city="York", email="ann@example.com")
    twin = CustomerFactory(name="Ann Lee", city="York", email="ann.lee@example.org")
    OrderFactory.create_batch(3, customer=twin)
    ConsentFactory(customer=twin)
    return ann, twin


def test_duplicates_are_compared_merged_and_parted_by_hand(staff_client, staff, twins):
    ann, twin = twins
    page = text(staff_client.get(at(ann)))
    assert "the same name and city" in page
    assert at(ann, f"compare/{twin.pk}/") in page

    compared = text(staff_client.get(at(ann, f"compare/{twin.pk}/")))
    assert "another one" in compared
    assert "ann@example.com" not in compared
    assert "example.org" not in compared
    asked = text(staff_client.get(at(ann, f"merge/{twin.pk}/")))
    assert f"Ann Lee ({twin.external_id}) becomes a part of Ann Lee ({ann.external_id})" in asked
    assert '<th scope="row">Orders</th><td class="number">3</td>' in asked
    assert not MergeRecord.objects.exists()
    staff_client.post(at(ann, f"merge/{twin.pk}/"))

    record = MergeRecord.objects.get()
    assert (record.target_customer, record.merged_by) == (ann, staff)
    assert ann.orders.count() == 3
    gone = text(staff_client.get(at(twin)))
    assert "This profile was merged on" in gone
    assert "Write a note" not in gone
    assert 'id="glance"' not in gone
    part = at(twin, f"part/{record.pk}/")
    assert part in gone
    assert '<td class="number">3</td>' in text(staff_client.get(part))
    staff_client.post(part)

    assert twin.orders.count() == 3
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "actor")) == [
        ("customer.merged", staff.pk),
        ("customer.unmerged", staff.pk),
    ]


def test_a_refusal_to_part_is_shown_with_its_reason(staff_client, twins):
    ann, twin = twins
    ReviewFactory(customer=twin)
    record = merge_customers(source_id=twin.pk, target_id=ann.pk, user_id=None, now=NOON)
    ann.reviews.all().delete()

    page = text(staff_client.post(at(twin, f"part/{record.pk}/")))

    assert "They cannot be parted as the record stands" in page
    assert "1 of reviews that were moved are no longer there." in page
    record.refresh_from_db()
    assert record.unmerged_at is None


def test_a_refusal_to_merge_is_shown_with_its_reason(staff_client, twins):
    ann, twin = twins
    merge_customers(source_id=twin.pk, target_id=ann.pk, user_id=None, now=NOON)

    page = text(staff_client.post(at(ann, f"merge/{twin.pk}/")))

    assert "was merged or erased already" in page
    assert MergeRecord.objects.count() == 1


def test_who_may_only_look_sees_no_buttons_and_is_turned_away(client, sign_in, twins):
    ann, twin = twins
    TaskFactory(customer=ann)
    Attribute.objects.create(key="shoe", label="Shoe", type="number")
    sign_in(VIEW, "customers.view_task", "customers.view_interaction")

    page = text(client.get(at(ann)))
    assert "Compare" in page
    for button in ("Compare and merge", "Write a note", "Give a task", "Change the attributes"):
        assert button not in page
    assert "/done/" not in page
    assert "Which profile stays?" not in text(client.get(at(ann, f"compare/{twin.pk}/")))
    record = merge_customers(source_id=twin.pk, target_id=ann.pk, user_id=None, now=NOON)
    assert "/part/" not in text(client.get(at(twin)))
    task = Task.objects.get()
    turned_away = [
        at(ann, "notes/add/"), at(ann, "tasks/add/"), at(ann, "attributes/"),
        at(ann, f"merge/{twin.pk}/"), at(twin, f"part/{record.pk}/"),
        f"/admin/customers/task/{task.pk}/done/", f"/admin/customers/task/{task.pk}/reopen/",
    ]  # fmt: skip
    assert [client.post(address).status_code for address in turned_away] == [403] * 7


def test_who_may_not_see_customers_sees_none_of_these_pages(client, sign_in, twins):
    ann, twin = twins
    note = NoteFactory(customer=ann)
    sign_in("customers.view_interaction", "customers.add_mergerecord", "customers.view_task")

    assert client.get("/admin/customers/task/").status_code == 403
    for tail in (f"notes/{note.pk}/", f"compare/{twin.pk}/", f"merge/{twin.pk}/", "tasks/add/"):
        assert client.get(at(ann, tail)).status_code == 403
