"""What staff read about the margin in 12 months: its card, its definition, the run's page."""

from datetime import date
from decimal import Decimal

import pytest

from analytics.enums import RunTrigger
from analytics.models import CurrentScore, ScoringRun
from analytics.selectors.wording import backtest_rows, definition, explain_run, score_cards

MEANING = (
    "The margin in the value in 12 months, discounted like it: what is left of the spend after the "
    "costs of the goods, platform fees and shipping. It is that value times the customer's margin "
    "rate on orders as they were placed. There is no interval."
)
NO_COSTS = {"score": "margin_12m", "code": "costs_unknown", "have": 12.0, "need": 50.0}


@pytest.fixture
def run():
    return ScoringRun(
        trigger=RunTrigger.MANUAL,
        as_of_day=date(2026, 12, 1),
        horizon_days=60,
        currency="GBP",
        parameters={
            "margin_12m": {
                "shop_rate": 0.402, "usual_rate": 0.39, "half_spend": 1103.4, "buyers": 900,
                "is_own": True, "known_share": 0.973,
            }
        },
        metrics={
            "margin_12m": {
                "rate": {"mae": 0.0388, "rmse": 0.0526, "bias": -0.003, "n": 5384},
                "year": {"mae": 21.5, "rmse": 80.25, "bias_percent": -4.2, "n": 4000},
            }
        },
        baseline={
            "margin_12m": {
                "rate": {"name": "shop_rate", "mae": 0.0507, "rmse": 0.0658, "bias": 0, "n": 5384},
                "year": {"mae": 25.13, "rmse": 78.5, "bias_percent": 9.1, "n": 4000},
            }
        },
    )  # fmt: skip


def card(run, **values):
    score = CurrentScore(run=run, **values)
    return next(box for box in score_cards(score, run) if box["key"] == "margin_12m")


def test_the_margin_stands_beside_the_value_with_its_rate_and_its_proof(run):
    found = card(run, clv_12m=Decimal(400), margin_12m=Decimal("152.00"))

    keys = [box["key"] for box in score_cards(CurrentScore(run=run), run)]
    assert keys[keys.index("predicted_clv") + 1] == "margin_12m"
    assert (found["label"], found["value"], found["range"], found["silent"]) == (
        "Margin in 12 months",
        "152.00",
        "GBP",
        "",
    )
    assert found["reasons"] == ["Margin rate 38 %; that of the whole shop is 40 %."]
    assert found["definition"] == (
        f"{MEANING} The customer's own rate counts half at a spend of 1,103 GBP, more at a larger "
        "one; the rest is the usual rate. The costs of the goods are known for 97 % of the last "
        "365 days' spend. In the last backtest the customers' own rates missed those of later "
        "purchases by 3.9 points on average, the shop's rate by 5.1. Held against the last 365 "
        "days, undiscounted margins of a year ago missed by 21.50 on average, each customer's own "
        "past margin by 25.13; their total was off by -4.2 %."
    )


def test_a_margin_that_no_year_has_proved_is_extrapolated(run):
    del run.metrics["margin_12m"]["year"]

    assert card(run, margin_12m=Decimal(1))["range"] == "GBP, extrapolated"
    assert definition("margin_12m", run).endswith(
        "Extrapolated: no margin of a whole year could be held against what came."
    )


def test_where_own_rates_were_no_better_everybody_gets_the_shops(run):
    run.parameters["margin_12m"] |= {"half_spend": None, "is_own": False}

    assert f"{MEANING} Every customer is given the shop's rate. The" in definition(
        "margin_12m", run
    )


@pytest.mark.parametrize(
    ("entry", "abstained", "said"),
    [
        (
            NO_COSTS,
            "",
            "The costs of the goods are known for 12 % of the spend of the last 365 days; 50 % is "
            "needed.",
        ),
        (
            NO_COSTS | {"code": "too_few_costed_buyers", "have": 99, "need": 100},
            "",
            "The costs of the goods are known for the orders of 99 customers; it takes 100.",
        ),
        (NO_COSTS, "no_orders", "No paid order yet; the first one is scored by the next run."),
        (
            {"score": "clv", "code": "too_few_buyers", "have": 3, "need": 100},
            "too_few_buyers",
            "3 customers have bought; it takes 100 to tell a pattern from chance.",
        ),
    ],
)
def test_a_card_without_a_margin_says_why(run, entry, abstained, said):
    run.abstentions, run.parameters = [entry], {"margin_12m": None}

    found = card(run, abstained=abstained)

    assert (found["value"], found["silent"], found["reasons"]) == ("", said, [])
    assert found["definition"] == MEANING


def test_a_run_from_before_there_was_a_margin_says_nothing_of_it(run):
    run.parameters, run.metrics, run.baseline = {}, {}, {}

    assert (card(run, clv_12m=Decimal(4))["value"], card(run)["silent"]) == ("", "")
    assert backtest_rows(run) == []


def test_the_backtest_shows_margins_beside_their_naive_rules(run):
    shown = [tuple(row.values()) for row in backtest_rows(run)]

    assert shown == [
        ("Margin rate: mean error, points", "3.88", "5.07", "model"),
        ("Margin rate: root mean squared error", "5.26", "6.58", "model"),
        ("Margin in 12 months: mean error", "21.50", "25.13", "model"),
        ("Margin in 12 months: root mean squared error", "80.25", "78.50", "baseline"),
        ("Margin in 12 months: total too high (+) or low (−), %", "-4.2", "+9.1", "model"),
    ]


def test_a_run_tells_why_there_is_no_margin_and_what_to_keep_in_mind(run):
    run.abstentions = [NO_COSTS]
    run.parameters["notes"] = [
        {"code": "margin_rates_untested", "need": 100},
        {"code": "margin_rates_not_better_than_shop_rate", "have": 5.52, "need": 5.49},
        {"code": "margin_not_better_than_own_margin", "have": 36.96, "need": 35.9},
    ]

    assert explain_run(run) == [
        "Margin in 12 months: The costs of the goods are known for 12 % of the spend of the last "
        "365 days; 50 % is needed.",
        "Fewer than 100 margin rates of single customers could be held against later purchases, so "
        "every customer is given the shop's rate.",
        "In the backtest the margin rates of single customers foretold later purchases no better "
        "than the shop's (root mean squared error 5.52 against 5.49 points), so every customer is "
        "given the shop's rate.",
        "Over the last year each customer's own past margin missed by 35.90 on average, the "
        "predicted one by 36.96.",
    ]
