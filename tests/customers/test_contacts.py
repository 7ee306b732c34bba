"""Who may not see contacts sees none, finds nobody by them, and learns nothing by asking."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.urls import get_resolver
from rest_framework.reverse import reverse as api_reverse

from crm.core.models import AuditEntry
from customers.models import Customer, Export
from customers.selectors import contacts
from tests.admin_pages import (
    EMAIL,
    MARKS,
    OTHER_PHONE,
    PHONE,
    addresses,
    marked_customer,
    rows_to_open,
)
from tests.api import client_with, token_for
from tests.customers.exporting import files
from tests.factories import CustomerFactory, ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
CUSTOMERS = "/admin/customers/customer/"
UNSEEN = ("view_contact", "unmask_contact")


@pytest.fixture
def reader():
    """A person who may do everything but see contacts."""
    user = UserFactory(username="reader", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename__in=UNSEEN))
    return user


@pytest.fixture
def page(client, reader):
    client.force_login(reader)
    return client


def grant(user, *codenames):
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return type(user).objects.get(pk=user.pk)


def told(response):
    """Return what an answer says, files included."""
    streaming = getattr(response, "streaming_content", None)
    body = b"".join(streaming) if streaming is not None else response.content
    return body.decode("utf-8", "replace")


def marks_in(text):
    return [mark for mark in MARKS if mark.lower() in text.lower()]


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("zoe@example.com", "z•••@e•••.com"),
        ("z@mail.example.co.uk", "z•••@m•••.uk"),
        ("nobody", "n•••"),
        ("a@localhost", "a•••@l•••"),
        ("", ""),
    ],
)
def test_an_address_keeps_its_first_letters_and_its_last_label(value, masked):
    assert contacts.mask_email(value) == masked


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("13812345678", "138••••5678"),
        ("138 1234 5678", "138••••5678"),
        ("+8613812345678", "+86138••••5678"),
        ("+447700900123", "+44••••••0123"),
        ("+1234567", "+•••••67"),
        ("12", "•2"),
        ("", ""),
    ],
)
def test_a_number_keeps_its_beginning_and_its_end(value, masked):
    assert contacts.mask_phone(value) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (
            "Mail zoe@example.com, or call 138-1234-5678.",
            "Mail z•••@e•••.com, or call 138••••5678.",
        ),
        ("打 13812345678 找我", "打 138••••5678 找我"),
        ("(0755) 8123 4567 or +44 7700 900123", "075•••••4567 or +44••••••0123"),
        ("Paid 1,234.50 on 02-03-2026 10:15 for order 536365", None),
        ("parcel 1234567890123456789", None),
    ],
)
def test_contacts_in_a_text_are_masked_and_other_numbers_stay(text, masked):
    assert contacts.mask_text(text) == (masked or text)


def test_a_cell_that_is_one_long_number_is_masked_and_a_day_is_not():
    assert contacts.mask_cell(" 7700 900123 ") == "••••••••23"
    assert contacts.mask_cell("2026-03-02") == "2026-03-02"


def test_whoever_may_see_contacts_sees_them(reader, page):
    customer = rows_to_open().customer
    page.force_login(grant(reader, "view_contact"))

    for address in (CUSTOMERS, f"{CUSTOMERS}{customer.pk}/change/"):
        assert EMAIL in told(page.get(address))


def test_no_page_shows_a_contact_to_whoever_may_not_see_them(page):
    rows = rows_to_open()
    found = {}

    for name, address in addresses(rows).items():
        if name != "logout":
            found[name] = marks_in(told(page.get(address, follow=True)))
    customer = f"{CUSTOMERS}{rows.customer.pk}/change/"
    found["older"] = marks_in(told(page.get(customer, {"before": "2026-03-02T12:00:00+00:00|x|1"})))
    found["mapping"] = marks_in(
        told(page.get(addresses(rows)["customers_importbatch_check"], {"kind": "orders"}))
    )

    assert {name: marks for name, marks in found.items() if marks} == {}
    assert "z•••@m•••.example" in told(page.get(customer))


def test_the_form_of_a_customer_takes_no_contact_from_whoever_sees_none(page):
    customer = rows_to_open().customer
    address = f"{CUSTOMERS}{customer.pk}/change/"
    shown = page.get(address).context["adminform"].form.fields

    page.post(address, {"name": "New", "email": "x@example.com", "phone": "", "country": ""})

    customer.refresh_from_db()
    assert {"email", "phone"} & {*shown} == set()
    assert (customer.name, customer.email, customer.phone) == ("New", EMAIL, PHONE)


def test_no_route_of_the_api_tells_a_contact(reader):
    rows = rows_to_open()
    client = client_with(token_for(reader, "read"))
    ids = {"cus": rows.customer.public_id}
    listed = [one for one in routes() if one.endswith("-list")]
    found = {}
    for name in listed:
        answer = client.get(api_reverse(f"api:{name}"), {"limit": 100})
        found[name] = marks_in(told(answer))
        for row in answer.json().get("results", []):
            ids.setdefault(str(row.get("id", ""))[:3], row.get("id"))
    for name, prefix in ONE.items():
        address = api_reverse(f"api:{name}", kwargs={"id": ids[prefix]})
        found[name] = marks_in(told(client.get(address)))
    expanded = client.get(
        api_reverse("api:customer-list"), {"expand": "identities", "lifecycle": "active"}
    )
    found["identities"] = marks_in(told(expanded))

    assert {name: marks for name, marks in found.items() if marks} == {}
    assert {*listed, *ONE, "import-start", "import-undo", "saved-import-run", "job-cancel",
            "schema", "api-docs"} == {*routes()}  # fmt: skip
    row = expanded.json()["results"][-1]
    assert (row["email"], row["phone"]) == ("z•••@m•••.example", "+86138••••5678")
    assert row["identities"][0]["value"] == "z•••@m•••.example"


ONE = {
    "customer-detail": "cus", "customer-scores": "cus", "order-detail": "ord",
    "product-detail": "pro", "import-detail": "imp", "import-error-file": "imp",
    "saved-import-detail": "sav", "export-detail": "exp", "export-file": "exp",
    "scoring-run-detail": "run", "job-detail": "job", "job-error-file": "job",
    "alert-detail": "alr",
}  # fmt: skip


def routes():
    """Return the names of all routes of the API."""
    found = []
    api = next(one for one in get_resolver().url_patterns if str(one.pattern) == "api/")
    stack = [api]
    while stack:
        one = stack.pop()
        stack += getattr(one, "url_patterns", [])
        if getattr(one, "name", None):
            found.append(one.name)
    return found


def test_a_key_sees_what_its_person_may_see(reader):
    rows = rows_to_open()
    client = client_with(token_for(grant(reader, "view_contact"), "read"))

    answer = client.get(api_reverse("api:customer-detail", kwargs={"id": rows.customer.public_id}))

    assert answer.json()["email"] == EMAIL


PARTS = (EMAIL, "zoe.marked", "marked-host", PHONE, "13812345678", "5678", OTHER_PHONE, "900123")


@pytest.mark.parametrize("part", PARTS)
def test_nobody_is_found_by_what_the_finder_may_not_see(page, reader, part):
    ShopSettingsFactory()
    marked_customer()
    CustomerFactory(name=f"call {EMAIL}", external_id=EMAIL)
    client = client_with(token_for(reader, "read"))

    assert page.get(CUSTOMERS, {"q": part}).context["cl"].result_count == 0
    for name in ("q", "external_id"):
        assert client.get("/api/v1/customers/", {name: part}).json()["results"] == []
    for name in ("email", "phone"):
        assert client.get("/api/v1/customers/", {name: part}).status_code == 403


def test_names_and_ids_find_people_still_and_contacts_for_whoever_may_see_them(page, reader):
    ShopSettingsFactory()
    customer = marked_customer()

    for words in ("Wanda", "Z1", customer.public_id):
        assert [*page.get(CUSTOMERS, {"q": words}).context["cl"].result_list] == [customer]
    page.force_login(grant(reader, "view_contact"))
    assert page.get(CUSTOMERS, {"q": "13812345"}).context["cl"].result_count == 1


@pytest.mark.parametrize(
    "words",
    [
        {"email__startswith": "zoe"}, {"email": EMAIL}, {"phone__contains": "5678"},
        {"phone__gt": "+86"}, {"external_id__startswith": "Z"}, {"attributes__second__contains": 1},
        {"identities__value": EMAIL}, {"pk__in": "1", "email__iexact": EMAIL},
    ],
)  # fmt: skip
def test_an_address_that_asks_for_a_contact_is_refused(page, words):
    ShopSettingsFactory()
    marked_customer()

    assert page.get(CUSTOMERS, words).status_code in (302, 400)


def test_no_list_is_ordered_by_a_contact(page, reader):
    """An order says of each pair which is the greater: enough to read a column by and by."""
    ShopSettingsFactory()
    for email, phone in (("b@x.example", "+4412345"), ("a@x.example", "+4412347")):
        CustomerFactory(name="Same", email=email, phone=phone)
    client = client_with(token_for(reader, "read"))

    for name in ("email", "-email", "phone", "identities__value"):
        assert client.get("/api/v1/customers/", {"ordering": name}).status_code == 400
    columns = page.get(CUSTOMERS).context["cl"].list_display
    for number, column in enumerate(columns):
        listed = page.get(CUSTOMERS, {"o": str(number)}).context["cl"]
        assert not re.search(r"\"(email|phone)\" (ASC|DESC)", str(listed.queryset.query)), column


@pytest.mark.parametrize(
    "kind", ["customers", "orders", "reviews", "answers", "tickets", "consents"]
)
def test_the_file_of_whoever_sees_no_contacts_has_masks(reader, kind):
    rows_to_open()

    done = files.export(kind, source="test", user=reader)

    text = files.content(done).decode()
    assert (done.shows_contacts, marks_in(text)) == (False, [])
    assert done.rows > 0
    assert "z***@m***.example" in text


def test_a_file_with_contacts_is_only_for_whoever_may_see_them(page, reader):
    ShopSettingsFactory()
    marked_customer()
    done = files.export("customers", source="test")
    api = client_with(token_for(reader, "read"))
    address = f"/admin/customers/export/{done.pk}/file/"

    assert EMAIL in files.content(done).decode()
    assert page.get(address).status_code == 403
    assert api.get(f"/api/v1/exports/{done.public_id}/file/").status_code == 403
    assert not AuditEntry.objects.filter(action="export.downloaded").exists()
    page.force_login(grant(reader, "view_contact"))
    assert EMAIL in told(page.get(address))


def test_a_right_lost_on_the_way_stops_the_file(reader):
    ShopSettingsFactory()
    marked_customer()
    user = grant(reader, "view_contact")
    export = files.start("customers", source="test", user=user)
    user.user_permissions.remove(Permission.objects.get(codename="view_contact"))

    done = files.finish(export)

    assert (done.state, str(done.file)) == ("failed", "")


def test_the_page_of_an_export_says_that_contacts_will_be_masked(page, reader):
    rows_to_open()
    words = "masked in your files"

    assert words in told(page.get("/admin/customers/export/add/?_list=customers"))
    assert words not in told(page.get("/admin/customers/export/add/?_list=products"))
    page.force_login(grant(reader, "view_contact"))
    assert words not in told(page.get("/admin/customers/export/add/?_list=customers"))


def test_masked_contacts_in_a_file_change_nobody_when_the_file_comes_back(reader):
    ShopSettingsFactory()
    customer = marked_customer()
    done = files.export("customers", source="test", user=reader)

    files.bring_back(files.content(done), "csv", source="test")

    customer.refresh_from_db()
    assert (customer.email, customer.phone) == (EMAIL, PHONE)
    assert Customer.objects.count() == 2


def unmask(page, customer, field, **form):
    return page.post(f"{CUSTOMERS}{customer.pk}/contact/{field}/", form)


def test_one_contact_is_shown_once_with_a_reason_on_record(page, reader):
    ShopSettingsFactory()
    customer = marked_customer()
    page.force_login(grant(reader, "unmask_contact"))
    address = f"{CUSTOMERS}{customer.pk}/contact/email/"
    assert address in told(page.get(f"{CUSTOMERS}{customer.pk}/change/"))
    assert marks_in(told(page.get(address))) == []

    answer = unmask(page, customer, "email", reason=f" Parcel is back, mails {EMAIL} ")

    assert EMAIL in told(answer)
    assert PHONE not in told(answer)
    assert "no-store, private" in answer["Cache-Control"]
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action) == (reader, "customer.contact_shown")
    assert entry.object_id == customer.public_id
    assert entry.details == {"field": "email", "reason": "Parcel is back, mails z•••@m•••.example"}
    assert marks_in(told(page.get(address))) == []


@pytest.mark.parametrize("reason", ["", "   ", "x" * 300])
def test_without_a_reason_nothing_is_shown(page, reader, reason):
    ShopSettingsFactory()
    customer = marked_customer()
    page.force_login(grant(reader, "unmask_contact"))

    answer = unmask(page, customer, "email", reason=reason)

    assert marks_in(told(answer)) == []
    assert not AuditEntry.objects.exists()


def test_another_key_is_shown_too_and_nobody_elses(page, reader):
    ShopSettingsFactory()
    customer, other = marked_customer(), CustomerFactory()
    page.force_login(grant(reader, "unmask_contact"))
    identity = customer.identities.get(value=OTHER_PHONE)

    assert OTHER_PHONE in told(unmask(page, customer, f"identity-{identity.pk}", reason="calls"))
    assert AuditEntry.objects.get().details["field"] == f"identity-{identity.pk}"
    for field in (f"identity-{identity.pk}", "email", "birthday", "identity-x"):
        assert unmask(page, other, field, reason="calls").status_code == 404


def test_whoever_may_not_unmask_gets_no_button_and_no_answer(page):
    ShopSettingsFactory()
    customer = marked_customer()

    assert "/contact/" not in told(page.get(f"{CUSTOMERS}{customer.pk}/change/"))
    assert unmask(page, customer, "email", reason="calls").status_code == 403
    assert not AuditEntry.objects.exists()


def test_rows_that_an_import_refused_are_a_file_for_whoever_may_see_contacts(page, reader):
    rows = rows_to_open()
    job = rows.by_page["core_job"]
    shown = told(page.get(f"/admin/core/job/{job}/change/"))

    assert "error-file" not in shown
    page.force_login(grant(reader, "view_contact"))
    assert "error-file" in told(page.get(f"/admin/core/job/{job}/change/"))
    assert Export.objects.exists()
