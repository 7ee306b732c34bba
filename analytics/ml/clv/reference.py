"""The same fits by the reference package, ``lifetimes``: slower, and equal.

Nothing else imports that package. It is archived, so what it answers will not change.
"""

import contextlib
import io
import warnings
from typing import Any

import numpy as np
from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter

from analytics.ml.arrays import FloatArray, IntArray
from analytics.ml.clv.names import BG_NBD, MBG_NBD, TIME_UNIT_DAYS
from analytics.ml.clv.newton import Optimum
from analytics.ml.errors import DegenerateFitError
from analytics.ml.summary import Histogram

TOLERANCES = (1e-7, 1e-6, 1e-5)
FITTERS = {BG_NBD: BetaGeoFitter, MBG_NBD: ModifiedBetaGeoFitter}


def fit_buying(model: str, histogram: Histogram, start: tuple[float, ...] | None) -> Optimum:
    """Fit BG/NBD or MBG/NBD; the loss is per customer, α in weeks."""
    fitter = FITTERS[model](penalizer_coef=0.0)
    age = histogram.T / TIME_UNIT_DAYS
    oldest = float(age.max())
    initial = None
    if start is not None:
        # The fitter squeezes time so that the oldest customer is one unit old.
        r, alpha, a, b = start
        initial = np.log([r, alpha / oldest, a, b])
    columns = (histogram.frequency, histogram.recency / TIME_UNIT_DAYS, age)
    _run(fitter, model, *columns, weights=histogram.weight, initial_params=initial)
    # Back from the squeezed time to weeks: every repeat purchase carries one 1 / time.
    repeats = float(histogram.weight @ histogram.frequency) / float(histogram.weight.sum())
    return Optimum(
        tuple(float(fitter.params_[name]) for name in ("r", "alpha", "a", "b")),
        float(fitter._negative_log_likelihood_) + repeats * float(np.log(oldest)),
        np.asarray(fitter._hessian_),
    )


def fit_spend(count: IntArray, mean: FloatArray) -> Optimum:
    """Fit Gamma–Gamma on the number of orders behind each mean, and the mean."""
    rows, weight = np.unique(np.column_stack([count, mean]), axis=0, return_counts=True)
    fitter = GammaGammaFitter(penalizer_coef=0.0)
    _run(fitter, "gamma_gamma", rows[:, 0], rows[:, 1], weights=weight)
    return Optimum(
        tuple(float(fitter.params_[name]) for name in ("p", "q", "v")),
        float(fitter._negative_log_likelihood_),
        np.asarray(fitter._hessian_),
    )


def _run(fitter: Any, name: str, *columns: Any, **options: Any) -> None:
    """Run a fitter quietly and turn every way it fails into one error.

    The optimiser gives up where rounding hides the last digits of a sound optimum (one simulated
    shop in five at 1e-7), so ask for fewer digits before giving up too.
    """
    failure: Exception | None = None
    for tolerance in TOLERANCES:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # overflow on the way to an optimum that a gate judges
            try:
                fitter.fit(*columns, tol=tolerance, **options)
            # Its own ConvergenceError, and numpy's when the Hessian cannot be inverted.
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                failure = error
            else:
                return
    raise DegenerateFitError(f"{name}: {type(failure).__name__}") from failure
