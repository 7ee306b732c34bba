"""Real stars: 23,486 reviews of women's clothing (CC0).

They name no customer, no order and no time, so nothing can be learned from them of a customer's
earlier answers or of operations. What they can show is the spread of real stars: each is taken as
the only answer of a customer of its own, in the order of the file, a hundred a day. Then the shop's
base must be found and the band hold 8 of 10.
"""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from analytics.ml.satisfaction import Ratings, Signals, learn, validate

FOLDER = os.environ.get("HUIKE_DATA_DIR", "")

pytestmark = pytest.mark.skipif(not FOLDER, reason="HUIKE_DATA_DIR names no folder of data sets")


@pytest.fixture(scope="module")
def known():
    with gzip.open(Path(FOLDER, "womens_clothing_reviews.csv.gz"), "rt", encoding="utf-8") as file:
        stars = np.array([float(row["Rating"]) for row in csv.DictReader(file)])
    rows = np.arange(stars.size)
    return Signals(Ratings(rows, rows // 100, (stars - 1) / 4, np.zeros(stars.size, np.int8)))


def test_the_base_is_the_shops_own_mean(known):
    norms = learn(known.before(1000)).norms

    assert norms.answers == known.ratings.day.size == 23_486
    assert norms.base == pytest.approx(known.ratings.score.mean(), abs=1e-4)


def test_the_silent_are_foretold_as_the_shops_mean_and_the_band_holds(known):
    proof = validate(known.before(1000))

    model, naive = proof.metrics["satisfaction"], proof.baseline["satisfaction"]
    assert abs(model["bias"]) < 0.5
    assert model["rmse"] == pytest.approx(naive["rmse"], abs=0.05)
    assert model["silent_before"]["coverage_80"] == pytest.approx(0.80, abs=0.04)
