"""Shops to compute on: the published CDNOW sample, and simulated ones with a known truth."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from analytics.ml.run import ScoringInput
from analytics.ml.summary import PurchaseDays, Summary, summarise
from benchmarks.buyers import draw_people, draw_purchases, draw_scales, draw_spend

CDNOW_SPLIT = int(np.datetime64("1997-10-01", "D").astype(int))
CDNOW_END = int(np.datetime64("1998-07-01", "D").astype(int))


def _read_cdnow(name: str) -> PurchaseDays:
    found = find_spec("lifetimes")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "datasets"
    columns = ["master", "id", "date", "units", "spend"]
    if name == "CDNOW_master.txt":  # no second id, but a header
        rows = pd.read_csv(folder / name, sep=r"\s+", skiprows=1, names=columns[1:])
    else:
        rows = pd.read_csv(folder / name, sep=r"\s+", names=columns)
    dates = pd.to_datetime(rows["date"].astype(str), format="%Y%m%d").to_numpy()
    return PurchaseDays(
        rows["id"].to_numpy(np.int64),
        dates.astype("datetime64[D]").astype(np.int64),
        rows["spend"].to_numpy(np.float64),
    )


@lru_cache(maxsize=1)
def cdnow() -> PurchaseDays:
    """Return the 1/10 sample: 2,357 customers, 1997-01-01 to 1998-06-30."""
    return _read_cdnow("CDNOW_sample.txt")


@lru_cache(maxsize=1)
def cdnow_master() -> PurchaseDays:
    """Return all 23,570 customers."""
    return _read_cdnow("CDNOW_master.txt")


def cdnow_days() -> PurchaseDays:
    """Return the sample's purchase days whatever they cost; the published counts keep free ones."""
    rows = cdnow()
    return PurchaseDays(rows.customer_id, rows.day, np.ones(rows.day.size)).occasions()


def cdnow_calibration() -> Summary:
    """Return the published calibration period, to 1997-09-30."""
    return summarise(cdnow_days(), as_of_day=CDNOW_SPLIT)


def simulate_bg_nbd(
    *,
    customers: int,
    r: float,
    alpha: float,
    a: float,
    b: float,
    days: int,
    seed: int,
    start_day: int = 15_000,
    mixed_spend: bool = True,
) -> PurchaseDays:
    """Draw purchase days by the story of the BG/NBD model (``alpha`` in weeks).

    Everyone's first purchase falls evenly into the first half of the period; then orders come at
    the customer's own rate until the coin after a repeat order says that it was the last.
    """
    rng = np.random.default_rng(seed)
    rate, leaves = draw_people(rng, customers, r=r, alpha=alpha, a=a, b=b)
    first = rng.integers(0, days // 2, customers).astype(float)
    drawn = draw_purchases(rng, rate, leaves, first, until=days)
    day = np.floor(drawn.at).astype(np.int64) + start_day
    scale = draw_scales(rng, customers) if mixed_spend else np.full(customers, 5.0)
    spend = draw_spend(rng, scale[drawn.customer])
    return PurchaseDays(drawn.customer.astype(np.int64) + 1, day, spend)


def usual_shop(*, customers: int = 1500, days: int = 500, seed: int = 7) -> PurchaseDays:
    """Return a shop of medium size whose customers come back and leave."""
    return simulate_bg_nbd(
        customers=customers, r=0.8, alpha=5.0, a=0.8, b=2.5, days=days, seed=seed
    )


def clockwork(customers: int = 900, *, days: int = 500, seed: int = 9) -> PurchaseDays:
    """Return a shop whose customers come at even intervals of their own, and suddenly stop."""
    rng = np.random.default_rng(seed)
    ids, bought, spent = [], [], []
    for customer in range(1, customers + 1):
        gap = rng.uniform(12, 80)
        stops = rng.uniform(120, 900)
        at = np.arange(rng.uniform(0, 150), min(days, stops), gap)
        at = np.floor(at + rng.normal(0, 1.0, at.size)).clip(0, days - 1)
        ids.append(np.full(at.size, customer))
        bought.append(at.astype(np.int64) + 15_000)
        spent.append(rng.gamma(6.0, 5.0 * np.exp(rng.normal(0.0, 0.7)), at.size))
    return PurchaseDays(np.concatenate(ids), np.concatenate(bought), np.concatenate(spent))


def to_score(purchases: PurchaseDays, as_of_day: int, **options: object) -> ScoringInput:
    """Return the input of a run over everyone who ever bought."""
    ids = np.unique(purchases.customer_id)
    return ScoringInput(as_of_day=as_of_day, customer_ids=ids, purchases=purchases, **options)  # type: ignore[arg-type]


def seasonal_shop(customers: int = 700, *, years: int = 3, seed: int = 12) -> PurchaseDays:
    """Return a shop that sells three times as much in the last 90 days of each year of 365.

    From its first week on everybody comes at a rate of their own, and nobody leaves.
    """
    rng = np.random.default_rng(seed)
    rate = rng.gamma(2.0, 0.012, customers)
    day = np.arange(365 * years)
    busy = np.where(day % 365 >= 275, 3.0, 1.0)
    bought = rng.random((customers, day.size)) < np.minimum(rate[:, None] * busy, 0.9)
    bought[np.arange(customers), rng.integers(0, 7, customers)] = True
    customer, when = np.nonzero(bought)
    spend = rng.gamma(6.0, 5.0 * np.exp(rng.normal(0.0, 0.4, customers))[customer])
    return PurchaseDays(customer.astype(np.int64) + 1, when.astype(np.int64) + 15_000, spend)
