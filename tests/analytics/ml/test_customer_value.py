import json
from dataclasses import replace

import numpy as np

from analytics.ml.clv import BG_NBD, MBG_NBD, REPEAT_ORDERS
from analytics.ml.customer_value import CustomerValueModel
from analytics.ml.summary import summarise
from tests.analytics.ml.shops import usual_shop


def test_doubling_money_doubles_the_value():
    summary = summarise(usual_shop().occasions(), as_of_day=15_500)
    double = replace(
        summary,
        monetary_value=2 * summary.monetary_value,
        average_order=2 * summary.average_order,
        total_spend=2 * summary.total_spend,
    )

    once, twice = CustomerValueModel().fit(summary), CustomerValueModel().fit(double)

    np.testing.assert_allclose(
        twice.expected_spend(double, horizon_days=90),
        2 * once.expected_spend(summary, horizon_days=90),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        twice.discounted_year(double, discount_rate=0.1),
        2 * once.discounted_year(summary, discount_rate=0.1),
        rtol=1e-12,
    )


def test_discounting_lowers_the_year_and_no_discount_gives_its_spend():
    summary = summarise(usual_shop().occasions(), as_of_day=15_500)
    model = CustomerValueModel(BG_NBD).fit(summary)

    plain = model.discounted_year(summary, discount_rate=0.0)

    np.testing.assert_allclose(plain, model.expected_spend(summary, horizon_days=365), rtol=1e-9)
    assert (model.discounted_year(summary, discount_rate=0.1) < plain).all()


def test_stored_parameters_score_the_same():
    summary = summarise(usual_shop().occasions(), as_of_day=15_500)
    model = CustomerValueModel(MBG_NBD).fit(summary)

    again = CustomerValueModel.from_dict(json.loads(json.dumps(model.to_dict())))

    assert again.to_dict() == model.to_dict()
    np.testing.assert_array_equal(
        again.expected_spend(summary, horizon_days=60),
        model.expected_spend(summary, horizon_days=60),
    )


def test_estimators_only_store_what_they_are_given():
    model = CustomerValueModel(BG_NBD, orders=REPEAT_ORDERS, winsorise_quantile=None)

    assert vars(model) == {
        "model": BG_NBD,
        "orders": REPEAT_ORDERS,
        "winsorise_quantile": None,
        "engine": "newton",
        "random_state": None,
    }
