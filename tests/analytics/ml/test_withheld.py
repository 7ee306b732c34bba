"""Customers of sources that hardly tell buyers apart: not scored, and not learned from."""

from dataclasses import replace

import numpy as np

from analytics.ml.run import NULL_REASONS, score_customers
from tests.analytics.ml.shops import to_score, usual_shop

AS_OF = 15_500


def test_who_is_withheld_gets_a_reason_in_place_of_scores():
    given = to_score(usual_shop(), AS_OF)
    some = given.customer_ids[::7]
    result = score_customers(replace(given, withheld=some))
    gone = np.isin(result.customer_id, some)
    code = NULL_REASONS.index("source_without_keys")
    for name in ("rfm", "clv", "churn", "next_order", "satisfaction"):
        assert (getattr(result, f"{name}_null")[gone] == code).all()
        assert not (getattr(result, f"{name}_null")[~gone] == code).any()
    for name in (
        "churn_probability",
        "predicted_clv",
        "satisfaction",
        "orders_high",
        "next_order_from",
    ):
        assert np.isnan(getattr(result, name)[gone]).all()
    assert (result.r_score[gone] == 0).all()
    assert np.isfinite(result.churn_probability[~gone]).any()


def test_the_others_are_scored_as_if_the_withheld_were_not_there():
    given = to_score(usual_shop(), AS_OF)
    some = given.customer_ids[::7]
    others = ~np.isin(given.customer_ids, some)
    bought = ~np.isin(given.purchases.customer_id, some)
    alone = replace(
        given,
        customer_ids=given.customer_ids[others],
        purchases=given.purchases.where(bought),
    )
    with_them = score_customers(replace(given, withheld=some))
    without = score_customers(alone)
    shown = ~np.isin(with_them.customer_id, some)
    for name in ("churn_probability", "predicted_clv", "r_score", "m_score"):
        np.testing.assert_array_equal(getattr(with_them, name)[shown], getattr(without, name))
    assert with_them.metrics == without.metrics
