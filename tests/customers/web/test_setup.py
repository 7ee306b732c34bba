"""The first start: one person, once, and only who can read the server."""

from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from threading import Barrier

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils.translation import gettext, override

from crm.core.models import AuditEntry, Job, PersonLanguage, Role
from customers.models import ShopSettings
from customers.services import setup
from customers.services.shop import InvalidSettingsError
from tests.factories import CustomerFactory, ShopSettingsFactory, UserFactory

PAGE = "/setup/"
NEXT = "/setup/next/"
User = get_user_model()


def told(**other):
    """Return all that the form asks for, rightly answered."""
    return {
        "code": setup.setup_code(),
        "shop_name": "Lanterns & Tea",
        "zone": "Asia/Shanghai",
        "currency": "cny",
        "language": "zh-hans",
        "username": "lin",
        "email": "lin@example.com",
        "password": "a-lantern-by-the-river",
        "password_again": "a-lantern-by-the-river",
        **other,
    }


def test_the_first_person_owns_the_shop_and_is_signed_in(db, client):
    owners = Role.objects.get(key="owner").group

    response = client.post(PAGE, told())

    assert (response.status_code, response["Location"]) == (302, NEXT)
    assert response.cookies["django_language"].value == "zh-hans"
    owner = User.objects.get()
    assert (owner.username, owner.email) == ("lin", "lin@example.com")
    assert (owner.is_staff, owner.is_superuser, list(owner.groups.all())) == (True, True, [owners])
    assert owner.check_password("a-lantern-by-the-river")
    shop = ShopSettings.objects.get()
    assert (shop.name, shop.zone, shop.currency) == ("Lanterns & Tea", "Asia/Shanghai", "CNY")
    assert PersonLanguage.objects.get().language == "zh-hans"
    entry = AuditEntry.objects.get(action="shop.set_up")
    assert entry.actor == owner
    assert entry.details == {"zone": "Asia/Shanghai", "currency": "CNY", "language": "zh-hans"}
    assert not Job.objects.exists()
    page = client.get(NEXT)
    assert page.status_code == 200
    assert "Lanterns &amp; Tea" in page.content.decode()


def test_settings_that_were_there_are_changed_as_staff_would_change_them(db, client):
    ShopSettingsFactory(name="My shop", zone="UTC", currency="GBP")

    client.post(PAGE, told())

    shop = ShopSettings.objects.get()
    assert (shop.name, shop.zone, shop.currency) == ("Lanterns & Tea", "Asia/Shanghai", "CNY")
    assert Job.objects.get().parameters["zone"] == "Asia/Shanghai"


REQUIRED = "This field is required."
LIKE_THE_NAME = "The password is too similar to the %(verbose_name)s."
A_NAME = (
    "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ "
    "characters."
)
WRONG = [
    ({}, dict.fromkeys(told(), REQUIRED)),
    (
        told(
            code="abcdef", zone="Shanghai", currency="Y€N", language="tlh", username="lin lin",
            email="lin", password_again="a-lantern-by-the-sea",
        ),
        {
            "code": "This is not the set-up code. Run manage.py setup_code on the server.",
            "zone": "“%(zone)s” is not a time zone. Choose one such as Asia/Shanghai.",
            "currency": "A currency is three letters, such as CNY.",
            "language": "Select a valid choice. %(value)s is not one of the available choices.",
            "username": A_NAME,
            "email": "Enter a valid email address.",
            "password_again": "The two passwords differ.",
        },
    ),
    (
        told(password="password1", password_again="password1"),
        {"password": "This password is too common."},
    ),
    (
        told(username="lantern-lin", password="lantern-lin", password_again="lantern-lin"),
        {"password": LIKE_THE_NAME},
    ),
]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(("form", "expected"), WRONG)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_happens(
    db, client, form, expected, language
):
    client.cookies["django_language"] = language

    response = client.post(PAGE, {**form, "more": "1"})

    with override(language):
        filled = {"zone": "Shanghai", "value": "tlh", "verbose_name": gettext("username")}
        words = {name: [gettext(said) % filled] for name, said in expected.items()}
    assert response.status_code == 200
    assert response.context["form"].errors == words
    page = response.content.decode()
    assert f'<html lang="{language}">' in page
    assert "lantern-by" not in page
    assert not User.objects.exists()
    assert not ShopSettings.objects.exists()


def test_wrong_codes_lock_the_page_as_wrong_passwords_do(db, client, settings):
    for _try in range(settings.AXES_FAILURE_LIMIT):
        client.post(PAGE, told(code="guess"))

    right = client.post(PAGE, told())

    assert right.status_code == 200
    assert "Too many wrong codes" in right.content.decode()
    assert not User.objects.exists()
    elsewhere = client.post(PAGE, told(), REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 302


def test_a_wrong_code_leaves_no_password_behind(db, client):
    client.post(PAGE, told(code="guess"))

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), string_agg(a::text, '') FROM axes_accessattempt a")
        count, text = cursor.fetchone()
    assert count == 1
    assert "lantern" not in text


def test_the_code_follows_from_the_secret_key_and_is_read_with_or_without_hyphens(settings):
    code = setup.setup_code()

    assert setup.is_setup_code(f"  {code.upper().replace('-', ' ')} ")
    assert not setup.is_setup_code(code[:-1])
    assert not setup.is_setup_code("")
    settings.SECRET_KEY = "another"
    assert not setup.is_setup_code(code)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_wins():
    start = Barrier(2)

    def post(name: str) -> str:
        browser = Client()
        start.wait()
        try:
            response = browser.post(PAGE, told(username=name, shop_name=name))
            return (
                response["Location"] if response.status_code == 302 else response.content.decode()
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(post, ["lin", "wei"]))

    winner = User.objects.get()
    assert ShopSettings.objects.get().name == winner.username
    assert AuditEntry.objects.filter(action="shop.set_up").count() == 1
    lost = answers[["wei", "lin"].index(winner.username)]
    assert lost == "/admin/" or "Huike has been set up in the meantime" in lost
    assert answers[["lin", "wei"].index(winner.username)] == NEXT


def test_the_second_is_refused_even_where_the_page_was_still_open(db):
    form = told()
    values = {name: form[name] for name in form if name not in ("code", "password_again")}
    setup.set_up(**{**values, "currency": "CNY"})

    with pytest.raises(setup.AlreadySetUpError):
        setup.set_up(**{**values, "currency": "EUR", "username": "wei"})

    assert User.objects.get().username == "lin"
    assert ShopSettings.objects.get().currency == "CNY"


@pytest.mark.parametrize("wrong", [{"zone": "Shanghai"}, {"currency": "YEAR"}, {"shop_name": ""}])
def test_the_service_refuses_settings_that_make_no_sense(db, wrong):
    form = {**told(currency="CNY"), **wrong}
    values = {name: form[name] for name in form if name not in ("code", "password_again")}

    with pytest.raises(InvalidSettingsError):
        setup.set_up(**values)

    assert not User.objects.exists()
    assert not ShopSettings.objects.exists()


@pytest.mark.parametrize("address", ["/", "/admin/", "/admin/login/", "/admin/customers/order/"])
def test_without_anybody_every_door_leads_to_the_first_start(db, client, address):
    response = client.get(address)

    assert (response.status_code, response["Location"]) == (302, PAGE)
    assert not ShopSettings.objects.exists()


def test_with_somebody_the_first_start_is_closed(db, client):
    UserFactory(is_active=False)

    assert client.get(PAGE)["Location"] == "/admin/"
    assert client.post(PAGE, told())["Location"] == "/admin/"
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert client.get(NEXT)["Location"] == "/admin/"
    assert User.objects.count() == 1


def test_rest_and_health_know_nothing_of_it(db, client):
    answer = client.get("/api/v1/customers/")

    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert client.get("/livez").status_code == 200


def test_a_signed_in_person_pays_no_question_for_it(staff_client, django_assert_num_queries):
    staff_client.get("/")

    with django_assert_num_queries(2):  # session and person
        assert staff_client.get("/")["Location"] == "/admin/"


def test_the_next_step_is_for_the_owner_of_an_empty_shop(client, staff_client):
    assert staff_client.get(NEXT).status_code == 200

    CustomerFactory()
    assert staff_client.get(NEXT)["Location"] == "/admin/"
    staff_client.force_login(UserFactory(is_staff=True))
    assert staff_client.get(NEXT).status_code == 403


def test_the_page_keeps_the_strict_policy(db, client):
    response = client.get(PAGE)

    assert "unsafe-eval" not in response["Content-Security-Policy"]
    assert response["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    page = response.content.decode()
    assert " onclick" not in page
    assert "x-data" not in page


def test_the_command_prints_a_code_and_a_link_while_there_is_nobody(db, client, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://crm.example.com"]
    out = StringIO()

    call_command("setup_code", stdout=out)

    code = setup.setup_code()
    link = f"https://crm.example.com/setup/?code={code}"
    assert out.getvalue() == f"Set-up code: {code}\nOpen: {link}\n"
    page = client.get(link.removeprefix("https://crm.example.com"))
    assert page.context["form"]["code"].value() == code
    UserFactory()
    with pytest.raises(CommandError, match="Huike is set up"):
        call_command("setup_code", stdout=out)
