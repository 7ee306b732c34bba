"""Minimise a loss whose first and second derivatives are known exactly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from analytics.ml.arrays import FloatArray
from analytics.ml.clv.names import refuse_flat
from analytics.ml.errors import DegenerateFitError

FARTHEST = 14.0
"""Logarithm of a parameter beyond which no optimum is sought: one in a million, or a million."""
GRADIENT = 1e-9
GOOD_GRADIENT = 1e-6
LONGEST_STEP = 2.0
MOST_STEPS = 60

Derivatives = tuple[float, FloatArray, FloatArray]


@dataclass(frozen=True)
class Optimum:
    """Where a loss is least: parameters, loss, and the second derivatives in their logarithms."""

    parameters: tuple[float, ...]
    loss: float
    hessian: FloatArray


def minimise(
    name: str, loss: Callable[[FloatArray], Derivatives], start: Sequence[float]
) -> Optimum:
    """Minimise ``loss`` over positive parameters by trust-region Newton steps in their logarithms.

    ``loss`` takes logarithms and returns value, gradient and Hessian in them. Raises
    DegenerateFitError when a parameter runs away, or where the optimum is flat.
    """
    last: dict[bytes, Derivatives] = {}

    def at(point: FloatArray) -> Derivatives:
        key = point.tobytes()
        if key not in last:
            if np.abs(point).max() > FARTHEST:
                raise DegenerateFitError(f"{name}: a parameter runs away ({_words(point)})")
            last.clear()
            last[key] = loss(point)
            if not np.isfinite(last[key][0]):
                raise DegenerateFitError(f"{name}: no finite likelihood ({_words(point)})")
        return last[key]

    found = minimize(
        lambda point: at(point)[0],
        np.log(np.asarray(start, dtype=np.float64)),
        jac=lambda point: at(point)[1],
        hess=lambda point: at(point)[2],
        method="trust-exact",
        options={
            "gtol": GRADIENT,
            "maxiter": MOST_STEPS,
            "initial_trust_radius": 1.0,
            "max_trust_radius": LONGEST_STEP,
        },
    )
    value, slope, hessian = at(found.x)
    if float(np.abs(slope).max()) > GOOD_GRADIENT:
        raise DegenerateFitError(f"{name}: no optimum was found ({_words(found.x)})")
    refuse_flat(name, hessian)
    return Optimum(tuple(float(one) for one in np.exp(found.x)), float(value), hessian)


def _words(point: FloatArray) -> str:
    return ", ".join(f"{value:.4g}" for value in np.exp(point))
