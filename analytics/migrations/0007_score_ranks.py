"""Build the indexes by which customers are ordered by any score, while the shop goes on.

An index of a partitioned table cannot be built concurrently as a whole: one of the table itself
alone is made at once, then one of each partition beside its readers, which is attached to it.
A partition that is attached later brings its own. Run again after an interruption, it goes on.
"""

from typing import Any

from django.db import migrations

RANKED = (
    "satisfaction", "clv_12m", "margin_12m", "expected_orders", "next_order_from",
    "next_order_until", "rfm_group",
)  # fmt: skip
PARTITIONS = """
    SELECT inhrelid::regclass::text FROM pg_inherits
    WHERE inhparent = 'analytics_customerscore'::regclass
"""
IS_ATTACHED = """
    SELECT EXISTS (SELECT FROM pg_inherits p JOIN pg_index i ON i.indexrelid = p.inhrelid
        WHERE p.inhparent = %s::regclass AND i.indrelid = %s::regclass)
"""


def build(apps: Any, schema_editor: Any) -> None:
    """Make what is missing; each statement stands by itself."""
    with schema_editor.connection.cursor() as cursor:
        for column in RANKED:
            whole = f"analytics_score_rank_{column}"
            order = f"({column} DESC NULLS LAST, customer_id DESC)"
            cursor.execute(
                f"CREATE INDEX IF NOT EXISTS {whole} ON ONLY analytics_customerscore {order}"
            )
            cursor.execute(PARTITIONS)
            for (partition,) in cursor.fetchall():
                cursor.execute(IS_ATTACHED, [whole, partition])
                if cursor.fetchone()[0]:
                    continue
                own = f"{partition}_rank_{column}"
                cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {own}")
                cursor.execute(f"CREATE INDEX CONCURRENTLY {own} ON {partition} {order}")
                cursor.execute(f"ALTER INDEX {whole} ATTACH PARTITION {own}")


def drop(apps: Any, schema_editor: Any) -> None:
    """Drop them, those of the partitions included."""
    for column in RANKED:
        schema_editor.execute(f"DROP INDEX IF EXISTS analytics_score_rank_{column}")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("analytics", "0006_activity_and_digest")]

    operations = [migrations.RunPython(build, drop)]
