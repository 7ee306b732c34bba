"""Shops in the database, scored by the job that scores real ones."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
from django.db import connection
from django.utils import timezone

from analytics.enums import RunTrigger
from analytics.selectors.frames import scoring_input, withheld_sources
from analytics.services import scoring
from crm.core.models import Job
from crm.core.services import jobs
from customers.models import Customer, Order
from customers.services.facts import mark_all_dirty, refresh_pending, settle_days
from tests.factories import (
    ShopSettingsFactory,
    SourceFactory,
)

AS_OF = date(2026, 3, 2)


def shop(size, *, seed=1, until=AS_OF):
    """Make a shop whose customers buy at rates of their own, for 400 days before ``until``."""
    ShopSettingsFactory()
    dice = np.random.default_rng(seed)
    source = SourceFactory()
    customers = Customer.objects.bulk_create(
        Customer(source=source, external_id=f"S{number:05d}") for number in range(size)
    )
    orders = []
    for customer in customers:
        day = int(dice.integers(1, 395))
        gap = dice.gamma(2.0, 30.0) + 5
        value = dice.gamma(4.0, 10.0) + 5
        while day > 0:
            placed = datetime.combine(until, datetime.min.time(), UTC) - timedelta(days=day)
            total = Decimal(str(round(value * dice.uniform(0.6, 1.4), 2)))
            orders.append(
                Order(
                    source=source,
                    external_id=f"{customer.external_id}-{day}",
                    customer=customer,
                    placed_at=placed + timedelta(hours=12),
                    placed_day=placed.date(),
                    currency="GBP",
                    exchange_rate=1,
                    total=total,
                    total_shop=total,
                )
            )
            if dice.random() < 0.12:
                break
            day -= max(1, int(dice.exponential(gap)))
    Order.objects.bulk_create(orders)


def seen(as_of=AS_OF):
    """Return what a run would see of everybody, whoever wrote the rows."""
    settle_days()
    mark_all_dirty()
    while refresh_pending(now=timezone.now(), seconds=60):
        pass
    return scoring_input(as_of, withheld=withheld_sources())


def score(as_of=AS_OF):
    mark_all_dirty()  # factories say nothing of the rows they write
    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=as_of, user_id=None, now=timezone.now()
    )
    return finish(run)


def finish(run):
    for _slice in range(20):
        jobs.run_job(job_id=run.job_id, worker="test", now=timezone.now(), seconds=60)
        if Job.objects.get(pk=run.job_id).is_final:
            break
    run.refresh_from_db()
    assert run.job.error == ""
    return run


def score_rows():
    """Return the published rows as text, without the run's number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(s) - 'run_id' FROM analytics_currentscore s ORDER BY 1")
        return [row[0] for row in cursor.fetchall()]
