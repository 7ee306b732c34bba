"""Repeat buying and order value: BG/NBD, MBG/NBD, NBD and Gamma–Gamma, fitted by Newton steps."""

from analytics.ml.clv.buying import RepeatBuyingModel
from analytics.ml.clv.names import (
    ALL_ORDERS,
    BG_NBD,
    CREDIBILITY,
    ENGINES,
    GAMMA_GAMMA,
    LIFETIMES,
    MBG_NBD,
    NBD,
    NEWTON,
    REPEAT_ORDERS,
    TIME_UNIT_DAYS,
)
from analytics.ml.clv.order_value import SpendModel

__all__ = [
    "ALL_ORDERS",
    "BG_NBD",
    "CREDIBILITY",
    "ENGINES",
    "GAMMA_GAMMA",
    "LIFETIMES",
    "MBG_NBD",
    "NBD",
    "NEWTON",
    "REPEAT_ORDERS",
    "TIME_UNIT_DAYS",
    "RepeatBuyingModel",
    "SpendModel",
]
