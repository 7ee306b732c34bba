"""Every candidate on every data set there is, into docs/backtests.md.

    make backtest

The shipped sample and simulated shops are always there; further sets are read from
``HUIKE_DATA_DIR`` where it names a folder that has them. Each window is one origin: learners are
trained on landmarks before it, nothing after it is seen, and the horizon after it judges. One
number was taken from these sets, ``intervals.WINDOWS_DIFFER``; how candidates are made and chosen
was decided looking at them, so figures on other shops may be worse.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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

from analytics.ml.arrays import FloatArray, JsonDict  # noqa: E402
from analytics.ml.blend import highest_rung, try_rungs  # noqa: E402
from analytics.ml.clv.pareto import ParetoModel  # noqa: E402
from analytics.ml.errors import DegenerateFitError  # noqa: E402
from analytics.ml.forecast import fit_forecaster  # noqa: E402
from analytics.ml.metrics import average, churn_metrics, spend_metrics  # noqa: E402
from analytics.ml.past import Past  # noqa: E402
from analytics.ml.summary import compress, summarise  # noqa: E402
from analytics.ml.trials import (  # noqa: E402
    PLAIN,
    REPEAT_BUYING,
    SEASONAL,
    WITH_LINEAR,
    WITH_TREES,
    Trial,
)
from benchmarks.backtest_sets import ROOT, DataSet, sets  # noqa: E402

PAGE = ROOT / "docs/backtests.md"
CHURN = (
    ("AUC", "auc", 3),
    ("AUC, recent", "auc_recent", 3),
    ("Brier", "brier", 4),
    ("ECE", "ece", 3),
    ("lift", "lift", 2),
)
SPEND = (("MAE", "mae", 2), ("RMSE", "rmse", 1), ("bias %", "bias_percent", 1), ("Gini", "gini", 3))
PUBLISHED = "published"
PARETO = "pareto"
LABELS = {
    "recency_rule": "days since the last order, calibrated (naive)",
    "own_rate_times_horizon": "own rate × horizon (naive)",
    REPEAT_BUYING: "repeat buying",
    PARETO: "Pareto/NBD (an oracle, never published)",
    "linear": "linear learner alone",
    "trees": "boosted trees alone",
    f"{PLAIN}_{WITH_LINEAR}": "with linear learner, level as fitted",
    f"{PLAIN}_{WITH_TREES}": "with trees, level as fitted",
    WITH_LINEAR: "**with linear learner**",
    WITH_TREES: "**with trees**",
    f"{SEASONAL}_{WITH_LINEAR}": "with linear learner and last year's season",
    f"{SEASONAL}_{WITH_TREES}": "with trees and last year's season",
    PUBLISHED: "*as published*",
}
SUMMARY = (
    ("mean AUC", "auc", 3),
    ("Brier", "brier", 4),
    ("ECE", "ece", 3),
    ("Gini", "gini", 3),
    ("mean of absolute bias, %", "bias", 1),
    ("RMSE to the best, mean", "ratio", 3),
    ("worst", "worst", 3),
    ("to repeat buying, worst", "beside", 3),
)
RATIO_GOAL = 1.05
GROUPS = 20
YEAR = 395
"""Days from which on a history has thirteen months."""


@dataclass(frozen=True)
class Judged:
    """The figures of every candidate at one window."""

    day: int
    buyers: int
    bought_again: float
    churn: dict[str, JsonDict]
    spend: dict[str, JsonDict]
    held: JsonDict

    def ratios(self) -> dict[str, float]:
        """Return each candidate's root mean squared error over the least of those compared."""
        compared = {name: row["rmse"] for name, row in self.spend.items() if name != PARETO}
        best = min(compared.values())
        return {name: value / best for name, value in compared.items()}


def table(figures: dict[str, JsonDict], columns: tuple[tuple[str, str, int], ...]) -> list[str]:
    """Return the candidates as a Markdown table, the best figure of each column in bold."""
    names = [name for name in LABELS if name in figures]
    best = {
        key: min(
            (name for name in names if figures[name].get(key) is not None),
            key=lambda name: _badness(key, figures[name][key]),
        )
        for _label, key, _places in columns
    }
    lines = [
        "| Candidate | " + " | ".join(label for label, _key, _places in columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for name in names:
        cells = []
        for _label, key, places in columns:
            text = _cell(figures[name].get(key), places)
            cells.append(f"**{text}**" if best[key] == name else text)
        lines.append(f"| {LABELS[name]} | {' | '.join(cells)} |")
    return lines


def oracle(past: Past, day: int) -> tuple[FloatArray, FloatArray] | None:
    """Return churn and spend by Pareto/NBD, None where it has no optimum."""
    here = past.landmark(day)
    assert here is not None
    summary, horizon = here.summary, past.horizon_days
    history = (summary.frequency, summary.recency, summary.T)
    try:
        model = ParetoModel().fit(compress(*history))
    except DegenerateFitError:
        return None
    orders = model.expected_orders(*history, horizon_days=horizon)
    worth = here.base.spend.expected_order_value(summary)
    return 1.0 - model.p_buy(*history, horizon_days=horizon), orders * worth


def published(data: DataSet, trial: Trial, horizon: int) -> dict[str, FloatArray]:
    """Return the churn and spend that a run at the window's origin would have published.

    With them come their bands, by the names of the score row.

    Where the history before it holds no window to prove a forecast on, a run says nothing: there
    the highest rung that the size allows stands in.
    """
    occasions = data.ledger.occasions(known_before=trial.day)
    summary = summarise(occasions, as_of_day=trial.day)
    found = fit_forecaster(
        data.ledger, summary, as_of_day=trial.day, horizon_days=horizon, discount_rate=0.0
    ).forecaster
    rung = highest_rung(trial.spent.size, trial.day - data.start)
    instead = {"churn_probability": trial.lapse[rung], "predicted_clv": trial.spend[rung]}
    return instead | (found.predict(summary, occasions).values if found else {})


def held(said: dict[str, FloatArray], trial: Trial) -> JsonDict:
    """Return how often the bands of a run held what came in the window after it.

    Spend customer by customer; churn in groups of similar scores, whose share that lapsed is held
    against their mean band.
    """
    figures: JsonDict = {"spend": None, "churn": None}
    if "clv_low" in said:
        inside = (trial.spent >= said["clv_low"]) & (trial.spent <= said["clv_high"])
        figures["spend"] = float(inside.mean())
    if "churn_low" in said:
        groups = np.array_split(np.argsort(said["churn_probability"], kind="stable"), GROUPS)
        low, high, came = (
            np.array([column[rows].mean() for rows in groups])
            for column in (said["churn_low"], said["churn_high"], trial.lapsed)
        )
        figures["churn"] = float(((came >= low) & (came <= high)).mean())
    return figures


def judge(data: DataSet, past: Past, trial: Trial) -> Judged:
    """Return the figures of every candidate at the origin of a trial."""
    lapse, spend = dict(trial.lapse), dict(trial.spend)
    for adjustment in (PLAIN, SEASONAL):
        for rung, said in trial.blended.get(adjustment, {}).items():
            spend[f"{adjustment}_{rung}"] = said
    if (said_by_oracle := oracle(past, trial.day)) is not None:
        lapse[PARETO], spend[PARETO] = said_by_oracle
    said = published(data, trial, past.horizon_days)
    lapse[PUBLISHED], spend[PUBLISHED] = said["churn_probability"], said["predicted_clv"]
    return Judged(
        trial.day - data.start - 1,
        trial.spent.size,
        1.0 - float(trial.lapsed.mean()),
        {
            name: churn_metrics(trial.lapsed, said, trial.silent_days)
            for name, said in lapse.items()
        },
        {name: spend_metrics(trial.spent, said) for name, said in spend.items()},
        held(said, trial),
    )


def windows(data: DataSet, horizon: int) -> list[Judged]:
    """Try every candidate at every origin of one horizon."""
    first = data.start
    past = Past(data.ledger, first_day=first, horizon_days=horizon)
    origins = [first + day + 1 for day in data.windows[horizon]]
    past.prepare_to_learn(origins)
    trials = [try_rungs(past, day, as_of_day=2**30, rung=WITH_TREES) for day in origins]
    return [judge(data, past, trial) for trial in trials if trial is not None]


def means(rows: Sequence[dict[str, JsonDict]]) -> dict[str, JsonDict]:
    """Return the mean figures of the candidates that spoke at every window."""
    return {name: average([row[name] for row in rows]) for name in _everywhere(rows)}


def describe(data: DataSet, horizon: int, judged: list[Judged]) -> list[str]:
    """Return what came at the windows of one horizon, as a paragraph and two tables."""
    buyers = max(one.buyers for one in judged)
    allowed = LABELS[highest_rung(buyers, max(data.windows[horizon]))].strip("*")
    rate = float(np.mean([one.bought_again for one in judged]))
    days = ", ".join(str(one.day) for one in judged)
    says = [one.churn for one in judged]
    silent = " Pareto/NBD has no optimum here: nobody is seen leaving."
    silent = "" if PARETO in _everywhere(says) else silent
    return [
        f"\n**{horizon} days**, {len(judged)} windows (days {days}), up to {buyers:,} buyers, of "
        f"whom {rate:.0%} bought again. By its size such a shop may climb to: {allowed}.{silent}\n",
        "\n".join(table(means(says), CHURN)) + "\n",
        "\n".join(table(means([one.spend for one in judged]), SPEND)) + "\n",
        describe_bands(judged),
    ]


def describe_bands(judged: list[Judged]) -> str:
    """Return how often the bands of what was published held, as a sentence."""
    told = average([one.held for one in judged if one.held["churn"] is not None])
    if not told or told["spend"] is None:
        return "The history before these windows is too short for bands."
    return (
        f"Bands of 80 %, as published: the spend lay inside for {told['spend']:.0%} of the "
        f"customers, the share that lapsed for {told['churn']:.0%} of {GROUPS} groups of similar "
        "risk per window."
    )


def summary(judged: list[Judged]) -> list[str]:
    """Return the candidates over all windows of the public sets, beside the goals."""
    churn, spend = means([one.churn for one in judged]), means([one.spend for one in judged])
    figures: dict[str, JsonDict] = {}
    for name in [name for name in LABELS if name in churn or name in spend]:
        figures[name] = dict(churn.get(name, {})) | {"gini": spend.get(name, {}).get("gini")}
        if name in spend:
            ratios = [one.ratios()[name] for one in judged]
            bias = [abs(one.spend[name]["bias_percent"]) for one in judged]
            figures[name] |= {
                "bias": float(np.mean(bias)),
                "ratio": float(np.mean(ratios)),
                "worst": max(ratios),
                "beside": max(
                    one.spend[name]["rmse"] / one.spend[REPEAT_BUYING]["rmse"] for one in judged
                ),
            }
    lines = table(figures, SUMMARY)
    lines.append("| *goal* | | | | at least 0.790 | at most 10.0 | at most 1.050 | | 1.000 |")
    (late,) = [
        f"{one.spend[PUBLISHED]['bias_percent']:+.1f} %" for one in judged if one.day >= YEAR
    ]
    about = ABOUT_SUMMARY.format(late=f"as published {late}")
    return [f"\n## All {len(judged)} windows of the public sets\n\n{about}\n", *lines]


def losses(groups: list[tuple[str, list[Judged]]]) -> list[str]:
    """Return where a candidate's squared error was far from the best one's, set by set."""
    lines = ["\n## Where a candidate lost, and why\n", ABOUT_LOSSES, ""]
    lines += ["| Windows | Least RMSE | More than 1.05 times that |", "|---|---|---|"]
    for title, judged in groups:
        rows = means([one.spend for one in judged])
        rmse = {name: rows[name]["rmse"] for name in LABELS if name in rows and name != PARETO}
        best = min(rmse, key=lambda name: rmse[name])
        far = [
            f"{LABELS[name].strip('*')} {value / rmse[best]:.2f}"
            for name, value in rmse.items()
            if value > RATIO_GOAL * rmse[best]
        ]
        lines.append(f"| {title} | {LABELS[best].strip('*')} | {'; '.join(far) or 'none'} |")
    return [*lines, "", WHY]


def backtest(say: Callable[[str], None]) -> None:
    """Try every candidate at every origin of every set, and write what came of it."""
    groups: list[tuple[str, list[Judged]]] = []
    public: list[Judged] = []
    for data in sets():
        sys.stderr.write(f"{data.title}\n")
        say(f"\n## {data.title}\n\n{data.origin[0].upper()}{data.origin[1:]}.")
        for horizon in data.windows:
            judged = windows(data, horizon)
            groups.append((f"{data.title}, {horizon} days", judged))
            public += judged if data.is_public else []
            say("\n".join(describe(data, horizon, judged)))
    say("\n".join(summary(public)))
    say("\n".join(losses(groups)))


def main() -> None:
    """Write the page, or show it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print the page instead of writing it")
    options = parser.parse_args()
    parts = [INTRODUCTION]
    backtest(parts.append)
    page = "\n".join(parts) + "\n"
    if options.show:
        sys.stdout.write(page)
    else:
        PAGE.write_text(page, encoding="utf-8")


def _everywhere(rows: Sequence[dict[str, JsonDict]]) -> list[str]:
    return [name for name in LABELS if all(name in row for row in rows)]


def _badness(key: str, value: float) -> float:
    return -value if key in {"auc", "auc_recent", "lift", "gini"} else abs(value)


def _cell(value: float | None, places: int) -> str:
    return "" if value is None else f"{round(value, places) + 0.0:,.{places}f}"


INTRODUCTION = """# Backtests

Written by `make backtest`; nothing here is typed by hand. Each table holds the means over a set's
windows: at each origin everything is fitted on what was known before it, and the horizon that
follows judges. Churn is *no order within the horizon*, over everybody who had bought by then; spend
is that of the horizon. The best figure of a column is bold. What each candidate is, and which of
them a shop's scores come from, says [scores](scores.md).

*As published* is what a run at that origin would have said: rung, level, season and calibration
chosen by origins before it. Where the history before it holds no such origin, a run says nothing,
and the highest rung that the size allows stands in.

`P(alive)` is no candidate: it is 1 for whoever bought once under BG/NBD and ranks churn worse than
a coin (mean AUC .338 on the three windows of CDNOW; a test holds that)."""

ABOUT_SUMMARY = """\
Means over the windows, each counting once. *RMSE to the best* is a candidate's root mean squared
error over that of the best candidate of the same window, mean and worst; the last column holds it
against that of repeat buying alone, in the window where it did worst. The goal for the bias is for
shops with 13 months of history; of these windows only the last one of CDNOW has them: {late}."""

ABOUT_LOSSES = "By root mean squared error of the spend, mean over the windows."

WHY = """\
*Own rate × horizon* goes on counting customers who have left, so it says far too much where
people leave: CDNOW, the simulated shops. *Repeat buying* sees neither that customers lately spend
more nor the season; on Online Retail, whose windows run into a strong autumn, it says too little,
and most so of the largest customers, who decide the squared error. *The linear learner* takes the
weeks it was trained on for the usual ones; in a blend repeat buying holds it back. *Trees* learn
by what rate to multiply the linear learner's forecast, and there are few large customers to learn
it from. *All* of them miss a season that they cannot look back on by a year. Where they can, in
the simulated shops, *last year's season* brings the total nearer. *As published* loses where the
few origins before a window plainly spoke for repeat buying alone."""


if __name__ == "__main__":
    main()
