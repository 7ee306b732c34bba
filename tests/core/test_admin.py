"""Keys and jobs in the admin: who did it is written down, and nobody rises by it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.utils import timezone

from crm.core.admin import progress_words
from crm.core.models import ApiKey, AuditEntry
from tests.factories import JobFactory, ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
ADD = "/admin/core/apikey/add/"


@pytest.fixture
def clerk(client):
    ShopSettingsFactory()
    user = UserFactory(is_staff=True)
    for codename in ("add_apikey", "view_apikey", "view_job", "change_job"):
        user.user_permissions.add(Permission.objects.get(codename=codename))
    client.force_login(user)
    return user


def form(user):
    return {"name": "shop", "user": user.pk, "scopes": ["read"], "expires_at_0": "",
            "expires_at_1": ""}  # fmt: skip


def test_nobody_makes_a_key_for_somebody_who_may_more(client, clerk):
    boss = UserFactory(is_superuser=True)

    response = client.post(ADD, form(boss))

    assert response.status_code == 200
    assert not ApiKey.objects.exists()


def test_a_key_names_who_made_and_who_revoked_it(client, clerk):
    client.post(ADD, form(clerk))
    key = ApiKey.objects.get()

    client.post("/admin/core/apikey/", {"action": "revoke", "_selected_action": [key.pk]})

    key.refresh_from_db()
    assert key.user == clerk
    assert key.revoked_at is not None
    entries = AuditEntry.objects.order_by("pk").values_list("action", "actor_id")
    assert list(entries) == [("api_key.created", clerk.pk), ("api_key.revoked", clerk.pk)]


def test_a_superuser_makes_a_key_for_somebody_else_and_stands_in_the_log(client, clerk):
    boss = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(boss)

    client.post(ADD, form(clerk))

    assert ApiKey.objects.get().user == clerk
    assert AuditEntry.objects.get().actor == boss


def test_a_job_without_a_worker_tells_no_pace():
    now = timezone.now()
    job = JobFactory(
        state="running", done=50, total=100, started_at=now - timedelta(seconds=60),
        heartbeat_at=now,
    )  # fmt: skip
    assert progress_words(job) == "Running · 50 of 100 · 1 per second · about 60 s left"

    job.heartbeat_at = now - timedelta(seconds=30)
    silent = "worker silent for 30 s; if it is gone, another one goes on"
    assert progress_words(job) == f"Running · 50 of 100 · {silent}"

    job.heartbeat_at = now
    job.epoch = 2
    assert progress_words(job) == "Running · 50 of 100 · 1 per second"
    job.epoch, job.total, job.done = 1, 12, 6
    assert progress_words(job) == "Running · 6 of 12"

    job.total, job.done = 100, 50
    job.state = "queued"
    assert progress_words(job) == "Queued · 50 of 100 · waits for a worker to go on"


def test_who_stops_a_job_stands_in_the_log(client, clerk):
    job = JobFactory()

    client.post(f"/admin/core/job/{job.pk}/cancel/")

    job.refresh_from_db()
    assert job.state == "cancelled"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.object_id) == ("job.cancelled", clerk, job.public_id)


def test_the_error_file_of_a_job_can_be_opened_from_its_page(client, clerk, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    job = JobFactory()
    job.error_file.save("rows.csv", ContentFile(b"row,reason\n"))

    page = client.get(f"/admin/core/job/{job.pk}/change/").content.decode()

    address = f"/api/v1/jobs/{job.public_id}/error-file/"
    assert address in page
    assert b"".join(client.get(address)) == b"row,reason\n"
