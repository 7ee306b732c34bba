"""The one writer: cohorts into the record's tables, by COPY, once."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.utils.translation import gettext as _

from customers.errors import SimulationRefusedError
from customers.models import ShopSettings, Source
from customers.services.simulation import counts
from customers.services.simulation.copying import copy_in, days, instants, keys, money, same
from customers.services.simulation.numbers import line_keys, order_numbers
from customers.services.simulation.sheet import Sheet, only
from customers.services.simulation.voices import write_voices
from customers.services.simulation.world import Cohort, World
from customers.services.simulation.world.arrays import Bools, Ints
from customers.services.simulation.world.people import CHANNELS, STAFF, WHOLESALE

EVIDENCE = "simulated"
CHANNEL_KEY = "acquisition_channel"
_KNOWN = """
    SELECT external_id FROM customers_customer WHERE source_id = %s AND external_id = ANY(%s)
"""
_IDENTITIES = """
    INSERT INTO customers_identity (customer_id, issuer, kind, value)
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[])
    ON CONFLICT (issuer, kind, value) DO NOTHING
"""


def write_cohorts(
    *, world: World, source: Source, products: Ints, cohorts: Iterable[Cohort]
) -> dict[str, int]:
    """Write cohorts in one transaction and mark their customers' facts; return the rows a table.

    Customers who are there already stay as they are, with all that is theirs: a repeated or a
    resumed simulation writes nothing twice, and one of more customers adds the new ones. Raises
    SimulationRefusedError when the shop meanwhile counts in another zone or currency.
    """
    written: dict[str, int] = {}
    with transaction.atomic(), connection.cursor() as cursor:
        _hold_settings(world)
        for cohort in cohorts:
            sheet = _open(cursor, world, cohort, source, products)
            written = counts.add(written, _write(sheet))
    return written


def _hold_settings(world: World) -> None:
    """Keep zone and currency as they are until the rows are there; also lets one writer in."""
    plan, shop = world.plan, ShopSettings.objects.select_for_update().get(pk=1)
    if (shop.zone, shop.currency) != (plan.zone, plan.currency):
        raise SimulationRefusedError(
            _("The shop counts in %(zone)s and %(currency)s; the simulation must, too.")
            % {"zone": shop.zone, "currency": shop.currency}
        )


def _open(cursor: Any, world: World, cohort: Cohort, source: Source, products: Ints) -> Sheet:
    """Find out who is to be written, and give every row its id."""
    chosen = cohort.wanted & ~_known(cursor, source.pk, cohort.people["external_id"])
    takes_order = chosen[cohort.orders["host"]]
    customer = _allocate(cursor, "customers_customer", chosen)
    return Sheet(
        cursor=cursor,
        world=world,
        cohort=cohort,
        source=source,
        customer=customer,
        order=_allocate(cursor, "customers_order", takes_order),
        line=_allocate(cursor, "customers_orderline", takes_order[cohort.lines["order"]]),
        product=products,
        # Guests' orders have no customer: the place after the last.
        owner=np.append(customer, -1)[cohort.orders["customer"]],
    )


def _write(sheet: Sheet) -> dict[str, int]:
    return {
        "customers": _customers(sheet),
        "identities": _identities(sheet),
        "consents": _consents(sheet),
        "orders": _orders(sheet),
        "lines": _lines(sheet),
        "refunds": _refunds(sheet),
        **write_voices(sheet),
    }


def _known(cursor: Any, source_id: int, external_ids: Any) -> Bools:
    """Return who is there already."""
    cursor.execute(_KNOWN, [source_id, external_ids.tolist()])
    return np.isin(external_ids, [row[0] for row in cursor.fetchall()])


def _allocate(cursor: Any, table: str, chosen: Bools) -> Ints:
    """Take ids from the table's sequence for the chosen rows; the others get −1."""
    ids = np.full(chosen.size, -1, dtype=np.int64)
    cursor.execute(
        "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
        [table, int(chosen.sum())],
    )
    ids[chosen] = [row[0] for row in cursor.fetchall()]
    return ids


def _customers(sheet: Sheet) -> int:
    chosen, source = sheet.customer >= 0, sheet.source
    rows, pk = only(sheet.cohort.people, chosen), sheet.customer[chosen]
    attributes = np.array([f'{{"{CHANNEL_KEY}": "{name}"}}' for name in CHANNELS])
    plain = ("external_id", "name", "email", "phone", "country", "city", "language", "zone")
    columns = {
        "id": pk,
        "source_id": same(source.pk, pk.size),
        **{name: rows[name] for name in plain},
        "birthday": days(rows["birthday"], rows["birthday"] == -1_000_000),
        "attributes": attributes[rows["channel"]],
        "is_test": rows["kind"] == STAFF,
        "is_wholesale": rows["kind"] == WHOLESALE,
        "is_simulated": same(True, pk.size),
    }
    written = copy_in(sheet.cursor, "customers_customer", columns)
    copy_in(sheet.cursor, "customers_factsmark", {"customer_id": pk})
    return written


def _identities(sheet: Sheet) -> int:
    """Give everybody their keys; of those who share a phone the first owns it."""
    chosen, source = sheet.customer >= 0, sheet.source
    rows, pk = only(sheet.cohort.people, chosen), sheet.customer[chosen]
    written = copy_in(
        sheet.cursor,
        "customers_identity",
        {
            "customer_id": pk,
            "issuer": same(source.key, pk.size),
            "kind": same("external_id", pk.size),
            "value": rows["external_id"],
        },
    )
    owns = rows["owns_phone"]
    customer = np.concatenate([pk, pk[owns]]).tolist()
    kinds = ["email"] * pk.size + ["phone"] * int(owns.sum())
    values = np.concatenate([rows["email"], rows["phone"][owns]]).tolist()
    sheet.cursor.execute(_IDENTITIES, [customer, [""] * len(customer), kinds, values])
    return written + int(sheet.cursor.rowcount)


def _consents(sheet: Sheet) -> int:
    """Copy who said yes at the first order, and who took it back later."""
    world, cohort, source = sheet.world, sheet.cohort, sheet.source
    people, days_in = cohort.people, float(world.plan.days)
    first = world.seasons.day(np.minimum(cohort.purchases.first, world.seasons.until - 1e-3))
    who, channels, actions, when = [], [], [], []
    for channel in ("email", "sms"):
        reachable = people["email"] if channel == "email" else people["phone"]
        allows = (sheet.customer >= 0) & people[f"allows_{channel}"] & (reachable != "")
        after = people[f"{channel}_withdrawn_after"]
        withdraws = allows & (after > 0) & (first + after < days_in)
        for action, rows, at in (("given", allows, first), ("withdrawn", withdraws, first + after)):
            who.append(sheet.customer[rows])
            when.append(world.seasons.instant(at[rows]))
            channels += [channel] * int(rows.sum())
            actions += [action] * int(rows.sum())
    size = len(actions)
    columns = {
        "customer_id": np.concatenate(who),
        "channel": np.array(channels, dtype=str),
        "topic": same("marketing", size),
        "action": np.array(actions, dtype=str),
        "at": instants(np.concatenate(when)),
        "source_id": same(source.pk, size),
        "evidence": same(EVIDENCE, size),
    }
    return copy_in(sheet.cursor, "customers_consent", columns)


def _orders(sheet: Sheet) -> int:
    world, cohort, source = sheet.world, sheet.cohort, sheet.source
    chosen, owner = sheet.order >= 0, sheet.owner
    rows, unit = only(cohort.orders, chosen), world.plan.unit
    size = int(chosen.sum())
    columns = {
        "id": sheet.order[chosen],
        "source_id": same(source.pk, size),
        "external_id": order_numbers(cohort)[chosen],
        "customer_id": keys(owner[chosen], owner[chosen] < 0),
        "status": rows["status"],
        **{
            name: instants(rows[name])
            for name in ("placed_at", "paid_at", "promised_at", "delivered_at", "cancelled_at")
        },
        "placed_day": days(rows["placed_day"]),
        "currency": same(world.plan.currency, size),
        "exchange_rate": same(1, size),
        **{
            name: money(rows[name], unit)
            for name in ("total", "charges", "platform_fee", "shipping_cost", "refunded")
        },
        "total_shop": money(rows["total"], unit),
        "refunded_shop": money(rows["refunded"], unit),
        "country": np.where(rows["chinese"], "China", "United Kingdom"),
        "is_test": rows["is_test"],
    }
    return copy_in(sheet.cursor, "customers_order", columns)


def _lines(sheet: Sheet) -> int:
    world, cohort, chosen = sheet.world, sheet.cohort, sheet.line >= 0
    rows, unit, goods = only(cohort.lines, chosen), world.plan.unit, world.catalogue
    place, charge = rows["product"], rows["is_charge"]
    columns = {
        "id": sheet.line[chosen],
        "order_id": sheet.order[rows["order"]],
        "line_key": line_keys(cohort.lines)[chosen],
        "kind": np.where(charge, "charge", "product"),
        "product_id": keys(sheet.product[place], charge),
        "sku": np.where(charge, "POST", goods.sku[place]),
        "title": np.where(charge, "Postage", goods.title[place]),
        "quantity": rows["quantity"],
        **{
            name: money(rows[name], unit)
            for name in ("unit_price", "amount", "unit_cost", "refunded_amount")
        },
        "refunded_quantity": rows["refunded_quantity"],
    }
    return copy_in(sheet.cursor, "customers_orderline", columns)


def _refunds(sheet: Sheet) -> int:
    world, cohort, source, owner = sheet.world, sheet.cohort, sheet.source, sheet.owner
    chosen = sheet.line[cohort.refunds["line"]] >= 0
    rows, unit = only(cohort.refunds, chosen), world.plan.unit
    size, order = int(chosen.sum()), rows["order"]
    number = order_numbers(cohort)[order] + "/" + line_keys(cohort.lines)[rows["line"]]
    columns = {
        "source_id": same(source.pk, size),
        "external_id": number,
        "customer_id": keys(owner[order], owner[order] < 0),
        "order_id": sheet.order[order],
        "line_id": sheet.line[rows["line"]],
        "kind": rows["kind"],
        "refunded_at": instants(rows["at"]),
        "refunded_day": days(rows["day"]),
        "sku": world.catalogue.sku[cohort.lines["product"][rows["line"]]],
        "quantity": rows["quantity"],
        "currency": same(world.plan.currency, size),
        "amount": money(rows["amount"], unit),
        "amount_shop": money(rows["amount"], unit),
    }
    return copy_in(sheet.cursor, "customers_refund", columns)
