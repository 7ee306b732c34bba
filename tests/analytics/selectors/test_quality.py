from typing import Any

import pytest

from analytics.models import ScoringRun
from analytics.selectors.wording import candidate_tables
from analytics.selectors.wording.definitions import model_label


def spend_table(**deviances: float | None) -> dict[str, Any]:
    """Return the page's table of a run whose blend with trees has the smaller squared error."""
    figures = {
        name: {"mae": 9.0, "rmse": rmse, "bias_percent": 1.0, "gini": 0.8, "deviance": deviance}
        for (name, deviance), rmse in zip(deviances.items(), (30.0, 20.0), strict=True)
    }
    if None in deviances.values():
        figures = {
            name: {key: value for key, value in row.items() if key != "deviance"}
            for name, row in figures.items()
        }
    rungs = {"spend": figures, "published": {"spend": "with_linear"}}
    run = ScoringRun(metrics={"rungs": rungs, "clv": figures["with_linear"]})
    (table,) = candidate_tables(run)
    return table


def test_a_rung_of_spend_is_said_to_have_lost_by_the_measure_that_chose():
    table = spend_table(with_linear=1.25, with_trees=1.5)

    assert table["columns"][-1] == "Poisson deviance"
    assert [row["cells"][-1] for row in table["rows"]] == ["1.250", "1.500"]
    assert table["why"][1].endswith(
        "lost: its Poisson deviance is 1.5000, that of the published 1.2500."
    )


def test_a_simpler_candidate_that_did_better_by_chance_is_named():
    table = spend_table(repeat_buying=1.2, with_linear=1.25)

    assert table["why"][1].endswith(
        "by no more than chance explains: its Poisson deviance is 1.2000, that of the published "
        "1.2500."
    )
    assert len(spend_table(repeat_buying=1.3, with_linear=1.25)["why"]) == 1


def test_a_run_from_before_that_measure_keeps_its_own():
    table = spend_table(with_linear=None, with_trees=None)

    assert "Poisson deviance" not in table["columns"]
    assert "root mean squared error" in table["why"][0]


@pytest.mark.parametrize(
    ("published", "words"),
    [
        ({}, "NBD"),
        ({"churn": "repeat_buying", "spend": "repeat_buying"}, "NBD"),
        ({"churn": "repeat_buying", "spend": "with_linear"}, "NBD, linear learner"),
        ({"churn": "with_trees", "spend": "with_linear"}, "NBD, linear learner, trees"),
    ],
)
def test_a_run_names_everything_its_scores_come_from(published, words):
    metrics = {"rungs": {"published": published}} if published else {}

    assert model_label(ScoringRun(model_name="nbd", metrics=metrics)) == words
