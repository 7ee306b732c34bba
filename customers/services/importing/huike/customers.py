"""Write customers: known by their id, else by e-mail, else by phone, else by another id.

A row without this source's id is of somebody it never gave one: a buyer known by a contact alone.
"""

from typing import Any

from django.utils.translation import gettext_noop

from customers.services.importing import statistics
from customers.services.importing.counts import Counts
from customers.services.importing.huike.kind import Page

TAKEN = gettext_noop("it belongs to another customer; merge the two, or correct the row")
DIFFERENT = gettext_noop("the ids of this row belong to different customers; merge them first")

PART = """
    CREATE TEMPORARY TABLE import_part ON COMMIT DROP AS
    SELECT r.row_number, r.customer_key AS key, v.*, k.customer_id AS by_key,
        e.customer_id AS by_email, p.customer_id AS by_phone, s.customer_id AS by_scoped,
        coalesce(s.several, false) AS several, NULL::bigint AS customer_id, false AS is_new
    FROM customers_importrow r
    CROSS JOIN LATERAL jsonb_to_record(r.parsed) AS v(name text, email text, phone text,
        country text, city text, language text, time_zone text, birthday date, is_test boolean,
        is_wholesale boolean, consent_email text, consent_sms text, consent_at timestamptz,
        consent_evidence text, updated_at timestamptz, attributes jsonb, identities jsonb)
    LEFT JOIN LATERAL (
        SELECT i.customer_id FROM customers_identity i
        WHERE i.issuer = %(issuer)s AND i.kind = 'external_id' AND i.value = r.customer_key
        UNION ALL
        SELECT coalesce(c.merged_into_id, c.id) FROM customers_customer c
        WHERE c.source_id = %(source)s AND c.external_id = r.customer_key
        LIMIT 1
    ) k ON r.customer_key <> ''
    LEFT JOIN customers_identity e ON e.issuer = '' AND e.kind = 'email' AND e.value = v.email
    LEFT JOIN customers_identity p ON p.issuer = '' AND p.kind = 'phone' AND p.value = v.phone
    LEFT JOIN LATERAL (
        SELECT min(i.customer_id) AS customer_id,
            count(DISTINCT i.customer_id) > 1 AS several
        FROM jsonb_to_recordset(v.identities) AS g(issuer text, kind text, value text)
        JOIN customers_identity i USING (issuer, kind, value)
    ) s ON true
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number > %(after)s
        AND r.row_number <= %(until)s AND r.reason = ''
"""
KNOWN = "UPDATE import_part SET customer_id = coalesce(by_key, by_email, by_phone, by_scoped)"
KEEP = """
    UPDATE import_part p SET {column} = NULL FROM customers_customer h
    WHERE h.id = p.customer_id AND {held}
"""
HELD = {
    **{name: f"h.{name} <> ''" for name in ("name", "email", "phone", "country", "city")},
    "language": "h.language <> ''",
    "time_zone": "h.zone <> ''",
    "birthday": "h.birthday IS NOT NULL",
}
# Nobody's key is taken from them: such rows go back with the reason.
CONFLICTS = """
    WITH first AS (
        SELECT row_number,
            min(row_number) OVER (PARTITION BY email) AS first_email,
            min(row_number) OVER (PARTITION BY phone) AS first_phone,
            min(row_number) OVER (PARTITION BY customer_id) AS first_customer
        FROM import_part
    ), said AS (
        SELECT p.row_number, CASE
            WHEN p.email IS NOT NULL
                AND (p.by_email <> p.customer_id
                    OR (p.by_email IS NULL AND f.first_email <> p.row_number))
                THEN 'email: ' || %(taken)s
            WHEN p.phone IS NOT NULL
                AND (p.by_phone <> p.customer_id
                    OR (p.by_phone IS NULL AND f.first_phone <> p.row_number))
                THEN 'phone: ' || %(taken)s
            WHEN p.several OR p.by_scoped <> p.customer_id
                OR (p.by_key IS NULL AND p.customer_id IS NOT NULL
                    AND f.first_customer <> p.row_number)
                OR (p.by_key IS NULL AND p.key <> '' AND EXISTS (
                    SELECT 1 FROM customers_identity i
                    WHERE i.customer_id = p.customer_id AND i.issuer = %(issuer)s
                        AND i.kind = 'external_id'))
                THEN 'customer_id: ' || %(different)s
            END AS reason
        FROM import_part p JOIN first f USING (row_number)
    ), gone AS (
        DELETE FROM import_part p USING said s
        WHERE s.row_number = p.row_number AND s.reason IS NOT NULL
    )
    UPDATE customers_importrow r SET reason = s.reason
    FROM said s
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number = s.row_number
        AND s.reason IS NOT NULL
"""
NEW = """
    UPDATE import_part p SET customer_id = n.id, is_new = true
    FROM (
        SELECT row_number, nextval(pg_get_serial_sequence('customers_customer', 'id')) AS id
        FROM (
            SELECT row_number FROM import_part WHERE customer_id IS NULL ORDER BY row_number
        ) nobody
    ) n
    WHERE n.row_number = p.row_number
"""
CREATE = """
    INSERT INTO customers_customer (id, source_id, external_id, name, email, phone, country, city,
        language, zone, birthday, is_test, is_wholesale, attributes, source_updated_at)
    SELECT customer_id, %(source)s, nullif(key, ''), coalesce(name, ''), coalesce(email, ''),
        coalesce(phone, ''), coalesce(country, ''), coalesce(city, ''), coalesce(language, ''),
        coalesce(time_zone, ''), birthday, coalesce(is_test, false),
        coalesce(is_wholesale, false), coalesce(attributes, '{}'), updated_at
    FROM import_part WHERE is_new
    ORDER BY row_number
"""
# What the file does not say stays as it is; what it says later than we know it, counts.
UPDATE = """
    UPDATE customers_customer c
    SET name = n.name, email = n.email, phone = n.phone, country = n.country, city = n.city,
        language = n.language, zone = n.zone, birthday = n.birthday, is_test = n.is_test,
        is_wholesale = n.is_wholesale, attributes = n.attributes,
        source_updated_at = n.source_updated_at, updated_at = now()
    FROM (
        SELECT DISTINCT ON (h.id) h.id, coalesce(p.name, h.name) AS name,
            coalesce(p.email, h.email) AS email, coalesce(p.phone, h.phone) AS phone,
            coalesce(p.country, h.country) AS country, coalesce(p.city, h.city) AS city,
            coalesce(p.language, h.language) AS language, coalesce(p.time_zone, h.zone) AS zone,
            coalesce(p.birthday, h.birthday) AS birthday, coalesce(p.is_test, h.is_test) AS is_test,
            coalesce(p.is_wholesale, h.is_wholesale) AS is_wholesale,
            h.attributes || coalesce(p.attributes, '{}') AS attributes,
            coalesce(p.updated_at, h.source_updated_at) AS source_updated_at
        FROM import_part p JOIN customers_customer h ON h.id = p.customer_id
        WHERE NOT p.is_new AND h.lifecycle = 'active' AND (p.updated_at IS NULL
            OR h.source_updated_at IS NULL OR p.updated_at >= h.source_updated_at)
        ORDER BY h.id, p.row_number DESC
    ) n
    WHERE c.id = n.id AND (c.name, c.email, c.phone, c.country, c.city, c.language, c.zone,
            c.birthday, c.is_test, c.is_wholesale, c.attributes, c.source_updated_at)
        IS DISTINCT FROM (n.name, n.email, n.phone, n.country, n.city, n.language, n.zone,
            n.birthday, n.is_test, n.is_wholesale, n.attributes, n.source_updated_at)
    RETURNING c.id
"""
KEYS = """
    INSERT INTO customers_identity (customer_id, issuer, kind, value)
    SELECT customer_id, %(issuer)s, 'external_id', key FROM import_part WHERE key <> ''
    UNION ALL
    SELECT customer_id, '', 'email', email FROM import_part WHERE email IS NOT NULL
    UNION ALL
    SELECT customer_id, '', 'phone', phone FROM import_part WHERE phone IS NOT NULL
    UNION ALL
    SELECT p.customer_id, g.issuer, g.kind, g.value FROM import_part p
    CROSS JOIN LATERAL jsonb_to_recordset(p.identities) AS g(issuer text, kind text, value text)
    ON CONFLICT (issuer, kind, value) DO NOTHING
    RETURNING customer_id
"""
CONSENTS = """
    INSERT INTO customers_consent (customer_id, channel, topic, action, at, source_id, evidence)
    SELECT p.customer_id, s.channel, 'marketing', s.action, p.consent_at, %(source)s,
        p.consent_evidence
    FROM import_part p
    CROSS JOIN LATERAL (VALUES ('email', p.consent_email), ('sms', p.consent_sms))
        AS s(channel, action)
    WHERE s.action IS NOT NULL
    ON CONFLICT (customer_id, channel, topic, at, action) DO NOTHING
    RETURNING customer_id
"""
CHANGED = "customer_id = ANY(%(touched)s)"
MARKS = """
    INSERT INTO customers_factsmark (customer_id)
    SELECT DISTINCT customer_id FROM import_part WHERE is_new OR customer_id = ANY(%(touched)s)
"""


def write_customers(cursor: Any, page: Page, counts: Counts) -> None:
    """Create and update the customers of a page, with their keys and what they allow."""
    values = page.values(taken=TAKEN, different=DIFFERENT)
    cursor.execute(PART, values)
    statistics.refresh(cursor, "import_part")
    cursor.execute(KNOWN)
    page.keep(cursor, KEEP, HELD)
    cursor.execute(CONFLICTS, values)
    counts.reject(page.kind, cursor.rowcount)
    cursor.execute(NEW)
    cursor.execute(CREATE, values)
    touched: set[int] = set()
    for statement in (UPDATE, KEYS, CONSENTS):
        cursor.execute(statement, values)
        touched.update(row[0] for row in cursor.fetchall())
    page.take_consent(cursor)
    values["touched"] = sorted(touched)
    page.settle(cursor, counts, values, new="is_new", changed=CHANGED)
    cursor.execute(MARKS, values)
    cursor.execute("DROP TABLE import_part")
