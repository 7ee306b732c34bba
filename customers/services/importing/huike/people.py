"""Find the customer a row names: by the source's id, by e-mail, by phone. Nobody is made here."""

# Joined to ``v``, which has customer_key, email and phone. Merged profiles lead to the kept one;
# an erased one is nobody.
_JOINS = """
    LEFT JOIN LATERAL (
        SELECT i.customer_id FROM customers_identity i
        WHERE i.issuer = %(issuer)s AND i.kind = 'external_id' AND i.value = v.customer_key
        UNION ALL
        SELECT b.id FROM customers_customer a
        JOIN customers_customer b ON b.id = coalesce(a.merged_into_id, a.id)
        WHERE a.source_id = %(source)s AND a.external_id = v.customer_key
            AND b.lifecycle = 'active'
        LIMIT 1
    ) by_key ON true
    LEFT JOIN customers_identity by_email
        ON by_email.issuer = '' AND by_email.kind = 'email' AND by_email.value = v.email
    LEFT JOIN customers_identity by_phone
        ON by_phone.issuer = '' AND by_phone.kind = 'phone' AND by_phone.value = v.phone
"""
_FOUND = "coalesce(by_key.customer_id, by_email.customer_id, by_phone.customer_id)"


def fill(statement: str) -> str:
    """Put the joins, and the customer they find, into a statement that has a row ``v``."""
    return statement.replace("{found}", _FOUND).replace("{joins}", _JOINS)
