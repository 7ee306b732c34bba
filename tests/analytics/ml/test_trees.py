import json

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from analytics.ml.trees import Grid, Trees


@pytest.fixture(scope="module")
def rows():
    dice = np.random.default_rng(5)
    features = dice.normal(size=(2_000, 4)).round(2)
    return features, features[:, 0] * features[:, 1] + dice.normal(size=2_000) > 0


def test_trees_that_were_stored_say_what_the_library_says_to_the_last_bit(rows):
    features, came = rows
    model = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8).fit(features, came)
    stored = json.loads(json.dumps(Trees.of(model).to_dict(), allow_nan=False))

    found = Trees.from_dict(stored).add_up(features)

    assert found.tobytes() == model.decision_function(features).tobytes()


def test_trees_of_a_rate_add_up_on_the_scale_of_the_logarithm(rows):
    features, came = rows
    model = HistGradientBoostingRegressor(loss="poisson", max_iter=30).fit(features, came)

    found = np.exp(Trees.of(model).add_up(features))

    np.testing.assert_allclose(found, model.predict(features), rtol=1e-12)


def test_trees_learned_on_a_grid_part_any_customers_where_the_grid_did(rows):
    features, came = rows
    features = features + np.random.default_rng(7).normal(scale=0.001, size=features.shape)
    weight = 1.0 + np.arange(features.shape[0]) % 3
    grid = Grid.of(features)
    model = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8)
    model.fit(grid.snap(features), came, sample_weight=weight)
    on_marks = model.decision_function(grid.snap(features))

    trees = Trees.of(model)

    assert trees.on(grid).add_up(features).tobytes() == on_marks.tobytes()
    assert trees.add_up(features).tobytes() != on_marks.tobytes()
    assert max(marks.size for marks in grid.marks) <= 255
