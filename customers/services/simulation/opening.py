"""Before the first row: is the plan sane, is the database free, and what the shop sells."""

import math
from datetime import date
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from customers.enums import AttributeType, SourceKind
from customers.errors import SimulationRefusedError
from customers.models import Attribute, Category, Customer, ShopSettings, Source
from customers.selectors.shop import SIMULATED, has_real_customers, shop_settings
from customers.services.simulation.world import Plan, World
from customers.services.simulation.world.arrays import Ints
from customers.services.simulation.world.catalogue import CATEGORIES
from customers.services.simulation.world.people import CHANNELS
from customers.services.simulation.writing import CHANNEL_KEY

MOST_CUSTOMERS = 5_000_000
MOST_ORDERS_EACH = 500.0
BOUNDS: dict[str, tuple[float, float]] = {
    "customers": (1, MOST_CUSTOMERS),
    "seed": (0, 2**63 - 1),
    "years": (0.25, 20),
    "r": (0.01, 100),
    "alpha": (0.01, 10_000),
    "a": (0.01, 1000),
    "b": (0.01, 1000),
    "regular_share": (0, 1),
    "regular_shape": (1, 50),
    "p": (0.1, 1000),
    "q": (1.05, 1000),
    "mean_order": (1, 10_000_000),
    "season": (0, 2),
    "returns": (0, 5),
    "guest_share": (0, 1),
    "chinese_share": (0, 1),
    "horizon_days": (1, 365),
}
"""What the parameters may be, both ends included."""
_PRODUCTS = """
    INSERT INTO customers_product (source_id, sku, title, category_id, price, currency, unit_cost)
    SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::numeric[], %s::text[],
        %s::numeric[])
    ON CONFLICT (source_id, sku) DO NOTHING
"""


def check(*, plan: Plan, today: date, beside: bool = False) -> None:
    """Raise SimulationRefusedError where a plan makes no sense or would mix with other people."""
    for name, (low, high) in BOUNDS.items():
        value = getattr(plan, name)
        if not math.isfinite(value) or not low <= value <= high:
            raise SimulationRefusedError(
                _("“%(name)s” must lie between %(low)s and %(high)s; %(value)s does not.")
                % {"name": name, "low": f"{low:g}", "high": f"{high:g}", "value": value}
            )
    if plan.until > today:
        raise SimulationRefusedError(_("The record cannot reach beyond today."))
    if plan.years * 52 * plan.r / plan.alpha > MOST_ORDERS_EACH:
        raise SimulationRefusedError(
            _("By r, alpha and years a customer would place more than %(most)d orders.")
            % {"most": MOST_ORDERS_EACH}
        )
    _check_neighbours(plan, beside)


def _check_neighbours(plan: Plan, beside: bool) -> None:
    if beside:
        return
    if has_real_customers():
        raise SimulationRefusedError(
            _(
                "This database holds customers of a real source. Simulated ones would be counted "
                "among them. Use an empty database, or say --force-beside."
            )
        )
    own = Customer.objects.filter(source=OuterRef("pk"))
    others = Source.objects.filter(kind=SourceKind.SIMULATED).exclude(key=plan.key)
    if others.filter(Exists(own)).exists():
        raise SimulationRefusedError(
            _(
                "This database holds a shop that was simulated with other numbers. Use an empty "
                "database, the same numbers, or say --force-beside."
            )
        )


def open_shop(*, world: World) -> tuple[Source, Ints]:
    """Make the source, the label, the shelves and the products; return source and product ids.

    May be called again: what is there stays. The ids follow the catalogue.
    """
    plan = world.plan
    with transaction.atomic():
        source, _created = Source.objects.get_or_create(
            key=plan.key,
            defaults={
                "name": _("Simulated shop, seed %(seed)d") % {"seed": plan.seed},
                "kind": SourceKind.SIMULATED,
                "history_starts_on": plan.start,
            },
        )
        _label()
        Attribute.objects.get_or_create(
            key=CHANNEL_KEY,
            defaults={
                "label": _("Acquired through"),
                "type": AttributeType.CHOICE,
                "choices": list(CHANNELS),
            },
        )
        return source, _stock(world, source)


def _label() -> None:
    """Say on every page what this shop is."""
    shop = ShopSettings.objects.select_for_update().get(pk=shop_settings().pk)
    if not shop.is_demo or SIMULATED not in shop.demo_note.split():
        shop.is_demo, shop.demo_note = True, f"{shop.demo_note} {SIMULATED}".strip()
        shop.save(update_fields=["is_demo", "demo_note", "updated_at"])


def _stock(world: World, source: Source) -> Ints:
    goods, plan = world.catalogue, world.plan
    shelves = [
        Category.objects.get_or_create(
            source=source, external_id=key, defaults={"name": f"{english} {chinese}"}
        )[0].pk
        for key, english, chinese in CATEGORIES
    ]
    size = goods.sku.size
    values: list[Any] = [
        source.pk,
        goods.sku.tolist(),
        goods.title.tolist(),
        np.array(shelves)[goods.category].tolist(),
        [str(round(coins * plan.unit, 2)) for coins in goods.price.tolist()],
        [plan.currency] * size,
        [str(round(coins * plan.unit, 2)) for coins in goods.cost.tolist()],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_PRODUCTS, values)
        cursor.execute("SELECT sku, id FROM customers_product WHERE source_id = %s", [source.pk])
        found = dict(cursor.fetchall())
    return np.array([found[sku] for sku in goods.sku.tolist()], dtype=np.int64)
