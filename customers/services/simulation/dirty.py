"""Order files with defects, for import tests; what is wrong, and how often, is written beside them.

``online_retail.csv`` and ``huike_orders.csv`` hold the rows of the first customers. About one row
in fifty has a defect; ``defects.json`` counts each kind and says whether an import rejects it.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TextIO
from zoneinfo import ZoneInfo

import numpy as np

from customers.services.simulation.numbers import order_numbers
from customers.services.simulation.world import Cohort, Plan, World
from customers.services.simulation.world.arrays import stream

COHORTS = 20
"""Rows of the first cohorts only: a test needs no more."""
SHARE = 0.02
TOPIC = 100
RETAIL = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice",
          "CustomerID", "Country")  # fmt: skip
ORDERS = ("order_id", "customer_id", "email", "placed_at", "status", "cancelled_at", "currency",
          "total", "country")  # fmt: skip
Change = dict[int, Any]
RAGGED, REPEATED = "ragged_row", "repeated_row"
RETAIL_DEFECTS: dict[str, tuple[bool, Change]] = {
    "no_invoice": (True, {0: ""}),
    "no_stock_code": (True, {1: " "}),
    "quantity_in_words": (True, {3: "many"}),
    "quantity_zero": (True, {3: "0"}),
    "negative_without_cancellation": (True, {3: "-3"}),
    "date_in_words": (True, {4: "yesterday"}),
    "future_date": (True, {4: "2199-01-01 10:00"}),
    "price_in_words": (True, {5: "dear"}),
    "negative_price": (True, {5: "-1.00"}),
    "formula_in_title": (False, {2: "=HYPERLINK(0)"}),
    "no_customer": (False, {6: ""}),
    "masked_customer": (False, {6: "S0****7"}),
    "unknown_country": (False, {7: "Unspecified"}),
    RAGGED: (True, {}),
    REPEATED: (False, {}),
}
"""Whether an import rejects it, and which cells say what."""
ORDER_DEFECTS: dict[str, tuple[bool, Change]] = {
    "no_order_id": (True, {0: ""}),
    "masked_email": (True, {2: "l***i@example.com"}),
    "date_of_no_calendar": (True, {3: "2026-02-31 10:00"}),
    "unknown_status": (True, {4: "lost"}),
    "cancelled_without_time": (True, {4: "cancelled", 5: ""}),
    "currency_in_words": (True, {6: "quid"}),
    "total_with_comma": (True, {7: "1.234,50"}),
    "negative_total": (True, {7: "-5.00"}),
    "no_total": (True, {7: ""}),
    "country_with_blanks": (False, {8: "  China "}),
    RAGGED: (True, {}),
    # Of an order that stands twice in a file the last row counts, and the first is rejected.
    REPEATED: (True, {}),
}


class DirtyFiles:
    """Two CSV files with known defects, in a folder."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self._zone = ZoneInfo(plan.zone)
        self._plan = plan
        self._files: dict[str, TextIO] = {}
        self._writers: dict[str, Any] = {}
        self._counts: dict[str, Counter[str]] = {}

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, header in (("online_retail.csv", RETAIL), ("huike_orders.csv", ORDERS)):
            self._files[name] = (self.folder / name).open("w", encoding="utf-8", newline="")
            self._writers[name] = csv.writer(self._files[name])
            self._writers[name].writerow(header)
            self._counts[name] = Counter(rows=0)
        return self

    def __exit__(self, *_error: object) -> None:
        for file in self._files.values():
            file.close()
        kinds = {"online_retail.csv": RETAIL_DEFECTS, "huike_orders.csv": ORDER_DEFECTS}
        told = {
            name: {
                "rows": counts.pop("rows"),
                "defects": {
                    defect: {"rows": count, "is_rejected": kinds[name][defect][0]}
                    for defect, count in sorted(counts.items())
                },
            }
            for name, counts in self._counts.items()
        }
        (self.folder / "defects.json").write_text(json.dumps(told, indent=2) + "\n")

    def add(self, world: World, cohort: Cohort) -> None:
        """Write a cohort's rows; those behind the first twenty cohorts are left out."""
        if cohort.index >= COHORTS:
            return
        dice = stream(self._plan.seed, TOPIC, cohort.index)
        lines = self._retail(world, cohort)
        self._spoil("online_retail.csv", lines, RETAIL_DEFECTS, dice)
        self._spoil("huike_orders.csv", self._orders(cohort), ORDER_DEFECTS, dice)

    def _spoil(
        self,
        name: str,
        rows: Iterator[list[Any]],
        defects: dict[str, tuple[bool, Change]],
        dice: np.random.Generator,
    ) -> None:
        """Write rows, and now and then one with something wrong in it."""
        kinds = list(defects)
        write, counts = self._writers[name].writerow, self._counts[name]
        for row in rows:
            counts["rows"] += 1
            if dice.random() >= SHARE:
                write(row)
                continue
            kind = kinds[int(dice.integers(0, len(kinds)))]
            counts[kind] += 1
            if kind == RAGGED:
                write(row[:3])
            elif kind == REPEATED:
                counts["rows"] += 1
                write(row)
                write(row)
            else:
                change = defects[kind][1]
                write([change.get(place, cell) for place, cell in enumerate(row)])

    def _retail(self, world: World, cohort: Cohort) -> Iterator[list[Any]]:
        """Yield the goods and charges of orders that stand, a row a line."""
        orders, lines, goods = cohort.orders, cohort.lines, world.catalogue
        numbers, unit = order_numbers(cohort), self._plan.unit
        stands = cohort.wanted[orders["host"]] & ~orders["is_cancelled"]
        for place in np.flatnonzero(stands[lines["order"]]):
            order, product = lines["order"][place], lines["product"][place]
            is_charge = lines["is_charge"][place]
            yield [
                numbers[order],
                "POST" if is_charge else goods.sku[product],
                "Postage" if is_charge else goods.title[product],
                lines["quantity"][place],
                self._local(orders["placed_at"][order]),
                f"{lines['unit_price'][place] * unit:.2f}",
                self._of_buyer(cohort, order, "external_id"),
                "China" if orders["chinese"][order] else "United Kingdom",
            ]

    def _orders(self, cohort: Cohort) -> Iterator[list[Any]]:
        orders, numbers = cohort.orders, order_numbers(cohort)
        for order in np.flatnonzero(cohort.wanted[orders["host"]]):
            is_cancelled = orders["is_cancelled"][order]
            yield [
                numbers[order],
                self._of_buyer(cohort, order, "external_id"),
                self._of_buyer(cohort, order, "email"),
                self._local(orders["placed_at"][order]),
                orders["status"][order],
                self._local(orders["cancelled_at"][order]) if is_cancelled else "",
                self._plan.currency,
                f"{orders['total'][order] * self._plan.unit:.2f}",
                "China" if orders["chinese"][order] else "United Kingdom",
            ]

    @staticmethod
    def _of_buyer(cohort: Cohort, order: Any, name: str) -> str:
        customer = int(cohort.orders["customer"][order])
        return str(cohort.people[name][customer]) if customer >= 0 else ""

    def _local(self, microseconds: int) -> str:
        moment = datetime.fromtimestamp(int(microseconds) // 1_000_000, UTC)
        return f"{moment.astimezone(self._zone):%Y-%m-%d %H:%M}"
