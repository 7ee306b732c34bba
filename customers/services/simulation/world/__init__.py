"""A shop drawn from known laws: arrays in, arrays out, no database, no clock."""

from customers.services.simulation.world.catalogue import Catalogue, draw_catalogue
from customers.services.simulation.world.cohort import COHORT, Cohort, World
from customers.services.simulation.world.plan import Plan

__all__ = ["COHORT", "Catalogue", "Cohort", "Plan", "World", "draw_catalogue"]
