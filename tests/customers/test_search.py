"""Staff find people by half a name, its pinyin, and the keys of a customer; by indexes alone."""

import json

import pytest
from django.db import connection
from django.utils import timezone

from customers.models import Customer, Order
from customers.selectors.contacts import search_customers, search_orders
from customers.services.erasure import erase_customer
from tests.customers.importing.files import bring
from tests.factories import (
    CustomerFactory,
    OrderFactory,
    ShopSettingsFactory,
    SourceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
MANY = 6_000


def found(text):
    return sorted(Customer.objects.matching(text).values_list("name", flat=True))


@pytest.fixture
def people():
    names = (
        "张伟", "张薇", "王伟强", "欧阳娜娜", "曾力", "吕布", "解晓东", "Zhang Wei", "Anna Schmidt",
        "O'Brien", "买买提·阿里", "10086旗舰店", "José Ünal",
    )  # fmt: skip
    return [CustomerFactory(name=name) for name in names]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("伟", ["张伟", "王伟强"]),
        ("张伟", ["张伟"]),
        ("zhangwei", ["Zhang Wei", "张伟", "张薇"]),
        ("Zhang Wei", ["Zhang Wei", "张伟", "张薇"]),
        ("zhangw", ["Zhang Wei", "张伟", "张薇"]),
        ("zw", ["Zhang Wei", "张伟", "张薇"]),
        ("weiqiang", ["王伟强"]),
        ("wq", ["王伟强"]),
        ("oynn", ["欧阳娜娜"]),
        ("娜娜", ["欧阳娜娜"]),
        ("zengli", ["曾力"]),
        ("cengli", ["曾力"]),
        ("曾", ["曾力"]),
        ("lvbu", ["吕布"]),
        ("lübu", ["吕布"]),
        ("xxd", ["解晓东"]),
        ("解", ["解晓东"]),
        ("schm", ["Anna Schmidt"]),
        ("as", ["Anna Schmidt"]),
        ("chmid", ["Anna Schmidt"]),
        ("obrien", ["O'Brien"]),
        ("阿里", ["买买提·阿里"]),
        ("旗舰", ["10086旗舰店"]),
        ("ünal", ["José Ünal"]),
        ("jü", ["José Ünal"]),
        ("%", []),
        ("_", []),
        ("·", []),
        ("hang", ["Zhang Wei"]),  # a syllable is not begun in its midst
    ],
)
def test_half_a_name_is_enough_as_written_and_as_spoken(people, text, names):
    assert found(text) == names


def test_contacts_ids_and_orders_find_their_customer():
    ada = CustomerFactory(
        name="Ada", email="Ada.Lovelace@Example.com", phone="+8613812345678", external_id="X-1"
    )
    CustomerFactory(name="Bob", email="bob@example.com", phone="+8613812345679")
    OrderFactory(customer=ada, external_id="20260301-7")
    OrderFactory(customer=None, external_id="20260301-8")

    for text in (
        "ada.lovelace@example.com", "ADA.LOVE", "lovelace@", "5678", "13812345678",
        "+86 138-1234-5678", "X-1", ada.public_id, "20260301-7",
    ):  # fmt: skip
        assert found(text) == ["Ada"], text
    assert found("1234") == []  # four digits are the last four
    assert found("13812345") == ["Ada", "Bob"]
    assert found("20260301-8") == found("20260301") == found("678") == []


def test_orders_are_found_by_number_and_by_who_bought(staff):
    customer = CustomerFactory(name="张伟")
    mine = OrderFactory(customer=customer, external_id="T-1")
    guests = OrderFactory(customer=None, external_id="T-2")

    assert list(search_orders(Order.objects.all(), "zw", staff)) == [mine]
    assert list(search_orders(Order.objects.all(), "T-2", staff)) == [guests]
    assert list(search_orders(Order.objects.all(), "T", staff)) == []
    assert list(search_orders(Order.objects.all(), "zw", UserFactory())) == []


def test_whoever_sees_no_contacts_finds_by_half_a_name_and_by_nothing_else():
    customer = CustomerFactory(name="张伟", email="zw@huike.example", phone="+8613900004321")
    OrderFactory(customer=customer, external_id="T-1")
    user = UserFactory()

    assert list(search_customers(Customer.objects.all(), "zhangw", user)) == [customer]
    for text in ("huike.example", "zw@huike.example", "4321", "13900004321", "T-1"):
        assert list(search_customers(Customer.objects.all(), text, user)) == []


def test_who_came_by_any_way_is_found_and_who_was_renamed_by_the_new_name_only(staff):
    ShopSettingsFactory(zone="Asia/Shanghai", currency="CNY")
    head = "customer_id,name,email,phone"
    bring(head, "1,张伟,,", "2,李娜,,+8613800001234")
    bring("order_id,customer_id,customer_name,placed_at,total", "9,3,王强,2026-03-01 10:00,5")
    assert (found("zw"), found("lina"), found("1234"), found("9")) == (
        ["张伟"], ["李娜"], ["李娜"], ["王强"],
    )  # fmt: skip
    assert found("wq") == ["王强"]

    bring(head, "1,赵敏,,")
    source = SourceFactory()
    with connection.cursor() as cursor:
        statement = "COPY customers_customer (source_id, external_id, name) FROM STDIN"
        with cursor.copy(statement) as copy:
            copy.write_row((source.pk, "copied", "孙悦"))
    erase_customer(
        customer_id=Customer.objects.get(name="李娜").pk, user_id=staff.pk, now=timezone.now()
    )

    assert (found("zw"), found("zm"), found("sy"), found("ln")) == ([], ["赵敏"], ["孙悦"], [])


@pytest.fixture
def crowd():
    """A shop of some thousands, as their names are: few of them sound alike."""
    source = SourceFactory()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_customer (source_id, external_id, name, email, phone)
            SELECT %s, 'M' || n, substr('王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗', 1 + n %% 20, 1)
                || chr(20000 + n * 7919 %% 15000) || chr(20000 + n * 104729 %% 15000),
                'user' || n || '@example.com',
                '+86138' || lpad((n * 7919 %% 99999989)::text, 8, '0')
            FROM generate_series(1, %s) n
            """,
            [source.pk, MANY],
        )
        cursor.execute("ANALYZE customers_customer")


def scans(rows):
    """Return the plan's ways to customers, as the planner chooses them with everything allowed."""
    plans, ways = [json.loads(rows.explain(format="json"))[0]["Plan"]], []
    while plans:
        plan = plans.pop()
        plans += plan.get("Plans", [])
        if plan.get("Relation Name") == "customers_customer":
            ways.append(plan["Node Type"])
    return ways


def test_no_search_reads_all_customers(crowd):
    CustomerFactory(name="欧阳娜娜", email="nana@huike.example", phone="+8613900004321")
    for text in (
        "欧阳", "娜娜", "娜", "ouyangnana", "oynn", "nana@huike.example", "nana@hui", "4321",
        "13900004321", "M77", "T-1", "nobody", "example.com",
    ):  # fmt: skip
        page = Customer.objects.matching(text)
        assert set(scans(page)) == {"Bitmap Heap Scan"}, text
    for text in ("M77", "oynn", "4321"):
        found = Order.objects.matching(text, Customer.objects.matching(text))
        assert set(scans(found)) == {"Bitmap Heap Scan"}
