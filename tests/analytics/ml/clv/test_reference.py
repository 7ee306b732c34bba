"""Both engines give the same fits: ours, and the reference package's."""

import numpy as np
import pytest

from analytics.ml.clv import (
    ALL_ORDERS,
    BG_NBD,
    LIFETIMES,
    MBG_NBD,
    REPEAT_ORDERS,
    RepeatBuyingModel,
    SpendModel,
)
from analytics.ml.summary import compress, summarise
from tests.analytics.ml.shops import CDNOW_SPLIT, cdnow, cdnow_calibration, simulate_bg_nbd

AGREE = 1e-5


@pytest.fixture(scope="module")
def large():
    """The buyers of a simulated shop of 100,000."""
    purchases = simulate_bg_nbd(
        customers=100_000, r=0.8, alpha=5.0, a=0.8, b=2.5, days=600, seed=31
    )
    return summarise(purchases.occasions(), as_of_day=15_600)


def buying(model: str, summary, **options) -> RepeatBuyingModel:
    history = compress(summary.frequency, summary.recency, summary.T)
    return RepeatBuyingModel(model, **options).fit(history)


def assert_buying_agrees(model: str, summary) -> None:
    ours, theirs = buying(model, summary), buying(model, summary, engine=LIFETIMES)

    # The published objective at our optimum is as low; where it is flat, parameters may differ a
    # little more than what is told from them.
    assert ours.log_likelihood_ == pytest.approx(theirs.log_likelihood_, rel=1e-9)
    assert ours.log_likelihood_ >= theirs.log_likelihood_ - 1e-6
    history = (summary.frequency, summary.recency, summary.T)
    for name in ("expected_orders", "p_buy"):
        one, other = (getattr(m, name)(*history, horizon_days=90) for m in (ours, theirs))
        np.testing.assert_allclose(one, other, rtol=AGREE)
    assert (ours.r_, ours.alpha_, ours.a_, ours.b_) == pytest.approx(
        (theirs.r_, theirs.alpha_, theirs.a_, theirs.b_), rel=AGREE
    )


@pytest.mark.parametrize("model", [BG_NBD, MBG_NBD])
def test_repeat_buying_agrees_on_cdnow(model):
    assert_buying_agrees(model, cdnow_calibration())


@pytest.mark.parametrize("model", [BG_NBD, MBG_NBD])
def test_repeat_buying_agrees_on_a_hundred_thousand_customers(model, large):
    assert_buying_agrees(model, large)


@pytest.mark.parametrize("orders", [ALL_ORDERS, REPEAT_ORDERS])
@pytest.mark.parametrize("shop", ["cdnow", "large"])
def test_order_value_agrees(orders, shop, large):
    summary = large if shop == "large" else summarise(cdnow().occasions(), as_of_day=CDNOW_SPLIT)

    ours, theirs = (
        SpendModel(orders, engine=engine).fit(summary) for engine in ("newton", LIFETIMES)
    )

    assert ours.log_likelihood_ >= theirs.log_likelihood_ - 1e-6
    np.testing.assert_allclose(
        ours.expected_order_value(summary), theirs.expected_order_value(summary), rtol=AGREE
    )


def test_a_warm_start_ends_where_a_cold_one_does(large):
    history = compress(large.frequency, large.recency, large.T)
    cold = RepeatBuyingModel(MBG_NBD).fit(history)

    warm = RepeatBuyingModel(MBG_NBD).fit(history, start=cold)

    assert (warm.r_, warm.alpha_, warm.a_, warm.b_) == pytest.approx(
        (cold.r_, cold.alpha_, cold.a_, cold.b_), rel=1e-9
    )
