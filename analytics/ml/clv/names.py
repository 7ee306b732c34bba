"""The names of the models, the unit of time they count in, and when a fit describes nobody."""

import numpy as np

from analytics.ml.arrays import FloatArray
from analytics.ml.errors import DegenerateFitError

BG_NBD = "bg_nbd"
MBG_NBD = "mbg_nbd"
NBD = "nbd"
GAMMA_GAMMA = "gamma_gamma"
CREDIBILITY = "credibility"
ALL_ORDERS = "all"
REPEAT_ORDERS = "repeat"

NEWTON = "newton"
LIFETIMES = "lifetimes"
ENGINES = (NEWTON, LIFETIMES)
"""Who maximises the likelihoods: Newton steps on exact derivatives, or the reference package."""

# Weeks keep alpha near 1–20 for shops whose customers come every few days to every few months;
# in days the gate on parameter size below would judge the unit instead of the fit.
TIME_UNIT_DAYS = 7.0
MAX_PARAMETER = 1e4
MIN_PARAMETER = 1e-3
DROPOUT_MEAN = (0.005, 0.995)


def refuse_extremes(name: str, parameters: dict[str, float]) -> None:
    """Raise when a parameter ran away, e.g. r = 1e13 where everybody bought once."""
    for label, value in parameters.items():
        if not np.isfinite(value) or not MIN_PARAMETER <= value <= MAX_PARAMETER:
            raise DegenerateFitError(f"{name}: {label} = {value:.4g}")


def refuse_flat(name: str, hessian: FloatArray) -> None:
    """Raise when the optimum is no minimum in every direction."""
    if not np.isfinite(hessian).all() or np.linalg.eigvalsh(hessian).min() <= 0:
        raise DegenerateFitError(f"{name}: the Hessian is not positive definite")
