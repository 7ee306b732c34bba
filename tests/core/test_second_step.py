"""The second step of the sign-in: set up, asked for, guessed, lost, reset, required."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from crm.core.models import AuditEntry, SignIn, SignInPolicy
from crm.core.services.keys import create_api_key
from tests.factories import NOON, ShopSettingsFactory, UserFactory
from tests.second_step import CODE, CODES, SET_UP, code_of, next_code, other_code, set_up

pytestmark = pytest.mark.django_db
DOOR, PEOPLE, MINE = "/admin/login/", "/admin/auth/user/", "/admin/my-settings/"
OFF, NEW, AGAIN = (f"/admin/second-step/{page}/" for page in ("off", "new-codes", "password"))
PASSWORD = "the-right-one"


@pytest.fixture(autouse=True)
def fresh_and_fast(settings):
    """Forget which codes other tests used; hash passwords quickly, there are many here."""
    cache.clear()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def person():
    ShopSettingsFactory()
    user = UserFactory(username="ann", is_staff=True)
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client, where="", **headers):
    return client.post(f"{DOOR}{where}", {"username": "ann", "password": PASSWORD}, **headers)


@pytest.fixture
def phone(person):
    """Set ann's second step up; her secret and her recovery codes."""
    client = Client()
    sign_in(client)
    return set_up(client)


@pytest.fixture
def half_way(phone):
    """A browser whose password was right, and that is asked for the code."""
    client = Client()
    sign_in(client)
    return client


def actions():
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def is_in(client):
    return client.get(MINE).status_code == 200


def confirm(client, page):
    """Open a page that asks for the password first; return it as it is shown then."""
    asked = client.get(page)
    assert asked["Location"].startswith(AGAIN)
    form = {"password": PASSWORD, "next": page}
    return client.post(AGAIN, form, follow=True)


def test_it_is_set_up_with_the_code_of_the_app(person):
    here, there = Client(), Client()
    sign_in(there)
    sign_in(here)
    assert "Off." in here.get(MINE).content.decode()
    page = here.get(SET_UP)
    secret = page.context["form"].secret
    assert page.context["secret"].replace(" ", "") == secret
    assert 'src="data:image/svg+xml;base64,' in page.content.decode()

    wrong = here.post(SET_UP, {"code": other_code(secret)})
    assert "This code is wrong" in wrong.content.decode()
    assert not Authenticator.objects.exists()

    answer = here.post(SET_UP, {"code": code_of(secret)}, follow=True)
    assert len(answer.context["codes"]) == 10
    assert "shown this once" in answer.content.decode()
    assert answer.context["codes"][0].replace(" ", "%20") in answer.content.decode()
    # The others had been opened by the password alone.
    assert is_in(here)
    assert not is_in(there)
    assert actions() == ["second_step.on", "session.ended"]
    assert "On." in here.get(MINE).content.decode()


def test_secrets_are_sealed_in_the_database(phone):
    secret, codes = phone
    kept = {row.type: row.data for row in Authenticator.objects.all()}

    assert secret not in str(kept)
    assert kept["totp"]["secret"].startswith("gAAAA")
    assert kept["recovery_codes"]["seed"].startswith("gAAAA")
    assert not any(code.replace(" ", "") in str(kept) for code in codes)


def test_codes_are_shown_once_and_new_ones_replace_them(half_way, phone):
    secret, codes = phone
    half_way.post(CODE, {"code": next_code(secret)})

    again = half_way.get(CODES)
    assert again.context["codes"] == []
    assert "were shown already" in again.content.decode()
    assert codes[0] not in again.content.decode()

    confirm(half_way, NEW)
    new = half_way.post(NEW, follow=True).context["codes"]
    assert len(new) == 10
    assert not set(new) & set(codes)
    assert actions()[-1] == "second_step.codes"
    other = Client()
    sign_in(other)
    other.post(CODE, {"code": codes[0]})
    assert not is_in(other)


def test_the_password_alone_opens_nothing(half_way):
    assert half_way.get(MINE)["Location"] == f"{DOOR}?next={MINE}"
    assert half_way.get("/api/v1/customers/").status_code == 401
    assert not SignIn.objects.exists() or not SignIn.objects.filter(
        session_key=half_way.session.session_key
    )


def test_code_and_password_together_open_what_was_asked_for(phone):
    client = Client()
    orders = "/admin/customers/order/"
    asked = sign_in(client, f"?next={orders}")
    assert asked["Location"] == CODE
    assert "Signing in as" in client.get(CODE).content.decode()

    answer = client.post(CODE, {"code": next_code(phone[0])})

    assert answer["Location"] == orders
    assert SignIn.objects.filter(session_key=client.session.session_key).exists()


def test_another_site_is_not_where_one_ends_up(phone):
    client = Client()
    sign_in(client, "?next=https://elsewhere.example/")

    assert client.post(CODE, {"code": next_code(phone[0])})["Location"] == "/admin/"


@pytest.mark.parametrize("forgets", [False, True], ids=["this process", "another process"])
def test_a_code_is_good_once(half_way, phone, forgets):
    code = next_code(phone[0])
    half_way.post(CODE, {"code": code})
    assert is_in(half_way)
    if forgets:
        cache.clear()
    other = Client()
    sign_in(other)

    answer = other.post(CODE, {"code": code})

    assert "was used before" in answer.content.decode()
    assert not is_in(other)
    # Nor is one of before it.
    other.post(CODE, {"code": code_of(phone[0])})
    assert not is_in(other)


def test_the_code_of_the_set_up_signs_nobody_in(person):
    here, other = Client(), Client()
    sign_in(here)
    secret = here.get(SET_UP).context["form"].secret
    code = code_of(secret)
    here.post(SET_UP, {"code": code})
    sign_in(other)

    other.post(CODE, {"code": code})

    assert not is_in(other)


def test_a_recovery_code_is_good_once_and_on_record(half_way, phone):
    _secret, codes = phone
    half_way.post(CODE, {"code": codes[3]})
    page = half_way.get(MINE)
    assert "9 are left" in page.content.decode()
    assert "9 recovery codes are left" in page.content.decode()
    entry = AuditEntry.objects.get(action="second_step.code_used")
    assert (entry.actor.username, entry.details) == ("ann", {"left": 9})
    other = Client()
    sign_in(other)

    answer = other.post(CODE, {"code": codes[3].replace(" ", "")})

    assert answer.status_code == 200
    assert not is_in(other)


def test_who_guesses_codes_is_locked_out_as_who_guesses_passwords(half_way, phone, settings):
    settings.AXES_FAILURE_LIMIT = 3
    secret, codes = phone

    answers = [half_way.post(CODE, {"code": other_code(secret)}) for _try in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "Try again in 15 minutes" in answers[-1].content.decode()
    # The right code does not help now, in this browser or another, nor does a recovery code.
    assert half_way.post(CODE, {"code": next_code(secret)}).status_code == 429
    assert half_way.post(CODE, {"code": codes[0]}).status_code == 429
    assert sign_in(Client()).status_code == 429
    assert not is_in(half_way)


def test_the_right_password_does_not_wipe_out_wrong_codes(phone, settings):
    settings.AXES_FAILURE_LIMIT = 3
    for expected in (200, 200, 429):
        client = Client()
        sign_in(client)
        assert client.post(CODE, {"code": other_code(phone[0])}).status_code == expected


def test_who_was_dismissed_between_the_steps_stays_outside(half_way, phone, person):
    person.is_active = False
    person.save()

    answer = half_way.post(CODE, {"code": next_code(phone[0])})

    assert answer["Location"] == DOOR
    assert not is_in(half_way)


def test_it_is_switched_off_after_the_password(half_way, phone):
    half_way.post(CODE, {"code": next_code(phone[0])})
    asked = half_way.get(OFF)
    wrong = half_way.post(AGAIN, {"password": "wrong", "next": OFF})
    assert "This is not your password" in wrong.content.decode()
    assert half_way.post(OFF)["Location"] == asked["Location"]
    assert Authenticator.objects.count() == 2

    confirm(half_way, OFF)
    half_way.post(OFF)

    assert not Authenticator.objects.exists()
    assert actions()[-1] == "second_step.off"
    other = Client()
    assert sign_in(other)["Location"] == "/admin/"
    assert is_in(other)


def test_nobody_but_staff_passes_the_door():
    UserFactory(username="guest").set_password("x")
    guest = UserFactory(username="ann")
    guest.set_password(PASSWORD)
    guest.save()
    client = Client()

    answer = sign_in(client)

    assert "staff account" in answer.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("name", ["account_signup", "account_email", "account_reset_password"])
def test_allauths_other_pages_are_not_there(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_an_owner_sees_who_has_one_and_resets_it(phone, person, staff_client):
    UserFactory(username="bob", is_staff=True)
    listed = {row.username: row.has_second_step
              for row in staff_client.get(PEOPLE).context["cl"].result_list}  # fmt: skip
    assert listed == {"ann": True, "bob": False, "staff": False}

    staff_client.post(PEOPLE, {"action": "reset_second_step", "_selected_action": [person.pk]})

    assert not Authenticator.objects.exists()
    assert not SignIn.objects.filter(user=person).exists()
    entry = AuditEntry.objects.get(action="second_step.reset")
    assert (entry.actor.username, entry.details) == ("staff", {"name": "ann"})
    client = Client()
    sign_in(client)
    assert "staff reset the second step of your sign-in" in client.get(MINE).content.decode()
    # They are told once.
    client = Client()
    sign_in(client)
    assert "reset the second step" not in client.get(MINE).content.decode()


def test_who_may_only_look_resets_nothing(phone, person, client):
    looker = UserFactory(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(looker)

    client.post(PEOPLE, {"action": "reset_second_step", "_selected_action": [person.pk]})
    refused = client.post(f"{PEOPLE}second-step/", {"required": "1"})

    assert Authenticator.objects.count() == 2
    assert refused.status_code == 403
    assert not SignInPolicy.objects.exists()


def test_the_owner_who_lost_the_phone_resets_it_on_the_server(phone):
    out = StringIO()
    call_command("reset_second_step", "ann", stdout=out)

    assert "“ann” signs in by the password alone now" in out.getvalue()
    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.get(action="second_step.reset").actor is None
    for name, words in (("ann", "has no second step"), ("nobody", "nobody named")):
        with pytest.raises(CommandError, match=words):
            call_command("reset_second_step", name)


@pytest.fixture
def required(phone, person):
    """Ann, an owner with a second step, requires one of everybody; her browser."""
    person.is_superuser = True
    person.save()
    client = Client()
    sign_in(client)
    client.post(CODE, {"code": next_code(phone[0])})
    bob = Client()
    bob.force_login(UserFactory(username="bob", is_staff=True, is_superuser=True))
    client.post(f"{PEOPLE}second-step/", {"required": "1"})
    client.bob = bob
    return client


def test_who_requires_it_must_have_it(staff_client):
    staff_client.post(f"{PEOPLE}second-step/", {"required": "1"})

    assert "Set up your own second step first" in staff_client.get(PEOPLE).content.decode()
    assert not SignInPolicy.objects.exists()


def test_required_it_ends_sign_ins_by_password_and_keeps_the_others(required):
    assert is_in(required)
    assert not is_in(required.bob)
    assert actions()[-1] == "second_step.required"
    assert "is required of everybody" in required.get(PEOPLE).content.decode()


def test_required_who_has_none_can_do_nothing_but_set_it_up(required):
    bob = Client()
    bob.force_login(SignIn.objects.first().user.__class__.objects.get(username="bob"))
    for page in ("/admin/", PEOPLE, MINE, "/admin/password_change/", "/setup/next/"):
        assert bob.get(page)["Location"] == SET_UP
    refused = bob.get("/api/v1/customers/")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_step_needed")
    assert bob.post(AGAIN, {"password": "wrong"}).status_code == 200

    user = bob.get(SET_UP).wsgi_request.user
    user.set_password(PASSWORD)
    user.save()
    fresh = Client()
    fresh.post(DOOR, {"username": "bob", "password": PASSWORD})
    assert "required of everybody" in fresh.get(SET_UP).content.decode()
    set_up(fresh)

    assert fresh.get("/admin/").status_code == 200
    assert fresh.get("/api/v1/customers/").status_code == 200


def test_required_it_cannot_be_switched_off(required):
    page = confirm(required, OFF)
    assert "cannot be switched off" in page.content.decode()

    required.post(OFF)

    assert Authenticator.objects.count() == 2


def test_required_it_finds_a_sign_in_that_was_on_no_list(required):
    bob = Client()
    bob.force_login(UserFactory(username="dan", is_staff=True))
    session = bob.session
    for mark in ("huike_lacks_second_step", "huike_seen"):
        del session[mark]
    session.save()

    bob.get("/admin/password_change/")

    assert bob.get("/admin/password_change/")["Location"] == SET_UP


def test_left_to_people_again_it_opens_at_once(required):
    bob = Client()
    bob.force_login(UserFactory(username="carl", is_staff=True))
    assert bob.get("/admin/").status_code == 302

    required.post(f"{PEOPLE}second-step/", {"required": "0"})

    assert bob.get("/admin/").status_code == 200
    assert actions()[-1] == "second_step.optional"


def test_keys_are_not_concerned(required, staff):
    _key, token = create_api_key(
        name="k", user_id=staff.pk, scopes=["read"], expires_at=None, now=NOON
    )

    answer = Client().get("/api/v1/customers/", headers={"authorization": f"Bearer {token}"})

    assert answer.status_code == 200


def test_a_page_costs_no_query_more(required):
    required.get("/admin/password_change/")

    with CaptureQueriesContext(connection) as seen:
        assert required.get("/admin/password_change/").status_code == 200

    asked = [entry["sql"] for entry in seen.captured_queries]
    assert asked
    assert not any("policy" in sql or "mfa_" in sql or "account_" in sql for sql in asked)


def test_a_changed_secret_key_says_what_helps(half_way, phone, settings):
    Authenticator.objects.filter(type="totp").update(data={"secret": "broken"})
    Authenticator.objects.filter(type="recovery_codes").delete()

    answer = half_way.post(CODE, {"code": next_code(phone[0])})

    assert "Ask an owner to reset your second step" in answer.content.decode()
    assert Session.objects.exists()
