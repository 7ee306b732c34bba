"""Build the indexes by which staff find people and orders, while the shop goes on.

They need no backfill: building one reads every row there is, and every later statement that
writes a row, COPY included, keeps it. One that was interrupted is dropped and built anew.
"""

from typing import Any

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Func
from django.db.models.functions import Right, Upper


class AddOrMendIndex(AddIndexConcurrently):
    """Add an index concurrently; a former try that was cut short leaves an invalid one behind."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.index.name}"')
        super().database_forwards(app_label, schema_editor, *states)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0018_name_keys")]

    operations = [
        AddOrMendIndex(
            "customer",
            GinIndex(
                OpClass(Func(F("name"), function="customers_name_key"), "gin_trgm_ops"),
                name="customer_name_key",
            ),
        ),
        AddOrMendIndex(
            "customer",
            models.Index(OpClass(Upper("email"), "text_pattern_ops"), name="customer_email_start"),
        ),
        AddOrMendIndex("customer", models.Index(Right("phone", 4), name="customer_phone_end")),
        AddOrMendIndex("order", models.Index(fields=["external_id"], name="order_by_number")),
    ]
