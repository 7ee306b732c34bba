"""From orders to customer lifetime value: ours beside ``lifetimes``, on the same simulated shop.

    .venv/bin/python -m benchmarks.clv_chain --customers 1000000 --repeats 3

Each side runs in a process of its own, so that its peak of memory is its own; sides take turns.
Times are CPU seconds of the process: read the ratios. The peer is used as its documentation says,
with one help: its fit of repeat buying gets distinct rows with weights, without which it would need
minutes. Every result of one side is compared with the other's.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.buyers import draw_people, draw_purchases, draw_scales, draw_spend

STEPS = ("summary", "buying fit", "orders in 90 days", "order value fit", "12 months")
START, DAYS = 15_000, 730
HORIZON = 90
MONTH_DAYS = 4.345 * 7
"""The peer's month."""
MONTHLY_RATE = 0.01


def draw(customers: int, folder: Path) -> int:
    """Draw a shop by the story of the models; store its orders as a database hands them out."""
    rng = np.random.default_rng(20)
    rate, leaves = draw_people(rng, customers, r=0.9, alpha=8.0, a=0.7, b=3.0)
    scale = draw_scales(rng, customers)
    first = rng.integers(0, DAYS - 60, customers).astype(float)
    drawn = draw_purchases(rng, rate, leaves, first, until=DAYS)
    customer, day = drawn.customer, np.floor(drawn.at).astype(np.int64) + START
    order = np.lexsort((day, customer))
    spend = draw_spend(rng, scale[customer])
    np.savez(
        folder / "orders.npz", customer=customer[order] + 1, day=day[order], spend=spend[order]
    )
    return int(customer.size)


class Clock:
    """CPU seconds of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.process_time()

    def lap(self, step: str) -> None:
        """Note how long the step took."""
        now = time.process_time()
        self.seconds[step] = now - self._last
        self._last = now


def ours(folder: Path) -> dict[str, Any]:
    """Return CPU seconds and results of our chain."""
    from analytics.ml.clv import BG_NBD, REPEAT_ORDERS, RepeatBuyingModel, SpendModel
    from analytics.ml.summary import PurchaseDays, compress, summarise_purchases

    given = np.load(folder / "orders.npz")
    orders = PurchaseDays(given["customer"], given["day"], given["spend"])
    clock = Clock()
    summary = summarise_purchases(orders, as_of_day=START + DAYS)
    clock.lap("summary")
    history = (summary.frequency, summary.recency, summary.T)
    buying = RepeatBuyingModel(BG_NBD).fit(compress(*history))
    clock.lap("buying fit")
    expected = buying.expected_orders(*history, horizon_days=HORIZON)
    clock.lap("orders in 90 days")
    spend = SpendModel(REPEAT_ORDERS, winsorise_quantile=None).fit(summary)
    value = spend.expected_order_value(summary)
    clock.lap("order value fit")
    year = value * buying.discounted_orders(
        *history, discount_rate=(1 + MONTHLY_RATE) ** 12 - 1, month_days=MONTH_DAYS
    )
    clock.lap("12 months")
    results = {
        "frequency": summary.frequency, "recency": summary.recency, "T": summary.T,
        "monetary": summary.monetary_value, "expected": expected, "value": value, "year": year,
        "buying": [buying.r_, buying.alpha_, buying.a_, buying.b_],
        "spend": [spend.p_, spend.q_, spend.v_ * spend.scale_],
    }  # fmt: skip
    return {"seconds": clock.seconds, "results": results}


def theirs(folder: Path) -> dict[str, Any]:
    """Return CPU seconds and results of ``lifetimes``."""
    import pandas as pd
    from lifetimes import BetaGeoFitter, GammaGammaFitter
    from lifetimes.utils import summary_data_from_transaction_data

    warnings.simplefilter("ignore")
    given = np.load(folder / "orders.npz")
    orders = pd.DataFrame(
        {
            "customer": given["customer"],
            "date": given["day"].astype("datetime64[D]"),
            "spend": given["spend"],
        }
    )
    end = np.datetime64(START + DAYS - 1, "D")
    clock = Clock()
    table = summary_data_from_transaction_data(
        orders, "customer", "date", "spend", observation_period_end=pd.Timestamp(end)
    )
    clock.lap("summary")
    rows = table.groupby(["frequency", "recency", "T"]).size().reset_index(name="weight")
    buying = BetaGeoFitter()
    buying.fit(rows["frequency"], rows["recency"] / 7, rows["T"] / 7, weights=rows["weight"])
    clock.lap("buying fit")
    history = (table["frequency"], table["recency"] / 7, table["T"] / 7)
    expected = buying.conditional_expected_number_of_purchases_up_to_time(HORIZON / 7, *history)
    clock.lap("orders in 90 days")
    spend = GammaGammaFitter()
    back = table["frequency"] > 0
    spend.fit(table["frequency"][back], table["monetary_value"][back])
    value = spend.conditional_expected_average_profit(table["frequency"], table["monetary_value"])
    clock.lap("order value fit")
    year = spend.customer_lifetime_value(
        buying, *history, table["monetary_value"], time=12, discount_rate=MONTHLY_RATE, freq="W"
    )
    clock.lap("12 months")
    results = {
        "frequency": table["frequency"], "recency": table["recency"], "T": table["T"],
        "monetary": table["monetary_value"], "expected": expected, "value": value, "year": year,
        "buying": buying.params_[["r", "alpha", "a", "b"]],
        "spend": spend.params_[["p", "q", "v"]],
    }  # fmt: skip
    return {"seconds": clock.seconds, "results": results}


def run_side(name: str, folder: Path) -> None:
    """Run one side in this process; leave its results in the folder, its figures on the output."""
    found = {"ours": ours, "lifetimes": theirs}[name](folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    arrays = {key: np.asarray(column, dtype=np.float64) for key, column in found["results"].items()}
    np.savez(folder / f"{name}.npz", **arrays)
    sys.stdout.write(json.dumps({"seconds": found["seconds"], "peak_mb": peak}))


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Run one side in a new process."""
    command = [sys.executable, "-m", "benchmarks.clv_chain", "--side", name, "--folder", folder]
    done = subprocess.run([str(part) for part in command], capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def differences(folder: Path) -> dict[str, float]:
    """Return the largest relative difference of each result."""
    left, right = np.load(folder / "ours.npz"), np.load(folder / "lifetimes.npz")
    return {
        name: float(
            np.max(np.abs(left[name] - right[name]) / np.maximum(np.abs(right[name]), 1e-12))
        )
        for name in left.files
    }


def main() -> None:
    """Measure both sides in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--side", choices=["ours", "lifetimes"])
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.side:
        run_side(options.side, options.folder)
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        orders = draw(options.customers, folder)
        taken: dict[str, list[dict[str, Any]]] = {"ours": [], "lifetimes": []}
        for _ in range(options.repeats):
            for name, runs in taken.items():
                runs.append(measure(name, folder))
        report(options.customers, orders, taken, differences(folder))


def report(
    customers: int,
    orders: int,
    taken: dict[str, list[dict[str, Any]]],
    apart: dict[str, float],
) -> None:
    """Print the ratios of the medians."""

    def median(name: str, step: str) -> float:
        return statistics.median(run["seconds"][step] for run in taken[name])

    print(f"{customers:,} customers, {orders:,} orders, median of {len(taken['ours'])}\n")
    print("| Step | lifetimes / Huike, CPU |\n|---|---:|")
    for step in STEPS:
        print(f"| {step} | {median('lifetimes', step) / median('ours', step):.0f} |")
    whole = {
        name: statistics.median(sum(run["seconds"].values()) for run in runs)
        for name, runs in taken.items()
    }
    print(f"| **in sum** | **{whole['lifetimes'] / whole['ours']:.0f}** |")
    peak = {name: max(run["peak_mb"] for run in runs) for name, runs in taken.items()}
    print(f"\nPeak of memory, Huike / lifetimes: {peak['ours'] / peak['lifetimes']:.2f}")
    print("Largest relative difference: " + ", ".join(f"{k} {v:.1e}" for k, v in apart.items()))
    print(f"(CPU seconds here: {whole}; MB: {peak}")
    for name in taken:
        print(f" {name}: " + ", ".join(f"{step} {median(name, step):.2f}" for step in STEPS))


if __name__ == "__main__":
    main()
