"""Keep boosted trees as plain numbers, so that a worker can store them and another one use them."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from threadpoolctl import threadpool_limits

from analytics.ml.arrays import FloatArray, JsonDict

_NODE = ("value", "feature_idx", "num_threshold", "left", "right", "is_leaf")
_NO_CATEGORIES = np.empty((0, 8), dtype=np.uint32)
_NO_PLACES = np.empty(0, dtype=np.uint32)


@dataclass(frozen=True)
class Trees:
    """What a boosted model adds up: a start, and one value of each tree.

    Features must be finite numbers: a node says nothing about missing ones.
    """

    start: float
    nodes: tuple[Any, ...]

    @classmethod
    def of(cls, model: Any) -> Self:
        """Take the trees out of a fitted histogram-based model with one output."""
        start = float(np.asarray(model._baseline_prediction).ravel()[0])
        return cls(start, tuple(predictor.nodes for (predictor,) in model._predictors))

    def add_up(self, features: FloatArray) -> FloatArray:
        """Return the sum for each row, on the scale of the model's link."""
        features = np.ascontiguousarray(features)
        total = np.full(features.shape[0], self.start)
        with threadpool_limits(limits=1):
            for nodes in self.nodes:
                tree = TreePredictor(nodes, _NO_CATEGORIES, _NO_CATEGORIES)
                total += tree.predict(features, _NO_CATEGORIES, _NO_PLACES, 1)
        return total

    def to_dict(self) -> JsonDict:
        """Return the trees as a JSON-able dictionary."""
        trees = [{name: nodes[name].tolist() for name in _NODE} for nodes in self.nodes]
        return {"start": self.start, "trees": trees}

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild the trees from ``to_dict``."""
        return cls(stored["start"], tuple(_nodes(tree) for tree in stored["trees"]))


def _nodes(tree: JsonDict) -> Any:
    nodes = np.zeros(len(tree["value"]), dtype=PREDICTOR_RECORD_DTYPE)
    for name in _NODE:
        nodes[name] = tree[name]
    return nodes
