"""A night's scoring from Postgres to published scores, beside a plain pandas and lifetimes script.

    .venv/bin/python -m deploy.local.embedded run --ephemeral -- \
        .venv/bin/python -m benchmarks.nightly --customers 1000000

The record is a simulated shop. Ours does what its worker does at night: reads, fits, tries every
candidate, scores everybody part by part with intervals and reasons, publishes; then two workers
share the parts. The peer is the script that a
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

from customers.models import Customer, Order  # noqa: E402

UNTIL = date(2026, 3, 2)
Lap = Callable[[str], None]


def fill(customers: int) -> None:
    """Write a simulated shop and its facts."""
    from benchmarks.simulate_shop import ours as write
    from customers.services.facts import refresh_pending

    call_command("migrate", verbosity=0)
    write(customers)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    while refresh_pending(now=timezone.now(), seconds=60):
        pass
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def ours(lap: Lap) -> None:
    """Score and publish as one worker does."""
    from analytics.ml.run import fit_shop
    from analytics.selectors.frames import count_people, fitting_input, withheld_sources
    from analytics.services.parts import divide, parts_left, score_next
    from analytics.services.publishing import complete_table, publish, tidy

    run = _started()
    lap("start")
    given = [fitting_input(UNTIL, withheld=withheld_sources())]
    lap("read for the fit")
    fitted = fit_shop(given.pop())
    lap("fit, backtest")
    with transaction.atomic():
        run.customer_count = count_people()
        parts = divide(run=run, fitted=fitted, withheld=[])
    note_peak("fit")
    while score_next(run_id=run.pk):
        pass
    lap(f"read, score, write: {parts} parts")
    complete_table(run_id=run.pk)
    lap("complete")
    with transaction.atomic():
        count = publish(run=run)
    lap("publish")
    tidy(run_id=run.pk)
    lap("tidy")
    told = (fitted.metrics or {}).get("rungs", {}).get("published")
    sys.stderr.write(f"{count:,} scored, {parts_left(run_id=run.pk)} parts left; {told}\n")


def shared(lap: Lap) -> None:
    """Score the parts of the newest fit again, by two processes at once."""
    from analytics.models import ScoringFit, ScoringPart
    from analytics.services.publishing import create_table, discard

    state = ScoringFit.objects.latest("pk").state
    count = ScoringPart.objects.count()
    run = _started()
    ScoringFit.objects.create(run=run, state=state)
    ScoringPart.objects.bulk_create(ScoringPart(run=run, number=n) for n in range(count))
    create_table(run_id=run.pk)
    connection.close()
    lap("start")
    command = [sys.executable, "-m", "benchmarks.nightly", "--help-run", str(run.pk)]
    helpers = [subprocess.Popen(command) for _number in range(2)]
    assert [helper.wait() for helper in helpers] == [0, 0]
    lap(f"read, score, write: {count} parts, two workers")
    with transaction.atomic():
        discard(run_id=run.pk)


def help_run(run_id: int) -> None:
    """Score parts of a run until none is left."""
    from analytics.services.parts import score_next

    done = 0
    while score_next(run_id=run_id):
        done += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stderr.write(f"a helper scored {done} parts, peak {peak:.0f} MB\n")


def _started() -> Any:
    from analytics.enums import RunState, RunTrigger
    from analytics.services import scoring

    run = scoring.start_run(
        trigger=RunTrigger.MANUAL, as_of_day=UNTIL, user_id=None, now=timezone.now()
    )
    run.state = RunState.RUNNING
    run.save()
    return run


def note_peak(stage: str) -> None:
    """Say how much memory this process has taken at most so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stderr.write(f"peak after {stage}: {peak:.0f} MB\n")


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

    {"ours": ours, "shared": shared, "plain": theirs}[name](lap)
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
    parser.add_argument("--side", choices=["ours", "shared", "plain"])
    parser.add_argument("--help-run", type=int)
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--filled", action="store_true", help="take the shop that is there")
    options = parser.parse_args()
    if options.help_run:
        help_run(options.help_run)
        return
    if options.side:
        run_side(options.side)
        return
    if not options.filled:
        began = time.monotonic()
        fill(options.customers)
        sys.stderr.write(f"filled in {time.monotonic() - began:.0f} s\n")
    customers, orders = Customer.objects.count(), Order.objects.count()
    connection.close()
    print(f"{customers:,} customers, {orders:,} orders; {settings.CLV_ENGINE}\n")
    print("| Stage | side | CPU s | wall s |\n|---|---|---:|---:|")
    sides = ("ours", "shared") if options.without_peer else ("ours", "shared", "plain")
    for name in sides:
        found = measure(name)
        for stage, spent in found["laps"].items():
            print(f"| {stage} | {name} | {spent['cpu']:.1f} | {spent['wall']:.1f} |")
        print(f"| peak of memory, MB | {name} | {found['peak_mb']:.0f} | |", flush=True)


if __name__ == "__main__":
    main()
