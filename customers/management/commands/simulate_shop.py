"""``manage.py simulate_shop``: a shop with a known truth, written straight into the record."""

import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crm.core.errors import DomainError
from customers.selectors.shop import shop_settings
from customers.services import facts, simulation
from customers.services.simulation import counts
from customers.services.simulation.handler import analyze
from customers.services.simulation.world import COHORT

NUMBERS = {
    "r": "BG/NBD: shape of the buying rates",
    "alpha": "BG/NBD: weeks; the mean rate is r / alpha a week",
    "a": "BG/NBD: leaving after a repeat order, Beta(a, b)",
    "b": "BG/NBD: see a",
    "p": "gamma-gamma: shape of order values",
    "q": "gamma-gamma: shape between customers",
    "mean-order": "mean order value in shop currency",
    "season": "1 for seasons and sales peaks, 0 for none",
    "returns": "multiplies the share of lines that come back",
    "regular": "share of customers who buy at regular gaps",
}
FIELDS = {"regular": "regular_share", "mean-order": "mean_order"}


class Command(BaseCommand):
    """Draw, write, compute the facts, and say how fast it was."""

    help = "Simulate a shop whose true parameters are known. Only for databases without real rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Size, chance, files, and the true parameters."""
        parser.add_argument("--customers", type=int, required=True)
        parser.add_argument("--years", type=float, default=2.0)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--until", type=date.fromisoformat, help="exclusive; default: today")
        parser.add_argument("--truth", type=Path, help="Parquet file for the truth, by customer")
        parser.add_argument(
            "--sessions", type=Path, help="Parquet file for browsing sessions; no table holds them"
        )
        parser.add_argument(
            "--dirty",
            type=Path,
            nargs="?",
            const=Path("dirty"),
            help="folder for order files with known defects (default: dirty)",
        )
        parser.add_argument("--horizon-days", type=int, default=90, help="how far the truth looks")
        parser.add_argument("--block", type=int, default=5 * COHORT, help="customers a transaction")
        parser.add_argument(
            "--force-beside", action="store_true", help="write beside rows of a real source"
        )
        for name, words in NUMBERS.items():
            parser.add_argument(f"--{name}", type=float, help=words)

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse what makes no sense, then write the shop."""
        plan = self._plan(options)
        today = timezone.now().astimezone(ZoneInfo(plan.zone)).date()
        try:
            simulation.check(plan=plan, today=today, beside=options["force_beside"])
        except DomainError as error:
            raise CommandError(error.message) from error
        for name in ("truth", "sessions"):
            path = options[name]
            if path is not None and not path.parent.is_dir():
                raise CommandError(f"There is no folder {path.parent}.")
        if options["block"] < 1:
            raise CommandError("A block holds at least one customer.")
        written, seconds = self._write(plan, options)
        rows = counts.rows(written)
        told = ", ".join(f"{written.get(name, 0):,} {name}" for name in counts.TABLES)
        self.stdout.write(f"{told}.")
        if written.get("customers", 0) < plan.customers:
            known = plan.customers - written.get("customers", 0)
            self.stdout.write(f"{known:,} customers were there already.")
        self.stdout.write(f"{rows:,} rows in {seconds:.1f} s: {rows / seconds:,.0f} rows a second.")
        self._facts()

    def _plan(self, options: dict[str, Any]) -> simulation.Plan:
        shop = shop_settings()
        given = {
            FIELDS.get(name, name): options[name.replace("-", "_")]
            for name in NUMBERS
            if options[name.replace("-", "_")] is not None
        }
        local = timezone.now().astimezone(ZoneInfo(shop.zone))
        return simulation.Plan.in_currency(
            shop.currency,
            customers=options["customers"],
            years=options["years"],
            seed=options["seed"],
            until=options["until"] or local.date(),
            zone=shop.zone,
            horizon_days=options["horizon_days"],
            **given,
        )

    def _write(
        self, plan: simulation.Plan, options: dict[str, Any]
    ) -> tuple[dict[str, int], float]:
        began = time.monotonic()
        world = simulation.World(plan)
        source, products = simulation.open_shop(world=world)
        at_once = max(1, options["block"] // COHORT)
        kinds: dict[str, Any] = {
            "truth": simulation.Truth,
            "sessions": simulation.Sessions,
            "dirty": simulation.DirtyFiles,
        }
        written: dict[str, int] = {}
        with ExitStack() as stack:
            files: list[Any] = [
                stack.enter_context(kind(options[name], plan))
                for name, kind in kinds.items()
                if options[name] is not None
            ]
            for first in range(0, world.cohorts, at_once):
                block = range(first, min(first + at_once, world.cohorts))
                found = simulation.write_cohorts(
                    world=world,
                    source=source,
                    products=products,
                    cohorts=_drawn(world, block, files),
                )
                written = counts.add(written, found)
                self._progress(first + at_once, world, written, time.monotonic() - began)
        return written, time.monotonic() - began

    def _progress(
        self, after: int, world: simulation.World, written: dict[str, int], seconds: float
    ) -> None:
        if after // 50 == (after - 1) // 50 and after < world.cohorts:
            return
        done = min(after * COHORT, world.plan.customers)
        rate = counts.rows(written) / max(seconds, 1e-9)
        self.stdout.write(f"  {done:,} customers, {rate:,.0f} rows a second")

    def _facts(self) -> None:
        began = time.monotonic()
        analyze()
        while facts.refresh_pending(now=timezone.now(), seconds=60):
            pass
        self.stdout.write(f"Facts computed in {time.monotonic() - began:.1f} s.")


def _drawn(
    world: simulation.World, block: Iterable[int], files: list[Any]
) -> Iterator[simulation.Cohort]:
    """Draw cohorts once, for the files and for the record."""
    for index in block:
        cohort = world.cohort(index)
        for file in files:
            file.add(world, cohort)
        yield cohort
