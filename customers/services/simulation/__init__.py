"""A simulated shop: drawn from known laws, written by COPY, labelled on every page."""

from customers.services.simulation.files import DirtyFiles, Sessions, Truth
from customers.services.simulation.handler import KIND, run_chunk, start_simulation
from customers.services.simulation.opening import check, open_shop
from customers.services.simulation.world import Cohort, Plan, World
from customers.services.simulation.writing import write_cohorts

__all__ = [
    "KIND",
    "Cohort",
    "DirtyFiles",
    "Plan",
    "Sessions",
    "Truth",
    "World",
    "check",
    "open_shop",
    "run_chunk",
    "start_simulation",
    "write_cohorts",
]
