"""What the writers of one cohort share: where they write, and the ids of its rows."""

from dataclasses import dataclass
from typing import Any

from customers.models import Source
from customers.services.simulation.world import Cohort, World
from customers.services.simulation.world.arrays import Bools, Ints, Table


@dataclass(frozen=True)
class Sheet:
    """A cohort on its way into the record.

    ``customer``, ``order`` and ``line`` are the ids of its rows, −1 for rows that are not written;
    ``owner`` is the id of each order's customer, −1 for guests; ``product`` follows the catalogue.
    """

    cursor: Any
    world: World
    cohort: Cohort
    source: Source
    customer: Ints
    order: Ints
    line: Ints
    product: Ints
    owner: Ints


def only(table: Table, chosen: Bools) -> Table:
    """Return the chosen rows."""
    return {name: column[chosen] for name, column in table.items()}
