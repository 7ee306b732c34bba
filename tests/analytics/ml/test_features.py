import numpy as np
import pytest

from analytics.ml.features import (
    BLOCK,
    FEATURES,
    WINDOWS,
    blocks,
    describe,
    fit_base,
    recent_activity,
    some,
)
from analytics.ml.summary import PurchaseDays, summarise
from tests.analytics.ml.shops import simulate_bg_nbd, usual_shop

AS_OF = 15_400


def described(shop: PurchaseDays, as_of_day: int = AS_OF) -> np.ndarray:
    occasions = shop.occasions().before(as_of_day)
    summary = summarise(occasions, as_of_day=as_of_day)
    base = fit_base(occasions, summary, horizon_days=60)
    return describe(summary, recent_activity(occasions, as_of_day=as_of_day, horizon_days=60), base)


def test_recent_activity_counts_occasions_and_spend_by_window():
    days = np.array([100, 380, 395, 399, 10, 398])
    shop = PurchaseDays(
        np.array([1, 1, 1, 1, 2, 3]), days, np.array([5.0, 7.0, 11.0, 13.0, 17.0, 19.0])
    ).occasions()

    recent = recent_activity(shop, as_of_day=400, horizon_days=60)

    by_days = dict(zip(WINDOWS, recent.orders.T.tolist(), strict=True))
    assert by_days[14] == [2, 0, 1]
    assert by_days[30] == [3, 0, 1]
    assert by_days[365] == [4, 0, 1]
    assert dict(zip(WINDOWS, recent.spend.T.tolist(), strict=True))[30] == [31.0, 0.0, 19.0]
    assert recent.last_value.tolist() == [13.0, 17.0, 19.0]
    np.testing.assert_array_equal(recent.last_gap, [4.0, np.nan, np.nan])
    gaps = np.array([280.0, 15.0, 4.0])
    assert recent.unevenness[0] == pytest.approx(gaps.std() / gaps.mean())
    assert recent.unevenness[1:].tolist() == [0.0, 0.0]


def test_the_same_days_a_year_ago_are_those_of_the_horizon():
    days = np.array([1034, 1035, 1094, 1095, 1390])
    shop = PurchaseDays(np.array([1, 1, 1, 1, 2]), days, np.array([1.0, 2.0, 4.0, 8.0, 16.0]))

    recent = recent_activity(shop.occasions(), as_of_day=1400, horizon_days=60)

    assert recent.year_ago_orders.tolist() == [2.0, 0.0]
    assert recent.year_ago_spend.tolist() == [6.0, 0.0]


def test_every_buyer_has_every_feature_and_each_is_finite():
    features = described(usual_shop())

    assert features.shape[1] == len(FEATURES) == len(set(FEATURES))
    assert np.isfinite(features).all()


def test_what_comes_later_changes_no_feature():
    shop = usual_shop()

    whole, alone = described(shop), described(shop.before(AS_OF))

    assert whole.tobytes() == alone.tobytes()


def test_another_currency_changes_no_feature():
    shop = usual_shop().occasions()
    double = PurchaseDays(shop.customer_id, shop.day, 2 * shop.net_spend)

    assert described(double).tobytes() == described(shop).tobytes()


def test_a_shop_that_nobody_leaves_is_described_all_the_same():
    shop = simulate_bg_nbd(customers=800, r=1.2, alpha=8.0, a=1e-6, b=1.0, days=500, seed=2)

    assert np.isfinite(described(shop)).all()


def test_the_same_customers_of_a_large_shop_are_looked_at_whatever_their_order():
    ids = np.arange(10_000, dtype=np.int64) * 7 + 3
    seen = set(ids[some(ids, 500)].tolist())
    back = ids[::-1]

    assert len(seen) == 500
    assert set(back[some(back, 500)].tolist()) == seen
    assert some(ids[:400], 500).all()
    # Spread over all ids, old and new.
    halves = [sum(one < ids[5000] for one in seen), sum(one >= ids[5000] for one in seen)]
    assert min(halves) > 200


def test_blocks_cover_every_row_once():
    rows = [list(range(BLOCK + 5))[part] for part in blocks(BLOCK + 5)]

    assert [len(part) for part in rows] == [BLOCK, 5]
    assert list(blocks(0)) == []
