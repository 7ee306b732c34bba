"""Margins, satisfaction and bands of churn where the truth is known, into docs/known-truth.md.

    .venv/bin/python -m benchmarks.known_truth

Each shop is drawn in memory, scored as a run would score it, and held against what only who drew it
knows. No database is asked.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
for name, value in (
    ("SECRET_KEY", "only-to-draw-a-simulated-shop"),
    ("DATABASE_URL", "postgres://nobody@localhost/none"),
    ("BROKER_URL", "redis://localhost/0"),
):
    os.environ.setdefault(name, value)

import django  # noqa: E402

django.setup()

import numpy as np  # noqa: E402

from analytics.ml.arrays import JsonDict  # noqa: E402
from analytics.ml.run import ScoringInput, ScoringResult, score_customers  # noqa: E402
from analytics.ml.trials import REPEAT_BUYING  # noqa: E402
from benchmarks.backtest_sets import ROOT  # noqa: E402
from benchmarks.known_shops import (  # noqa: E402
    DAYS,
    HORIZON,
    TRUTH,
    PlainShop,
    SimulatedShop,
    plain_shop,
    simulated_shop,
)
from customers.services.simulation.world import Plan  # noqa: E402

PAGE = ROOT / "docs/known-truth.md"
PLAN = Plan(customers=20_000, seed=3, until=date(2026, 3, 2))
PLAIN_SHOPS = {300: 12, 1500: 12, 6000: 8}
"""How many shops of so many buyers; each size begins with seed 0."""
MEANS = ("share", "width", "error", "lapse", "lapsed")
GROUPS = (("All", None), ("Answered before", "answered_before"), ("Silent before", "silent_before"))


@dataclass(frozen=True)
class Held:
    """What the bands of churn risk did in one shop drawn by BG/NBD.

    Attributes
    ----------
    is_repeat_buying : whether the published risk is that of repeat buying alone
    share : of the customers, those whose true chance lay inside the band
    width, error : of the bands, and of the risk against the true chance, mean of the customers
    lapse, lapsed : mean true chance, and what came
    """

    is_repeat_buying: bool
    share: float
    width: float
    error: float
    lapse: float
    lapsed: float


def hold(shop: PlainShop) -> Held:
    """Score a shop drawn by BG/NBD and hold its bands against the true chances."""
    result = score_customers(
        ScoringInput(
            as_of_day=shop.as_of_day,
            customer_ids=shop.summary.customer_id,
            purchases=shop.purchases,
            horizon_days=HORIZON,
        )
    )
    blend = result.parameters["clv"]["blend"]
    low, high = result.churn_low, result.churn_high
    return Held(
        is_repeat_buying=blend is None or blend["churn_rung"] == REPEAT_BUYING,
        share=float(((low <= shop.lapse) & (shop.lapse <= high)).mean()),
        width=float((high - low).mean()),
        error=float(np.abs(result.churn_probability - shop.lapse).mean()),
        lapse=float(shop.lapse.mean()),
        lapsed=float(shop.lapsed.mean()),
    )


def table(header: str, rows: Sequence[Sequence[str]], *, words: int = 1) -> str:
    """Return a Markdown table; the columns behind the first ``words`` hold figures."""
    columns = header.split(" | ")
    rule = "|" + "---|" * words + "---:|" * (len(columns) - words)
    return "\n".join([f"| {header} |", rule, *(f"| {' | '.join(row)} |" for row in rows)])


def best(figures: Sequence[JsonDict], key: str, text: Callable[[float], str]) -> list[str]:
    """Return one figure of each side as text, the best one in bold."""
    values = [row[key] for row in figures]
    known = [value for value in values if value is not None]
    chosen = max(known, default=None) if key == "auc" else min(known, key=abs, default=None)
    return [
        "" if value is None else f"**{text(value)}**" if value == chosen else text(value)
        for value in values
    ]


def margins(result: ScoringResult) -> str:
    """Return what the margins of the simulated shop came to."""
    learned, spend = result.parameters["margin_12m"], result.metrics["clv_12m"]["mae"]
    model, naive = result.metrics["margin_12m"], result.baseline["margin_12m"]
    rates = [model["rate"], naive["rate"], naive["rate"]["own_rate"]]
    years = [model["year"], naive["year"]]

    def year(key: str, text: Callable[[float], str]) -> list[str]:
        published, own = best(years, key, text)
        return [published, "", own]

    judged, foretold = (f"{model[name]['n']:,}" for name in ("rate", "year"))
    rows = [
        ["Margin rate, points", judged, "mean", *best(rates, "mae", hundredfold)],
        ["", "", "root mean squared", *best(rates, "rmse", hundredfold)],
        [f"Margin of a year, {PLAN.currency}", foretold, "mean", *year("mae", money)],
        ["", "", "root mean squared", *year("rmse", money)],
        ["", "", "total", *year("bias_percent", lambda value: f"{signed(value)} %")],
    ]
    half = learned["half_spend"]
    return MARGINS.format(
        horizon=result.horizon_days,
        origins=len(result.metrics["origins"]),
        known=percent(learned["known_share"]),
        half="no spend, so all get the shop's" if half is None else f"a spend of {half:.0f}",
        rate=percent(learned["shop_rate"], 1),
        table=table("Foretold | Judged | Error of | Published | Shop's rate | Own so far", rows),
        spend=money(spend),
        part=money(spend * learned["shop_rate"]),
    )


def satisfaction(shop: SimulatedShop, result: ScoringResult) -> str:
    """Return what satisfaction came to, by hidden answers and by true experience."""
    model, naive = result.metrics["satisfaction"], result.baseline["satisfaction"]
    hidden = [row for label, key in GROUPS for row in _foretold(label, key, model, naive)]
    orders = [[which, f"{felt:.1f}"] for which, felt in shop.felt_of_orders.items()]
    return SATISFACTION.format(
        n=model["n"],
        unhappy=percent(model["unhappy_share"], 1),
        hidden=table(
            "Foretold by | Answers | Mean error | RMSE | Bias | AUC | In the band", hidden
        ),
        spread=hundredfold(result.parameters["satisfaction"]["score_spread"]),
        truth=table(
            "Customers | Scored | Score | True experience | Too high by", _felt(shop, result)
        ),
        orders=table("Orders | True experience", orders),
    )


def bands(say: Callable[[str], None]) -> str:
    """Return how the bands of churn risk held the true chances of shops drawn by BG/NBD."""
    rows = []
    for buyers, shops in PLAIN_SHOPS.items():
        say(f"{shops} shops of {buyers:,} buyers")
        held = [hold(plain_shop(buyers, seed)) for seed in range(shops)]
        means = {name: float(np.mean([getattr(one, name) for one in held])) for name in MEANS}
        rows.append(
            [
                f"{buyers:,}",
                f"{shops}",
                f"{sum(one.is_repeat_buying for one in held)}",
                percent(means["share"]),
                percent(min(one.share for one in held)),
                *(hundredfold(means[name]) for name in MEANS[1:]),
            ]
        )
    header = (
        "Buyers | Shops | By repeat buying alone | Inside the band | Worst shop | Width, points | "
        "Risk off by, points | True chance, % | Lapsed, %"
    )
    return BANDS.format(
        days=DAYS,
        horizon=HORIZON,
        parameters=", ".join(f"{name} {value}" for name, value in TRUTH.items()),
        table=table(header, rows, words=0),
    )


def percent(share: float, places: int = 0) -> str:
    """Return a share in per cent."""
    return f"{100.0 * share:.{places}f} %"


def hundredfold(value: float) -> str:
    """Return a share in points, without a unit."""
    return f"{100.0 * value:.1f}"


def money(amount: float) -> str:
    """Return an amount with two decimals."""
    return f"{amount:,.2f}"


def signed(value: float) -> str:
    """Return a figure with one decimal and its sign."""
    rounded = round(value, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def main() -> None:
    """Write the page, or show it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print the page instead of writing it")
    options = parser.parse_args()

    def say(text: str) -> None:
        sys.stderr.write(f"{text}\n")

    say(f"a simulated shop of {PLAN.customers:,}")
    shop = simulated_shop(PLAN)
    result = score_customers(shop.given)
    plan = f"--customers {PLAN.customers} --years {PLAN.years:g} --seed {PLAN.seed}"
    plan += f" --until {PLAN.until}"
    parts = [
        INTRODUCTION.format(
            plan=plan,
            currency=PLAN.currency,
            zone=PLAN.zone,
            size=PLAN.customers,
            shops=sum(PLAIN_SHOPS.values()),
        ),
        margins(result),
        satisfaction(shop, result),
        bands(say),
    ]
    page = "\n".join(parts)
    if options.show:
        sys.stdout.write(page)
    else:
        PAGE.write_text(page, encoding="utf-8")


def _foretold(label: str, key: str | None, model: JsonDict, naive: JsonDict) -> list[list[str]]:
    """Return the rows of a group of customers: satisfaction, and the rules beside it."""
    mine, shops = (side[key] if key else side for side in (model, naive))
    sides = {"satisfaction": mine, "the shop's mean": shops}
    if key == "answered_before":
        sides["own mean so far"] = naive["own_mean"]
    figures, others = list(sides.values()), [""] * (len(sides) - 1)
    columns = [
        [f"{label}: {by}" for by in sides],
        [f"{mine['n']:,}", *others],
        best(figures, "mae", lambda value: f"{value:.1f}"),
        best(figures, "rmse", lambda value: f"{value:.1f}"),
        best(figures, "bias", signed),
        best(figures, "auc", lambda value: f"{value:.3f}"),
        [percent(mine["coverage_80"]), *others],
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _felt(shop: SimulatedShop, result: ScoringResult) -> list[list[str]]:
    """Return how far scores lie above what their customers truly felt."""
    felt = np.full(result.customer_id.size, np.nan)
    felt[np.searchsorted(result.customer_id, shop.customer_id)] = shop.felt
    known = ~np.isnan(felt) & ~np.isnan(result.satisfaction)
    rows = []
    for label, which in (
        ("who have spoken", result.satisfaction_n_eff > 0),
        ("who never spoke", result.satisfaction_n_eff == 0),
    ):
        score, truth = (
            float(column[known & which].mean()) for column in (result.satisfaction, felt)
        )
        count = f"{int((known & which).sum()):,}"
        rows.append([label, count, f"{score:.1f}", f"{truth:.1f}", signed(score - truth)])
    return rows


INTRODUCTION = """# Held against a known truth

Written by `make backtest`, alone by `python -m benchmarks.known_truth`; nothing here is typed by
hand. Shops are drawn, scored as a run would score them, and held against what only who drew them
knows. What each score means, says [scores](scores.md). The best figure of a row, or of a group of
rows, is bold.

## What is known

The first two sections are one [simulated shop](simulation.md), scored as of the day it ends. Where
a shop counts in {currency} and {zone}, this writes the same one into its record:

```sh
.venv/bin/python manage.py simulate_shop {plan}
```

A run sees what the record would hand it: orders with their costs, what came back, deliveries,
tickets, and what those say who speak. The simulator also knows how content each of the {size:,}
customers was with each order, said or not.

The third section is {shops} smaller shops, drawn by the very model of repeat buying. There the true
chance of each customer is known: that of the parameters with which the shop was drawn.
"""

MARGINS = """## Margin in 12 months

Horizon {horizon} days (chosen), {origins} origins; the costs of {known} of the spend are known.
The own rate counts half at {half}; the shop's rate is {rate}.

{table}

A rate's errors are weighted by revenue: they say what a rate misses in money. The mean error of the
spend in the same year was {spend}, at the shop's rate {part}: so much of the error of a year's
margin is that of its spend.
"""

SATISFACTION = """## Satisfaction

{n:,} last answers were hidden and foretold, {unhappy} of them two stars or fewer. Test and
wholesale accounts teach nothing and are not judged. Errors in points of 0–100:

{hidden}

AUC says how well low scores find answers of two stars or fewer; most of the error is what happened
to one order and how one answer came out, which nobody can foretell. Answers come in whole stars, so
a band of 80 % often holds more. Learned from customers drawn anew, a score moves within {spread}
points (`score_spread`).

Held against the true experience, the mean of a customer's orders, of everybody who has a score:

{truth}

{orders}

The simulator has the content answer surveys more often than the annoyed, and reviews come from both
ends. What the silent feel is in no record, so nothing is taken off their scores.
"""

BANDS = """## Bands of churn risk

Shops of {days} days, drawn by BG/NBD ({parameters}; alpha in weeks), scored as
published; horizon {horizon} days. *Inside the band* is the share of customers whose true chance it
held, mean of the shops; *by repeat buying alone* counts those whose risk no learner had a part in.

{table}

A band states 80 %. It is made wide enough for windows that differ as those of real shops do, and
these shops never change; of a shop that does change this says nothing. Customers of a shop err
together: where its fit is off, many leave their bands at once, as in the worst shop. The last two
columns check the truth itself: what is true must come.
"""


if __name__ == "__main__":
    main()
