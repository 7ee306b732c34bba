"""A night's scoring from Postgres to published scores, beside a plain pandas and lifetimes script.

    .venv/bin/python -m deploy.local.embedded run --ephemeral -- \
        .venv/bin/python -m benchmarks.nightly --customers 1000000

The record is a simulated shop. Ours does what its worker does at night: reads, fits, tries every
candidate, scores everybody with intervals and reasons, publishes. The peer is the script that a
capable colleague would write: ``read_sql``, the summary, fits and values of ``lifetimes`` (with
distinct weighted rows, or it would not end), ``to_sql``. It has no backtest, intervals, reasons,
satisfaction or atomic publishing. Each side runs in a process of its own; CPU seconds are those of
that process, without Postgres.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

UNTIL = date(2026, 3, 2)
Lap = Callable[[str], None]


def fill(customers: int) -> int:
    """Write a simulated shop; return its orders."""
    from benchmarks.simulate_shop import ours as write
    from customers.models import Order

    call_command("migrate", verbosity=0)
    write(customers)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return Order.objects.count()


def ours(lap: Lap) -> None:
    """Score and publish as the worker does."""
    from analytics.enums import RunTrigger
    from analytics.ml.run import score_customers
    from analytics.selectors.frames import scoring_input
    from analytics.services import scoring
    from analytics.services.publishing import publish, tidy, write_scores

    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=UNTIL, user_id=None, now=timezone.now()
    )
    lap("start")
    given = scoring_input(UNTIL)
    lap("read")
    result = score_customers(given)
    lap("fit, backtest, score")
    with transaction.atomic():
        write_scores(run=run, result=result)
    lap("write")
    with transaction.atomic():
        count = publish(run=run)
    lap("publish")
    tidy(run_id=run.pk)
    lap("tidy")
    sys.stderr.write(f"{count:,} scored; {result.metrics.get('rungs', {}).get('published')}\n")


def theirs(lap: Lap) -> None:
    """Do the same the plain way."""
    import pandas as pd
    from lifetimes import BetaGeoFitter, GammaGammaFitter
    from lifetimes.utils import summary_data_from_transaction_data
    from sqlalchemy import create_engine

    warnings.simplefilter("ignore")
    url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg://", 1)
    engine = create_engine(url)
    lap("start")
    orders = pd.read_sql(
        "SELECT customer_id, placed_day, total_shop::float8 AS total FROM customers_order"
        " WHERE customer_id IS NOT NULL AND NOT is_test AND status <> 'cancelled'"
        f" AND placed_day < '{UNTIL}'",
        engine,
    )
    lap("read")
    table = summary_data_from_transaction_data(
        orders,
        "customer_id",
        "placed_day",
        "total",
        observation_period_end=pd.Timestamp(UNTIL) - pd.Timedelta(days=1),
    )
    rows = table.groupby(["frequency", "recency", "T"]).size().reset_index(name="weight")
    buying = BetaGeoFitter()
    buying.fit(rows["frequency"], rows["recency"] / 7, rows["T"] / 7, weights=rows["weight"])
    history = (table["frequency"], table["recency"] / 7, table["T"] / 7)
    table["expected"] = buying.conditional_expected_number_of_purchases_up_to_time(90 / 7, *history)
    table["alive"] = buying.conditional_probability_alive(*history)
    spend = GammaGammaFitter()
    back = table["frequency"] > 0
    spend.fit(table["frequency"][back], table["monetary_value"][back])
    table["clv"] = spend.customer_lifetime_value(
        buying, *history, table["monetary_value"], time=12, discount_rate=0.01, freq="W"
    )
    lap("fit, backtest, score")
    table.to_sql("plain_scores", engine, if_exists="replace", chunksize=5_000, method="multi")
    lap("publish")


def run_side(name: str) -> None:
    """Run one side in this process, and print its figures."""
    laps: dict[str, dict[str, float]] = {}
    last = [time.process_time(), time.monotonic()]

    def lap(stage: str) -> None:
        now = [time.process_time(), time.monotonic()]
        laps[stage] = {"cpu": now[0] - last[0], "wall": now[1] - last[1]}
        last[:] = now

    {"ours": ours, "plain": theirs}[name](lap)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"laps": laps, "peak_mb": peak}))


def measure(name: str) -> dict[str, Any]:
    """Run one side in a new process."""
    command = [sys.executable, "-m", "benchmarks.nightly", "--side", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Fill the database, measure both sides, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--side", choices=["ours", "plain"])
    parser.add_argument("--without-peer", action="store_true")
    options = parser.parse_args()
    if options.side:
        run_side(options.side)
        return
    began = time.monotonic()
    orders = fill(options.customers)
    sys.stderr.write(f"filled in {time.monotonic() - began:.0f} s\n")
    connection.close()
    print(f"{options.customers:,} customers, {orders:,} orders; {settings.CLV_ENGINE}\n")
    print("| Stage | side | CPU s | wall s |\n|---|---|---:|---:|")
    for name in ("ours",) if options.without_peer else ("ours", "plain"):
        found = measure(name)
        for stage, spent in found["laps"].items():
            print(f"| {stage} | {name} | {spent['cpu']:.1f} | {spent['wall']:.1f} |")
        print(f"| peak of memory, MB | {name} | {found['peak_mb']:.0f} | |", flush=True)


if __name__ == "__main__":
    main()
