"""Alerts: one per matter while it is open, worded for the reader, mailed once."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext, override

from crm.core.models import Alert, AuditEntry
from crm.core.registry import AlertWording, registry
from crm.core.services import retention
from crm.core.services.alerts import mail_alerts, raise_alert, resolve_alert
from crm.core.services.languages import remember_language
from tests.api import api_client
from tests.factories import NOON, ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/alerts/"


@pytest.fixture
def wording():
    registry.alert_wordings.register(
        AlertWording("test_spill", lambda told: gettext("Cancelled") + f" {told['where']}")
    )
    yield
    registry.alert_wordings.unregister("test_spill")


def spill(where="hall", **more):
    values = {"key": "spill", "code": "test_spill", "parameters": {"where": where}, "now": NOON}
    return raise_alert(**{**values, **more})


def test_a_matter_has_one_open_alert_that_tells_the_newest(wording):
    first = spill()
    again = spill(where="attic", now=NOON + timedelta(hours=1))

    assert again.pk == first.pk
    assert (again.parameters, again.raised_at) == ({"where": "attic"}, NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.create(key="spill", code="test_spill", raised_at=NOON)


def test_what_was_resolved_is_raised_anew(wording):
    first = spill()

    assert resolve_alert(key="spill", now=NOON + timedelta(hours=1))
    assert not resolve_alert(key="spill", now=NOON + timedelta(hours=2))
    second = spill()

    first.refresh_from_db()
    assert first.resolved_at == NOON + timedelta(hours=1)
    assert (second.is_open, second.pk != first.pk) == (True, True)


def test_it_is_worded_in_the_readers_language(wording):
    alert = spill()

    assert alert.words == "Cancelled hall"
    with override("zh-hans"):
        assert alert.words == "已取消 hall"
    assert raise_alert(key="x", code="unheard_of", now=NOON).words == "unheard_of"


def test_superusers_with_an_address_are_told_once(wording, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://crm.example.com"]
    UserFactory(is_superuser=True, email="boss@example.com")
    UserFactory(is_superuser=True, email="")
    UserFactory(is_superuser=True, email="gone@example.com", is_active=False)
    UserFactory(email="clerk@example.com")
    alert = spill(link="/admin/somewhere/")

    assert mail_alerts(now=NOON, limit=20) == 1
    assert mail_alerts(now=NOON, limit=20) == 0

    assert [(one.to, one.subject) for one in mail.outbox] == [
        (["boss@example.com"], "Huike: Cancelled hall")
    ]
    assert mail.outbox[0].body == ("Cancelled hall\n\nhttps://crm.example.com/admin/somewhere/")
    alert.refresh_from_db()
    assert alert.mailed_at == NOON


def test_everybody_is_told_in_the_language_they_chose(wording, django_assert_num_queries):
    told = [UserFactory(is_superuser=True, email=f"{name}@example.com") for name in ("lin", "ann")]
    remember_language(user_id=told[0].pk, language="zh-hans")
    spill()

    with django_assert_num_queries(6):  # two around the taking, its two, people, languages
        mail_alerts(now=NOON, limit=20)

    assert [one.to for one in mail.outbox] == [["lin@example.com"], ["ann@example.com"]]
    assert [one.body for one in mail.outbox] == ["已取消 hall", "Cancelled hall"]
    assert mail.outbox[1].subject == "Huike: Cancelled hall"


def test_a_mail_server_that_is_away_leaves_the_alert(wording, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    UserFactory(is_superuser=True)
    spill()

    assert mail_alerts(now=NOON, limit=20) == 1

    assert Alert.objects.open().count() == 1


def test_resolved_alerts_are_not_mailed_and_go_after_their_retention(wording, settings):
    UserFactory(is_superuser=True)
    spill()
    resolve_alert(key="spill", now=NOON)
    spill(key="open")
    Alert.objects.filter(key="open").update(mailed_at=NOON)

    assert mail_alerts(now=NOON, limit=20) == 0
    retention.prune_jobs(now=NOON + timedelta(days=settings.JOB_RETENTION_DAYS - 1))
    assert Alert.objects.count() == 2
    retention.prune_jobs(now=NOON + timedelta(days=settings.JOB_RETENTION_DAYS + 1))

    assert list(Alert.objects.values_list("key", flat=True)) == ["open"]


def test_the_dashboard_shows_open_alerts_to_who_may_read_them(client, staff_client, wording):
    ShopSettingsFactory()
    assert "panel-alerts" not in staff_client.get("/admin/").content.decode()
    spill(link="/admin/somewhere/")

    page = staff_client.get("/admin/").content.decode()
    assert '<a href="/admin/somewhere/">Cancelled hall</a>' in page
    clerk = UserFactory(is_staff=True)
    client.force_login(clerk)
    assert "Cancelled hall" not in client.get("/admin/").content.decode()
    clerk.user_permissions.add(Permission.objects.get(codename="view_alert"))
    assert "Cancelled hall" in client.get("/admin/").content.decode()

    resolve_alert(key="spill", now=timezone.now())
    assert "panel-alerts" not in client.get("/admin/").content.decode()


def test_staff_say_that_it_is_dealt_with(staff_client, staff, wording):
    ShopSettingsFactory()
    alert = spill()
    page = staff_client.get("/admin/core/alert/?open=1").content.decode()
    assert "Cancelled hall" in page

    staff_client.post("/admin/core/alert/", {"action": "resolve", "_selected_action": [alert.pk]})

    assert not Alert.objects.open().exists()
    assert AuditEntry.objects.get(action="alert.resolved").actor == staff
    assert "Cancelled hall" not in staff_client.get("/admin/core/alert/?open=1").content.decode()


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_stays_in_its_query_budget(rows, wording, django_assert_num_queries):
    for number in range(rows):
        spill(key=f"spill {number}")
    client = api_client()
    client.get(LIST)

    with django_assert_num_queries(3):
        response = client.get(LIST)

    assert len(response.json()["results"]) == rows


def test_alerts_are_read_over_rest(wording):
    open_alert = spill(link="/admin/somewhere/")
    spill(key="other")
    resolve_alert(key="other", now=NOON)
    client = api_client()

    body = client.get(f"{LIST}?is_open=true").json()["results"]

    assert [one["id"] for one in body] == [open_alert.public_id]
    assert body[0] | {"url": "", "raised_at": ""} == {
        "id": open_alert.public_id,
        "url": "",
        "code": "test_spill",
        "severity": "warning",
        "message": "Cancelled hall",
        "parameters": {"where": "hall"},
        "page": "/admin/somewhere/",
        "raised_at": "",
        "resolved_at": None,
    }
    assert len(client.get(f"{LIST}?is_open=false").json()["results"]) == 1
    assert client.get(f"{LIST}{open_alert.public_id}/").json()["message"] == "Cancelled hall"
