"""Every candidate on every data set there is, into docs/backtests.md.

    make backtest

The shipped sample and a simulated shop are always there; further sets are read from
``HUIKE_DATA_DIR`` where it names a folder that has them. Each window is one origin: learners are
trained on landmarks before it, nothing after it is seen, and the horizon after it judges. Figures
are means over a set's windows. Nothing was tuned to any of these sets.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
for name, value in (
    ("SECRET_KEY", "only-to-draw-a-simulated-shop"),
    ("DATABASE_URL", "postgres://nobody@localhost/none"),
    ("BROKER_URL", "redis://localhost/0"),
):
    os.environ.setdefault(name, value)

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from analytics.ml.blend import WITH_TREES, Past, Trial, highest_rung, try_rungs  # noqa: E402
from analytics.ml.clv.pareto import ParetoModel  # noqa: E402
from analytics.ml.errors import DegenerateFitError  # noqa: E402
from analytics.ml.ledger import PurchaseLedger, Refunds  # noqa: E402
from analytics.ml.metrics import average, churn_metrics, spend_metrics  # noqa: E402
from analytics.ml.summary import PurchaseDays, compress  # noqa: E402
from customers.services.simulation.world import Plan, World  # noqa: E402

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/backtests.md"
CHURN = (("AUC", "auc", 3), ("Brier", "brier", 4), ("ECE", "ece", 3))
SPEND = (("MAE", "mae", 2), ("RMSE", "rmse", 1), ("bias %", "bias_percent", 1), ("Gini", "gini", 3))
LABELS = {
    "recency_rule": "days since the last order, calibrated (naive)",
    "own_rate_times_horizon": "own rate × horizon (naive)",
    "repeat_buying": "repeat buying",
    "pareto": "Pareto/NBD (an oracle, never published)",
    "linear": "linear learner alone",
    "trees": "boosted trees alone",
    "with_linear": "**with linear learner**",
    "with_trees": "**with trees**",
}


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


def simulated() -> DataSet:
    """Return a simulated shop: eight kinds of customers, seasons, refunds, people who leave."""
    until = date(2026, 3, 2)
    world = World(
        Plan.in_currency("EUR", customers=10_000, seed=1, until=until, zone="Europe/Berlin")
    )
    bought: list[tuple[Any, ...]] = []
    back: list[tuple[Any, ...]] = []
    for index in range(world.cohorts):
        cohort = world.cohort(index)
        orders, refunds = cohort.orders, cohort.refunds
        counted = ~orders["is_cancelled"] & ~orders["is_test"] & (orders["customer"] >= 0)
        customer = orders["customer"] + 1_000_000 * index
        bought.append(
            (customer[counted], orders["placed_day"][counted], orders["total"][counted] / 100.0)
        )
        of = refunds["order"]
        kept = counted[of]
        back.append(
            (
                customer[of][kept],
                orders["placed_day"][of][kept],
                refunds["day"][kept],
                refunds["amount"][kept] / 100.0,
            )
        )
    purchases = PurchaseDays(*(np.concatenate(column) for column in zip(*bought, strict=True)))
    taken = Refunds(*(np.concatenate(column) for column in zip(*back, strict=True)))
    return DataSet(
        "A simulated shop",
        "drawn as [simulation](simulation.md) tells, seed 1: 10,000 customers, two years, EUR",
        PurchaseLedger(purchases, taken),
        int(purchases.day.min()),
        {60: (549, 579, 609), 90: (549, 579, 609)},
    )


def sets() -> Iterable[DataSet]:
    """Yield the data sets there are."""
    yield online_retail()
    yield cdnow()
    folder = os.environ.get("HUIKE_DATA_DIR")
    if folder and (Path(folder) / "complete_journey").is_dir():
        yield complete_journey(Path(folder))
    yield simulated()


def table(
    figures: dict[str, dict[str, Any]], columns: tuple[tuple[str, str, int], ...]
) -> list[str]:
    """Return the candidates as a Markdown table, the best figure of each column in bold."""
    names = [name for name in LABELS if name in figures]
    best = {
        key: min(names, key=lambda name: _badness(key, figures[name][key]))
        for _label, key, _places in columns
    }
    lines = [
        "| Candidate | " + " | ".join(label for label, _key, _places in columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for name in names:
        cells = []
        for _label, key, places in columns:
            text = f"{round(figures[name][key], places) + 0.0:,.{places}f}"
            cells.append(f"**{text}**" if best[key] == name else text)
        lines.append(f"| {LABELS[name]} | {' | '.join(cells)} |")
    return lines


def with_oracle(trial: Trial, past: Past, horizon: int) -> bool:
    """Add what Pareto/NBD says to a trial; return whether it has anything to say."""
    here = past.landmark(trial.day)
    assert here is not None
    summary = here.summary
    history = (summary.frequency, summary.recency, summary.T)
    try:
        model = ParetoModel().fit(compress(*history))
    except DegenerateFitError:
        return False
    trial.lapse["pareto"] = 1.0 - model.p_buy(*history, horizon_days=horizon)
    orders = model.expected_orders(*history, horizon_days=horizon)
    trial.spend["pareto"] = orders * here.base.spend.expected_order_value(summary)
    return True


def backtest(data: DataSet, say: Callable[[str], None]) -> None:
    """Try every candidate at every origin of a set, and write what came of it."""
    say(f"\n## {data.title}\n\n{data.origin[0].upper()}{data.origin[1:]}.")
    first = data.start
    for horizon, days in data.windows.items():
        past = Past(data.ledger, first_day=first, horizon_days=horizon)
        origins = [first + day + 1 for day in days]
        past.prepare([*origins, *(one for day in origins for one in past.training_days(day))])
        trials = [
            trial
            for day in origins
            if (trial := try_rungs(past, day, as_of_day=2**30, rung=WITH_TREES)) is not None
        ]
        if all(with_oracle(trial, past, horizon) for trial in trials):
            say_oracle = ""
        else:
            say_oracle = " Pareto/NBD has no optimum here: nobody is seen leaving."
            for trial in trials:
                trial.lapse.pop("pareto", None)
                trial.spend.pop("pareto", None)
        churn = {
            name: average([churn_metrics(t.lapsed, t.lapse[name]) for t in trials])
            for name in trials[0].lapse
        }
        spend = {
            name: average([spend_metrics(t.spent, t.spend[name]) for t in trials])
            for name in trials[0].spend
        }
        buyers = max(trial.spent.size for trial in trials)
        allowed = highest_rung(buyers, max(days))
        rate = 1 - float(np.mean([trial.lapsed.mean() for trial in trials]))
        windows = ", ".join(map(str, days))
        say(
            f"\n**{horizon} days**, {len(trials)} windows (days {windows}), up to {buyers:,} "
            f"buyers, of whom {rate:.0%} bought again. By its size such a shop may climb to: "
            f"{LABELS[allowed].strip('*')}.{say_oracle}\n"
        )
        say("\n".join(table(churn, CHURN)) + "\n")
        say("\n".join(table(spend, SPEND)))


def main() -> None:
    """Write the page, or show it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print the page instead of writing it")
    options = parser.parse_args()
    parts = [INTRODUCTION]
    for data in sets():
        sys.stderr.write(f"{data.title}\n")
        backtest(data, parts.append)
    page = "\n".join(parts) + "\n"
    if options.show:
        sys.stdout.write(page)
    else:
        PAGE.write_text(page, encoding="utf-8")


def _day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(int))


def _badness(key: str, value: float) -> float:
    return -value if key in {"auc", "gini"} else abs(value)


INTRODUCTION = """# Backtests

Written by `make backtest`; nothing here is typed by hand. Each table holds the means over a set's
windows: at each origin everything is fitted on what was known before it, and the horizon that
follows judges. Churn is *no order within the horizon*, over everybody who had bought by then; spend
is that of the horizon. The best figure of a column is bold. What each candidate is, and which of
them a shop's scores come from, says [scores](scores.md).

`P(alive)` is no candidate: it is 1 for whoever bought once under BG/NBD and ranks churn worse than
a coin (mean AUC .338 on the three windows of CDNOW; a test holds that)."""


if __name__ == "__main__":
    main()
