"""Products and categories by file, and what orders take from them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from customers.models import Category, Customer, FactsMark, OrderLine, Product
from tests.customers.importing.files import bring, fates, rejects
from tests.factories import ShopSettingsFactory

pytestmark = pytest.mark.django_db
PRODUCTS = "sku,title,category,brand,price,currency,unit_cost,stock,is_active,updated_at"
TREE = "category_id,name,parent_id"


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory(zone="Asia/Shanghai", currency="CNY")


def tree():
    return dict(Category.objects.values_list("external_id", "parent__external_id"))


def test_products_come_with_shelf_brand_price_cost_and_stock():
    batch = bring(
        PRODUCTS,
        "A,Cup,Kitchen,Huike,30.5,,12,-3,no,2026-03-01 10:00",
        "B,Pot,Kitchen,,9,eur,,,,",
        "C,,,,,,,,,",
        "D,Mug,,,-1,,,,,",
        "E,Mug,,,,,,1.5,,",
        "F,Mug,,,10000000000,,,,,",
    )

    assert fates(batch) == (6, 3, 0, 0, 3)
    assert [row["reason"].partition(":")[0] for row in rejects(batch)] == [
        "price",
        "stock",
        "price",
    ]
    cup, pot, bare = Product.objects.order_by("sku")
    assert (cup.title, cup.category.name, cup.attributes) == ("Cup", "Kitchen", {"brand": "Huike"})
    assert (cup.price, cup.currency, cup.unit_cost) == (Decimal("30.5"), "CNY", 12)
    assert (cup.stock, cup.is_active) == (-3, False)
    assert cup.source_updated_at == datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
    assert (pot.currency, pot.is_active, pot.attributes) == ("EUR", True, {})
    assert (bare.price, bare.currency, bare.category) == (None, "", None)
    assert Category.objects.count() == 1


def test_a_product_file_twice_an_empty_cell_and_an_older_row_change_nothing():
    rows = (PRODUCTS, "A,Cup,Kitchen,Huike,30,,12,5,yes,2026-03-02 10:00")
    bring(*rows)
    before = list(Product.objects.values())

    again = bring(*rows)
    empty = bring(PRODUCTS, "A,,,,,,,,,")
    older = bring("sku,title,category,updated_at", "A,Old,Attic,2026-03-01 10:00")

    assert [fates(b) for b in (again, empty, older)] == [(1, 0, 0, 1, 0)] * 3
    assert list(Product.objects.values()) == before
    assert Category.objects.get().name == "Kitchen"

    newer = bring("sku,stock,brand,updated_at", "A,4,Other,2026-03-03 10:00")
    cup = Product.objects.get()
    assert fates(newer) == (1, 0, 1, 0, 0)
    assert (cup.title, cup.stock, cup.attributes) == ("Cup", 4, {"brand": "Other"})


def test_a_cost_goes_into_later_lines_only():
    bring("order_id,placed_at,total,customer_id", "1,2026-01-02,90,k1")
    bring("order_id,line_id,sku,quantity,unit_price", "1,1,A,1,30")
    FactsMark.objects.all().delete()

    batch = bring("sku,title,price,unit_cost", "A,Cup,35,12")
    bring("order_id,line_id,sku,quantity,unit_price", "1,2,A,1,30")

    assert fates(batch) == (1, 0, 1, 0, 0)
    assert dict(OrderLine.objects.values_list("line_key", "unit_cost")) == {"1": None, "2": 12}
    assert OrderLine.objects.get(line_key="2").title == "Cup"
    assert Product.objects.get().price == 35


def test_lines_and_products_find_a_category_by_id_then_by_name():
    bring(TREE, "c1,Kitchen,", "Kitchen,Kitchen (old),", "c3,Garden,")
    bring("order_id,placed_at,total", "1,2026-01-02,90")
    bring("order_id,line_id,sku,category,quantity,unit_price", "1,1,A,Garden,1,30")
    bring("sku,category", "B,Kitchen", "C,c1", "D,Attic")

    found = dict(Product.objects.values_list("sku", "category__external_id"))
    assert found == {"A": "c3", "B": "Kitchen", "C": "c1", "D": "Attic"}
    assert Category.objects.count() == 4


def test_a_tree_comes_in_any_order_and_over_page_bounds(monkeypatch):
    monkeypatch.setattr("customers.services.importing.huike.kind.ROWS", 2)
    rows = ["e,Espresso,cups", "cups,Cups,kitchen", "kitchen,Kitchen,home", "home,Home,", "x,X,no"]

    batch = bring(TREE, *rows)
    again = bring(TREE, *reversed(rows))

    assert tree() == {"e": "cups", "cups": "kitchen", "kitchen": "home", "home": None, "x": None}
    assert (fates(batch), fates(again)) == ((5, 5, 0, 0, 0), (5, 0, 0, 5, 0))
    assert batch.audit["unknown_parents"] == again.audit["unknown_parents"] == 1

    moved = bring(TREE, "cups,Mugs,home", "x,X,")
    assert fates(moved) == (2, 0, 1, 1, 0)
    assert Category.objects.get(external_id="cups").name == "Mugs"
    assert tree()["cups"] == "home"


def test_a_circle_is_rejected_row_by_row_and_the_rest_is_kept():
    bring(TREE, "a,A,", "b,B,a")

    batch = bring(
        TREE,
        "a,A,c",
        "c,C,b",
        "d,D,d",
        "e,E,f",
        "f,F,g",
        "g,G,e",
        "h,H,e",
        "i,I,b",
    )

    assert fates(batch) == (8, 2, 0, 0, 6)
    assert [(r["category_id"], r["reason"].partition(":")[0]) for r in rejects(batch)] == [
        (key, "parent_id") for key in "acdefg"
    ]
    assert tree() == {"a": None, "b": "a", "h": None, "i": "b"}
    assert not Customer.objects.exists()


def test_a_circle_that_opens_when_another_is_cut_is_rejected_too():
    bring(TREE, "b,B,", "a,A,b", "c,C,")

    batch = bring(TREE, "a,A,c", "c,C,a", "b,B,a")

    assert fates(batch) == (3, 0, 0, 0, 3)
    assert tree() == {"a": "b", "b": None, "c": None}


def test_a_long_chain_is_no_circle():
    rows = [f"n{n},N,n{n + 1}" for n in range(70)]

    batch = bring(TREE, *rows, "n70,N,n3", "m,M,n0")

    assert fates(batch) == (72, 4, 0, 0, 68)
    assert tree() == {"n0": "n1", "n1": "n2", "n2": None, "m": "n0"}
