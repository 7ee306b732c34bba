"""Orders without an exchange rate raise an alert that goes by itself."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from crm.core.models import Alert, Job
from crm.core.services import jobs
from customers.services import facts
from customers.services.rates import check_rates
from customers.services.shop import set_exchange_rate
from tests.customers.importing import files
from tests.customers.importing.undoing import undo_import
from tests.factories import NOON, OrderFactory, ShopSettingsFactory

pytestmark = pytest.mark.django_db


def unrated(currency="USD", days=0, **more):
    moment = NOON + timedelta(days=days)
    return OrderFactory(
        currency=currency, exchange_rate=None, total_shop=None, placed_at=moment, **more
    )


def test_the_nightly_rebuild_tells_and_the_last_missing_rate_resolves():
    ShopSettingsFactory()
    unrated()
    unrated(days=1)
    unrated("EUR", is_test=True)
    job, _created = facts.start_rebuild()

    while not Job.objects.get(pk=job.pk).is_final:
        jobs.run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=60)

    alert = Alert.objects.get()
    assert alert.words == (
        "2 paid orders in USD count nowhere: the exchange rates of their days are missing."
    )
    set_exchange_rate(currency="USD", day=NOON.date(), rate=Decimal("0.8"), now=NOON)
    alert.refresh_from_db()
    assert alert.parameters == {"orders": 1, "currencies": "USD"}
    next_day = NOON.date() + timedelta(days=1)
    set_exchange_rate(currency="USD", day=next_day, rate=Decimal("0.8"), now=NOON)
    alert.refresh_from_db()
    assert alert.resolved_at == NOON


def test_an_import_tells_at_once_and_its_undo_resolves():
    ShopSettingsFactory(currency="GBP")

    batch = files.bring("order_id,placed_at,total,currency", "1,2026-01-01,9.00,USD")

    alert = Alert.objects.get()
    assert (alert.code, alert.resolved_at) == ("orders_without_rate", None)
    assert alert.link == "/admin/customers/exchangerate/"
    undo_import(batch)
    alert.refresh_from_db()
    assert alert.resolved_at is not None


def test_a_dry_run_tells_nothing():
    ShopSettingsFactory(currency="GBP")
    batch = files.start("order_id,placed_at,total,currency\n1,2026-01-01,9.00,USD\n", dry_run=True)
    files.finish(batch)

    assert not Alert.objects.exists()


def test_a_shop_with_all_its_rates_hears_nothing():
    ShopSettingsFactory()
    OrderFactory()

    assert check_rates(now=NOON) == 0
    assert not Alert.objects.exists()
