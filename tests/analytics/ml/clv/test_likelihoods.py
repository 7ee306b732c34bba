import numpy as np
import pytest

from analytics.ml.clv import BG_NBD, MBG_NBD, NBD
from analytics.ml.clv.likelihoods import PRIOR_CENTRE, BuyingLikelihood, SpendLikelihood
from analytics.ml.summary import Histogram

STEP = 1e-5


def rows(customers: int = 400) -> Histogram:
    rng = np.random.default_rng(1)
    age = rng.integers(1, 600, customers)
    frequency = rng.poisson(1.5, customers)
    recency = np.where(frequency > 0, (rng.random(customers) * age).astype(np.int64), 0)
    return Histogram(frequency, recency, age, rng.integers(1, 5, customers).astype(float))


def slopes(function, point, which: int) -> np.ndarray:
    """Return the differences of value (0) or gradient (1) along each parameter."""
    return np.array(
        [
            (function(point + STEP * one)[which] - function(point - STEP * one)[which]) / STEP / 2
            for one in np.eye(point.size)
        ]
    )


@pytest.mark.parametrize("model", [BG_NBD, MBG_NBD, NBD])
@pytest.mark.parametrize("prior", [0.0, 25.0])
@pytest.mark.parametrize("parameters", [(0.4, 6.0, 0.9, 1.7), (3.0, 0.3, 0.02, 0.9)])
def test_derivatives_of_repeat_buying_are_those_of_its_value(model, prior, parameters):
    likelihood = BuyingLikelihood(model, rows(), prior=prior)
    point = np.log(parameters[: 2 if model == NBD else 4])

    _, gradient, hessian = likelihood(point)

    np.testing.assert_allclose(gradient, slopes(likelihood, point, 0), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(hessian, slopes(likelihood, point, 1), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-12)


def test_derivatives_of_order_value_are_those_of_its_value():
    rng = np.random.default_rng(2)
    likelihood = SpendLikelihood(rng.integers(1, 9, 300), rng.gamma(3.0, 10.0, 300))
    point = np.log([5.0, 4.0, 12.0])

    _, gradient, hessian = likelihood(point)

    np.testing.assert_allclose(gradient, slopes(likelihood, point, 0), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(hessian, slopes(likelihood, point, 1), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("model", [BG_NBD, MBG_NBD])
def test_a_weight_counts_as_so_many_customers(model):
    given = rows()
    each = given.weight.astype(int)
    spread = Histogram(
        *(np.repeat(column, each) for column in (given.frequency, given.recency, given.T)),
        np.ones(each.sum()),
    )
    point = np.log([0.4, 6.0, 0.9, 1.7])

    short, long = (BuyingLikelihood(model, one, prior=3.0)(point) for one in (given, spread))

    for one, other in zip(short, long, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_the_weak_prior_adds_nothing_at_its_centre():
    plain, steadied = (BuyingLikelihood(MBG_NBD, rows(), prior=prior) for prior in (0.0, 50.0))
    centre = np.log(PRIOR_CENTRE)

    assert steadied.doubt(centre) == 0.0
    assert steadied(centre)[0] == plain(centre)[0]
    assert steadied(centre + 1.0)[0] > plain(centre + 1.0)[0]
