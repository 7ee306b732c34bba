"""Tell the planner how large tables are that grow within a job, sooner than autovacuum does."""

from typing import Any


def refresh(cursor: Any, *tables: str) -> None:
    """Take new statistics of tables; one that somebody else looks at just now is passed over.

    Rows of a transaction that is not over count, too: without this a dry run, which is a single
    one, would plan every page as if its tables were as empty as before it.
    """
    cursor.execute(f"ANALYZE (SKIP_LOCKED) {', '.join(tables)}")
