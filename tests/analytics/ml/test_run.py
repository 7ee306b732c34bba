import json
from dataclasses import replace

import numpy as np
import pytest

from analytics.ml.backtest import climbing
from analytics.ml.run import (
    NULL_REASONS,
    RFM_GROUPS,
    Deliveries,
    Operations,
    PurchaseDays,
    Ratings,
    ReasonColumns,
    ScoringInput,
    ScoringResult,
    score_customers,
)
from tests.analytics.ml.shops import CDNOW_END, cdnow, to_score, usual_shop

FLOATS = (
    "expected_orders",
    "orders_low",
    "orders_high",
    "predicted_clv",
    "clv_low",
    "clv_high",
    "clv_12m",
    "p_alive",
    "churn_probability",
    "churn_low",
    "churn_high",
)


@pytest.fixture(scope="module")
def scored() -> ScoringResult:
    return score_customers(to_score(usual_shop(), 15_500))


def as_bytes(result: ScoringResult) -> dict[str, object]:
    """Return everything a result holds in a form that compares bit by bit."""
    out: dict[str, object] = {}
    for name, value in vars(result).items():
        if isinstance(value, np.ndarray):
            out[name] = (str(value.dtype), value.tobytes())
        elif isinstance(value, ReasonColumns):
            out[name] = [column.tobytes() for column in vars(value).values()]
        elif isinstance(value, tuple):
            out[name] = [entry.to_dict() for entry in value]
        else:
            out[name] = json.dumps(value, sort_keys=True)
    return out


def test_every_buyer_is_scored_within_its_bounds(scored):
    assert [entry.code for entry in scored.abstentions] == ["costs_unknown"]
    assert scored.model in {"bg_nbd", "mbg_nbd"}
    assert (np.diff(scored.customer_id) > 0).all()
    for name in FLOATS:
        assert np.isfinite(getattr(scored, name)).all(), name
    for name in ("p_alive", "churn_probability", "churn_low", "churn_high"):
        values = getattr(scored, name)
        assert ((values >= 0) & (values <= 1)).all(), name
    assert (scored.churn_low <= scored.churn_probability).all()
    assert (scored.churn_probability <= scored.churn_high).all()
    assert (scored.orders_low >= 0).all()
    assert (scored.orders_low <= np.ceil(scored.expected_orders)).all()
    assert (np.floor(scored.expected_orders) <= scored.orders_high).all()
    assert (scored.clv_low >= 0).all()
    assert (scored.clv_low <= scored.predicted_clv).all()
    assert (scored.predicted_clv <= scored.clv_high).all()
    for name in ("r_score", "f_score", "m_score"):
        assert set(getattr(scored, name).tolist()) <= {1, 2, 3, 4, 5}
    assert ((scored.rfm_group >= 0) & (scored.rfm_group < len(RFM_GROUPS))).all()
    for name in ("rfm_null", "clv_null", "churn_null", "satisfaction_null"):
        assert not getattr(scored, name).any(), name


def test_next_order_follows_the_churn_that_is_published_also_where_a_blend_speaks():
    result = score_customers(to_score(cdnow(), CDNOW_END, horizon_days=90))

    assert result.metrics["rungs"]["published"]["churn"] != "repeat_buying"
    given = np.isfinite(result.next_order_from)
    assert np.array_equal(given, result.churn_probability <= 0.5)
    assert 50 < given.sum() < 500


def test_next_order_has_a_date_exactly_where_an_order_is_likelier_than_not(scored):
    first, last = scored.next_order_from, scored.next_order_until
    given = np.isfinite(first)

    assert np.array_equal(given, scored.churn_probability <= 0.5)
    assert np.array_equal(given, np.isfinite(last))
    assert given.any()
    assert ((first[given] >= 15_500) & (first[given] <= last[given])).all()
    assert (last[given] <= 15_500 + 730).all()
    assert np.array_equal(first[given], np.rint(first[given]))
    codes = np.array([NULL_REASONS[code] for code in scored.next_order_null])
    assert set(codes[given]) == {""}
    assert set(codes[~given]) == {"order_unlikely"}


def test_result_is_json_able_and_finite(scored):
    stored = json.dumps(
        [
            scored.parameters,
            scored.metrics,
            scored.baseline,
            [note.to_dict() for note in scored.notes],
            list(scored.churn_reasons.rows()),
            list(scored.clv_reasons.rows()),
        ],
        allow_nan=False,
    )

    assert "NaN" not in stored


def test_any_row_order_gives_the_same_bytes():
    given = to_score(usual_shop(), 15_500)
    rng = np.random.default_rng(0)
    rows = rng.permutation(given.purchases.day.size)
    mixed = replace(
        given,
        customer_ids=rng.permutation(given.customer_ids),
        purchases=PurchaseDays(*(column[rows] for column in vars(given.purchases).values())),
    )

    assert as_bytes(score_customers(mixed)) == as_bytes(score_customers(given))


def test_later_events_change_nothing():
    shop = usual_shop()
    ids = np.unique(shop.customer_id)
    late_ratings = Ratings(ids[:5], np.full(5, 15_450), np.zeros(5), np.zeros(5, np.int8))
    late_deliveries = Deliveries(ids[:5], np.full(5, 15_450), np.full(5, 30.0))
    given = ScoringInput(as_of_day=15_450, customer_ids=ids, purchases=shop)

    past = score_customers(replace(given, purchases=shop.before(15_450)))
    whole = score_customers(replace(given, ratings=late_ratings, deliveries=late_deliveries))

    assert as_bytes(whole) == as_bytes(past)


def test_doubling_money_doubles_clv_and_leaves_churn_alone(scored):
    shop = usual_shop()

    twice = score_customers(to_score(replace(shop, net_spend=2 * shop.net_spend), 15_500))

    for name in ("predicted_clv", "clv_low", "clv_high", "clv_12m", "total_spend"):
        np.testing.assert_allclose(getattr(twice, name), 2 * getattr(scored, name), rtol=1e-9)
    for name in ("churn_probability", "orders_high", "next_order_from", "next_order_until"):
        assert getattr(twice, name).tobytes() == getattr(scored, name).tobytes(), name
    assert twice.rfm_group.tobytes() == scored.rfm_group.tobytes()


def test_those_who_never_bought_are_null_with_a_reason_never_zero():
    shop = usual_shop()
    given = to_score(shop, 15_500)
    cancelled = PurchaseDays(
        np.append(shop.customer_id, [900_001, 900_001]),
        np.append(shop.day, [15_100, 15_100]),
        np.append(shop.net_spend, [168_469.6, -168_469.6]),
    )
    ids = np.append(given.customer_ids, [900_001, 900_000])

    result = score_customers(replace(given, purchases=cancelled, customer_ids=ids))

    assert result.customer_id[-2:].tolist() == [900_000, 900_001]
    dates = ("next_order_from", "next_order_until")
    for name in (*FLOATS, *dates, "satisfaction", "total_spend", "days_since_last_order"):
        assert np.isnan(getattr(result, name)[-2:]).all(), name
    for name in ("rfm_null", "clv_null", "churn_null", "next_order_null"):
        assert {NULL_REASONS[code] for code in getattr(result, name)[-2:]} == {"no_orders"}
    assert NULL_REASONS[result.satisfaction_null[-1]] == "no_orders_no_signals"
    assert result.order_count[-2:].tolist() == [0, 0]
    assert result.rfm_group[-2:].tolist() == [-1, -1]
    assert result.churn_reasons.row(result.customer_id.size - 1) == []


@pytest.mark.parametrize("customers", [0, 1, 3, 50])
def test_a_tiny_shop_abstains_from_all_but_satisfaction(customers):
    shop = usual_shop()
    few = shop.where(shop.customer_id <= customers)

    result = score_customers(to_score(few, 15_500))

    assert [entry.score for entry in result.abstentions] == ["rfm", "clv", "churn"]
    assert result.model == ""
    assert result.metrics == {}
    assert np.isnan(result.predicted_clv).all()
    assert np.isnan(result.churn_probability).all()
    assert (result.r_score == 0).all()
    assert np.isfinite(result.satisfaction).all()
    assert result.customer_id.size == customers


def test_old_data_abstain_and_name_the_last_day():
    shop = usual_shop()

    result = score_customers(to_score(shop, 15_515))

    last = int(shop.day.max())
    assert {(entry.code, entry.day) for entry in result.abstentions} == {("no_data_since", last)}
    assert {NULL_REASONS[code] for code in result.clv_null} == {"no_data_since"}


def test_a_young_shop_gets_rfm_but_no_forecast():
    shop = usual_shop().before(15_100)

    result = score_customers(replace(to_score(shop, 15_100), horizon_days=90))

    assert {(entry.score, entry.code) for entry in result.abstentions} == {
        ("clv", "history_too_short"),
        ("churn", "history_too_short"),
    }
    assert (result.r_score > 0).all()
    assert np.isnan(result.predicted_clv).all()
    assert np.isnan(result.next_order_from).all()
    for name in ("churn_null", "next_order_null"):
        assert {NULL_REASONS[code] for code in getattr(result, name)} == {"history_too_short"}


def test_the_whole_shop_returning_once_on_the_next_day_publishes_nothing_odd():
    """Everyone bought twice, a day apart: whatever the optimiser says, no number may be odd."""
    ids = np.arange(400)
    first = 15_000 + ids % 300
    shop = PurchaseDays(np.tile(ids, 2), np.concatenate([first, first + 1]), np.full(800, 20.0))

    result = score_customers(replace(to_score(shop, 15_302), horizon_days=60))

    assert {(entry.score, entry.code) for entry in result.abstentions} == {
        ("clv", "degenerate_fit"),
        ("churn", "degenerate_fit"),
    }
    assert all("bg_nbd" in entry.detail for entry in result.abstentions)
    for name in FLOATS:
        assert np.isnan(getattr(result, name)).all(), name
    assert (result.r_score > 0).all()


def test_excluded_accounts_do_not_teach_but_are_scored():
    shop = usual_shop()
    days = np.arange(15_000, 15_500)
    odd = PurchaseDays(
        np.append(shop.customer_id, np.full(500, 700_000)),
        np.append(shop.day, days),
        np.append(shop.net_spend, np.full(500, 90_000.0)),
    )
    usual = score_customers(to_score(shop, 15_500))

    excluded = score_customers(
        replace(to_score(odd, 15_500), excluded_from_fit=np.array([700_000]), horizon_days=60)
    )
    same = replace(to_score(shop, 15_500), horizon_days=60)

    assert excluded.parameters["clv"] == score_customers(same).parameters["clv"]
    assert excluded.predicted_clv[-1] > 1000 * np.median(usual.predicted_clv)
    assert excluded.churn_probability[-1] < 0.01


def test_reasons_follow_the_customers_own_rhythm(scored):
    late = np.flatnonzero((scored.order_count >= 5) & (scored.days_since_last_order > 250))
    busy = np.flatnonzero((scored.order_count >= 10) & (scored.days_since_last_order < 5))
    assert late.size
    assert busy.size

    for index in late:
        found = {reason["code"]: reason for reason in scored.churn_reasons.row(int(index))}
        silence = found["days_since_last_order"]
        assert silence["direction"] == "up"
        assert silence["value"] == scored.days_since_last_order[index]
        assert silence["value"] > silence["typical"]
    for index in busy:
        codes = {(r["code"], r["direction"]) for r in scored.churn_reasons.row(int(index))}
        assert ("order_count", "down") in codes
        value = {(r["code"], r["direction"]) for r in scored.clv_reasons.row(int(index))}
        assert ("order_count", "up") in value


def test_satisfaction_joins_answers_deliveries_and_returns():
    shop = usual_shop()
    ids = np.unique(shop.customer_id)[:3]
    given = replace(
        to_score(shop, 15_500),
        ratings=Ratings(ids[:1], np.array([15_499]), np.array([0.0]), np.array([0], np.int8)),
        deliveries=Deliveries(ids[1:2], np.array([15_499]), np.array([12.0])),
        operations=Operations(ids[2:], *np.array([[15_400], [2], [2], [0]])),
    )

    result = score_customers(given)

    # The one answer moves the base a little: against it stand 20 of the published 0.785.
    base = 0.785 - 0.785 / 21
    late = (1.70 - 4.14) / 4
    assert result.satisfaction[:3].tolist() == pytest.approx(
        [100 * 2 * base / 3, 100 * (base + late), 100 * (base - 0.25)], abs=1e-6
    )
    assert result.satisfaction_inferred_share[:3].tolist() == pytest.approx([2 / 3, 1.0, 1.0])
    assert [result.satisfaction_reasons.row(i)[0]["code"] for i in range(3)] == [
        "rating",
        "delivery_delay",
        "return_share",
    ]


def answering(size: int, worth: float = 0.5, first: int = 1) -> Ratings:
    ids = np.arange(first, first + size)
    return Ratings(ids, 15_000 + ids % 400, np.full(size, worth), np.zeros(size, np.int8))


def test_satisfaction_is_validated_also_where_nothing_else_can_be_scored():
    young = PurchaseDays(np.array([1]), np.array([15_490]), np.array([9.0]))
    given = ScoringInput(15_500, np.arange(1, 101), young, ratings=answering(100))

    result = score_customers(given)

    assert {entry.score for entry in result.abstentions} == {"rfm", "clv", "churn"}
    assert list(result.metrics) == list(result.baseline) == ["satisfaction"]
    assert result.metrics["satisfaction"]["n"] == 100
    assert result.parameters["satisfaction"]["expectation"]["answers"] == 100
    assert json.dumps([result.metrics, result.baseline, result.parameters], allow_nan=False)


def test_a_shop_with_few_answers_says_that_satisfaction_is_unvalidated(scored):
    assert "satisfaction" not in scored.metrics
    assert "satisfaction" not in scored.baseline
    assert [note.to_dict() for note in scored.notes if note.code.startswith("satis")] == [
        {"code": "satisfaction_unvalidated", "have": 0, "need": 50, "day": None, "detail": ""}
    ]


def test_answers_of_excluded_accounts_teach_and_prove_nothing():
    shop = usual_shop()
    given = replace(to_score(shop, 15_500), ratings=answering(60))
    staff = answering(80, worth=0.0, first=61)
    joined = Ratings(
        *(
            np.concatenate([one, two])
            for one, two in zip(vars(given.ratings).values(), vars(staff).values(), strict=True)
        )
    )

    without = score_customers(replace(given, excluded_from_fit=staff.customer_id))
    with_them = score_customers(replace(given, ratings=joined, excluded_from_fit=staff.customer_id))

    assert with_them.metrics["satisfaction"] == without.metrics["satisfaction"]
    assert with_them.parameters["satisfaction"] == without.parameters["satisfaction"]
    scored_low = np.isin(with_them.customer_id, staff.customer_id)
    assert (with_them.satisfaction[scored_low] < without.satisfaction[scored_low]).all()


def test_a_shop_of_one_price_level_still_gets_a_value(monkeypatch):
    """Where customers do not differ Gamma–Gamma has no optimum; the rung below speaks instead."""
    shop = usual_shop(days=400).occasions()  # too young for a season in its spend
    one_price = replace(shop, net_spend=np.full(shop.day.size, 9.0))
    monkeypatch.setattr(climbing, "plainly_worse", lambda _pairs: True)  # no blend

    result = score_customers(to_score(one_price, 15_400))

    assert [entry.score for entry in result.abstentions] == ["margin_12m"]
    assert result.parameters["clv"]["spend"]["model"] == "credibility"
    assert result.metrics["clv"]["gamma_gamma_refused"].startswith("gamma_gamma")
    np.testing.assert_allclose(result.predicted_clv, 9.0 * result.expected_orders, rtol=1e-12)


def test_repeated_customer_ids_are_refused():
    given = to_score(usual_shop(), 15_500)

    with pytest.raises(ValueError, match="unique"):
        score_customers(replace(given, customer_ids=np.array([1, 1])))


def test_run_names_what_it_stands_on(scored):
    assert scored.horizon_days in {30, 60, 90, 120, 180}
    assert scored.metrics["origins"][0] == 15_500 - scored.horizon_days
    assert scored.baseline["clv"]["name"] == "own_rate_times_horizon"
    assert scored.baseline["orders"]["name"] == "own_rate_times_horizon"
    assert scored.baseline["next_order"]["name"] == "own_gap_half_either_way"
    assert scored.baseline["churn"]["name"] == "recency_rule"
    assert scored.parameters["horizon_days"] == scored.horizon_days
    assert scored.parameters["clv"]["buying"]["model"] == scored.model
    assert scored.notes[0].code == "history_starts_at"
    assert scored.notes[0].day == int(usual_shop().day.min())
