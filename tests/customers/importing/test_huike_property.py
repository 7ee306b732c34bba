"""Whatever the files say, and in whatever order they come: rows balance, the record is the same."""

import csv
import io
from contextlib import contextmanager

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from customers.models import (
    Category,
    Consent,
    Customer,
    Order,
    OrderLine,
    Product,
    Refund,
    Review,
    SurveyResponse,
    Ticket,
)
from customers.services.importing.huike import KINDS
from tests.customers.importing.files import bring, fates, finish, rebuild_drift, start
from tests.factories import ShopSettingsFactory

# People, orders and goods that are known, some that never will be, and none.
WHO = st.sampled_from(["k1,", "k2,", "k9,", ",2@x.de", ",9@x.de", ","])
ORDER = st.sampled_from(["1", "2", "3", "9", ""])
SKU = st.sampled_from(["A", "B", "C", ""])
SHELF = st.sampled_from(["c1", "c2", "c3", "c4", "c9", ""])
DAY = st.sampled_from(["2026-01-05", "2026-02-01 10:00"])
BASE = {
    "customers": ("customer_id,email", ["k1,1@x.de", "k2,2@x.de"]),
    "orders": (
        "order_id,customer_id,placed_at,total",
        ["1,k1,2026-01-02,90", "2,k2,2026-01-03,90", "3,,2026-01-04,90"],
    ),
    "lines": (
        "order_id,line_id,sku,title,quantity,unit_price,unit_cost",
        [f"{n},{m},{sku},T,{m},9,4" for n in (1, 2, 3) for m, sku in enumerate("xAAB") if m],
    ),
}

# Each names only what those before it know.
KNOWING = (
    *("customers", "products", "categories", "orders", "lines"),
    *("refunds", "reviews", "answers", "tickets", "consents"),
)


def file(header, *cells):
    """Draw a file whose rows are known by their number."""
    rows = st.lists(st.tuples(*cells), max_size=5)
    written = rows.map(lambda rows: [",".join(map(str, (n, *row))) for n, row in enumerate(rows)])
    return st.tuples(st.just(header), written)


FILES = st.fixed_dictionaries(
    {
        "products": st.dictionaries(
            st.sampled_from("ABCD"), st.tuples(SHELF, st.integers(-1, 2)), max_size=4
        ).map(
            lambda goods: (
                "sku,title,category,price,stock",
                [f"{sku},{sku},{shelf},{price},7" for sku, (shelf, price) in goods.items()],
            )
        ),
        "categories": st.dictionaries(
            st.sampled_from(["c1", "c2", "c3", "c4", "c5"]), SHELF, max_size=5
        ).map(
            lambda tree: (
                "category_id,name,parent_id",
                [f"{key},N{key},{up}" for key, up in tree.items()],
            )
        ),
        "refunds": file(
            "refund_id,order_id,sku,quantity,amount,kind,refunded_at,customer_id",
            ORDER,
            SKU,
            st.integers(0, 1),
            st.integers(-1, 15),
            st.sampled_from(["return", "refund_only", ""]),
            DAY,
            st.sampled_from(["k1", "k9", ""]),
        ),
        "reviews": file(
            "review_id,customer_id,email,order_id,sku,rating,written_at",
            *(WHO, ORDER, SKU, st.integers(0, 5), DAY),
        ),
        "answers": file(
            "answer_id,customer_id,email,order_id,metric,value,answered_at",
            *(WHO, ORDER, st.sampled_from(["csat", "nps"]), st.integers(0, 6), DAY),
        ),
        "tickets": file(
            "ticket_id,customer_id,email,order_id,subject,state,opened_at,closed_at",
            WHO,
            ORDER,
            st.just("Help"),
            st.sampled_from(["open", "closed", ""]),
            DAY,
            st.sampled_from(["2026-02-03", ""]),
        ),
        "consents": st.lists(
            st.tuples(WHO, st.sampled_from(["given", "withdrawn"]), DAY), max_size=5
        ).map(
            lambda rows: (
                "customer_id,email,channel,action,at,evidence",
                [f"{who},sms,{action},{day},till" for who, action, day in rows],
            )
        ),
    }
)


def record():
    """What the record holds, without keys that depend on who came first."""
    who = "customer__external_id"
    tables = {
        Customer: ("external_id", "email"),
        Category: ("external_id", "name", "parent__external_id"),
        Product: ("sku", "title", "category__external_id", "price", "stock"),
        Order: ("external_id", who, "total", "refunded", "refunded_shop"),
        OrderLine: ("order__external_id", "line_key", "refunded_quantity", "refunded_amount"),
        Refund: ("external_id", who, "order__external_id", "sku", "quantity", "amount", "kind"),
        Review: ("external_id", who, "order__external_id", "product__sku", "rating"),
        SurveyResponse: ("external_id", who, "order__external_id", "metric", "value"),
        Ticket: ("external_id", who, "order__external_id", "state", "closed_at"),
        Consent: (who, "channel", "action", "at", "evidence"),
    }
    return {
        model.__name__: sorted(model.objects.values_list(*names), key=repr)
        for model, names in tables.items()
    }


@contextmanager
def undone():
    """Undo what the imports made: the test's own transaction spans all examples."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def balanced(batch):
    total, *parts = fates(batch)
    assert total == sum(parts)
    return parts


@settings(
    max_examples=6,
    deadline=None,
    # Fifty imports an example: shrinking would take an hour.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=FILES, page=st.integers(1, 3), chance=st.randoms())
@pytest.mark.django_db
def test_any_files_in_any_order_and_pages_make_the_same_record(drawn, page, chance):
    told = {**BASE, **drawn}
    files = {name: told[name] for name in KNOWING if told[name][1]}
    with undone():
        ShopSettingsFactory()
        first = {name: balanced(bring(head, *rows)) for name, (head, rows) in files.items()}
        held = record()
        assert rebuild_drift() == 0
        for line in OrderLine.objects.all():
            assert 0 <= line.refunded_quantity <= line.quantity
            assert 0 <= line.refunded_amount <= line.amount
        for order in Order.objects.all():
            assert order.refunded == sum(refund.amount for refund in order.refunds.all())

        for name in chance.sample(sorted(files), len(files)):
            created, updated, _same, rejected = balanced(bring(files[name][0], *files[name][1]))
            assert (created, updated, rejected) == (0, 0, first[name][3])
        assert record() == held

    with undone(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("customers.services.importing.huike.kind.ROWS", page)
        ShopSettingsFactory()
        # What a file names and nobody knows yet is found when the file comes again: a review
        # waits for its article, which waits for its line, which waits for its order.
        for name in 3 * chance.sample(sorted(files), len(files)):
            head, rows = files[name]
            balanced(bring(head, *chance.sample(rows, len(rows))))
        assert record() == held
        assert rebuild_drift() == 0


WORDS = ["given", "sms", "csat", "3", "closed", "return", "paid", "product", "usd", "yes"]
NASTY = [
    *("", "-", "——", "k1", "A", "1", "0", "-1", "2.5", "1e5", "NaN", "Infinity", "=1+1"),
    *("99999999999", "9999999999.99999", "2147483647", "9" * 30, "x" * 130, "\0", "给'\"\\", "*"),
    *("2026-01-02", "2026-01-02T10:00:00+14:00", "9999-12-31", "0001-01-01", "1@x.de"),
]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), format=st.sampled_from(sorted(KINDS)))
@pytest.mark.django_db
def test_no_cell_of_any_kind_stops_an_import(data, format):
    names = list(KINDS[format].columns)
    cell = st.one_of(st.sampled_from(WORDS), st.sampled_from(NASTY), st.text(max_size=5))
    rows = data.draw(
        st.lists(st.lists(cell, min_size=len(names), max_size=len(names)), max_size=12)
    )
    text = io.StringIO()
    csv.writer(text).writerows([names, *rows])
    with undone():
        ShopSettingsFactory()
        for name in ("customers", "orders", "lines"):
            bring(BASE[name][0], *BASE[name][1])

        batch = finish(start(text.getvalue().encode("utf-8", "replace")))

        assert batch.job.error == ""
        assert batch.format == format
        balanced(batch)
        assert rebuild_drift() == 0
