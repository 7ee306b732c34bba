"""A simulated shop into the record: ours beside Django's bulk_create of the very same rows.

    .venv/bin/python -m deploy.local.embedded run --ephemeral -- \
        .venv/bin/python -m benchmarks.simulate_shop --customers 4000

Ours draws the rows and copies them. The peer is given them drawn, as plain dictionaries, and makes
and inserts model instances, a thousand at a time, in one transaction: less work than ours. Times
are wall time of this machine: read the ratios, not the seconds.
"""

import argparse
import os
import resource
import statistics
import time
from datetime import date
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
django.setup()

from django.db import connection, models, transaction  # noqa: E402

from customers.models import (  # noqa: E402
    Consent,
    Customer,
    FactsMark,
    Identity,
    Order,
    OrderLine,
    Refund,
    Review,
    Source,
    SurveyResponse,
    Ticket,
)
from customers.selectors.shop import shop_settings  # noqa: E402
from customers.services import simulation  # noqa: E402

TABLES: tuple[type[models.Model], ...] = (
    Customer, Identity, Consent, Order, OrderLine, Refund, Review, SurveyResponse, Ticket,
    FactsMark,
)  # fmt: skip
UNTIL = date(2026, 3, 2)
BATCH = 1000


def plan(customers: int) -> simulation.Plan:
    shop = shop_settings()
    return simulation.Plan.in_currency(
        shop.currency, customers=customers, seed=1, until=UNTIL, zone=shop.zone
    )


def empty() -> None:
    """Bring the tables back to how both begin: nothing but source and products."""
    names = ", ".join(model._meta.db_table for model in TABLES)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names} CASCADE")


def ours(customers: int) -> int:
    """Draw and write; return the rows."""
    world = simulation.World(plan(customers))
    source, products = simulation.open_shop(world=world)
    written = 0
    for first in range(0, world.cohorts, 5):
        block = range(first, min(first + 5, world.cohorts))
        found = simulation.write_cohorts(
            world=world, source=source, products=products, cohorts=map(world.cohort, block)
        )
        written += sum(found.values()) + found.get("customers", 0)  # one mark a customer
    return written


def held() -> list[tuple[type[models.Model], list[dict[str, Any]]]]:
    """Return every row as plain values."""
    return [(model, list(model._default_manager.values())) for model in TABLES]


def naive(rows: list[tuple[type[models.Model], list[dict[str, Any]]]]) -> int:
    """Write the same rows by bulk_create; return them."""
    with transaction.atomic():
        for model, values in rows:
            made = [model(**row) for row in values]
            model._default_manager.bulk_create(made, batch_size=BATCH)
    return sum(len(values) for _model, values in rows)


def timed(run: Any, repeat: int) -> tuple[float, int]:
    """Return the median seconds of runs into empty tables, and the rows."""
    seconds, rows = [], 0
    for _turn in range(repeat):
        empty()
        begun = time.perf_counter()
        rows = run()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds), rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--customers", type=int, default=4000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    mine, count = timed(lambda: ours(options.customers), options.repeat)
    rows = held()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    theirs, again = timed(lambda: naive(rows), options.repeat)
    assert count == again, (count, again)
    print(f"{options.customers:,} customers, median of {options.repeat}; peak {peak:,.0f} MB\n")
    print("| way | rows | rows a second | time, ratio |")
    print("|---|---:|---:|---:|")
    print(f"| drawn and copied (Huike) | {count:,} | {count / mine:,.0f} | 1.0 |")
    print(
        f"| bulk_create of drawn rows | {again:,} | {again / theirs:,.0f} | {theirs / mine:.1f} |"
    )
    assert Source.objects.count() == 1


if __name__ == "__main__":
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        main()
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
