"""Slots: one item per key, in order; and every row that points at a customer has a handler."""

from dataclasses import dataclass

import pytest
from django.apps import apps
from django.db import models

from crm.core.registry import Slot, registry
from customers.models import Customer


@dataclass(frozen=True)
class Item:
    key: str
    order: int = 100


def test_items_come_in_order_and_then_by_key():
    slot: Slot[Item] = Slot("things")
    for item in (Item("b"), Item("last", 200), Item("a"), Item("first", 1)):
        slot.register(item)

    assert [item.key for item in slot] == ["first", "a", "b", "last"]
    assert (len(slot), "a" in slot, "z" in slot) == (4, True, False)


def test_a_taken_key_is_refused_and_the_first_item_stays():
    slot: Slot[Item] = Slot("things")
    first = slot.register(Item("a", 1))

    with pytest.raises(ValueError, match="'things' already holds 'a'"):
        slot.register(Item("a", 2))

    assert slot.get("a") is first
    slot.unregister("a")
    with pytest.raises(KeyError):
        slot.get("a")


def customer_references() -> set[str]:
    """Name every foreign key to Customer as ``app_label.Model.field``.

    History tables are left out: their rows are copies made by triggers, keyed to the copied row,
    never moved by a merge (history says what was), and scrubbed by the erasure of the row they
    copy. Which handlers scrub them is asserted by the tests of erasure.
    """
    found = set()
    for model in apps.get_models(include_auto_created=True):
        if hasattr(model, "pgh_tracked_model"):
            continue
        for field in model._meta.get_fields():
            if (
                isinstance(field, models.ForeignKey)
                and field.concrete
                and field.related_model is Customer
            ):
                found.add(f"{model._meta.label}.{field.name}")
    return found


def test_every_foreign_key_to_a_customer_has_a_handler():
    handled = {handler.key for handler in registry.reference_handlers}

    assert "customers.Order.customer" in customer_references()
    assert customer_references() - handled == set()
    for handler in registry.reference_handlers:
        assert callable(handler.merge)
        assert callable(handler.unmerge)
        assert callable(handler.erase)
