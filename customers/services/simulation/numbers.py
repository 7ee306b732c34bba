"""How simulated orders and lines are numbered."""

from typing import Any

import numpy as np

from customers.services.simulation.world import Cohort
from customers.services.simulation.world.arrays import Table


def order_numbers(cohort: Cohort) -> Any:
    """Return the order numbers: the cohort, and the order's place in it."""
    place = np.arange(cohort.orders["day"].size).astype(str)
    return f"S{cohort.index:04d}-" + np.strings.zfill(place, 6)


def line_keys(lines: Table) -> Any:
    """Return each line's place in its order, from 1."""
    order = lines["order"]
    starts = np.searchsorted(order, order)
    return (np.arange(order.size) - starts + 1).astype(str)
