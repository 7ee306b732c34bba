import itertools

import numpy as np
import pytest

from analytics.ml import rfm


def test_each_of_the_125_triples_falls_in_exactly_one_box():
    for r, f, m in itertools.product(range(1, 6), repeat=3):
        boxes = [
            name
            for name, low_r, high_r, low_fm, high_fm in rfm.GROUP_BOXES
            if low_r <= r <= high_r and low_fm <= f + m <= high_fm
        ]
        assert len(boxes) == 1, (r, f, m)
        scores = [np.array([score], dtype=np.int8) for score in (r, f, m)]
        assert rfm.RFM_GROUPS[rfm.group_index(*scores)[0]] == boxes[0]


def test_every_group_can_be_reached():
    assert {box[0] for box in rfm.GROUP_BOXES} == set(rfm.RFM_GROUPS)
    assert len(rfm.RFM_GROUPS) == 11


@pytest.mark.parametrize(
    ("triple", "group"),
    [
        ((5, 5, 5), rfm.CHAMPIONS),
        ((3, 5, 5), rfm.LOYAL),
        ((4, 2, 2), rfm.POTENTIAL_LOYALIST),
        ((5, 1, 1), rfm.NEW_CUSTOMERS),
        ((4, 1, 2), rfm.PROMISING),
        ((3, 3, 3), rfm.NEEDS_ATTENTION),
        ((3, 1, 1), rfm.ABOUT_TO_SLEEP),
        ((2, 3, 4), rfm.AT_RISK),
        ((1, 5, 5), rfm.CANNOT_LOSE_THEM),
        ((2, 1, 2), rfm.HIBERNATING),
        ((1, 1, 1), rfm.LOST),
    ],
)
def test_groups_mean_what_they_say(triple, group):
    scores = [np.array([score], dtype=np.int8) for score in triple]

    assert rfm.RFM_GROUPS[rfm.group_index(*scores)[0]] == group


def test_a_null_score_has_no_group():
    nothing = np.zeros(1, dtype=np.int8)

    assert rfm.group_index(nothing, nothing, nothing)[0] == -1


def test_quintiles_of_distinct_values_hold_a_fifth_each():
    values = np.random.default_rng(0).permutation(100).astype(np.float64)

    cutoffs = rfm.quintile_cutoffs(values)
    scores = rfm.assign(values, cutoffs)

    assert cutoffs == [19.0, 39.0, 59.0, 79.0]
    assert np.bincount(scores)[1:].tolist() == [20] * 5


def test_few_days_since_the_last_order_score_high():
    days = np.arange(10, dtype=np.float64)

    scores = rfm.assign(days, rfm.quintile_cutoffs(days), low_is_good=True)

    assert scores.tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]


@pytest.mark.parametrize(
    ("values", "scores"),
    [
        ([1, 1, 1, 1], [1, 1, 1, 1]),
        ([1, 1, 1, 1, 1, 1, 2, 2, 3, 3], [1, 1, 1, 1, 1, 1, 4, 4, 5, 5]),
        ([7], [1]),
    ],
)
def test_ties_share_a_score_with_few_distinct_values(values, scores):
    column = np.array(values, dtype=np.float64)

    assert rfm.assign(column, rfm.quintile_cutoffs(column)).tolist() == scores


def test_stored_cutoffs_score_a_newcomer_without_moving_the_others():
    cutoffs = rfm.quintile_cutoffs(np.arange(1.0, 101.0))

    assert rfm.assign(np.array([1000.0, -3.0, np.nan]), cutoffs).tolist() == [5, 1, 0]


def test_no_values_have_no_cutoffs():
    assert rfm.quintile_cutoffs(np.empty(0)) == []
