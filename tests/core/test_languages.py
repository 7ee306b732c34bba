"""A person's language goes with the person, not with the device."""

import pytest
from django.test import Client

from crm.core.models import PersonLanguage
from crm.core.selectors.languages import language_of
from crm.core.services.languages import UnknownLanguageError, remember_language
from tests.factories import ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
CHOOSE = "/i18n/setlang/"
LOGIN = "/admin/login/"
PASSWORD = "a-lantern-by-the-river"


@pytest.fixture
def lin():
    ShopSettingsFactory()
    person = UserFactory(username="lin", is_staff=True)
    person.set_password(PASSWORD)
    person.save()
    return person


def sign_in(device):
    return device.post(f"{LOGIN}?next=/admin/", {"username": "lin", "password": PASSWORD})


def test_what_was_chosen_here_is_spoken_after_the_next_sign_in_elsewhere(lin, client):
    sign_in(client)
    assert '<html lang="en"' in client.get("/admin/").content.decode()
    chosen = client.post(CHOOSE, {"language": "zh-hans", "next": "/admin/"})
    assert (chosen.status_code, chosen["Location"]) == (302, "/admin/")
    assert '<html lang="zh-hans"' in client.get("/admin/").content.decode()

    elsewhere = Client(headers={"accept-language": "en"})
    response = sign_in(elsewhere)

    assert response.cookies["django_language"].value == "zh-hans"
    assert '<html lang="zh-hans"' in elsewhere.get("/admin/").content.decode()


def test_who_never_chose_keeps_what_the_device_says(lin, client):
    client.cookies["django_language"] = "zh-hans"

    response = sign_in(client)

    assert "django_language" not in response.cookies
    assert not PersonLanguage.objects.exists()


def test_the_last_choice_counts(lin, client):
    client.force_login(lin)

    for language in ("zh-hans", "en", "zh-hans", "tlh", ""):
        client.post(CHOOSE, {"language": language, "next": "/admin/"})
    client.get(CHOOSE, {"language": "en"})

    assert language_of(lin.pk) == "zh-hans"


def test_a_choice_before_the_sign_in_is_nobodys(client, lin):
    response = client.post(CHOOSE, {"language": "zh-hans", "next": LOGIN})

    assert response.cookies["django_language"].value == "zh-hans"
    assert not PersonLanguage.objects.exists()


def test_a_language_that_is_not_spoken_is_refused(lin):
    with pytest.raises(UnknownLanguageError):
        remember_language(user_id=lin.pk, language="tlh")

    assert language_of(lin.pk) is None


def test_a_page_asks_for_no_language(lin, client, django_assert_num_queries):
    remember_language(user_id=lin.pk, language="zh-hans")
    client.force_login(lin)
    client.get("/")

    with django_assert_num_queries(3):  # session, person, and how far their roles reach
        client.get("/")
