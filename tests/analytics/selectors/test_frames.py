"""Tables become arrays: every type, nulls, no rows, more rows than fit into one piece."""

import numpy as np
import pytest
from psycopg import sql

from analytics.selectors import frames

pytestmark = pytest.mark.django_db


def read(query, types, **values):
    return frames._columns(sql.SQL(query), values, types)


def test_numbers_of_every_kind_arrive_as_they_are():
    whole, part, small = read(
        "SELECT * FROM (VALUES (1::bigint, 1.5::numeric, 3::smallint),"
        " (-9007199254740993, NULL, -2)) v ORDER BY 1 DESC",
        [np.int64, np.float64, np.int8],
    )

    assert whole.tolist() == [1, -9007199254740993]
    assert (part[0], np.isnan(part[1])) == (1.5, True)
    assert small.tolist() == [3, -2]
    assert [column.dtype for column in (whole, part, small)] == [np.int64, np.float64, np.int8]
    assert all(column.dtype.isnative for column in (whole, part, small))


def test_values_are_bound_not_pasted():
    (found,) = read(
        "SELECT length(%(text)s) WHERE %(text)s LIKE '%%''%%'", [np.int64], text="it's 100 %"
    )

    assert found.tolist() == [10]


def test_no_rows_give_empty_arrays():
    whole, part = read("SELECT 1, 2.0 WHERE false", [np.int64, np.float64])

    assert (whole.tolist(), part.tolist()) == ([], [])
    assert (whole.dtype, part.dtype) == (np.int64, np.float64)


def test_rows_that_come_in_many_pieces_are_put_together(monkeypatch):
    monkeypatch.setattr(frames, "BLOCK_BYTES", 100)

    number, half = read("SELECT i, i / 2.0 FROM generate_series(1, 1000) i", [np.int64, np.float64])

    assert number.tolist() == list(range(1, 1001))
    assert half.tolist() == [i / 2 for i in range(1, 1001)]


def test_a_null_where_none_may_be_is_refused():
    with pytest.raises(ValueError, match="has a null"):
        read("SELECT NULL::bigint", [np.int64])
