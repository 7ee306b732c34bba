"""Signing in: the door that locks, who opens it again, and where one is signed in."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client

from crm.core.admin.people import device_words
from crm.core.models import AuditEntry, SignIn
from tests.factories import ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
DOOR, LOCKED, MINE = "/admin/login/", "/admin/axes/accessattempt/", "/admin/core/signin/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def person():
    ShopSettingsFactory()
    user = UserFactory(username="ann", is_staff=True)
    user.set_password("the-right-one")
    user.save()
    return user


def sign_in(client, password="the-right-one", **headers):
    return client.post(DOOR, {"username": "ann", "password": password}, **headers)


@pytest.fixture
def locked(person, settings):
    settings.AXES_FAILURE_LIMIT = 3
    client = Client()
    answers = [sign_in(client, "wrong") for _try in range(3)]
    return client, answers


def test_the_door_locks_and_says_for_how_long(locked):
    client, answers = locked

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    page = answers[-1].content.decode()
    assert "Try again in 15 minutes" in page
    assert "An owner can unlock it" in page
    # The right password does not help now, and nobody is told that it is right.
    assert sign_in(client).status_code == 429
    assert not SignIn.objects.exists()


def test_an_owner_unlocks_it_on_record(locked, staff_client):
    client, _answers = locked
    shown = staff_client.get(LOCKED)
    assert "Locked" in shown.content.decode()
    chosen = [attempt.pk for attempt in shown.context["cl"].result_list]

    staff_client.post(LOCKED, {"action": "unlock", "_selected_action": chosen})

    assert sign_in(client).status_code == 302
    entry = AuditEntry.objects.get(action="sign_in.unlocked")
    assert (entry.actor.username, entry.details) == ("staff", {"name": "ann"})


def test_who_may_only_look_unlocks_nothing(locked, client):
    looker = UserFactory(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_accessattempt"))
    client.force_login(looker)
    chosen = [attempt.pk for attempt in client.get(LOCKED).context["cl"].result_list]

    client.post(LOCKED, {"action": "unlock", "_selected_action": chosen})

    assert sign_in(Client()).status_code == 429


def browsers(person):
    here, there = Client(headers={"user-agent": FIREFOX}), Client()
    for client in (here, there):
        sign_in(client)
    stranger = Client()
    stranger.force_login(UserFactory(is_staff=True))
    return here, there, stranger


def test_everybody_sees_their_own_browsers_only(person):
    here, _there, _stranger = browsers(person)

    page = here.get(MINE)

    assert [row.is_here for row in page.context["cl"].result_list].count(True) == 1
    assert page.context["cl"].result_count == 2
    assert "Firefox on Linux" in page.content.decode()


def test_the_others_are_signed_out_and_nobody_elses(person):
    here, there, stranger = browsers(person)

    here.post(f"{MINE}others/")

    assert here.get(MINE).status_code == 200
    assert there.get(MINE).status_code == 302
    assert stranger.get(MINE).status_code == 200
    assert SignIn.objects.filter(user=person).count() == 1
    assert AuditEntry.objects.get(action="session.ended").details == {"count": 1}


def test_signing_out_takes_the_browser_off_the_list(person):
    here, there, _stranger = browsers(person)

    there.post("/admin/logout/")

    assert here.get(MINE).context["cl"].result_count == 1


def test_a_session_that_is_gone_is_not_listed(person):
    here, there, _stranger = browsers(person)
    Session.objects.get(session_key=there.session.session_key).delete()

    assert here.get(MINE).context["cl"].result_count == 1
    assert SignIn.objects.filter(user=person).count() == 1


def test_a_new_password_keeps_this_browser_on_the_list(person):
    here, there, _stranger = browsers(person)
    new = "another-right-one"

    form = {"old_password": "the-right-one", "new_password1": new, "new_password2": new}

    here.post("/admin/password_change/", form)

    rows = here.get(MINE).context["cl"].result_list
    assert [row.is_here for row in rows].count(True) == 1
    assert there.get(MINE).status_code == 302


def test_a_browser_seen_again_is_written_down_only_now_and_then(person):
    here, _there, _stranger = browsers(person)
    here.get("/admin/password_change/")
    before = SignIn.objects.get(session_key=here.session.session_key).seen_at

    here.get("/admin/password_change/")
    assert SignIn.objects.get(session_key=here.session.session_key).seen_at == before

    session = here.session
    session["huike_seen"] = [session.session_key, before.timestamp() - 400]
    session.save()
    here.get("/admin/password_change/")
    assert SignIn.objects.get(session_key=session.session_key).seen_at > before


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0 Safari/604",
         "WeChat on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("curl/8", "Unknown device"),
    ],
)  # fmt: skip
def test_a_device_is_named_by_browser_and_system(agent, words):
    assert device_words(agent) == words
