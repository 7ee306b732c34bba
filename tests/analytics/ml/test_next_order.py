import numpy as np
import pytest

from analytics.ml.clv import BG_NBD, MBG_NBD, NBD, RepeatBuyingModel
from analytics.ml.ladder import NULL_REASONS
from analytics.ml.next_order import (
    Window,
    backtest_windows,
    chance_inside,
    expect_window,
    first_orders,
    naive_window,
    null_codes,
)
from analytics.ml.summary import PurchaseDays, Summary, summarise, window_outcome
from tests.analytics.ml.shops import simulate_bg_nbd, usual_shop


def model_of(
    name: str, *, r: float, alpha: float, a: float = 0.0, b: float = 1.0
) -> RepeatBuyingModel:
    model = RepeatBuyingModel(name)
    model.r_, model.alpha_, model.a_, model.b_ = r, alpha, a, b
    return model


def histories(*rows: tuple[int, int, int]) -> Summary:
    """Return buyers by (frequency, recency, T); what they spent does not matter here."""
    frequency, recency, age = (
        np.array(column, dtype=np.int64) for column in zip(*rows, strict=True)
    )
    money = np.ones(len(rows))
    return Summary(np.arange(len(rows)), frequency, recency, age, money, money, money)


def test_window_is_the_closed_form_in_whole_days():
    """α + T = 4 + 6 weeks and r + x = 1 + 1: t = 70 · ((1 − u)^(−1/2) − 1) days."""
    window = expect_window(model_of(NBD, r=1.0, alpha=4.0), histories((1, 30, 42)), np.array([0.2]))

    assert [int(70 * (left**-0.5 - 1)) for left in (0.75, 0.25)] == [10, 70]
    assert (window.first.tolist(), window.last.tolist()) == ([10.0], [70.0])
    assert window.width.tolist() == [61.0]


def test_an_order_less_than_a_day_away_is_one_on_the_as_of_day():
    often = histories((400, 399, 400))

    window = expect_window(model_of(NBD, r=1.0, alpha=1.0), often, np.array([0.0]))

    assert (window.first.tolist(), window.last.tolist()) == ([0.0], [1.0])


def test_window_is_the_middle_half_of_the_simulated_next_orders():
    """Given the history, the rate of the living is Gamma(r + x, α + T); then they wait."""
    model = model_of(MBG_NBD, r=0.8, alpha=5.0, a=0.8, b=2.5)
    summary = histories((3, 60, 90))
    rng = np.random.default_rng(1)
    rate = rng.gamma(0.8 + 3, 1.0 / (5.0 + 90 / 7), 400_000)
    days = np.floor(7 * rng.exponential(1.0 / rate))
    alive = float(model.p_alive(summary.frequency, summary.recency, summary.T)[0])

    window = expect_window(model, summary, np.array([0.4]))

    first, last = float(window.first[0]), float(window.last[0])
    assert np.quantile(days, [0.25, 0.75]).tolist() == [first, last]
    said = float(chance_inside(model, summary, window)[0])
    inside = float(((days >= first) & (days <= last)).mean())
    assert said == pytest.approx(alive * inside, abs=0.003)
    assert 0.5 < inside < 0.53


def test_no_window_below_an_even_chance_or_beyond_two_years():
    model = model_of(NBD, r=0.4, alpha=40.0)
    summary = histories((2, 50, 60), (2, 50, 60), (2, 50, 60), (0, 0, 20))
    lapse = np.array([0.5, np.nextafter(0.5, 1.0), 1.0, 0.1])

    window = expect_window(model, summary, lapse)

    assert model.days_to_next_order(summary.frequency, summary.T, share=0.75)[3] > 730
    assert np.isfinite(window.first).tolist() == [True, False, False, False]
    assert np.isfinite(window.last).tolist() == [True, False, False, False]
    codes = null_codes(lapse, window.first, np.zeros(4, np.int8))
    assert [NULL_REASONS[code] for code in codes] == [
        "", "order_unlikely", "order_unlikely", "order_too_far",
    ]  # fmt: skip


def test_the_last_day_that_is_told_is_two_years_away():
    """With r + x = 1 the upper quartile is three times α + T."""
    model = model_of(NBD, r=1.0, alpha=1.0)
    summary = histories((0, 0, 236), (0, 0, 237))

    window = expect_window(model, summary, np.zeros(2))

    assert window.last[0] == 729.0
    assert np.isnan(window.last[1])


def test_a_quantile_beyond_every_number_is_no_window():
    window = expect_window(
        model_of(NBD, r=1e-3, alpha=10.0), histories((0, 0, 100)), np.array([0.0])
    )

    assert np.isnan(window.first[0])


def test_who_is_not_scored_keeps_the_reason_of_the_run():
    refused = NULL_REASONS.index("too_few_buyers")

    codes = null_codes(np.array([np.nan]), np.array([np.nan]), np.array([refused], np.int8))

    assert codes.dtype == np.int8
    assert codes.tolist() == [refused]


def test_windows_are_ordered_and_within_bounds():
    shop = usual_shop().occasions()
    summary = summarise(shop, as_of_day=15_500)
    model = model_of(BG_NBD, r=0.8, alpha=5.0, a=0.8, b=2.5)
    lapse = 1 - model.p_buy(summary.frequency, summary.recency, summary.T, horizon_days=60)

    window = expect_window(model, summary, lapse)

    given = np.isfinite(window.first)
    assert np.array_equal(given, lapse <= 0.5)
    assert np.array_equal(given, np.isfinite(window.last))
    assert given.sum() > 100
    first, last = window.first[given], window.last[given]
    assert ((first >= 0) & (first <= last) & (last <= 730)).all()
    assert np.array_equal(first, np.rint(first))
    said = chance_inside(model, summary, window)[given]
    assert ((said > 0) & (said < 1)).all()


def test_naive_window_is_one_usual_gap_after_the_last_order():
    """Gaps of 20 and 10 days; last orders 5 and 31 days before the as-of day."""
    summary = histories((3, 60, 64), (2, 20, 50), (0, 0, 9))

    window = naive_window(summary)

    assert window.first.tolist() == [5.0, -26.0, -2.0]
    assert window.last.tolist() == [25.0, -16.0, 14.0]


def test_first_orders_are_counted_from_the_start_of_the_window():
    rows = [(1, 99), (1, 103), (1, 101), (2, 100), (3, 110), (5, 104), (9, 105)]
    shop = PurchaseDays(
        np.array([customer for customer, _ in rows]),
        np.array([day for _, day in rows]),
        np.ones(len(rows)),
    ).occasions()

    came = first_orders(shop, np.array([1, 2, 3, 4, 9]), start_day=100, end_day=110)

    np.testing.assert_array_equal(came, [1.0, 0.0, np.nan, np.nan, 5.0])


def test_first_order_is_there_exactly_where_an_order_is_counted():
    shop = usual_shop().occasions()
    buyers = np.unique(shop.before(15_410).customer_id)

    came = first_orders(shop, buyers, start_day=15_410, end_day=15_500)

    _, orders = window_outcome(shop, buyers, start_day=15_410, end_day=15_500)
    assert np.array_equal(np.isfinite(came), orders > 0)
    assert np.nanmin(came) >= 0
    assert np.nanmax(came) < 90


def test_a_day_lies_inside_from_the_first_to_the_last():
    window = Window(np.array([3.0] * 5 + [np.nan]), np.array([5.0] * 5 + [np.nan]))

    inside = window.holds(np.array([2.0, 3.0, 5.0, 6.0, np.nan, 4.0]))

    assert inside.tolist() == [False, True, True, False, False, False]
    assert window.until(4.0).holds(np.full(6, 5.0)).tolist() == [False] * 6


def test_judged_is_who_was_given_a_window_that_ends_within_the_horizon():
    """Days 10 to 70; of the third 11 to 77, which the horizon cuts; of the fourth none."""
    model = model_of(NBD, r=1.0, alpha=4.0)
    summary = histories((1, 30, 42), (1, 30, 42), (1, 30, 49), (1, 30, 42), (1, 42, 42))
    lapse = np.array([0.2, 0.2, 0.2, 0.9, 0.2])
    came = np.array([70.0, np.nan, 12.0, 12.0, 12.0])

    metrics, baseline = backtest_windows([model], [summary], [lapse], [came], horizon_days=71)

    window = expect_window(model, summary, lapse)
    said = chance_inside(model, summary, window)
    cut = chance_inside(model, summary, window.until(70.0))
    assert cut[2] < said[2]
    figures = {
        "share_inside": pytest.approx(2 / 3),
        "mean_width_days": 61.0,
        "n": 3,
        "expected_share": pytest.approx(said[0]),
        "given_share": pytest.approx(4 / 5),
        "cut_share_inside": pytest.approx(3 / 4),
        "cut_expected_share": pytest.approx((3 * said[0] + cut[2]) / 4),
    }
    assert metrics == {**figures, "by_origin": [figures]}
    # Gaps of 30 days after an order 13 days before: from 2 to 32. Of 42 after the day before: 20
    # to 62.
    naive = {"share_inside": 0.0, "mean_width_days": pytest.approx((31 + 31 + 43) / 3), "n": 3}
    assert baseline == {"name": "own_gap_half_either_way", **naive, "by_origin": [naive]}


def test_who_would_be_late_by_the_naive_rule_is_judged_by_neither():
    """One order a year ago in two: the usual gap of 360 days ends beyond the horizon."""
    model = model_of(NBD, r=1.0, alpha=4.0)
    summary = histories((30, 360, 360), (1, 360, 360))
    lapse, came = np.array([0.1, 0.1]), np.array([3.0, 3.0])

    metrics, _ = backtest_windows([model], [summary], [lapse], [came], horizon_days=500)

    assert expect_window(model, summary, lapse).last[1] < 500
    assert naive_window(summary).last[1] > 500
    assert metrics["n"] == 1


def test_where_nobody_is_judged_there_are_no_figures():
    model = model_of(NBD, r=1.0, alpha=4.0)

    metrics, baseline = backtest_windows(
        [model], [histories((1, 30, 42))], [np.array([0.9])], [np.array([np.nan])], horizon_days=60
    )

    assert (metrics["n"], metrics["share_inside"], metrics["given_share"]) == (0, None, 0.0)
    assert (metrics["cut_share_inside"], metrics["cut_expected_share"]) == (None, None)
    assert (baseline["n"], baseline["mean_width_days"]) == (0, None)


def test_as_many_next_orders_come_inside_as_the_true_model_says():
    days, horizon = 590, 90
    shop = simulate_bg_nbd(
        customers=20_000, r=0.8, alpha=5.0, a=0.8, b=2.5, days=days, seed=4
    ).occasions()
    model = model_of(BG_NBD, r=0.8, alpha=5.0, a=0.8, b=2.5)
    start = 15_000 + days - horizon
    summary = summarise(shop, as_of_day=start)
    history = (summary.frequency, summary.recency, summary.T)
    lapse = 1 - model.p_buy(*history, horizon_days=horizon)
    came = first_orders(shop, summary.customer_id, start_day=start, end_day=start + horizon)

    metrics, baseline = backtest_windows([model], [summary], [lapse], [came], horizon_days=horizon)

    assert metrics["n"] > 1500
    assert metrics["cut_share_inside"] == pytest.approx(metrics["cut_expected_share"], abs=0.03)
    # Days swallow second orders of one day, which the true rates count: hence a little fewer.
    assert metrics["share_inside"] == pytest.approx(metrics["expected_share"], abs=0.03)
    assert metrics["share_inside"] > baseline["share_inside"] + 0.1
