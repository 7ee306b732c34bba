"""The data sets of the backtests: whose purchases, which origins, and where they come from."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analytics.ml.ledger import PurchaseLedger, Refunds
from analytics.ml.summary import PurchaseDays
from customers.services.simulation.world import Plan, World

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class DataSet:
    """A shop's purchases, its origins by horizon, and where it comes from.

    ``start`` is the day that the origins count from; an origin is the exclusive end of what is
    seen, one day after the last day seen.
    """

    title: str
    origin: str
    ledger: PurchaseLedger
    start: int
    windows: dict[int, tuple[int, ...]]
    is_public: bool = True


def occasions(rows: pd.DataFrame) -> PurchaseDays:
    """Return days with positive net spend and a positive line, from columns c, d, amount, plus."""
    days = rows.groupby(["c", "d"], sort=True).agg(amount=("amount", "sum"), plus=("plus", "max"))
    days = days[(days["amount"] > 0) & days["plus"]].reset_index()
    return PurchaseDays(
        days["c"].to_numpy(np.int64), days["d"].to_numpy(np.int64), days["amount"].to_numpy(float)
    )


def epoch_days(moments: "pd.Series[Any]") -> Any:
    """Return days since 1970-01-01."""
    return moments.to_numpy().astype("datetime64[D]").astype(np.int64)


def online_retail() -> DataSet:
    """Return the shipped sample, a cancellation netting the day on which it was booked."""
    rows = pd.read_parquet(ROOT / "samples/online_retail.parquet")
    rows = rows[rows["CustomerID"].notna() & (rows["UnitPrice"] > 0)]
    table = pd.DataFrame(
        {
            "c": rows["CustomerID"].astype(np.int64),
            "d": epoch_days(rows["InvoiceDate"]),
            "amount": rows["Quantity"] * rows["UnitPrice"],
            "plus": rows["Quantity"] > 0,
        }
    )
    return DataSet(
        "Online Retail",
        "the shipped sample: a British wholesaler of gifts, 2010-12 to 2011-12, GBP",
        PurchaseLedger(occasions(table)),
        _day("2010-12-01"),
        {30: (253, 283, 313, 343), 60: (223, 253, 283, 313), 90: (223, 253, 283)},
    )


def cdnow() -> DataSet:
    """Return the 23,570 customers that come with the reference package."""
    spec = find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    rows = pd.read_csv(
        Path(spec.origin).parent / "datasets/CDNOW_master.txt",
        sep=r"\s+",
        skiprows=1,
        names=["c", "date", "units", "amount"],
    )
    days = pd.to_datetime(rows["date"].astype(str), format="%Y%m%d")
    return DataSet(
        "CDNOW",
        "the full published set: 23,570 who first bought music in early 1997, USD",
        PurchaseLedger(
            PurchaseDays(rows["c"].to_numpy(np.int64), epoch_days(days), rows["amount"].to_numpy())
        ),
        _day("1997-01-01"),
        {90: (272, 364, 455)},
    )


def complete_journey(folder: Path) -> DataSet:
    """Return the households of a grocer."""
    rows = pd.read_parquet(
        folder / "complete_journey/transactions.parquet",
        columns=["household_id", "quantity", "sales_value", "transaction_timestamp"],
    )
    table = pd.DataFrame(
        {
            "c": rows["household_id"],
            "d": epoch_days(rows["transaction_timestamp"]),
            "amount": rows["sales_value"],
            "plus": rows["quantity"] > 0,
        }
    )
    return DataSet(
        "Complete Journey",
        "84.51° (CC0): 2,469 households at a grocer in 2017, USD",
        PurchaseLedger(occasions(table)),
        _day("2017-01-01"),
        {30: (274, 304, 334), 90: (214, 244, 274)},
    )


def simulated(years: int, seed: int, windows: dict[int, tuple[int, ...]]) -> DataSet:
    """Return a simulated shop: eight kinds of customers, seasons, refunds, people who leave."""
    until = date(2026, 3, 2)
    plan = Plan.in_currency(
        "EUR", customers=10_000, seed=seed, until=until, zone="Europe/Berlin", years=float(years)
    )
    world = World(plan)
    drawn = [_drawn(world, index) for index in range(world.cohorts)]
    bought, back = zip(*drawn, strict=True)
    purchases = PurchaseDays(*(np.concatenate(column) for column in zip(*bought, strict=True)))
    taken = Refunds(*(np.concatenate(column) for column in zip(*back, strict=True)))
    return DataSet(
        f"A simulated shop of {years} years",
        f"drawn as [simulation](simulation.md) tells, seed {seed}: 10,000 customers, EUR",
        PurchaseLedger(purchases, taken),
        int(purchases.day.min()),
        windows,
        is_public=False,
    )


def _drawn(world: World, index: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the counted orders of one cohort and what came back of them, as columns."""
    cohort = world.cohort(index)
    orders, refunds = cohort.orders, cohort.refunds
    counted = ~orders["is_cancelled"] & ~orders["is_test"] & (orders["customer"] >= 0)
    customer = orders["customer"] + 1_000_000 * index
    day, of = orders["placed_day"], refunds["order"]
    kept = counted[of]
    return (
        (customer[counted], day[counted], orders["total"][counted] / 100.0),
        (
            customer[of][kept],
            day[of][kept],
            refunds["day"][kept],
            refunds["amount"][kept] / 100.0,
        ),
    )


def sets() -> Iterable[DataSet]:
    """Yield the data sets there are."""
    yield online_retail()
    yield cdnow()
    folder = os.environ.get("HUIKE_DATA_DIR")
    if folder and (Path(folder) / "complete_journey").is_dir():
        yield complete_journey(Path(folder))
    yield simulated(2, 1, dict.fromkeys((60, 90), (549, 579, 609)))
    yield simulated(3, 2, dict.fromkeys((60, 90), (914, 944, 974, 1004)))


def _day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(int))
