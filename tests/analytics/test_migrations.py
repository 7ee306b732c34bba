"""The score table gets new columns with the rows of old runs in place."""

from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction

from analytics.models import CurrentScore
from tests.api import publish_scores
from tests.factories import NOON, CustomerFactory, ScoringRunFactory

pytestmark = pytest.mark.django_db
MARGIN = import_module("analytics.migrations.0004_margin").Migration.operations[0]
NEXT_ORDER = import_module("analytics.migrations.0003_next_order").Migration.operations[0]


def columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " ORDER BY ordinal_position",
            [table],
        )
        return [row[0] for row in cursor.fetchall()]


def test_old_partitions_keep_their_rows_and_get_the_columns_of_the_next_order():
    run = ScoringRunFactory(state="published", published_at=NOON)
    publish_scores(run, [{"customer": CustomerFactory(), "churn_probability": 0.25}])
    before = columns("analytics_currentscore")
    with connection.cursor() as cursor:
        cursor.execute(NEXT_ORDER.reverse_sql)
        assert "next_order_from" not in columns(f"score_of_run_{run.pk}")
        assert "orders_low" not in columns("analytics_currentscore")

        cursor.execute(NEXT_ORDER.sql)

    assert sorted(columns("analytics_currentscore")) == sorted(before)
    assert columns(f"score_of_run_{run.pk}") == columns("analytics_customerscore")
    row = CurrentScore.objects.get()
    assert (row.churn_probability, row.orders_low, row.next_order_from) == (0.25, None, None)
    assert row.next_order_abstained == ""


def test_old_and_waiting_tables_get_the_margin_and_are_read_as_before():
    run = ScoringRunFactory(state="published", published_at=NOON)
    publish_scores(run, [{"customer": CustomerFactory(), "churn_probability": 0.25}])
    before = columns("analytics_currentscore")
    with connection.cursor() as cursor:
        cursor.execute(MARGIN.reverse_sql)
        assert "margin_12m" not in columns("analytics_currentscore")
        # A run that was scored before the deploy and is published after it.
        cursor.execute("CREATE TABLE score_of_run_999 (LIKE analytics_customerscore INCLUDING ALL)")

        cursor.execute(MARGIN.sql)

        cursor.execute(
            "ALTER TABLE analytics_customerscore ATTACH PARTITION score_of_run_999"
            " FOR VALUES IN (999)"
        )
    assert columns("analytics_currentscore") == before
    assert before[-1] == "margin_12m"
    assert columns(f"score_of_run_{run.pk}") == columns("analytics_customerscore")
    row = CurrentScore.objects.get()
    assert (row.churn_probability, row.margin_12m) == (0.25, None)


def test_a_table_that_waits_can_be_attached_when_the_margin_is_taken_back():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE score_of_run_999 (LIKE analytics_customerscore INCLUDING ALL)")

        cursor.execute(MARGIN.reverse_sql)

        assert "margin_12m" not in columns("score_of_run_999")
        cursor.execute(MARGIN.sql)
    assert columns("score_of_run_999") == columns("analytics_customerscore")


@pytest.mark.parametrize(
    "wrong",
    [
        {"orders_low": -1.0},
        {"orders_low": 2.0, "orders_high": 1.0},
        {"next_order_from": NOON.date()},
        {"next_order_from": NOON.date(), "next_order_until": NOON.date().replace(day=1)},
    ],
)
def test_a_window_or_an_interval_that_is_upside_down_is_refused(wrong):
    run = ScoringRunFactory(state="published", published_at=NOON)

    with pytest.raises(IntegrityError), transaction.atomic():
        publish_scores(run, [{"customer": CustomerFactory(), **wrong}])

    assert CurrentScore.objects.count() == 0
