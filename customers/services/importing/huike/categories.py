"""Write categories: a tree is one thing, so it is written whole, when its last page is reached."""

from typing import Any

from django.utils.translation import gettext_noop

from customers.services.importing import statistics
from customers.services.importing.counts import Counts
from customers.services.importing.huike.kind import Page

CIRCLE = gettext_noop("the category would lie on itself, by way of others")

MORE = """
    SELECT EXISTS (SELECT 1 FROM customers_importrow
        WHERE batch_id = %(batch)s AND kind = %(kind)s AND row_number > %(until)s)
"""
PART = """
    CREATE TEMPORARY TABLE import_part ON COMMIT DROP AS
    SELECT r.row_number, r.sku AS key, v.name, v.parent_id AS parent_key, h.id AS held_id,
        h.id IS NULL AS is_new
    FROM customers_importrow r
    CROSS JOIN LATERAL jsonb_to_record(r.parsed) AS v(name text, parent_id text)
    LEFT JOIN customers_category h ON h.source_id = %(source)s AND h.external_id = r.sku
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.reason = ''
"""
# Who would lie on whom: the file's word, else what is held.
WALK = """
    CREATE TEMPORARY TABLE import_walk ON COMMIT DROP AS
    WITH node AS (
        SELECT coalesce(p.key, c.external_id) AS key, coalesce(
            CASE WHEN EXISTS (SELECT 1 FROM import_part q WHERE q.key = p.parent_key)
                OR EXISTS (SELECT 1 FROM customers_category d
                    WHERE d.source_id = %(source)s AND d.external_id = p.parent_key)
                THEN p.parent_key END,
            a.external_id) AS up
        FROM import_part p
        FULL JOIN (SELECT * FROM customers_category WHERE source_id = %(source)s) c
            ON c.id = p.held_id
        LEFT JOIN customers_category a ON a.id = c.parent_id
    )
    SELECT key, up FROM node WHERE up IS NOT NULL
"""
# Who lies on a top lies on no circle.
TOPS = """
    DELETE FROM import_walk w
    WHERE NOT EXISTS (SELECT 1 FROM import_walk u WHERE u.key = w.up)
"""
# Each round looks twice as far up.
CLIMB = "UPDATE import_walk w SET up = u.up FROM import_walk u WHERE u.key = w.up"
REJECT = """
    WITH gone AS (
        DELETE FROM import_part WHERE parent_key IS NOT NULL
            AND key IN (SELECT up FROM import_walk)
        RETURNING row_number
    )
    UPDATE customers_importrow r SET reason = 'parent_id: ' || %(circle)s
    FROM gone
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number = gone.row_number
"""
CREATE = """
    WITH made AS (
        INSERT INTO customers_category (source_id, external_id, name)
        SELECT %(source)s, key, name FROM import_part WHERE held_id IS NULL
        ORDER BY row_number
        RETURNING id, external_id
    )
    UPDATE import_part p SET held_id = made.id FROM made WHERE made.external_id = p.key
"""
UPDATE = """
    UPDATE customers_category c SET name = n.name, parent_id = n.parent_id, updated_at = now()
    FROM (
        SELECT h.id, p.name, coalesce(u.id, h.parent_id) AS parent_id
        FROM import_part p JOIN customers_category h ON h.id = p.held_id
        LEFT JOIN customers_category u
            ON u.source_id = %(source)s AND u.external_id = p.parent_key
    ) n
    WHERE c.id = n.id AND (c.name, c.parent_id) IS DISTINCT FROM (n.name, n.parent_id)
    RETURNING c.id
"""
CHANGED = "held_id = ANY(%(changed)s)"
UNKNOWN = """
    SELECT count(*) FROM import_part p WHERE p.parent_key IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM customers_category u
        WHERE u.source_id = %(source)s AND u.external_id = p.parent_key)
"""


def write_categories(cursor: Any, page: Page, counts: Counts) -> None:
    """Create and update all categories of the file; reject those that would lie on themselves."""
    values = page.values(circle=CIRCLE)
    cursor.execute(MORE, values)
    if cursor.fetchone()[0]:
        return
    cursor.execute(PART, values)
    statistics.refresh(cursor, "import_part")
    counts.reject(page.kind, _reject_circles(cursor, values))
    cursor.execute(CREATE, values)
    cursor.execute(UPDATE, values)
    values["changed"] = [row[0] for row in cursor.fetchall()]
    page.settle(cursor, counts, values, new="is_new", changed=CHANGED)
    cursor.execute(UNKNOWN, values)
    counts.add_notes(unknown_parents=cursor.fetchone()[0])
    cursor.execute("DROP TABLE import_part")


def _reject_circles(cursor: Any, values: dict[str, Any]) -> int:
    """Reject the rows that close a circle; without them others may, so look until there is none."""
    rejected = 0
    while True:
        cursor.execute(WALK, values)
        cursor.execute("ANALYZE import_walk")
        cursor.execute(TOPS)
        while cursor.rowcount:
            cursor.execute(CLIMB)
            cursor.execute(TOPS)
        # All that is left leads into a circle: go up until everybody stands in it.
        cursor.execute("SELECT count(*) FROM import_walk")
        for _round in range(int(cursor.fetchone()[0]).bit_length()):
            cursor.execute(CLIMB)
        cursor.execute(REJECT, values)
        found = cursor.rowcount
        cursor.execute("DROP TABLE import_walk")
        if not found:
            return rejected
        rejected += found
