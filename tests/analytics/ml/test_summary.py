import numpy as np
import pytest

from analytics.ml import summary as summaries
from analytics.ml.summary import (
    PurchaseDays,
    compress,
    merge,
    occasion_gaps,
    summarise,
    summarise_purchases,
    window_outcome,
)
from tests.analytics.ml.shops import usual_shop


def purchases(*rows: tuple[int, int, float]) -> PurchaseDays:
    customer, day, spend = zip(*rows, strict=True)
    return PurchaseDays(
        np.array(customer, np.int64), np.array(day, np.int64), np.array(spend, np.float64)
    )


def test_summary_counts_repeat_days_from_first_purchase_to_last_observed_day():
    shop = purchases((2, 10, 5.0), (1, 0, 10.0), (1, 20, 30.0), (1, 30, 50.0)).occasions()

    summary = summarise(shop, as_of_day=41)

    assert summary.customer_id.tolist() == [1, 2]
    assert summary.frequency.tolist() == [2, 0]
    assert summary.recency.tolist() == [30, 0]
    assert summary.T.tolist() == [40, 30]
    assert summary.monetary_value.tolist() == [40.0, 0.0]
    assert summary.average_order.tolist() == [30.0, 5.0]
    assert summary.total_spend.tolist() == [90.0, 5.0]
    assert summary.order_count.tolist() == [3, 1]
    assert summary.days_since_last_order.tolist() == [10, 30]


def test_orders_of_one_day_are_one_occasion():
    shop = purchases((1, 0, 10.0), (1, 0, 15.0), (1, 9, 5.0)).occasions()

    assert shop.day.tolist() == [0, 9]
    assert shop.net_spend.tolist() == [25.0, 5.0]


@pytest.mark.parametrize("rest", [0.0, -12.5, 1e-9])
def test_a_day_whose_giant_order_was_cancelled_is_no_occasion(rest):
    # 80,995 units at 2.08, cancelled minutes later
    shop = purchases((1, 0, 10.0), (1, 5, 168_469.6), (1, 5, -168_469.6 + rest)).occasions()

    assert shop.day.tolist() == [0]
    assert shop.net_spend.tolist() == [10.0]


def test_nothing_on_or_after_as_of_is_seen():
    shop = purchases((1, 0, 10.0), (1, 20, 30.0), (2, 20, 9.0)).occasions()

    summary = summarise(shop, as_of_day=20)

    assert summary.customer_id.tolist() == [1]
    assert summary.frequency.tolist() == [0]
    assert summary.T.tolist() == [19]


def test_an_empty_shop_has_an_empty_summary():
    shop = PurchaseDays.empty().occasions()

    assert summarise(shop, as_of_day=10).T.size == 0
    assert compress(shop.customer_id, shop.customer_id, shop.customer_id).weight.size == 0


def test_money_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite"):
        purchases((1, 0, float("nan"))).occasions()


def test_row_order_is_irrelevant():
    shop = usual_shop(customers=300)
    shuffled = np.random.default_rng(0).permutation(shop.day.size)
    mixed = PurchaseDays(shop.customer_id[shuffled], shop.day[shuffled], shop.net_spend[shuffled])

    for left, right in zip(
        vars(summarise(shop.occasions(), as_of_day=15_400)).values(),
        vars(summarise(mixed.occasions(), as_of_day=15_400)).values(),
        strict=True,
    ):
        assert left.tobytes() == right.tobytes()


def test_histograms_of_parts_merge_into_that_of_the_whole():
    summary = summarise(usual_shop().occasions(), as_of_day=15_500)
    left = summary.customer_id % 2 == 0
    one, two = summary.take(left), summary.take(~left)

    merged = merge(
        compress(one.frequency, one.recency, one.T), compress(two.frequency, two.recency, two.T)
    )
    whole = compress(summary.frequency, summary.recency, summary.T)

    assert float(whole.weight.sum()) == summary.T.size
    assert whole.T.size < summary.T.size
    for a, b in zip(vars(merged).values(), vars(whole).values(), strict=True):
        assert a.tolist() == b.tolist()


def test_gaps_never_cross_customers():
    shop = purchases((1, 0, 1.0), (1, 30, 1.0), (2, 500, 1.0), (2, 505, 1.0)).occasions()

    assert occasion_gaps(shop).tolist() == [30, 5]


def test_outcome_is_of_known_buyers_inside_the_window():
    shop = purchases(
        (1, 0, 1.0), (1, 10, 7.0), (1, 15, 2.0), (1, 20, 9.0), (2, 3, 4.0), (9, 12, 99.0)
    ).occasions()

    spend, orders = window_outcome(shop, np.array([1, 2]), start_day=10, end_day=20)

    assert spend.tolist() == [9.0, 0.0]
    assert orders.tolist() == [2, 0]


@pytest.mark.parametrize("block", [1, 7, 250, 10**6])
def test_blocks_of_customers_give_the_summary_of_all(block, monkeypatch):
    shop = usual_shop(customers=200)
    order = np.lexsort((shop.day, shop.customer_id))
    by_customer = PurchaseDays(*(column[order] for column in vars(shop).values()))
    whole = summarise(shop.occasions(), as_of_day=15_400)
    monkeypatch.setattr(summaries, "BLOCK", block)

    for rows in (by_customer, shop):
        found = summarise_purchases(rows, as_of_day=15_400)
        for name, column in vars(whole).items():
            np.testing.assert_array_equal(getattr(found, name), column, err_msg=name)


def test_ids_too_far_apart_to_be_packed_are_summed_all_the_same():
    rows = [(2**61, 3, 1.0), (-(2**61), 3, 2.0), (2**61, 3, 4.0), (2**61, 1, 8.0)]

    found = purchases(*rows).occasions()

    assert found.customer_id.tolist() == [-(2**61), 2**61, 2**61]
    assert found.day.tolist() == [3, 1, 3]
    assert found.net_spend.tolist() == [2.0, 8.0, 5.0]


def test_numbers_beyond_any_shop_are_refused():
    far = np.array([2**40])
    with pytest.raises(ValueError, match="beyond any shop"):
        compress(far, far, far)
