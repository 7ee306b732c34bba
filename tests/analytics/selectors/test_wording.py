"""What staff read about scores: rounded as people round, nothing left out."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils.translation import override

from analytics.enums import RunTrigger
from analytics.models import CurrentScore, ScoringRun
from analytics.selectors.wording import (
    backtest_rows,
    churn_band_words,
    definition,
    explain_abstention,
    explain_run,
    score_cards,
    silent_cards,
)
from analytics.selectors.wording.numbers import amount, day_range, figure, percent

METRICS = {
    "next_order": {
        "share_inside": 0.431, "expected_share": 0.453, "mean_width_days": 46.7, "n": 2793,
        "given_share": 0.07,
    },
    "orders": {"mae": 0.2836, "rmse": 0.615, "bias_percent": 5.3, "n": 70506, "coverage_80": 0.924},
}  # fmt: skip
BASELINE = {
    "next_order": {"share_inside": 0.289, "mean_width_days": 34.9, "n": 2793},
    "orders": {"mae": 0.5298, "rmse": 0.786, "bias_percent": 150.5, "n": 70506},
}


@pytest.fixture
def run():
    return ScoringRun(
        trigger=RunTrigger.MANUAL,
        as_of_day=date(2026, 12, 1),
        horizon_days=60,
        currency="GBP",
        metrics=METRICS,
        baseline=BASELINE,
    )


def card(run, key, **values):
    score = CurrentScore(run=run, **values)
    return next(box for box in score_cards(score, run) if box["key"] == key)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (figure(0.5489977), "0.549"),
        (figure(None), "—"),
        (amount(407.2188), "407.22"),
        (amount(Decimal("1854.736")), "1,854.74"),
        (percent(0.997), "100 %"),
        (percent(None), ""),
    ],
)
def test_figures_are_rounded_not_cut(written, expected):
    assert written == expected


@pytest.mark.parametrize(
    ("first", "last", "english", "chinese"),
    [
        ((2026, 12, 3), (2026, 12, 21), "3–21 December", "12月3日–21日"),
        ((2026, 11, 28), (2026, 12, 12), "28 November – 12 December", "11月28日 – 12月12日"),
        ((2026, 12, 3), (2026, 12, 3), "3 December", "12月3日"),
        (
            (2026, 12, 28),
            (2027, 1, 4),
            "28 December 2026 – 4 January 2027",
            "2026年12月28日 – 2027年1月4日",
        ),
        ((2027, 1, 3), (2027, 1, 9), "3–9 January 2027", "2027年1月3日–9日"),
        ((2027, 1, 3), (2027, 1, 3), "3 January 2027", "2027年1月3日"),
        (
            (2025, 12, 3),
            (2026, 12, 3),
            "3 December 2025 – 3 December 2026",
            "2025年12月3日 – 2026年12月3日",
        ),
    ],
)
def test_days_are_written_as_shortly_as_they_can_be_understood(first, last, english, chinese):
    days = (date(*first), date(*last))

    assert day_range(*days, year=2026) == english
    with override("zh-hans"):
        assert day_range(*days, year=2026) == chinese


def test_the_next_order_is_a_span_of_days(run):
    found = card(
        run,
        "next_order",
        next_order_from=date(2026, 12, 3),
        next_order_until=date(2026, 12, 21),
    )

    assert (found["label"], found["value"], found["silent"]) == ("Next order", "3–21 December", "")
    assert found["range"] == "if there is one, with a chance of one half"
    assert found["definition"] == (
        "If this customer orders again, the next order comes before these days with a chance of "
        "one quarter, and after them with a chance of one quarter. There is no date where the "
        "chance of an order in the 60 days from 1 Dec 2026 on is below one half. In the last "
        "backtest 43 % of 2,793 customers ordered next within such days, 47 on average, where the "
        "model had said 45 %; one usual gap after the last order, half a gap either way, held 29 % "
        "within 35 days."
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"next_order_abstained": "order_unlikely", "churn_probability": 0.7},
            "No date: the chance of an order within 60 days is below one half.",
        ),
        (
            {"next_order_abstained": "order_too_far"},
            "No date: it would lie more than two years away.",
        ),
        (
            {"next_order_abstained": "no_orders", "abstained": "no_orders"},
            "No paid order yet; the first one is scored by the next run.",
        ),
        ({}, ""),  # a run from before there was a date
    ],
)
def test_a_next_order_without_a_date_says_why(run, values, said):
    found = card(run, "next_order", **values)

    assert (found["value"], found["range"], found["silent"]) == ("", "", said)


def test_expected_orders_stand_with_the_counts_of_eight_in_ten(run):
    found = card(run, "expected_orders", expected_orders=1.26, orders_low=0.0, orders_high=3.0)

    assert (found["value"], found["range"]) == ("1.3", "0 – 3 · in 60 days")
    assert found["definition"] == (
        "Expected number of days with an order in the 60 days from 1 Dec 2026 on. 8 of 10 "
        "customers with such a prediction ordered on a number of days within the band; as counts "
        "are whole, it may be more. In the last backtest it missed by 0.284 on average, each "
        "customer's own past rate by 0.530; the bands held 92 %."
    )


def test_a_run_that_refuses_forecasts_says_so_on_every_card_of_one(run):
    run.abstentions = [{"score": "churn", "code": "history_too_short", "have": 100, "need": 180}]
    values = {"abstained": "history_too_short", "next_order_abstained": "history_too_short"}

    said = {card(run, key, **values)["silent"] for key in ("next_order", "expected_orders")}

    assert said == {"100 days of history; a forecast that can be proved on the past takes 180."}
    assert [box["key"] for box in silent_cards(run)] == [
        "churn_probability",
        "predicted_clv",
        "rfm_group",
    ]


def test_a_definition_tells_no_figures_where_nobody_could_be_judged(run):
    nobody = {"share_inside": None, "expected_share": None, "mean_width_days": None, "n": 0}
    run.metrics = {"next_order": nobody}
    run.baseline = {"next_order": nobody}

    assert definition("next_order", run).endswith("is below one half.")
    assert "backtest" not in definition("expected_orders", run)
    assert [row["model"] for row in backtest_rows(run)] == ["—", "—", "—"]


def test_the_backtest_shows_windows_and_counts_beside_their_naive_rules(run):
    shown = [
        (row["label"], row["model"], row["baseline"], row["winner"]) for row in backtest_rows(run)
    ]

    assert shown == [
        ("Next order: share within the days foretold", "0.431", "0.289", ""),
        ("Next order: share the model had said", "0.453", "—", ""),
        ("Next order: days foretold, on average", "46.7", "34.9", ""),
        ("Orders: mean error per customer", "0.284", "0.530", "model"),
        ("Orders: root mean squared error", "0.615", "0.786", "model"),
        ("Orders: total too high (+) or low (−), %", "+5.3", "+150.5", "model"),
        ("Orders: share inside the 80 % band", "0.924", "—", ""),
    ]


def test_a_run_tells_what_is_missing_and_what_to_keep_in_mind_about_the_rest():
    run = ScoringRun(
        trigger=RunTrigger.MANUAL,
        as_of_day=date(2026, 3, 2),
        abstentions=[
            {"score": "clv", "code": "history_too_short", "have": 100, "need": 180},
            {"score": "churn", "code": "history_too_short", "have": 100, "need": 180},
        ],
        parameters={
            "notes": [
                {"code": "seasonality_not_learned", "have": 100, "need": 396},
                {"code": "backtest_bias", "have": -33.5, "need": 30.0},
                {"code": "churn_not_better_than_recency_rule", "have": 0.7112, "need": 0.7118},
            ]
        },
    )

    assert explain_run(run) == [
        "Predicted spend, Churn risk: 100 days of history; a forecast that can be proved on the "
        "past takes 180.",
        "100 days of history: less than 13 months, so seasons are not learned.",
        "In the backtest the total was off by -33.5 %, more than 30.0 %: read the predicted spend "
        "as a ranking.",
        "In the backtest the days since the last order ranked churn at least as well "
        "(AUC 0.7118 against 0.7112).",
    ]


def test_too_few_early_buyers_are_counted_as_customers_not_as_days():
    said = explain_abstention({"code": "too_few_early_buyers", "have": 1, "need": 100})

    assert said == ("1 customers had bought early enough to test a forecast on them; it takes 100.")


def test_how_often_the_band_of_churn_held_is_said_beside_what_chance_allows(run):
    assert churn_band_words(run) == ""

    run.metrics = {"churn": {"band_coverage": {
        "share_inside": 0.7166, "expected_share": 0.8024, "bins": 60, "by": "other_origins",
    }}}  # fmt: skip

    assert churn_band_words(run) == (
        "In 72 % of 60 groups of customers with similar scores the share that lapsed lay inside "
        "their mean band. The shares of such groups scatter by chance: had every score been "
        "exactly right, it would have been 80 %."
    )
