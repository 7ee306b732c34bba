"""What staff read about scores: rounded as people round, nothing left out."""

from datetime import date
from decimal import Decimal

import pytest

from analytics.enums import RunTrigger
from analytics.models import ScoringRun
from analytics.selectors.wording import explain_abstention, explain_run
from analytics.selectors.wording.numbers import amount, figure, percent


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
