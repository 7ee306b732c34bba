"""Commands that queue work: a broker that is away delays it and does not fail the command."""

from io import StringIO

import pytest
from django.core.management import call_command

from crm.core.models import Job
from tests.factories import ShopSettingsFactory, SourceFactory


@pytest.fixture
def no_broker(monkeypatch):
    def fail(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr("crm.core.tasks.run_job.delay", fail)


@pytest.mark.django_db(transaction=True)
def test_work_is_queued_without_a_broker(no_broker, tmp_path):
    ShopSettingsFactory()
    SourceFactory(key="my-shop")
    file = tmp_path / "customers.csv"
    file.write_text("customer_id,name\nC1,Ada\n")
    said = StringIO()

    call_command("score", stdout=said)
    call_command("import_file", str(file), source="my-shop", stdout=said)
    call_command("rebuild_facts", stdout=said)

    states = Job.objects.order_by("kind").values_list("kind", "state")
    assert list(states) == [
        ("analytics.score", "queued"),
        ("customers.import", "queued"),
        ("customers.rebuild_facts", "queued"),
    ]
    assert said.getvalue().count("queued") == 2
