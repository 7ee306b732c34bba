"""Tags are put on one customer or on all of a list, exactly once, on those the list had."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone

from crm.core.models import AuditEntry, Job
from crm.core.services import jobs
from customers.enums import BulkKind
from customers.errors import BulkRefusedError, TagRefusedError
from customers.models import BulkAction, BulkPart, Customer, CustomerTag, Tag
from customers.services import tagging
from customers.services.erasure import erase_customer
from customers.services.merging import merge_customers, unmerge_customers
from tests.factories import CustomerFactory, SourceFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/customer/"


def tags_of(customer):
    return sorted(CustomerTag.objects.filter(customer=customer).values_list("tag__name", flat=True))


def tag(customer, name):
    return tagging.tag_customer(customer_id=customer.pk, name=name, user_id=None)


def crowd(size):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_customer (source_id, external_id, name)"
            " SELECT %s, 'M' || n, 'Member ' || n FROM generate_series(1, %s) n",
            [SourceFactory().pk, size],
        )


def test_a_tag_is_one_however_it_is_written_and_both_ways_are_on_record(staff):
    customer = CustomerFactory()
    for name in ("VIP", " vip ", "Vip"):
        tagging.tag_customer(customer_id=customer.pk, name=name, user_id=staff.pk)
    assert tags_of(customer) == ["VIP"]

    for _again in range(2):
        tagging.untag_customer(
            customer_id=customer.pk, tag_id=Tag.objects.get().pk, user_id=staff.pk
        )
    assert tags_of(customer) == []
    entries = AuditEntry.objects.filter(object_id=customer.public_id).order_by("pk")
    assert [(one.action, one.details) for one in entries] == [
        ("customer.tagged", {"tag": "VIP"}),
        ("customer.untagged", {"tag": "VIP"}),
    ]


@pytest.mark.parametrize("name", ["", "  ", "x" * 49, "\0"])
def test_what_is_no_tag_is_refused(name):
    customer = CustomerFactory()
    with pytest.raises(TagRefusedError):
        tag(customer, name)
    assert not Tag.objects.exists()


def test_tags_follow_a_merge_come_back_and_go_with_an_erasure(staff):
    source, target = CustomerFactory(), CustomerFactory()
    tag(source, "A"), tag(source, "B"), tag(target, "B"), tag(target, "C")
    record = merge_customers(
        source_id=source.pk, target_id=target.pk, user_id=None, now=timezone.now()
    )
    assert tags_of(target) == ["A", "B", "C"]
    unmerge_customers(merge_id=record.pk, now=timezone.now())
    assert (tags_of(source), tags_of(target)) == (["A", "B"], ["B", "C"])

    erase_customer(customer_id=source.pk, user_id=staff.pk, now=timezone.now())
    assert (tags_of(source), tags_of(target)) == ([], ["B", "C"])
    with pytest.raises(TagRefusedError):
        tag(source, "D")


def start(rows, name, user, kind=BulkKind.TAG):
    action = tagging.freeze_audience(kind=kind, rows=rows, filters={}, user_id=user.pk)
    return action, tagging.start_bulk(action_id=action.pk, name=name, user_id=user.pk)


def run_to_end(job, slices=100):
    for _slice in range(slices):
        if not jobs.run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=0):
            break
    job.refresh_from_db()
    return job


def test_those_the_list_had_are_tagged_and_nobody_else(staff):
    chosen = [CustomerFactory(country="FR") for _number in range(3)]
    tag(chosen[0], "VIP")
    rows = Customer.objects.filter(country="FR")
    action, job = start(rows, "VIP", staff)
    assert action.people == 3

    late = CustomerFactory(country="FR")
    Customer.objects.filter(pk=chosen[1].pk).update(country="DE")
    erase_customer(customer_id=chosen[2].pk, user_id=staff.pk, now=timezone.now())
    run_to_end(job)

    assert [tags_of(one) for one in (*chosen, late)] == [["VIP"], ["VIP"], [], []]
    assert job.result == {"customers": 3, "changed": 1, "unchanged": 2}
    action.refresh_from_db()
    assert action.changed == 1
    assert not BulkPart.objects.exists()
    entry = AuditEntry.objects.get(action="customers.bulk_tag")
    assert (entry.actor, entry.object_id) == (staff, action.public_id)
    assert entry.details["customers"] == 3
    assert entry.details["changed"] == 1


def test_a_killed_worker_s_work_goes_on_where_it_ended(staff, monkeypatch):
    monkeypatch.setattr(tagging, "PART", 100)
    crowd(1_050)
    _action, job = start(Customer.objects.all(), "VIP", staff)
    taken = jobs.claim_job(job_id=job.pk, worker="first", now=timezone.now())
    assert [tagging.run_chunk(taken) for _chunk in range(4)] == [False] * 4
    assert CustomerTag.objects.count() == 400
    Job.objects.filter(pk=job.pk).update(heartbeat_at="2026-01-01T00:00Z")
    jobs.requeue_abandoned(now=timezone.now())
    with pytest.raises(Exception, match="taken over"):
        tagging.run_chunk(taken)
    assert CustomerTag.objects.count() == 400

    run_to_end(job)

    assert CustomerTag.objects.count() == 1_050
    assert job.result == {"customers": 1_050, "changed": 1_050, "unchanged": 0}
    assert job.done == 1_050

    _action, job = start(Customer.objects.all(), "VIP", staff, BulkKind.UNTAG)
    run_to_end(job)
    assert not CustomerTag.objects.exists()
    assert job.result["changed"] == 1_050


def test_it_starts_once_is_one_s_own_and_is_about_somebody(staff):
    CustomerFactory()
    action, _job = start(Customer.objects.all(), "VIP", staff)
    for user in (staff, UserFactory()):
        with pytest.raises(BulkRefusedError):
            tagging.start_bulk(action_id=action.pk, name="VIP", user_id=user.pk)
    nobody = tagging.freeze_audience(
        kind=BulkKind.TAG, rows=Customer.objects.none(), filters={}, user_id=staff.pk
    )
    with pytest.raises(BulkRefusedError):
        tagging.start_bulk(action_id=nobody.pk, name="VIP", user_id=staff.pk)
    assert Job.objects.count() == 1


def test_who_lost_the_permission_meanwhile_tags_nobody():
    customer, user = CustomerFactory(), UserFactory(is_staff=True)
    _action, job = start(Customer.objects.all(), "VIP", user)
    run_to_end(job)
    assert (job.state, tags_of(customer)) == ("failed", [])


def test_all_matching_are_confirmed_by_number_before_anything_happens(staff_client):
    for number in range(60):
        CustomerFactory(country="FR" if number else "DE")
    answer = staff_client.post(
        f"{LIST}?country=FR",
        {"action": "tag_chosen", "select_across": "1", "_selected_action": ["1"]},
    )
    page = answer.url
    assert "59 customers were chosen." in staff_client.get(page).content.decode()
    asked = staff_client.post(page, {"tag": " VIP "}).content.decode()
    assert "Tag 59 customers as VIP" in asked
    assert not Job.objects.exists()

    answer = staff_client.post(page, {"tag": "VIP", "start": "1"})

    job = Job.objects.get()
    assert answer.url == f"/admin/core/job/{job.pk}/change/"
    assert run_to_end(job).result["changed"] == 59
    shown = staff_client.get(answer.url).content.decode()
    assert "Tag 59 customers as VIP" in shown
    assert "59 customers were chosen: 59 changed, 0 stayed as they were." in shown
    assert f"?tag={Tag.objects.get().public_id}" in shown
    assert staff_client.get(page).url == answer.url
    found = staff_client.get(LIST, {"tag": Tag.objects.get().public_id}).context["cl"]
    assert found.result_count == 59
    assert staff_client.get(LIST, {"tag": "tag_unknown"}).context["cl"].result_count == 0


def test_the_ticked_are_tagged_or_taken_out(staff_client):
    first, second, _third = (CustomerFactory() for _number in range(3))
    ticked = {"_selected_action": [first.pk, second.pk], "select_across": "0"}
    staff_client.post(LIST, {"action": "tag_chosen", **ticked})
    assert BulkAction.objects.get().people == 2
    answer = staff_client.post(LIST, {"action": "export_chosen", **ticked})
    assert "All 2 matching" in staff_client.get(answer.url).context["says"]


def test_a_customer_s_page_adds_and_removes_and_needs_the_permission(client):
    customer, user = CustomerFactory(), UserFactory(is_staff=True)
    client.force_login(user)

    def may(*names):
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        return client

    page = f"{LIST}{customer.pk}/"
    reader = may("view_customer", "view_customertag")
    assert reader.post(f"{page}tags/add/", {"tag": "VIP"}).status_code == 403
    assert "Add a tag" not in reader.get(f"{page}change/").content.decode()
    writer = may("view_customer", "view_customertag", "add_customertag")
    writer.post(f"{page}tags/add/", {"tag": "<VIP>"})
    assert tags_of(customer) == ["<VIP>"]
    shown = writer.get(f"{page}change/").content.decode()
    assert "&lt;VIP&gt;" in shown
    assert "<VIP>" not in shown
    remove = {"tag": Tag.objects.get().pk}
    assert writer.post(f"{page}tags/remove/", remove).status_code == 403
    remover = may("view_customer", "view_customertag", "delete_customertag")
    remover.post(f"{page}tags/remove/", remove)
    assert tags_of(customer) == []
    assert client.get(f"{page}tags/add/").status_code == 405


def test_what_nobody_confirmed_is_forgotten_after_a_day(staff):
    now = timezone.now()
    CustomerFactory()
    old, new, begun, ended = (
        BulkAction.objects.create(kind=BulkKind.TAG, created_by=staff, people=1)
        for _one in range(4)
    )
    BulkPart.objects.create(action=old, number=0, ids=[1])
    begun.job, _is_new = jobs.create_job(kind=tagging.KIND, title="Tag")
    begun.save()
    BulkAction.objects.filter(pk=ended.pk).update(changed=0)
    BulkAction.objects.exclude(pk=new.pk).update(created_at=now - timedelta(days=1, minutes=1))

    assert tagging.forget_unconfirmed(now=now, limit=20) == 1
    assert tagging.forget_unconfirmed(now=now, limit=20) == 0

    assert set(BulkAction.objects.all()) == {new, begun, ended}
    assert not BulkPart.objects.exists()
