"""Names of the array types, the sign for "never", and the streams of chance."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]
Table = dict[str, NDArray[Any]]
"""Columns of equal length."""

NEVER: int = int(np.iinfo(np.int64).min)
"""An instant that does not come."""

CATALOGUE, PEOPLE, PURCHASES, VALUES, BASKETS, DELIVERY, VOICE, BROWSING, EFFECTS, GUESTS = range(
    10
)


def stream(seed: int, topic: int, cohort: int = 0) -> np.random.Generator:
    """Return the chance of one topic of one cohort: nobody else's draws can move it."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(topic, cohort)))


def pick(rng: np.random.Generator, weights: Floats) -> Ints:
    """Return one column for each row of non-negative weights, in proportion to them."""
    sums = np.cumsum(weights, axis=1)
    drawn = rng.random(sums.shape[0]) * sums[:, -1]
    return np.asarray((sums <= drawn[:, None]).sum(axis=1), dtype=np.int64)
