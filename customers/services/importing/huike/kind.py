"""What the kinds of file have in common: reading, doubles, pages, the end."""

import json
from collections.abc import Callable, Iterable, Mapping
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
from customers.services.importing import rejects, statistics
from customers.services.importing.counts import Counts
from customers.services.importing.format import Columns, OneByOne

ROWS = 5_000
LONGEST_KEY = 120
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
        FROM customers_importrow WHERE batch_id = %(batch)s AND kind = %(kind)s AND reason = ''
    ) d
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number = d.row_number
        AND d.later IS NOT NULL
"""
NEXT = """
    SELECT max(row_number) FROM (
        SELECT row_number FROM customers_importrow
        WHERE batch_id = %(batch)s AND kind = %(kind)s AND row_number > %(after)s
        ORDER BY row_number LIMIT %(limit)s
    ) part
"""
FATES = """
    SELECT count(*) FILTER (WHERE {new}), count(*) FILTER (WHERE NOT ({new}) AND {changed}),
        count(*)
    FROM import_part
"""
# Of a row that tells of several things, each is noted: the row's own fate is told at the end.
NOTES = """
    UPDATE customers_importrow r
    SET fate = CASE WHEN {new} THEN 'c' WHEN {changed} THEN 'u' ELSE 's' END
    FROM import_part p
    WHERE r.batch_id = %(batch)s AND r.kind = %(kind)s AND r.row_number = p.row_number
"""
CONSENT = """
    INSERT INTO customers_consent (customer_id, channel, topic, action, at, source_id, evidence)
    SELECT DISTINCT c.id, d.channel, 'marketing', 'given',
        d.at::timestamp AT TIME ZONE %(zone)s, %(source)s::bigint, d.evidence
    FROM import_part p JOIN customers_customer c ON c.id = p.customer_id
    CROSS JOIN LATERAL jsonb_to_recordset(%(declared)s::jsonb)
        AS d(channel text, at text, evidence text)
    WHERE c.lifecycle = 'active'
        AND CASE d.channel WHEN 'email' THEN c.email <> '' ELSE c.phone <> '' END
        AND NOT EXISTS (SELECT 1 FROM customers_consent h WHERE h.customer_id = c.id
            AND h.channel = d.channel AND h.topic = 'marketing')
    ON CONFLICT (customer_id, channel, topic, at, action) DO NOTHING
"""


@dataclass(frozen=True)
class Page:
    """The records of a kind behind row ``after`` up to ``until``, and how the shop counts.

    ``is_shared``: rows of this file tell of several kinds.
    """

    batch: ImportBatch
    kind: str
    after: int
    until: int
    shop: ShopSettings
    is_shared: bool = False

    def keep(self, cursor: Any, statement: str, held: Mapping[str, str]) -> None:
        """Forget what the file says where staff keep what is held.

        ``held`` maps columns to the condition that says a value is held; ``statement`` is the
        update of ``import_part`` with places for both.
        """
        for column in self.batch.options.get("keep", ()):
            if column in held:
                cursor.execute(statement.format(column=column, held=held[column]))

    def take_consent(self, cursor: Any) -> None:
        """Write down what the owner declared about everybody in the file.

        Whoever has said anything about a channel, yes or no, is left as they are.
        """
        declared = [
            {
                "channel": channel,
                "at": told["at"],
                "evidence": f"{told['basis']}: {told['evidence']} ({self.batch.public_id})",
            }
            for channel, told in self.batch.options.get("consent", {}).items()
        ]
        if declared:
            cursor.execute(CONSENT, {"declared": json.dumps(declared), **self.values()})

    def values(self, **more: Any) -> dict[str, Any]:
        """Return the parameters every statement may name."""
        return {
            "batch": self.batch.pk,
            "kind": self.kind,
            "after": self.after,
            "until": self.until,
            "source": self.batch.source_id,
            "issuer": self.batch.source.key,
            "zone": self.shop.zone,
            "currency": self.shop.currency,
            **more,
        }

    def settle(
        self, cursor: Any, counts: Counts, values: Mapping[str, Any], *, new: str, changed: str
    ) -> None:
        """Count the fates of ``import_part``; two conditions on its rows tell them apart."""
        cursor.execute(FATES.format(new=new, changed=changed), values)
        created, updated, rows = cursor.fetchone()
        counts.settle(
            self.kind, created=created, updated=updated, unchanged=rows - created - updated
        )
        if self.is_shared:
            cursor.execute(NOTES.format(new=new, changed=changed), values)


Write = Callable[[Any, Page, Counts], None]


@dataclass(frozen=True)
class Kind:
    """One kind of record: its columns, the one it is known by, how a page of it is written.

    Records without such a column are lines of a log, each its own.
    """

    name: str
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
        self, batch: ImportBatch, header: list[str], latest: datetime, _state: dict[str, Any]
    ) -> OneByOne:
        """Return what turns a row of this kind's own file into the staging table's columns."""
        read = self.reader(header, latest)
        return OneByOne(lambda row: read(row, original_of(row.cells)))

    def reader(self, header: Iterable[str], latest: datetime) -> Callable[[RawRow, str], Columns]:
        """Return the function from a record, and its row as JSON, to the staging columns."""
        parse = huike.parser(header, self.columns, _readers())

        def to_columns(row: RawRow, original: str) -> Columns:
            found = parse(row)
            values = found.values
            number, customer, key = self._known_by(found)
            return (
                self.name,
                original,
                (found.reason or _in_future(values, latest))[:200],
                *(number, key, "", None, None, None, customer, "", False),
                json.dumps(_for_tables(values), ensure_ascii=False),
            )

        return to_columns

    def _known_by(self, row: huike.Parsed) -> tuple[str, str, str]:
        """Return by which order number, customer and other key the row is one within its file."""
        values = row.values
        if self.columns is huike.CUSTOMERS:
            contact = values.get("email") or values.get("phone") or ""
            alone = contact if 0 < len(contact) <= LONGEST_KEY else str(row.number)
            return "", (own := values.get("customer_id", "")), "" if own else alone
        # Orders are known by their number alone, whoever placed them.
        if self.columns is huike.ORDERS or self.columns is huike.LINES:
            return values.get("order_id", ""), "", values.get("line_id", "")
        return "", "", str(values.get(self.key, row.number))

    def prepare(self, run: JobRun, batch: ImportBatch, _after: object, counts: Counts) -> None:
        """Reject records that stand in the file again, and count all that cannot be read."""
        reason = f"{self.key}: {rejects.AGAIN}"
        with connection.cursor() as cursor:
            statistics.refresh(cursor, "customers_importrow")
            cursor.execute(DOUBLES, {"batch": batch.pk, "kind": self.name, "reason": reason})
        counts.reject(self.name, sum(rejects.count_rejected(batch.pk, self.name).values()))
        run.save(step=gettext_noop("Comparing rows"))

    def write(
        self,
        run: JobRun,
        batch: ImportBatch,
        after: int | str,
        counts: Counts,
        is_shared: bool = False,
    ) -> int | None:
        """Write the next records; return the number of the last row, or None at the end."""
        shop = shop_settings()
        # Zone and currency stay as they are, and one import at a time gives out keys.
        type(shop).objects.select_for_update().get(pk=shop.pk)
        with connection.cursor() as cursor:
            start = int(after or 0)
            if counts.total > ROWS and _plans_are_stale(start):
                statistics.refresh(cursor, *TABLES)
            place: dict[str, Any] = {"batch": batch.pk, "kind": self.name, "after": start}
            cursor.execute(NEXT, {**place, "limit": ROWS})
            row = cursor.fetchone()
            if row is None or row[0] is None:
                return None
            page = Page(batch, self.name, start, row[0], shop, is_shared)
            self.write_page(cursor, page, counts)
        run.save(step=gettext_noop("Writing rows"))
        return int(row[0])

    def conclude(self, run: JobRun, batch: ImportBatch, _after: object, counts: Counts) -> None:
        """Store counts and error file."""
        rejects.close(run, batch, counts, {"lines": counts.total, **counts.notes}, TABLES)


def _plans_are_stale(start: int) -> bool:
    """Tell whether the record may have doubled since plans were last told how large it is."""
    pages = start // ROWS
    return pages & (pages - 1) == 0


def original_of(cells: Mapping[str, str]) -> str:
    """Return a row of the file as the staging table keeps it."""
    return json.dumps(cells, ensure_ascii=False)


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
