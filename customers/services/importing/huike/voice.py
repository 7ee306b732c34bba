"""Write what customers said: reviews, survey answers, tickets.

A row is kept whatever it names: an unknown customer, order or article is left out and counted,
and found when the row comes again. Without a customer of its own it belongs to its order's buyer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from customers.services.importing import statistics
from customers.services.importing.counts import Counts
from customers.services.importing.huike import people
from customers.services.importing.huike.kind import Page

PART = """
    CREATE TEMPORARY TABLE import_part ON COMMIT DROP AS
    SELECT r.row_number, r.sku AS key, {picked}, o.id AS order_id, g.id AS product_id,
        coalesce({found}, CASE WHEN v.customer_key IS NULL THEN b.id END) AS customer_id,
        coalesce(v.customer_key, v.email, v.phone) IS NOT NULL AS names_customer,
        v.order_id IS NOT NULL AS names_order, v.sku IS NOT NULL AS names_product,
        h.id AS held_id, h.customer_id AS held_by,
        coalesce(w.lifecycle = 'erased', false) AS is_erased
    FROM customers_importrow r
    CROSS JOIN LATERAL jsonb_to_record(r.parsed) AS v(customer_key text, email text, phone text,
        order_id text, sku text, {typed})
    LEFT JOIN {table} h ON h.source_id = %(source)s AND h.external_id = r.sku
    LEFT JOIN customers_customer w ON w.id = h.customer_id
    LEFT JOIN customers_order o ON o.source_id = %(source)s AND o.external_id = v.order_id
    LEFT JOIN customers_customer b ON b.id = o.customer_id AND b.lifecycle = 'active'
    LEFT JOIN customers_product g ON g.source_id = %(source)s AND g.sku = v.sku
    {joins}
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number > %(after)s
        AND r.row_number <= %(until)s AND r.reason = ''
"""
# What was blanked when its customer was erased does not come back with an old file.
UPDATE = """
    UPDATE {table} c SET ({names}, updated_at) = ({of_n}, now())
    FROM (
        SELECT h.id, {changed} FROM import_part p JOIN {table} h ON h.id = p.held_id
        WHERE NOT p.is_erased
    ) n
    WHERE c.id = n.id AND ({of_c}) IS DISTINCT FROM ({of_n})
    RETURNING c.id
"""
CREATE = """
    INSERT INTO {table} (source_id, external_id, {names})
    SELECT %(source)s, p.key, {fresh} FROM import_part p WHERE p.held_id IS NULL
    ORDER BY p.row_number
"""
CHANGED = "held_id = ANY(%(changed)s)"
NAMED = """
    SELECT count(*) FILTER (WHERE names_customer AND customer_id IS NULL),
        count(*) FILTER (WHERE names_order AND order_id IS NULL),
        count(*) FILTER (WHERE names_product AND product_id IS NULL)
    FROM import_part
"""
MARKS = """
    INSERT INTO customers_factsmark (customer_id)
    SELECT DISTINCT b.customer_id FROM import_part p
    CROSS JOIN LATERAL (VALUES (p.customer_id), (p.held_by)) AS b(customer_id)
    WHERE b.customer_id IS NOT NULL AND (p.held_id IS NULL OR p.held_id = ANY(%(changed)s))
"""


@dataclass(frozen=True)
class Told:
    """A table of what customers said, and its columns by their type in a row's JSON.

    ``picked``, ``changed`` and ``fresh`` say how a column is read from the row ``v``, from the
    page's row ``p`` over the one held ``h``, and from ``p`` alone, where that is not the usual way.
    """

    table: str
    typed: Mapping[str, str]
    links: tuple[str, ...] = ("customer_id", "order_id")
    picked: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)
    fresh: Mapping[str, str] = field(default_factory=dict)

    def fill(self, statement: str) -> str:
        """Put names into a statement; they stand in this module, and nobody types them."""
        names = (*self.links, *self.typed)
        usual = {name: f"p.{name}" for name in names}
        texts = {n: f"coalesce(p.{n}, '')" for n, kind in self.typed.items() if kind == "text"}
        parts = {
            "picked": [f"{self.picked.get(name, f'v.{name}')} AS {name}" for name in self.typed],
            "typed": [f"{name} {kind}" for name, kind in self.typed.items()],
            "names": names,
            "of_n": [f"n.{name}" for name in names],
            "of_c": [f"c.{name}" for name in names],
            "changed": [
                f"{self.changed.get(name, f'coalesce(p.{name}, h.{name})')} AS {name}"
                for name in names
            ],
            "fresh": [{**usual, **texts, **self.fresh}[name] for name in names],
        }
        return people.fill(statement).format(
            table=self.table, **{name: ", ".join(part) for name, part in parts.items()}
        )


REVIEWS = Told(
    "customers_review",
    {"rating": "smallint", "text": "text", "written_at": "timestamptz"},
    links=("customer_id", "order_id", "product_id"),
)
ANSWERS = Told(
    "customers_surveyresponse",
    {"metric": "text", "value": "smallint", "comment": "text", "answered_at": "timestamptz"},
)
# When a ticket was closed counts only while it is: one that is open again has no such time.
TICKETS = Told(
    "customers_ticket",
    {
        "subject": "text",
        "body": "text",
        "state": "text",
        "opened_at": "timestamptz",
        "closed_at": "timestamptz",
    },
    picked={
        "state": "coalesce(v.state, CASE WHEN v.closed_at IS NOT NULL THEN 'closed' END)",
    },
    changed={
        "closed_at": "CASE WHEN coalesce(p.state, h.state) = 'closed'"
        " THEN coalesce(p.closed_at, h.closed_at) END",
    },
    fresh={
        "state": "coalesce(p.state, 'open')",
        "closed_at": "CASE WHEN p.state = 'closed' THEN p.closed_at END",
    },
)


def _write(told: Told, cursor: Any, page: Page, counts: Counts) -> None:
    """Create and update the rows of a page, and count what they name and nobody knows."""
    values = page.values()
    cursor.execute(told.fill(PART), values)
    statistics.refresh(cursor, "import_part")
    cursor.execute(told.fill(UPDATE), values)
    values["changed"] = sorted(row[0] for row in cursor.fetchall())
    cursor.execute(told.fill(CREATE), values)
    page.settle(cursor, counts, values, new="held_id IS NULL", changed=CHANGED)
    cursor.execute(NAMED)
    customers, orders, products = cursor.fetchone()
    cursor.execute(MARKS, values)
    cursor.execute("DROP TABLE import_part")
    counts.add_notes(unknown_customers=customers, unknown_orders=orders)
    if "product_id" in told.links:
        counts.add_notes(unknown_products=products)


write_reviews = partial(_write, REVIEWS)
write_answers = partial(_write, ANSWERS)
write_tickets = partial(_write, TICKETS)
