"""Build the indexes by which the lists of the web admin are ordered, while the shop goes on.

They need no backfill. One whose building was interrupted is dropped and built anew. The two that
go served no list: an index “DESC” gives no order “DESC NULLS LAST”.
"""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F


class AddOrMendIndex(AddIndexConcurrently):
    """Add an index concurrently; a former try that was cut short leaves an invalid one behind."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.index.name}"')
        super().database_forwards(app_label, schema_editor, *states)


def by_facts(column: str, name: str) -> AddOrMendIndex:
    """Index a column of the facts as ``ranked_by`` reads it."""
    last, tie = F(column).desc(nulls_last=True), F("customer").desc()
    return AddOrMendIndex("customerfacts", models.Index(last, tie, name=name))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0019_role_sources")]

    operations = [
        by_facts("last_order_day", "facts_rank_last_order"),
        by_facts("total_spend", "facts_rank_spend"),
        by_facts("order_count", "facts_rank_orders"),
        RemoveIndexConcurrently("customerfacts", "facts_by_last_order"),
        RemoveIndexConcurrently("customerfacts", "facts_by_spend"),
        AddOrMendIndex("customer", models.Index(fields=["name", "-id"], name="customer_rank_name")),
        AddOrMendIndex(
            "customer", models.Index(fields=["country", "-id"], name="customer_rank_country")
        ),
        AddOrMendIndex("customer", models.Index(fields=["language"], name="customer_by_language")),
        AddOrMendIndex("order", models.Index(fields=["-total", "-id"], name="order_by_total")),
        AddOrMendIndex("order", models.Index(fields=["country"], name="order_by_country")),
    ]
