"""How the shop counts days and money, and what follows when that changes."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from crm.core.errors import DomainError
from crm.core.models import Job
from crm.core.services import jobs
from crm.core.services.audit import record_audit
from customers.models import ExchangeRate, Order, OrderLine, Product, Refund, ShopSettings
from customers.selectors.shop import shop_settings
from customers.services.facts import mark_all_dirty, mark_dirty
from customers.services.rates import recheck_rates

KIND = "customers.recount_shop"
BATCH = 20_000

# An order's rate is that of its currency on its local day. One that came with the order stays
# where the table knows none, unless it led to another shop currency.
_CONVERT_ORDERS = """
UPDATE customers_order o SET placed_day = n.day, exchange_rate = n.rate,
    total_shop = round(o.total * n.rate, 4),
    refunded_shop = coalesce(round(o.refunded * n.rate, 4), 0), updated_at = %(now)s
FROM (
    SELECT o.id, d.day, CASE WHEN o.currency = %(currency)s THEN 1
        ELSE coalesce(r.rate, CASE WHEN %(keep)s THEN o.exchange_rate END) END AS rate
    FROM customers_order o
        CROSS JOIN LATERAL (SELECT (o.placed_at AT TIME ZONE %(zone)s)::date AS day) d
        LEFT JOIN customers_exchangerate r
            ON r.currency = o.currency AND r.shop_currency = %(currency)s AND r.day = d.day
    WHERE o.id = ANY(%(ids)s)
) n
WHERE o.id = n.id AND (o.placed_day, o.exchange_rate, o.total_shop, o.refunded_shop)
    IS DISTINCT FROM (n.day, n.rate::numeric(20, 10), round(o.total * n.rate, 4),
        coalesce(round(o.refunded * n.rate, 4), 0))
RETURNING o.customer_id
"""

# A refund in its order's currency goes back at its order's rate.
_CONVERT_REFUNDS = """
UPDATE customers_refund f SET refunded_day = n.day, amount_shop = round(f.amount * n.rate, 4)
FROM (
    SELECT f.id, d.day, CASE
        WHEN f.currency = %(currency)s THEN 1
        WHEN f.currency = o.currency THEN o.exchange_rate
        WHEN r.rate IS NOT NULL THEN r.rate
        WHEN %(keep)s AND f.amount > 0 THEN f.amount_shop / f.amount END AS rate
    FROM customers_refund f
        CROSS JOIN LATERAL (SELECT (f.refunded_at AT TIME ZONE %(zone)s)::date AS day) d
        LEFT JOIN customers_order o ON o.id = f.order_id
        LEFT JOIN customers_exchangerate r
            ON r.currency = f.currency AND r.shop_currency = %(currency)s AND r.day = d.day
    WHERE f.id = ANY(%(ids)s)
) n
WHERE f.id = n.id AND (f.refunded_day, f.amount_shop)
    IS DISTINCT FROM (n.day, round(f.amount * n.rate, 4))
RETURNING f.customer_id
"""


# Costs are in the shop's currency unless they say another: those that were, say so from now on.
_STAMP_COSTS = """
UPDATE {table} SET cost_currency = %(former)s
WHERE id > %(after)s AND id <= %(until)s AND unit_cost IS NOT NULL AND cost_currency = ''
"""


_CONVERTED: dict[str, tuple[Any, str]] = {
    "orders": (Order, _CONVERT_ORDERS),
    "refunds": (Refund, _CONVERT_REFUNDS),
}
_PRICED: dict[str, Any] = {"lines": OrderLine, "products": Product}


class InvalidSettingsError(DomainError):
    code = "invalid_settings"


def open_shop(*, name: str, zone: str, currency: str) -> None:
    """Make the shop's settings where there are none; raises InvalidSettingsError."""
    _check(ShopSettings(name=name, zone=zone, currency=currency))
    told = {"name": name, "zone": zone, "currency": currency}
    ShopSettings.objects.get_or_create(pk=1, defaults=told)


def update_shop_settings(
    *, changes: Mapping[str, Any], user_id: int | None, request_id: str = ""
) -> tuple[ShopSettings, Job | None]:
    """Change the shop's settings; return them, and the job a new zone or currency starts.

    The job recomputes days and amounts of every order. A new refund window marks everybody's
    facts at once.
    """
    shop_settings()
    with transaction.atomic():
        shop = ShopSettings.objects.select_for_update().get(pk=1)
        before = {name: getattr(shop, name) for name in changes}
        for name, value in changes.items():
            setattr(shop, name, value)
        _check(shop)
        changed = {name for name, value in before.items() if getattr(shop, name) != value}
        if not changed:
            return shop, None
        shop.save()
        record_audit(
            actor_id=user_id,
            action="shop_settings.changed",
            object_type="customers.shopsettings",
            object_id="1",
            details={name: [str(before[name]), str(getattr(shop, name))] for name in changed},
            request_id=request_id,
        )
        job = None
        if changed & {"zone", "currency"}:
            job, _created = jobs.create_job(
                kind=KIND,
                title=f"Days and amounts in {shop.zone} and {shop.currency}",
                parameters={
                    "zone": shop.zone,
                    "currency": shop.currency,
                    **(_recount(before) if "currency" in changed else {"new_currency": False}),
                },
                user_id=user_id,
            )
        elif "refund_window_days" in changed:
            mark_all_dirty()
    return shop, job


def set_exchange_rate(*, currency: str, day: date, rate: Decimal, now: datetime) -> int:
    """Store what a currency was worth on a day, convert that day's rows; return orders changed."""
    shop = shop_settings()
    currency = currency.strip().upper()
    if len(currency) != 3 or not currency.isalpha() or currency == shop.currency:
        raise InvalidSettingsError(_("Name a currency other than the shop's, such as USD."))
    if not rate.is_finite() or rate <= 0:
        raise InvalidSettingsError(_("An exchange rate is a number above zero."))
    with transaction.atomic():
        ExchangeRate.objects.update_or_create(
            currency=currency, shop_currency=shop.currency, day=day, defaults={"rate": rate}
        )
        orders = Order.objects.filter(placed_day=day, currency=currency)
        order_ids = list(orders.values_list("pk", flat=True))
        customers = _convert(_CONVERT_ORDERS, order_ids, keep=True, now=now)
        own = Refund.objects.filter(order_id__in=order_ids, currency=currency)
        loose = Refund.objects.filter(refunded_day=day, currency=currency)
        refund_ids = list(own.union(loose).values_list("pk", flat=True))
        changed = _convert(_CONVERT_REFUNDS, refund_ids, keep=True, now=now)
        # A margin may rest on the rate though the order is in another currency.
        costs = OrderLine.objects.filter(order__placed_day=day, cost_currency=currency)
        priced = costs.values_list("order__customer_id", flat=True).distinct()
        mark_dirty([*customers, *changed, *priced])
        recheck_rates(now=now)
    return len(customers)


def _recount(before: Mapping[str, Any]) -> dict[str, Any]:
    """Return which costs were in the former currency: all there are, but for an earlier change's.

    Imports write under the lock of the settings, so that later costs are in the new currency.
    """
    earlier = Job.objects.unfinished().filter(kind=KIND, parameters__new_currency=True)
    done = [job.parameters for job in earlier]
    return {
        "new_currency": True,
        "former_currency": before["currency"],
        "costs_after": {
            name: max((one["costs_until"][name] for one in done), default=0) for name in _PRICED
        },
        "costs_until": {
            name: model.objects.aggregate(last=Max("pk"))["last"] or 0
            for name, model in _PRICED.items()
        },
    }


def recount_chunk(run: jobs.JobRun, *, now: datetime, limit: int = BATCH) -> bool:
    """Recompute days and shop amounts of the next rows; mark everybody after the last.

    Each chunk reads the settings anew and keeps them from changing, so that two changes in a row
    end with the later one.
    """
    asked = run.parameters
    phases = [*_CONVERTED, *(_PRICED if asked["new_currency"] else ())]
    phase, after = run.cursor.get("phase", phases[0]), run.cursor.get("after", 0)
    if not run.cursor:
        run.save(total=Order.objects.count() + Refund.objects.count())
    with transaction.atomic():
        ShopSettings.objects.select_for_update().get(pk=1)
        result, moved = {**run.job.result}, 0
        if phase in _PRICED:
            after, changed = _stamp_costs(asked, phase, after, limit)
        else:
            model, statement = _CONVERTED[phase]
            rows = model.objects.filter(pk__gt=after).order_by("pk")
            ids = list(rows.values_list("pk", flat=True)[:limit])
            keep = not asked["new_currency"]
            changed = len(_convert(statement, ids, keep=keep, now=now)) if ids else 0
            after, moved = ids[-1] if ids else None, len(ids)
        result[phase] = result.get(phase, 0) + changed
        is_last = after is None and phase == phases[-1]
        if is_last:
            result["customers"] = mark_all_dirty()
        elif after is None:
            phase, after = phases[phases.index(phase) + 1], 0
        cursor = {"phase": phase, "after": after or 0}
        run.save(done=run.job.done + moved, cursor=cursor, result=result)
    return is_last


def _stamp_costs(
    asked: Mapping[str, Any], name: str, after: int, limit: int
) -> tuple[int | None, int]:
    """Name the currency of the next costs; return where to go on, or None, and how many it were."""
    start, last = max(after, asked["costs_after"][name]), asked["costs_until"][name]
    if start >= last:
        return None, 0
    rows = _PRICED[name].objects.filter(pk__gt=start, pk__lte=last).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[:limit])
    if not ids:
        return None, 0
    until = ids[-1]
    table = _PRICED[name]._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            _STAMP_COSTS.format(table=table),
            {"former": asked["former_currency"], "after": start, "until": until},
        )
        return until, cursor.rowcount


def _convert(statement: str, ids: list[int], *, keep: bool, now: datetime) -> list[int | None]:
    """Convert rows and return the customers of those that changed, with repeats."""
    shop = shop_settings()
    values: dict[str, Any] = {
        "ids": ids,
        "keep": keep,
        "now": now,
        "zone": shop.zone,
        "currency": shop.currency,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]


def _check(shop: ShopSettings) -> None:
    if shop.zone not in available_timezones():
        raise InvalidSettingsError(
            _("“%(zone)s” is not a time zone. Choose one such as Asia/Shanghai.")
            % {"zone": shop.zone}
        )
    try:
        shop.full_clean(validate_unique=False)
    except ValidationError as error:
        raise InvalidSettingsError(" ".join(error.messages)) from error
