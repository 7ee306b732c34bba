"""Keep boosted trees as plain numbers, so that a worker can store them and another one use them."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from threadpoolctl import threadpool_limits

from analytics.ml.arrays import FloatArray, JsonDict

MARKS = 255
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

    def on(self, grid: "Grid") -> Self:
        """Return trees learned from features on a grid, as they hold for any features.

        A node's threshold lies half-way between two marks; whoever is at most at the lower one went
        left, so that is where it belongs.
        """
        return type(self)(self.start, tuple(grid.settle(nodes) for nodes in self.nodes))

    def to_dict(self) -> JsonDict:
        """Return the trees as a JSON-able dictionary."""
        trees = [{name: nodes[name].tolist() for name in _NODE} for nodes in self.nodes]
        return {"start": self.start, "trees": trees}

    @classmethod
    def from_dict(cls, stored: JsonDict) -> Self:
        """Rebuild the trees from ``to_dict``."""
        return cls(stored["start"], tuple(_nodes(tree) for tree in stored["trees"]))


@dataclass(frozen=True)
class Grid:
    """Marks on each feature: quantiles of the rows learned from, and their largest value.

    On a grid of no more marks than a model has bins, its bins are the marks. Otherwise it would
    look for weighted quantiles of weighted rows, which takes most of the time of a fit.
    """

    marks: tuple[FloatArray, ...]

    @classmethod
    def of(cls, features: FloatArray) -> Self:
        """Take the marks from rows of features."""
        levels = np.arange(1, MARKS + 1) / MARKS
        quantiles = np.quantile(features, levels, axis=0, method="inverted_cdf")
        return cls(tuple(np.unique(column) for column in quantiles.T))

    def snap(self, features: FloatArray) -> FloatArray:
        """Return the features moved up to the next mark; none may lie above the last one."""
        columns = zip(self.marks, features.T, strict=True)
        return np.column_stack([marks[np.searchsorted(marks, column)] for marks, column in columns])

    def settle(self, nodes: Any) -> Any:
        """Return a tree's nodes with each threshold at the mark below it."""
        settled = nodes.copy()
        for place in np.flatnonzero(nodes["is_leaf"] == 0):
            marks = self.marks[nodes["feature_idx"][place]]
            below = np.searchsorted(marks, nodes["num_threshold"][place], side="right") - 1
            settled["num_threshold"][place] = marks[below]
        return settled


def _nodes(tree: JsonDict) -> Any:
    nodes = np.zeros(len(tree["value"]), dtype=PREDICTOR_RECORD_DTYPE)
    for name in _NODE:
        nodes[name] = tree[name]
    return nodes
