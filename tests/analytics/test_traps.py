"""The fifteen ways in which scores of customers usually go wrong, and the tests that guard each.

A guard that is renamed or dropped fails here, so that no trap loses its guard unseen.
"""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
GUARDS: dict[str, tuple[str, ...]] = {
    "P(alive) is taken for churn": (
        "analytics/ml/test_backtest.py::test_chance_to_buy_ranks_churn_and_p_alive_does_not",
    ),
    "the future is seen by a feature, a fit or a label": (
        "analytics/ml/test_run.py::test_later_events_change_nothing",
        "analytics/ml/test_features.py::test_what_comes_later_changes_no_feature",
        "analytics/ml/test_blend.py::test_nothing_of_an_origins_window_reaches_its_learners",
        "analytics/ml/test_backtest.py::test_an_origin_never_sees_its_own_window",
    ),
    "what teaches and what judges share a window": (
        "analytics/ml/test_blend.py"
        "::test_landmarks_that_teach_are_over_before_what_they_judge_begins",
        "analytics/ml/test_blend.py"
        "::test_calibration_is_learned_on_a_window_that_was_over_and_kept_only_where_it_helps",
    ),
    "orders of one day are taken for returns": (
        "analytics/ml/test_summary.py::test_orders_of_one_day_are_one_occasion",
    ),
    "zones, summer time and dates in the future": (
        "customers/simulation/test_world.py"
        "::test_a_day_is_a_day_in_the_shops_zone_also_when_clocks_change",
        "customers/test_shop.py::test_a_new_zone_moves_days_and_marks_everybody",
        "customers/importing/test_huike_files.py"
        "::test_an_order_from_the_future_is_put_aside_and_one_of_a_clock_ahead_is_not",
    ),
    "returns and cancellations": (
        "analytics/ml/test_summary.py::test_a_day_whose_giant_order_was_cancelled_is_no_occasion",
        "analytics/ml/test_ledger.py::test_a_refund_takes_back_its_day_from_its_own_day_on",
    ),
    "amounts of zero and below": (
        "analytics/ml/test_run.py::test_those_who_never_bought_are_null_with_a_reason_never_zero",
        "analytics/ml/test_summary.py::test_money_that_is_no_number_is_refused",
    ),
    "other currencies": (
        "customers/importing/test_huike_files.py"
        "::test_an_order_in_another_currency_waits_for_its_rate",
        "customers/test_rates.py::test_the_nightly_rebuild_tells_and_the_last_missing_rate_resolves",
    ),
    "no orders are taken for zero": (
        "analytics/ml/test_run.py::test_those_who_never_bought_are_null_with_a_reason_never_zero",
    ),
    "guests and merged profiles": (
        "analytics/services/test_publishing.py"
        "::test_who_was_merged_or_erased_meanwhile_gets_no_row",
        "analytics/ml/test_withheld.py::test_who_is_withheld_gets_a_reason_in_place_of_scores",
    ),
    "a history that begins with the import": (
        "analytics/ml/test_run.py::test_run_names_what_it_stands_on",
    ),
    "numbers that overflow": (
        "analytics/ml/clv/test_buying.py::test_ten_thousand_orders_stay_finite",
        "analytics/ml/test_forecast.py::test_a_single_odd_number_publishes_nothing",
    ),
    "wholesale and test accounts": (
        "analytics/ml/test_run.py::test_excluded_accounts_do_not_teach_but_are_scored",
        "analytics/ml/clv/test_order_value.py"
        "::test_two_wholesale_accounts_cannot_move_the_spend_fit_but_are_scored",
    ),
    "a season is taken for a trend": (
        "analytics/ml/test_ladder.py::test_a_year_and_a_month_are_needed_to_speak_of_seasons",
    ),
    "flags of others are believed, answers are seen before they were given": (
        "analytics/ml/satisfaction/test_scoring.py::test_nothing_counts_before_its_own_day",
        "analytics/ml/satisfaction/test_validation.py"
        "::test_nothing_on_or_after_the_day_of_an_answer_helps_to_foretell_it",
    ),
}


def test_there_are_fifteen():
    assert len(GUARDS) == 15


@pytest.mark.parametrize("trap", GUARDS)
def test_each_has_its_guards(trap):
    for guard in GUARDS[trap]:
        path, _, name = guard.partition("::")
        tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in names, guard
