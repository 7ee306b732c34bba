"""Tags as words: renamed, made one with another after a question, deleted with a number."""

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.core.models import AuditEntry, Job, SavedView
from crm.core.services import jobs
from customers.errors import TagRefusedError
from customers.models import Customer, CustomerTag, Tag
from customers.services import tags
from customers.services.tagging import tag_customer
from tests.customers.test_tagging import crowd, tags_of
from tests.factories import CustomerFactory, UserFactory

pytestmark = pytest.mark.django_db


def worn(*customers, name):
    for customer in customers:
        tag = tag_customer(customer_id=customer.pk, name=name, user_id=None)
    return tag


def page(tag, name="change"):
    return reverse(f"admin:customers_tag_{name}", args=[tag.pk])


def told():
    rows = AuditEntry.objects.filter(object_type="customers.tag").order_by("pk")
    return [(row.action, row.details) for row in rows]


def test_a_tag_is_renamed_and_its_customers_keep_it(staff_client):
    customer = CustomerFactory()
    tag = worn(customer, name="vip")

    answer = staff_client.post(page(tag), {"name": " VIP  2026 "})

    assert answer.url == reverse("admin:customers_tag_changelist")
    assert tags_of(customer) == ["VIP 2026"]
    assert told() == [("tag.renamed", {"before": "vip", "tag": "VIP 2026"})]


def test_another_spelling_of_its_own_name_is_no_question(staff_client):
    tag = worn(CustomerFactory(), name="vip")

    staff_client.post(page(tag), {"name": "VIP"})

    assert [row.name for row in Tag.objects.all()] == ["VIP"]


def test_the_name_of_another_tag_asks_first_then_makes_the_two_one(staff_client, staff):
    both, one, other = CustomerFactory(), CustomerFactory(), CustomerFactory()
    tag, into = worn(both, one, name="Good"), worn(both, other, name="VIP")
    view = SavedView.objects.create(
        page="customers.customer", name="Good ones", owner=staff, words={"tag": [tag.public_id]}
    )

    asked = staff_client.post(page(tag), {"name": "vip"})
    words = asked.content.decode()
    assert "Make “Good” and “VIP” one tag?" in words
    assert "2 customers have this tag." in words
    assert Tag.objects.count() == 2

    staff_client.post(page(tag), {"name": "VIP", "merge": "1"})

    assert list(Tag.objects.all()) == [into]
    assert [tags_of(customer) for customer in (both, one, other)] == [["VIP"]] * 3
    assert CustomerTag.objects.count() == 3
    assert told() == [("tag.merged", {"tag": "Good", "into": "VIP", "customers": 2})]
    view.refresh_from_db()
    assert view.words == {"tag": [into.public_id]}


def test_deleting_says_how_many_wear_it_and_takes_it_off_all(staff_client):
    customer = CustomerFactory()
    tag, kept = worn(customer, CustomerFactory(), name="Old"), worn(customer, name="New")

    asked = staff_client.get(page(tag, "delete"))
    assert "2 customers have this tag." in asked.content.decode()
    assert Tag.objects.count() == 2
    staff_client.post(page(tag, "delete"))

    assert list(Tag.objects.all()) == [kept]
    assert tags_of(customer) == ["New"]
    assert told() == [("tag.deleted", {"tag": "Old", "customers": 2})]


@pytest.mark.parametrize("into_name", [None, "VIP"])
def test_many_are_done_by_a_job_part_by_part_as_often_as_it_is_begun(staff, monkeypatch, into_name):
    monkeypatch.setattr(tags, "PART", 60)
    crowd(tags.PART + 50)
    tag = Tag.objects.create(name="Everybody")
    people = list(Customer.objects.all())
    CustomerTag.objects.bulk_create(CustomerTag(customer=one, tag=tag) for one in people)
    into = worn(people[0], name=into_name) if into_name else None

    if into is None:
        end = tags.delete_tag(tag_id=tag.pk, user_id=staff.pk)
    else:
        end = tags.merge_tags(tag_id=tag.pk, into_id=into.pk, user_id=staff.pk)

    assert end.customers == end.job.total == tags.PART + 50
    jobs.run_job(job_id=end.job.pk, worker="one", now=timezone.now(), seconds=0)
    assert CustomerTag.objects.filter(tag=tag).count() == 50
    assert Tag.objects.filter(pk=tag.pk).exists()
    # Whoever puts it on in the meantime loses it, too.
    late = CustomerFactory()
    worn(late, name="Everybody")
    for _slice in range(5):
        jobs.run_job(job_id=end.job.pk, worker="two", now=timezone.now(), seconds=0)
    job = Job.objects.get(pk=end.job.pk)
    assert (job.state, job.error) == ("succeeded", "")
    assert not Tag.objects.filter(pk=tag.pk).exists()
    assert tags_of(late) == ([into_name] if into_name else [])
    assert CustomerTag.objects.count() == (len(people) + 1 if into_name else 0)
    assert "Everybody" in job.title_words


def test_what_does_not_do_is_refused(staff):
    tag = worn(CustomerFactory(), name="VIP")
    Tag.objects.create(name="Other")
    for name in ("", "x" * 49, "other"):
        with pytest.raises(TagRefusedError):
            tags.rename_tag(tag_id=tag.pk, name=name, user_id=staff.pk)
    with pytest.raises(TagRefusedError):
        tags.merge_tags(tag_id=tag.pk, into_id=tag.pk, user_id=staff.pk)
    with pytest.raises(TagRefusedError):
        tags.delete_tag(tag_id=0, user_id=staff.pk)
    assert Tag.objects.count() == 2
    assert told() == []


def test_the_list_counts_in_a_fixed_number_of_queries(staff_client, django_assert_max_num_queries):
    for number in range(12):
        worn(CustomerFactory(), name=f"Tag {number}")
    with django_assert_max_num_queries(10):
        words = staff_client.get(reverse("admin:customers_tag_changelist")).content.decode()
    assert f"?tag={Tag.objects.first().public_id}" in words


def test_who_may_only_look_is_shown_no_form(client, django_user_model):
    from tests.admin_pages import people_may

    tag = worn(CustomerFactory(), name="VIP")
    client.force_login(people_may("customers.view_tag"))

    assert "tag-name" not in client.get(page(tag)).content.decode()
    assert client.post(page(tag), {"name": "Mine"}).status_code == 403
    assert client.post(page(tag, "delete")).status_code == 403
    client.force_login(UserFactory(is_staff=True))
    assert client.get(page(tag)).status_code == 403
    assert Tag.objects.get().name == "VIP"
