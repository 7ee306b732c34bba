"""What staff read about how well satisfaction foretold hidden answers."""

from datetime import date

import pytest

from analytics.enums import RunTrigger
from analytics.models import ScoringRun
from analytics.selectors.wording import definition, satisfaction_proof
from tests.factories import ScoringRunFactory


def figures(n, mae, auc, coverage=None):
    shown = {"n": n, "mae": mae, "rmse": mae + 5, "bias": -0.5, "auc": auc, "unhappy_share": 0.1}
    return shown | ({} if coverage is None else {"coverage_80": coverage})


PROVEN = {
    "metrics": {
        "satisfaction": figures(1100, 20.0, 0.8, 0.82)
        | {
            "answered_before": figures(400, 18.0, 0.85, 0.81),
            "silent_before": figures(700, 22.0, 0.7, 0.83),
        }
    },
    "baseline": {
        "satisfaction": {"name": "shop_mean_so_far"}
        | figures(1100, 25.0, 0.5)
        | {
            "answered_before": figures(400, 24.0, None),
            "silent_before": figures(700, 26.0, 0.5),
            "own_mean": {"name": "own_mean_so_far"} | figures(400, 17.0, 0.8),
        }
    },
    "parameters": {"satisfaction": {"expectation": {"is_learned": True}, "score_spread": 0.0123}},
}
UNPROVEN = {"parameters": {"notes": [{"code": "satisfaction_unvalidated", "have": 12, "need": 50}]}}
SENTENCE = (
    "Satisfaction is not validated in this shop: it takes 50 customers whose last answer can be "
    "hidden and foretold, and 12 have answered."
)


def a_run(**given):
    return ScoringRun(trigger=RunTrigger.MANUAL, as_of_day=date(2026, 3, 2), **given)


def test_a_validation_is_told_in_sentences_and_in_rows_beside_the_baselines():
    proof = satisfaction_proof(a_run(**PROVEN))

    assert proof["sentences"][:3] == [
        "The last answers of 1,100 customers were hidden, and foretold from what was known before "
        "their day: 400 had answered before, 700 had said nothing, so that deliveries, returns and "
        "tickets alone had to do.",
        "10.0 % of them were two stars of five, or fewer.",
        "Of 100 points satisfaction missed by 20.0 on average; the mean of all earlier answers in "
        "the shop missed by 25.0.",
    ]
    assert "It held 82 % of the hidden answers" in proof["sentences"][4]
    assert "learned from this shop's answers" in proof["sentences"][5]
    assert "8 of 10 times within a range of 1.2 points" in proof["sentences"][6]
    assert [row["label"] for row in proof["rows"]] == [
        "All: satisfaction",
        "All: the shop's mean",
        "Answered before: satisfaction",
        "Answered before: the shop's mean",
        "Answered before: own mean so far",
        "Silent before: satisfaction",
        "Silent before: the shop's mean",
    ]
    own = proof["rows"][4]["cells"]
    assert [cell["text"] for cell in own] == ["400", "17.0", "22.0", "-0.5", "0.800", "—"]
    assert [cell["is_ahead"] for cell in own] == [False, True, True, False, False, False]
    assert len(proof["head"]) == len(own)


@pytest.mark.parametrize(
    ("group", "labels"),
    [
        ("silent_before", ["All: satisfaction", "All: the shop's mean"]),
        (
            "answered_before",
            ["All: satisfaction", "All: the shop's mean", "All: own mean so far"],
        ),
    ],
)
def test_where_there_is_one_group_alone_it_is_all(group, labels):
    shown = figures(700, 22.0, 0.7, 0.83)
    rule = {"own_mean": shown} if group == "answered_before" else {}
    run = a_run(
        metrics={"satisfaction": shown | {group: shown}},
        baseline={"satisfaction": shown | {group: shown} | rule},
    )

    assert [row["label"] for row in satisfaction_proof(run)["rows"]] == labels


@pytest.mark.parametrize(
    ("given", "sentence"),
    [(UNPROVEN, SENTENCE), ({}, "This run did not validate satisfaction.")],
)
def test_without_figures_it_is_said_why(given, sentence):
    assert satisfaction_proof(a_run(**given)) == {"sentences": [sentence], "head": [], "rows": []}


def test_the_definition_says_what_the_band_covers_and_how_good_the_score_is():
    proven, unproven = (definition("satisfaction", a_run(**given)) for given in (PROVEN, UNPROVEN))

    for words in (proven, unproven):
        assert "for one single new answer, not for the customer's mean" in words
    assert "missed by 20.0 points on average" in proven
    assert "the bands held 82 %." in proven
    assert unproven.endswith("not validated in this shop, and the width of the band is assumed.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "words"), [(PROVEN, "Silent before: satisfaction"), (UNPROVEN, SENTENCE)]
)
def test_the_runs_page_shows_it(staff_client, given, words):
    run = ScoringRunFactory(**given)

    page = staff_client.get(f"/admin/analytics/scoringrun/{run.pk}/change/").content.decode()

    assert words in page
