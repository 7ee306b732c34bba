"""Write consents: lines of a log that is only added to, of customers who are known already."""

from typing import Any

from django.utils.translation import gettext_noop

from customers.services.importing import statistics
from customers.services.importing.counts import Counts
from customers.services.importing.huike import people
from customers.services.importing.huike.customers import DIFFERENT
from customers.services.importing.huike.kind import Page

NO_CUSTOMER = gettext_noop("no such customer; bring the customers in first")

PART = people.fill("""
    CREATE TEMPORARY TABLE import_part ON COMMIT DROP AS
    SELECT r.row_number, v.channel, coalesce(v.topic, 'marketing') AS topic, v.action, v.at,
        v.evidence, {found} AS customer_id,
        (SELECT count(DISTINCT f.id) > 1 FROM (VALUES (by_key.customer_id), (by_email.customer_id),
            (by_phone.customer_id)) AS f(id)) AS several
    FROM customers_importrow r
    CROSS JOIN LATERAL jsonb_to_record(r.parsed) AS v(customer_key text, email text, phone text,
        channel text, topic text, action text, at timestamptz, evidence text)
    {joins}
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number > %(after)s
        AND r.row_number <= %(until)s AND r.reason = ''
""")
# Consent is never given in somebody else's name.
REJECTS = """
    WITH gone AS (
        DELETE FROM import_part WHERE customer_id IS NULL OR several
        RETURNING row_number, several
    )
    UPDATE customers_importrow r SET reason = 'customer_id: '
        || CASE WHEN gone.several THEN %(different)s ELSE %(no_customer)s END
    FROM gone
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number = gone.row_number
"""
CREATE = """
    INSERT INTO customers_consent (customer_id, channel, topic, action, at, source_id, evidence)
    SELECT DISTINCT ON (customer_id, channel, topic, at, action) customer_id, channel, topic,
        action, at, %(source)s::bigint, evidence
    FROM import_part
    ORDER BY customer_id, channel, topic, at, action, row_number
    ON CONFLICT (customer_id, channel, topic, at, action) DO NOTHING
    RETURNING customer_id
"""
MARKS = "INSERT INTO customers_factsmark (customer_id) SELECT unnest(%(touched)s::bigint[])"


def write_consents(cursor: Any, page: Page, counts: Counts) -> None:
    """Add the lines of a page that the log does not have yet; reject those of nobody we know."""
    values = page.values(no_customer=NO_CUSTOMER, different=DIFFERENT)
    cursor.execute(PART, values)
    statistics.refresh(cursor, "import_part")
    cursor.execute(REJECTS, values)
    counts.reject(page.kind, cursor.rowcount)
    cursor.execute(CREATE, values)
    made = [row[0] for row in cursor.fetchall()]
    cursor.execute(MARKS, {"touched": sorted(set(made))})
    cursor.execute("SELECT count(*) FROM import_part")
    rows = cursor.fetchone()[0]
    cursor.execute("DROP TABLE import_part")
    counts.settle(page.kind, created=len(made), updated=0, unchanged=rows - len(made))
