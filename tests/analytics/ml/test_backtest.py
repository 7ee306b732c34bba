import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from analytics.ml.backtest import make_origins, naive_spend, run_backtest, running
from analytics.ml.churn import RecencyRule
from analytics.ml.clv import BG_NBD, MBG_NBD, RepeatBuyingModel
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.metrics import normalised_gini
from analytics.ml.summary import PurchaseDays, compress, summarise, window_outcome
from analytics.ml.trials import REPEAT_BUYING
from tests.analytics.ml.shops import CDNOW_END, cdnow, cdnow_master, simulate_bg_nbd, usual_shop


def with_rows(shop: PurchaseDays, customer: int, days: list[int], spend: float) -> PurchaseDays:
    return PurchaseDays(
        np.concatenate([shop.customer_id, np.full(len(days), customer)]),
        np.concatenate([shop.day, np.array(days)]),
        np.concatenate([shop.net_spend, np.full(len(days), spend)]),
    )


def test_origins_step_back_by_thirty_days_and_end_by_as_of():
    origins = make_origins(
        PurchaseLedger(usual_shop().occasions()), as_of_day=15_500, horizon_days=90
    )

    assert [origin.day for origin in origins] == [15_410, 15_380, 15_350]
    assert all(int(origin.summary.T.min()) >= 0 for origin in origins)


def test_a_young_shop_has_fewer_origins_or_none():
    shop = usual_shop().occasions()

    assert len(make_origins(PurchaseLedger(shop), as_of_day=15_241, horizon_days=90)) == 1
    assert make_origins(PurchaseLedger(shop), as_of_day=15_239, horizon_days=90) == []
    assert run_backtest(PurchaseLedger(shop), as_of_day=15_239, horizon_days=90) is None


def test_an_origin_never_sees_its_own_window():
    shop = usual_shop().occasions()
    cut = shop.before(15_410)

    whole = make_origins(PurchaseLedger(shop), as_of_day=15_500, horizon_days=90)[0]
    alone = summarise(cut, as_of_day=15_410)

    for left, right in zip(vars(whole.summary).values(), vars(alone).values(), strict=True):
        assert left.tobytes() == right.tobytes()


def test_rows_on_or_after_as_of_change_nothing():
    shop = usual_shop().occasions()

    past = run_backtest(PurchaseLedger(shop.before(15_450)), as_of_day=15_450, horizon_days=60)
    whole = run_backtest(PurchaseLedger(shop), as_of_day=15_450, horizon_days=60)

    assert past is not None
    assert whole is not None
    assert past.to_dict() == whole.to_dict()
    assert past.metrics == whole.metrics
    assert past.baseline == whole.baseline


def test_labels_come_from_the_window_and_nothing_else():
    shop = usual_shop().occasions()
    buyer = int(
        make_origins(PurchaseLedger(shop), as_of_day=15_500, horizon_days=90)[
            0
        ].summary.customer_id[0]
    )
    clean = shop.where((shop.customer_id != buyer) | (shop.day < 15_410))
    more = with_rows(clean, buyer, [15_410, 15_499], 70.0).occasions()
    late = with_rows(clean, buyer, [15_500], 70.0).occasions()

    inside = make_origins(PurchaseLedger(more), as_of_day=15_500, horizon_days=90)[0]
    outside = make_origins(PurchaseLedger(late), as_of_day=15_500, horizon_days=90)[0]

    assert (inside.spend[0], inside.lapsed[0]) == (140.0, False)
    assert (inside.orders[0], inside.first_order[0]) == (2.0, 0.0)
    assert (outside.spend[0], outside.lapsed[0], outside.orders[0]) == (0.0, True, 0.0)
    assert np.isnan(outside.first_order[0])


def test_naive_forecast_is_the_own_rate_over_at_least_one_horizon():
    shop = PurchaseDays(np.array([1, 2]), np.array([0, 195]), np.array([100.0, 30.0]))
    summary = summarise(shop.occasions(), as_of_day=200)

    assert naive_spend(summary, horizon_days=50).tolist() == [25.0, 30.0]


def test_cdnow_backtest_beats_the_naive_forecast_and_the_recency_rule():
    found = run_backtest(PurchaseLedger(cdnow().occasions()), as_of_day=CDNOW_END, horizon_days=90)

    assert found is not None
    clv, naive = found.metrics["clv"], found.baseline["clv"]
    churn, rule = found.metrics["churn"], found.baseline["churn"]
    assert clv["mae"] < naive["mae"]
    assert clv["rmse"] < naive["rmse"]
    assert clv["gini"] > naive["gini"]
    assert abs(clv["bias_percent"]) < 30
    assert churn["auc"] >= rule["auc"]
    assert churn["brier"] < rule["brier"]
    assert clv["coverage_by"] == "other_origins"
    # More than 80 % by construction: bins in which most buy nothing still hold their prediction.
    assert 0.78 <= clv["coverage_80"] <= 0.95


def test_cdnow_order_counts_and_windows_beat_their_naive_rules():
    found = run_backtest(PurchaseLedger(cdnow().occasions()), as_of_day=CDNOW_END, horizon_days=90)

    assert found is not None
    orders, naive = found.metrics["orders"], found.baseline["orders"]
    assert orders["n"] == naive["n"] == found.metrics["clv"]["n"]
    assert orders["mae"] < 0.6 * naive["mae"]
    assert orders["rmse"] < 0.8 * naive["rmse"]
    assert abs(orders["bias_percent"]) < 10 < 100 < naive["bias_percent"]
    assert orders["coverage_by"] == "other_origins"
    # Whole counts: most buy nothing, and the ties of zero and one lie inside together.
    assert 0.8 <= orders["coverage_80"] <= 0.95
    window, gap = found.metrics["next_order"], found.baseline["next_order"]
    assert window["n"] == gap["n"] > 200
    assert window["share_inside"] == pytest.approx(window["expected_share"], abs=0.03)
    assert window["share_inside"] > gap["share_inside"] + 0.1


def test_where_a_blend_speaks_of_churn_windows_are_judged_by_its_word():
    found = run_backtest(PurchaseLedger(cdnow().occasions()), as_of_day=CDNOW_END, horizon_days=90)

    assert found is not None
    assert found.learned is not None
    assert found.learned.churn_rung != REPEAT_BUYING
    said = found.learned.lapse_at_origins()
    rows = found.metrics["next_order"]["by_origin"]
    assert [row["given_share"] for row in rows] == [float((one <= 0.5).mean()) for one in said]
    assert found.metrics["churn"]["n"] == sum(one.size for one in said)


@pytest.mark.parametrize("model", [BG_NBD, MBG_NBD])
def test_chance_to_buy_ranks_churn_and_p_alive_does_not(model):
    """All 23,570 CDNOW customers, 90 days, three windows: means .796, .794 and .338 are known."""
    shop = cdnow_master().occasions()
    start = int(np.datetime64("1997-01-01", "D").astype(int))
    buys, rules, alive = [], [], []
    for day in (start + 273, start + 365, start + 456):
        summary = summarise(shop, as_of_day=day)
        _, orders = window_outcome(shop, summary.customer_id, start_day=day, end_day=day + 90)
        rows = compress(summary.frequency, summary.recency, summary.T)
        fitted = RepeatBuyingModel(model).fit(rows)
        history = (summary.frequency, summary.recency, summary.T)
        came = orders > 0
        buys.append(roc_auc_score(came, fitted.p_buy(*history, horizon_days=90)))
        alive.append(roc_auc_score(came, fitted.p_alive(*history)))
        rules.append(roc_auc_score(came, -summary.days_since_last_order))

    assert np.mean(buys) >= np.mean(rules)
    assert np.mean(buys) == pytest.approx(0.796, abs=0.005)
    assert np.mean(rules) == pytest.approx(0.794, abs=0.005)
    if model == BG_NBD:
        assert np.mean(alive) == pytest.approx(0.338, abs=0.005)


def test_the_winner_is_the_candidate_with_the_lowest_brier_score():
    found = run_backtest(
        PurchaseLedger(usual_shop().occasions()), as_of_day=15_500, horizon_days=90
    )

    assert found is not None
    candidates = found.metrics["candidates"]
    assert set(candidates) == {BG_NBD, MBG_NBD}
    assert found.buying.model == min(candidates, key=lambda name: candidates[name]["brier"])


def test_where_nobody_leaves_the_rung_below_stands_in_and_says_why():
    shop = simulate_bg_nbd(customers=2000, r=1.2, alpha=8.0, a=1e-6, b=1.0, days=500, seed=2)

    found = run_backtest(PurchaseLedger(shop.occasions()), as_of_day=15_500, horizon_days=60)

    assert found is not None
    candidates = found.metrics["candidates"]
    assert set(candidates[BG_NBD]) == set(candidates[MBG_NBD]) == {"refused"}
    assert candidates["nbd"]["auc"] > 0.7
    assert candidates["mbg_nbd_steadied"]["auc"] == pytest.approx(
        candidates["nbd"]["auc"], abs=0.01
    )
    assert not found.buying.sees_leaving


def test_calibration_is_kept_only_where_it_helps(monkeypatch):
    """A shop that closes for the summer teaches the wrong level; the next window refuses it."""
    monkeypatch.setattr(running, "learn", lambda *args, **how: None)  # repeat buying alone
    shop = usual_shop(customers=3000).occasions()
    closed = shop.where(~((shop.day >= 15_320) & (shop.day < 15_410)))

    plain = run_backtest(PurchaseLedger(shop), as_of_day=15_500, horizon_days=90)
    misled = run_backtest(PurchaseLedger(closed), as_of_day=15_500, horizon_days=90)

    assert plain is not None
    assert misled is not None
    chosen = plain.metrics["candidates"][plain.buying.model]["brier"]
    assert plain.metrics["churn"]["brier"] <= chosen
    assert misled.metrics["churn"]["calibrated"] is False
    assert misled.calibration is None


def test_recency_rule_of_an_origin_is_trained_on_the_window_before_it():
    shop = usual_shop().occasions()
    found = run_backtest(PurchaseLedger(shop), as_of_day=15_500, horizon_days=90)
    origin = make_origins(PurchaseLedger(shop), as_of_day=15_500, horizon_days=90)[0]
    past = summarise(shop, as_of_day=15_320)
    _, orders = window_outcome(shop, past.customer_id, start_day=15_320, end_day=15_410)

    rule = RecencyRule().fit(past.days_since_last_order, orders == 0)
    said = rule.predict(origin.summary.days_since_last_order)

    assert found is not None
    assert found.baseline["churn"]["by_origin"][0]["brier"] == pytest.approx(
        float(((said - origin.lapsed) ** 2).mean())
    )


def test_model_ranks_spend_of_a_later_period_better_than_the_own_rate():
    shop = usual_shop(customers=6000, seed=3).occasions()
    found = run_backtest(PurchaseLedger(shop), as_of_day=15_410, horizon_days=90)
    summary = summarise(shop, as_of_day=15_410)
    spend, _ = window_outcome(shop, summary.customer_id, start_day=15_410, end_day=15_500)

    assert found is not None
    assert found.spend is not None
    orders = found.buying.expected_orders(
        summary.frequency, summary.recency, summary.T, horizon_days=90
    )
    predicted = orders * found.spend.expected_order_value(summary)
    naive = naive_spend(summary, horizon_days=90)

    assert normalised_gini(spend, predicted) > normalised_gini(spend, naive) + 0.02
    assert float(predicted.sum()) == pytest.approx(float(spend.sum()), rel=0.1)
    assert float(np.abs(predicted - spend).mean()) < 0.9 * float(np.abs(naive - spend).mean())
