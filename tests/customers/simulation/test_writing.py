"""A simulated shop in the record: consistent, written once, labelled, refused beside real rows."""

import json
import tracemalloc
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from customers.enums import IdentityKind, SourceKind
from customers.models import (
    Consent,
    Customer,
    CustomerFacts,
    FactsMark,
    Identity,
    Order,
    OrderLine,
    Product,
    Refund,
    Review,
    ShopSettings,
    Source,
    SurveyResponse,
    Ticket,
)
from customers.selectors.shop import demo_label, demo_notice, shop_day
from customers.services import facts, importing, simulation
from tests.customers.importing.files import finish, rebuild_drift
from tests.customers.reference_facts import reference_facts
from tests.customers.simulation.worlds import UNTIL, plan
from tests.factories import CustomerFactory, ShopSettingsFactory, SourceFactory

pytestmark = pytest.mark.django_db
TABLES = (Customer, Identity, Consent, Order, OrderLine, Refund, Review, SurveyResponse, Ticket)


@pytest.fixture(autouse=True)
def shop(db):
    return ShopSettingsFactory(zone="Asia/Shanghai", currency="CNY")


def simulate(customers=300, seed=5, **options):
    """Run the command; return what it said."""
    said = StringIO()
    options = {"until": UNTIL, "season": 1.0, **options}
    call_command("simulate_shop", customers=customers, seed=seed, stdout=said, **options)
    return said.getvalue()


def rows():
    """Return everything that was written, without the keys that the database makes up."""
    left_out = {"id", "public_id", "created_at", "updated_at", "recorded_at"}
    found = {}
    for model in TABLES:
        names = [
            field.attname
            for field in model._meta.concrete_fields
            if field.name not in left_out and not field.is_relation
        ]
        found[model.__name__] = sorted(map(str, model.objects.values_list(*names)))
    return found


def counts():
    return [model.objects.count() for model in (*TABLES, Product, Source)]


def test_what_is_written_keeps_to_the_rules_of_the_record():
    simulate(1200)

    assert Customer.objects.filter(is_simulated=True).count() == 1200
    wrong = Order.objects.annotate(
        lines_total=Sum("lines__amount"), lines_back=Sum("lines__refunded_amount")
    ).exclude(lines_total=F("total"), lines_back=F("refunded"), total_shop=F("total"))
    assert not wrong.exists()
    by_refund = Order.objects.annotate(back=Sum("refunds__amount")).filter(refunded__gt=0)
    assert by_refund.exists()
    assert not by_refund.exclude(back=F("refunded"), refunded_shop=F("back")).exists()
    assert not OrderLine.objects.filter(kind="product", unit_cost=None).exists()
    assert not OrderLine.objects.exclude(kind="charge").filter(product=None).exists()
    assert OrderLine.objects.filter(kind="charge").exists()
    assert not Order.objects.exclude(currency="CNY", exchange_rate=1).exists()
    for order in Order.objects.order_by("?")[:200]:
        assert shop_day(order.placed_at) == order.placed_day
    assert Order.objects.filter(customer=None).exists()
    assert not Order.objects.filter(placed_day__gte=UNTIL).exists()
    assert Order.objects.filter(status="cancelled").exists()
    assert set(Order.objects.filter(is_test=True).values_list("customer__is_test", flat=True)) == {
        True
    }
    assert not Consent.objects.exclude(evidence="simulated").exists()
    for model in (Review, SurveyResponse, Ticket):
        assert model.objects.exists()
        assert not model.objects.filter(Q(is_simulated=False) | Q(customer=None)).exists()
    ids = [Customer.objects.first().public_id, Order.objects.first().public_id]
    assert [one[:4] for one in ids] == ["cus_", "ord_"]


def test_one_phone_has_one_owner_and_every_address_is_a_key():
    simulate(400)

    shared = Customer.objects.exclude(phone="").values("phone").annotate(n=Count("pk")).filter(n=2)
    assert 2 <= shared.count() <= 4
    for pair in shared:
        owner = Identity.objects.get(kind=IdentityKind.PHONE, value=pair["phone"]).customer
        assert owner.pk == Customer.objects.filter(phone=pair["phone"]).earliest("external_id").pk
    assert Identity.objects.filter(kind=IdentityKind.EMAIL).count() == 400
    assert Identity.objects.filter(kind=IdentityKind.EXTERNAL_ID).count() == 400


def test_an_address_that_somebody_owns_stays_theirs():
    first = simulation.World(plan(10)).cohort(0).people
    phone = str(first["phone"][np.flatnonzero(first["owns_phone"])[0]])
    keeper = CustomerFactory()
    Identity.objects.create(customer=keeper, kind=IdentityKind.PHONE, value=phone)

    simulate(10, force_beside=True)

    assert Identity.objects.get(kind=IdentityKind.PHONE, value=phone).customer == keeper
    assert Customer.objects.filter(phone=phone, is_simulated=True).count() == 1


def test_facts_are_there_and_did_not_drift():
    simulate(400)

    assert not FactsMark.objects.exists()
    assert CustomerFacts.objects.count() == 400
    assert rebuild_drift() == 0
    as_of = facts.facts_day(now=timezone.now())
    for customer in Customer.objects.filter(facts__refund_count__gt=0)[:15]:
        expected = reference_facts(customer, as_of=as_of, zone="Asia/Shanghai", window=30)
        row = CustomerFacts.objects.get(customer=customer)
        for name in ("order_count", "total_spend", "margin", "refund_total", "cancelled_count"):
            assert getattr(row, name) == expected[name], name
        assert row.margin is not None


@pytest.mark.django_db(transaction=True)
def test_the_same_arguments_write_the_same_rows_whatever_the_block():
    simulate(1100, block=1000, alpha=40)
    first = rows()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE customers_customer, customers_source CASCADE")

    simulate(1100, block=5000, alpha=40)

    second = rows()
    assert len(first["Order"]) > 1100
    assert second == first


def test_a_repeated_simulation_writes_nothing_and_a_larger_one_adds():
    simulate(300)
    before, kept = counts(), set(Order.objects.values_list("external_id", "total"))

    said = simulate(300)
    assert counts() == before
    assert "300 customers were there already" in said
    assert not FactsMark.objects.exists()

    simulate(700)
    assert Customer.objects.count() == 700
    assert kept < set(Order.objects.values_list("external_id", "total"))
    assert Source.objects.count() == 1
    assert rebuild_drift() == 0


def test_the_truth_file_tells_what_is_in_the_record(tmp_path):
    truth, sessions = tmp_path / "truth.parquet", tmp_path / "sessions.parquet"

    simulate(1500, truth=truth, sessions=sessions)

    table = pq.read_table(truth)
    told = json.loads(table.schema.metadata[b"huike.plan"])
    assert (told["r"], told["seed"], told["v"]) == (0.9, 5, pytest.approx(288.0))
    assert table.num_rows == 1500
    record = {
        row["external_id"]: row
        for row in Customer.objects.annotate(
            placed=Count("orders", filter=~Q(orders__status="cancelled")),
            paid=Sum("orders__total", filter=~Q(orders__status="cancelled")),
            back=Sum("orders__refunded"),
        ).values("external_id", "placed", "paid", "back", "attributes")
    }
    for row in table.to_pylist():
        held = record[row["external_id"]]
        assert row["orders"] == held["placed"]
        assert round(Decimal(row["spend"]), 2) == (held["paid"] or 0)
        assert round(Decimal(row["refunded"]), 2) == (held["back"] or 0)
        assert held["attributes"] == {"acquisition_channel": row["channel"]}
    visits = pq.read_table(sessions).to_pylist()
    numbers = {row["order"] for row in visits} - {None}
    mine = Order.objects.filter(customer__isnull=False).exclude(status="cancelled")
    assert numbers == set(mine.values_list("external_id", flat=True))
    assert list(tmp_path.glob("*.partial")) == []


def test_dirty_files_are_rejected_row_by_row_as_they_say(tmp_path):
    simulate(700, dirty=tmp_path / "dirty")
    told = json.loads((tmp_path / "dirty" / "defects.json").read_text())

    for name, expected in told.items():
        content = (tmp_path / "dirty" / name).read_bytes()
        batch = importing.start_import(
            file=ContentFile(content), filename=name, source_key=f"dirty-{name[:6]}",
            user_id=None, now=timezone.now(),
        )  # fmt: skip
        finish(batch)
        assert batch.job.error == ""
        wrong = [one["rows"] for one in expected["defects"].values() if one["is_rejected"]]
        assert batch.rows_rejected == sum(wrong) > 0
        assert batch.rows_total == expected["rows"]


def test_every_page_is_told_and_the_source_is_simulated():
    assert demo_notice() == ""

    simulate(5)

    assert "Simulated shop" in demo_notice()
    source = Source.objects.get()
    assert source.kind == SourceKind.SIMULATED
    assert source.history_starts_on == UNTIL - timedelta(days=730)
    assert ShopSettings.objects.get().is_demo


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"customers": 0}, "customers"),
        ({"customers": 10**9}, "customers"),
        ({"years": 0.01}, "years"),
        ({"years": float("nan")}, "years"),
        ({"seed": -1}, "seed"),
        ({"until": date(2199, 1, 1)}, "today"),
        ({"q": 1.0}, "q"),
        ({"r": 90.0, "alpha": 0.1}, "orders"),
        ({"block": 0}, "block"),
        ({"regular": 1.5}, "regular_share"),
    ],
)
def test_numbers_that_make_no_shop_are_refused_and_nothing_is_written(options, words):
    with pytest.raises(CommandError, match=words):
        simulate(**options)

    assert sum(counts()) == 0
    assert not ShopSettings.objects.get().is_demo


def test_a_folder_that_is_not_there_is_refused_first(tmp_path):
    with pytest.raises(CommandError, match="no folder"):
        simulate(truth=tmp_path / "nowhere" / "truth.parquet")

    assert sum(counts()) == 0


def test_a_database_with_real_customers_is_refused_unless_forced():
    CustomerFactory(source=SourceFactory(key="real"))

    with pytest.raises(CommandError, match=r"real source.*--force-beside"):
        simulate(20)
    assert Customer.objects.count() == 1

    simulate(20, force_beside=True)
    assert Customer.objects.count() == 21
    assert "lie beside the others" in demo_notice()


def test_real_customers_who_come_later_change_the_label():
    simulate(5)
    assert demo_label(ShopSettings.objects.get()) == "Simulated shop"

    CustomerFactory(source=SourceFactory(key="real"))

    assert "lie beside the others" in demo_notice()
    assert demo_label(ShopSettings.objects.get()) == "Partly simulated"


def test_another_simulated_shop_is_refused_unless_forced():
    simulate(20)

    with pytest.raises(CommandError, match="other numbers"):
        simulate(20, seed=6)
    assert Customer.objects.count() == 20

    simulate(20, seed=6, force_beside=True)
    assert Customer.objects.count() == 40
    assert Identity.objects.filter(kind=IdentityKind.EMAIL).count() == 40


@pytest.mark.django_db(transaction=True)
def test_memory_is_flat():
    world = simulation.World(plan(7_000, zone="Asia/Shanghai", currency="CNY", alpha=60.0))
    source, products = simulation.open_shop(world=world)

    def peak(cohorts):
        tracemalloc.start()
        simulation.write_cohorts(
            world=world, source=source, products=products, cohorts=map(world.cohort, cohorts)
        )
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(range(1))
    small, large = peak(range(1, 2)), peak(range(2, 7))

    assert large < 1.3 * small
