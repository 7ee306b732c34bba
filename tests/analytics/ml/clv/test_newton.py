import numpy as np
import pytest

from analytics.ml.clv.newton import minimise
from analytics.ml.errors import DegenerateFitError


def bowl(point: np.ndarray):
    """A bowl whose lowest point is at the parameters 2 and 0.5, with a steep and a flat side."""
    off = point - np.log([2.0, 0.5])
    curve = np.array([[3.0, 0.4], [0.4, 0.2]])
    return 1.0 + 0.5 * float(off @ curve @ off), curve @ off, curve


def slide(point: np.ndarray):
    """A slope that falls for ever along the first parameter."""
    fall = np.exp(-point[0])
    return fall, np.array([-fall, 0.0]), np.diag([fall, 1.0])


def test_the_lowest_point_is_found():
    found = minimise("bowl", bowl, (1.0, 1.0))

    assert found.parameters == pytest.approx((2.0, 0.5), rel=1e-9)
    assert found.loss == pytest.approx(1.0)


def test_it_is_evaluated_once_a_step():
    asked = []

    def counted(point):
        asked.append(point.tobytes())
        return bowl(point)

    minimise("bowl", counted, (1.0, 1.0))

    assert len(asked) == len(set(asked)) <= 4


def test_a_parameter_that_runs_away_is_a_degenerate_fit():
    with pytest.raises(DegenerateFitError, match="slide: "):
        minimise("slide", slide, (1.0, 1.0))


def test_a_flat_bottom_is_a_degenerate_fit():
    def trough(point):
        off = point[0]
        return off * off, np.array([2 * off, 0.0]), np.diag([2.0, 0.0])

    with pytest.raises(DegenerateFitError, match="not positive definite"):
        minimise("trough", trough, (3.0, 1.0))


def test_a_value_that_is_no_number_is_a_degenerate_fit():
    def broken(point):
        return float("nan"), np.full(point.size, np.nan), np.eye(point.size)

    with pytest.raises(DegenerateFitError, match="broken"):
        minimise("broken", broken, (1.0, 1.0))
