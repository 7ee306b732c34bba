"""Build the indexes that find customers by the day of their first purchase or answer.

As for the ranks of scores: one of the table alone at once, one of each partition beside its
readers, attached to it. Run again after an interruption, it goes on.
"""

from typing import Any

from django.db import migrations

TABLE, PARTS = "customers_customerdays", 16
FIRST_NET_DAY = """
    CREATE OR REPLACE FUNCTION customers_first_net_day(
        bought_on integer[], bought double precision[], back_of integer[], back double precision[]
    ) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CASE
            WHEN back_of = '{}' THEN bought_on[1]
            WHEN bought[1] > 0.00001 AND NOT bought_on[1] = ANY (back_of) THEN bought_on[1]
            ELSE (
                SELECT day FROM (
                    SELECT day, amount FROM unnest(bought_on, bought) b(day, amount)
                    UNION ALL
                    SELECT day, -amount FROM unnest(back_of, back) r(day, amount)
                ) moved GROUP BY day HAVING sum(amount) > 0.00001 ORDER BY day LIMIT 1
            )
        END
    $$
"""
INDEXES = {
    "first": "(customers_first_net_day(bought_on, bought, back_of, back))",
    "answered": "((answered_on[1])) WHERE answered_on <> '{}'",
}
IS_ATTACHED = """
    SELECT EXISTS (SELECT FROM pg_inherits p JOIN pg_index i ON i.indexrelid = p.inhrelid
        WHERE p.inhparent = %s::regclass AND i.indrelid = %s::regclass)
"""


def build(apps: Any, schema_editor: Any) -> None:
    """Make what is missing; each statement stands by itself."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FIRST_NET_DAY)
        for name, what in INDEXES.items():
            whole = f"{TABLE}_{name}"
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {whole} ON ONLY {TABLE} {what}")
            for partition in (f"{TABLE}_{part}" for part in range(PARTS)):
                cursor.execute(IS_ATTACHED, [whole, partition])
                if cursor.fetchone()[0]:
                    continue
                own = f"{partition}_{name}"
                cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {own}")
                cursor.execute(f"CREATE INDEX CONCURRENTLY {own} ON {partition} {what}")
                cursor.execute(f"ALTER INDEX {whole} ATTACH PARTITION {own}")
        # How many have a first day in a month, the planner knows only then.
        cursor.execute(f"ANALYZE {TABLE}")


def drop(apps: Any, schema_editor: Any) -> None:
    """Drop them, those of the partitions included."""
    for name in INDEXES:
        schema_editor.execute(f"DROP INDEX IF EXISTS {TABLE}_{name}")
    schema_editor.execute("DROP FUNCTION IF EXISTS customers_first_net_day")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0021_task_cancelled")]

    operations = [migrations.RunPython(build, drop)]
