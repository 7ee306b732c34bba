"""What every draw looks at: the plan, its clocks, its shelves, and the chance of one cohort."""

from dataclasses import dataclass

import numpy as np

from customers.services.simulation.world.arrays import stream
from customers.services.simulation.world.catalogue import Catalogue
from customers.services.simulation.world.plan import Plan
from customers.services.simulation.world.seasons import Seasons


@dataclass(frozen=True)
class Laws:
    """The laws of one cohort."""

    plan: Plan
    seasons: Seasons
    catalogue: Catalogue
    cohort: int

    def chance(self, topic: int, part: int = 0) -> np.random.Generator:
        """Return the stream of a topic, or of a part of it."""
        return stream(self.plan.seed, topic + 1000 * part, self.cohort)
