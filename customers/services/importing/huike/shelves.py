"""Find the category a row names: by its id, else by its name; a new name makes a new one."""

from typing import Any

# Of several with one name the oldest is meant.
FIND = """
    UPDATE import_part p SET category_id = s.id
    FROM (
        SELECT DISTINCT ON (n.category) n.category, n.id
        FROM (
            SELECT w.category, c.id, 1 AS place FROM import_part w JOIN customers_category c
                ON c.source_id = %(source)s AND c.external_id = w.category
            UNION ALL
            SELECT w.category, c.id, 2 FROM import_part w JOIN customers_category c
                ON c.source_id = %(source)s AND c.name = w.category
        ) n
        ORDER BY n.category, n.place, n.id
    ) s
    WHERE p.category = s.category AND p.category_id IS NULL
"""
CREATE = """
    INSERT INTO customers_category (source_id, external_id, name)
    SELECT DISTINCT %(source)s::bigint, category, category FROM import_part
    WHERE category IS NOT NULL AND category_id IS NULL
"""


def find_categories(cursor: Any, values: dict[str, Any]) -> None:
    """Fill ``category_id`` of the page by its ``category``."""
    for statement in (FIND, CREATE, FIND):
        cursor.execute(statement, values)
