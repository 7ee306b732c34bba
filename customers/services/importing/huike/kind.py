"""What the kinds of file have in common: reading, doubles, pages, the end."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.core.services.jobs import JobRun
from customers.connectors import huike
from customers.connectors.tables import RawRow
from customers.errors import InvalidIdentityError, UnknownFormatError
from customers.models import Attribute, ImportBatch, ShopSettings
from customers.selectors.shop import shop_settings
from customers.services import identities
from customers.services.importing import rejects
from customers.services.importing.counts import Counts

ROWS = 5_000
TABLES = (
    "customers_customer",
    "customers_identity",
    "customers_consent",
    "customers_order",
    "customers_orderline",
    "customers_category",
    "customers_product",
    "customers_refund",
    "customers_review",
    "customers_surveyresponse",
    "customers_ticket",
    "customers_factsmark",
)
AGAIN = gettext_noop("the same one stands again further down; the last row counts")
FUTURE = gettext_noop("the time lies in the future")
PAST_ONLY = (
    "placed_at",
    "paid_at",
    "deposit_paid_at",
    "cancelled_at",
    "refunded_at",
    "consent_at",
    "written_at",
    "answered_at",
    "opened_at",
    "closed_at",
    "at",
)
DOUBLES = """
    UPDATE customers_importrow r SET reason = %(reason)s
    FROM (
        SELECT row_number, lead(row_number) OVER (
            PARTITION BY order_number, customer_key, sku ORDER BY row_number) AS later
        FROM customers_importrow WHERE batch_id = %(batch)s AND reason = ''
    ) d
    WHERE r.batch_id = %(batch)s AND r.row_number = d.row_number AND d.later IS NOT NULL
"""
NEXT = """
    SELECT max(row_number) FROM (
        SELECT row_number FROM customers_importrow
        WHERE batch_id = %(batch)s AND row_number > %(after)s
        ORDER BY row_number LIMIT %(limit)s
    ) part
"""


@dataclass(frozen=True)
class Page:
    """The rows behind ``after`` up to ``until``, and how the shop counts."""

    batch: ImportBatch
    after: int
    until: int
    shop: ShopSettings

    def values(self, **more: Any) -> dict[str, Any]:
        """Return the parameters every statement may name."""
        return {
            "batch": self.batch.pk,
            "after": self.after,
            "until": self.until,
            "source": self.batch.source_id,
            "issuer": self.batch.source.key,
            "zone": self.shop.zone,
            "currency": self.shop.currency,
            **more,
        }


Write = Callable[[Any, Page, Counts], None]


@dataclass(frozen=True)
class Kind:
    """One kind of file: its columns, the column its rows are known by, how a page is written.

    Rows without such a column are lines of a log, each its own.
    """

    columns: huike.Columns
    key: str
    write_page: Write

    def missing(self, header: list[str]) -> tuple[list[str], int]:
        """Return the columns a header lacks, and how many must be there."""
        return huike.split_header(header, self.columns)[0], len(self.columns.required)

    def check(self, header: list[str]) -> None:
        """Refuse columns that nobody would read, and attributes that are not declared."""
        _missing, unread = huike.split_header(header, self.columns)
        if unread:
            raise UnknownFormatError(
                _("These columns are not known: %(names)s. Rename or remove them.")
                % {"names": ", ".join(unread[:30])},
                found=unread[:30],
            )
        keys = set(huike.attribute_keys(header)) if self.columns.is_open else set()
        undeclared = sorted(keys - set(Attribute.objects.values_list("key", flat=True)))
        if undeclared:
            raise UnknownFormatError(
                _("Declare these custom attributes first: %(names)s.")
                % {"names": ", ".join(undeclared)},
                missing=undeclared,
            )

    def stager(
        self, batch: ImportBatch, header: list[str], latest: datetime
    ) -> Callable[[RawRow], tuple[Any, ...]]:
        """Return the function from a row to the staging table's columns."""
        parse = huike.parser(header, self.columns, _readers())

        def to_columns(row: RawRow) -> tuple[Any, ...]:
            found = parse(row)
            values = found.values
            number, customer, key = self._known_by(found)
            return (
                json.dumps(found.cells, ensure_ascii=False),
                (found.reason or _in_future(values, latest))[:200],
                *(number, key, "", None, None, None, customer, "", False),
                json.dumps(_for_tables(values), ensure_ascii=False),
            )

        return to_columns

    def _known_by(self, row: huike.Parsed) -> tuple[str, str, str]:
        """Return by which order number, customer and other key the row is one within its file."""
        values = row.values
        if self.columns is huike.CUSTOMERS:
            return "", values.get("customer_id", ""), ""
        # Orders are known by their number alone, whoever placed them.
        if self.columns is huike.ORDERS or self.columns is huike.LINES:
            return values.get("order_id", ""), "", values.get("line_id", "")
        return "", "", str(values.get(self.key, row.number))

    def prepare(self, run: JobRun, batch: ImportBatch, _after: object, counts: Counts) -> None:
        """Reject rows that stand in the file again, and count all that cannot be read."""
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE customers_importrow")
            cursor.execute(DOUBLES, {"batch": batch.pk, "reason": f"{self.key}: {AGAIN}"})
        counts.rejected = sum(rejects.count_rejected(batch.pk).values())
        run.save(step=_("Comparing rows"))

    def write(
        self, run: JobRun, batch: ImportBatch, after: int | str, counts: Counts
    ) -> int | None:
        """Write the next rows; return the number of the last one, or None at the end."""
        shop = shop_settings()
        # Zone and currency stay as they are, and one import at a time gives out keys.
        type(shop).objects.select_for_update().get(pk=shop.pk)
        with connection.cursor() as cursor:
            start = int(after or 0)
            cursor.execute(NEXT, {"batch": batch.pk, "after": start, "limit": ROWS})
            row = cursor.fetchone()
            if row is None or row[0] is None:
                return None
            self.write_page(cursor, Page(batch, start, row[0], shop), counts)
        run.save(step=_("Writing rows"))
        return int(row[0])

    def conclude(self, run: JobRun, batch: ImportBatch, _after: object, counts: Counts) -> None:
        """Store counts and error file."""
        rejects.close(run, batch, counts, {"lines": counts.total, **counts.notes}, TABLES)


def _readers() -> huike.Readers:
    declared = {
        one.key: huike.Declared(one.type, tuple(map(str, one.choices)))
        for one in Attribute.objects.all()
    }
    return huike.Readers(ZoneInfo(shop_settings().zone), _email, _phone, declared)


def _email(text: str) -> str:
    try:
        return identities.normalise_email(text)
    except InvalidIdentityError:
        raise huike.CellError(gettext_noop("no e-mail address, or a masked one")) from None


def _phone(text: str) -> str:
    try:
        return identities.normalise_phone(text)
    except InvalidIdentityError:
        raise huike.CellError(gettext_noop("no phone number; write it as +8613812345678")) from None


def _in_future(values: Mapping[str, Any], latest: datetime) -> str:
    for name in PAST_ONLY:
        if name in values and datetime.fromisoformat(values[name]) > latest:
            return f"{name}: {FUTURE}"
    return ""


def _for_tables(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with attributes and scoped ids each in one place; an id is no row's key."""
    plain = {name: value for name, value in values.items() if ":" not in name}
    if "customer_id" in plain:
        plain["customer_key"] = plain.pop("customer_id")
    attributes = {
        name.removeprefix(huike.ATTRIBUTE): value
        for name, value in values.items()
        if name.startswith(huike.ATTRIBUTE)
    }
    scoped = huike.scoped_identities(values)
    if attributes:
        plain["attributes"] = attributes
    if scoped:
        plain["identities"] = [
            {"issuer": issuer, "kind": kind, "value": value} for issuer, kind, value in scoped
        ]
    return plain
