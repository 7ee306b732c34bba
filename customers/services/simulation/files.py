"""Files beside the record: the truth, the sessions, and rows with defects for import tests.

None of them is ever read by the product.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from customers.services.simulation.copying import instants
from customers.services.simulation.dirty import DirtyFiles
from customers.services.simulation.numbers import order_numbers
from customers.services.simulation.world import Cohort, Plan, World
from customers.services.simulation.world.arrays import Table
from customers.services.simulation.world.catalogue import CATEGORIES

__all__ = ["DirtyFiles", "Sessions", "Truth"]

PLAN_KEY = b"huike.plan"


class _Parquet:
    """A Parquet file that grows by a row group at a time; it appears when it is whole."""

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path = path
        self._partial = path.with_name(path.name + ".partial")
        self._plan = plan
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_error: object) -> None:
        if self._writer is not None:
            self._writer.close()
            if kind is None:
                self._partial.replace(self.path)
            else:
                self._partial.unlink()

    def _write(self, columns: Mapping[str, Any]) -> None:
        table = pa.table(dict(columns))
        if self._writer is None:
            told = json.dumps({**self._plan.to_dict(), "v": self._plan.v})
            schema = table.schema.with_metadata({PLAN_KEY: told.encode()})
            self._writer = pq.ParquetWriter(self._partial, schema)
        self._writer.write_table(table)


class Truth(_Parquet):
    """A row per customer: the true parameters, what was to be expected, and what came."""

    def add(self, world: World, cohort: Cohort) -> None:
        """Write one cohort's customers; those cut off are left out."""
        rows = {name: column[cohort.wanted] for name, column in cohort.truth.items()}
        times = {name: instants(rows[name]) for name in ("first_at", "left_at")}
        self._write({**rows, **times})


class Sessions(_Parquet):
    """A row per browsing session."""

    def add(self, world: World, cohort: Cohort) -> None:
        """Write one cohort's sessions."""
        drawn: Table = world.sessions(cohort)
        chosen = cohort.wanted[drawn["customer"]]
        rows = {name: column[chosen] for name, column in drawn.items()}
        numbers = order_numbers(cohort)
        has_order = rows["order"] >= 0
        shelves = np.array([key for key, _english, _chinese in CATEGORIES])
        self._write(
            {
                "customer": cohort.people["external_id"][rows["customer"]],
                "started_at": instants(rows["at"]),
                "seconds": rows["seconds"],
                "pages": rows["pages"],
                "category": shelves[rows["category"]],
                "has_cart": rows["has_cart"],
                "order": pa.array(numbers[rows["order"]], mask=~has_order),
            }
        )
