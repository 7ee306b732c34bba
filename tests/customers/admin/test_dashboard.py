"""The dashboard's panels: filters in the address, fragments, files, permissions, bounded time."""

import csv
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone

from crm.core.models import AuditEntry
from crm.core.registry import Panel, registry
from crm.core.selectors import bounded as timing
from customers.admin import dashboard
from tests.api import publish_scores
from tests.budgets import statements
from tests.factories import (
    NOON,
    CustomerFactory,
    OrderFactory,
    ScoringRunFactory,
    ShopSettingsFactory,
    SourceFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
REVENUE = "/admin/dashboard/revenue/"
ORDERS = "/admin/customers/order/"


def fragment(client, address):
    return client.get(address, headers={dashboard.FRAGMENT: "1"})


def table(client, key, **words):
    """Return a panel's file as rows."""
    answer = client.get(f"/admin/dashboard/{key}.csv", words)
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith(f'attachment; filename="huike-{key}-')
    return list(csv.reader(StringIO(answer.content.decode("utf-8-sig"))))


def person(client, *permissions):
    user = UserFactory(is_staff=True)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    client.force_login(user)
    return user


@pytest.fixture
def orders():
    """Two orders this week and one 52 weeks ago, of two sources, and one that does not count."""
    ShopSettingsFactory()
    now, web = timezone.now(), SourceFactory(key="web", name="Web")
    monday = now - timedelta(days=now.weekday())
    OrderFactory(placed_at=monday, total=Decimal(40))
    OrderFactory(placed_at=monday, total=Decimal(2), source=web)
    OrderFactory(placed_at=monday - timedelta(weeks=52), total=Decimal(21))
    OrderFactory(placed_at=monday, status="cancelled", cancelled_at=now)
    return web


def test_revenue_and_orders_stand_beside_those_of_the_year_before(orders, staff_client):
    head, newest, *older = table(staff_client, "revenue", weeks=13)

    assert newest[1:] == ["42.0000", "21.0000", "1.0", "2", "1", "1.0"]
    assert len(older) == 12
    assert head[:2] == ["Week from", "Revenue"]


def test_the_source_in_the_address_narrows_panel_file_and_list(orders, staff_client):
    _head, newest, *_older = table(staff_client, "revenue", source="web")
    words = fragment(staff_client, f"{REVENUE}?source=web").content.decode()

    assert newest[1:5] == ["2.0000", "", "", "1"]
    link = next(part for part in words.split('"') if part.startswith(f"{ORDERS}?"))
    assert f"source__id__exact={orders.pk}" in link
    listed = staff_client.get(link.replace("&amp;", "&")).context["cl"]
    assert [order.total for order in listed.result_list] == [Decimal(2)]


@pytest.mark.parametrize(("weeks", "shown"), [("13", 13), ("52", 52), ("x", 26)])
def test_the_period_is_one_of_three(weeks, shown, orders, staff_client):
    assert len(table(staff_client, "revenue", weeks=weeks)) == 1 + shown


def test_a_source_that_is_gone_is_named(orders, staff_client):
    words = staff_client.get("/admin/?source=gone").content.decode()

    assert "There is no such source any more" in words


def test_a_count_opens_just_the_orders_that_count(orders, staff_client):
    listed = staff_client.get(ORDERS, {"counted": "1"}).context["cl"].result_count
    others = staff_client.get(ORDERS, {"counted": "0"}).context["cl"].result_count
    none = staff_client.get(ORDERS, {"counted": "maybe"}).context["cl"].result_count

    assert (listed, others, none) == (3, 1, 0)


def test_a_panel_and_its_file_need_the_panels_permission(orders, client):
    person(client, "customers.view_customer")

    assert fragment(client, REVENUE).status_code == 403
    assert client.get("/admin/dashboard/revenue.csv").status_code == 403
    assert client.get("/admin/dashboard/nothing/").status_code == 404
    assert 'id="panel-revenue"' not in client.get("/admin/").content.decode()
    client.logout()
    assert client.get(REVENUE).status_code == 302


def test_a_file_that_names_people_is_on_record_and_runs_no_formula(client):
    ShopSettingsFactory()
    user = person(client, "analytics.view_currentscore", "customers.view_customer")
    run = ScoringRunFactory(state="published", published_at=NOON, currency="GBP", horizon_days=90)
    customer = CustomerFactory(name="=cmd()", email="ann@example.com", phone="+441234567890")
    row = {"customer": customer, "churn_probability": 0.5, "predicted_clv": Decimal(100)}
    publish_scores(run, [row])

    _head, first = table(client, "churn_risk")

    assert first == ["'=cmd()", customer.public_id, "0.5", "50.0"]
    entry = AuditEntry.objects.get(action="panel.saved")
    assert (entry.actor, entry.object_id, entry.details["rows"]) == (user, "churn_risk", 1)


def test_who_may_not_read_customers_gets_ids_and_nobody_a_contact(client):
    ShopSettingsFactory()
    person(client, "analytics.view_currentscore")
    run = ScoringRunFactory(state="published", published_at=NOON, currency="GBP", horizon_days=90)
    customer = CustomerFactory(name="", email="ann@example.com")
    row = {"customer": customer, "churn_probability": 0.5, "predicted_clv": Decimal(100)}
    publish_scores(run, [row])

    words = fragment(client, "/admin/dashboard/churn_risk/?source=test").content.decode()

    assert customer.public_id in words
    assert "ann@example.com" not in words
    assert "This panel does not follow the period." in words


@pytest.fixture
def slow_panel(monkeypatch):
    """A panel whose one statement takes longer than a panel may."""

    def context(request, customer_id):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")

    monkeypatch.setattr(dashboard, "PANEL_SECONDS", 0.05)
    panel = Panel("slow", "dashboard", "Slow", "customers/dashboard_figure.html", context,
                  is_late=True)  # fmt: skip
    registry.panels.register(panel)
    yield
    registry.panels.unregister("slow")


def test_a_slow_panel_says_so_and_keeps_nobody_waiting(slow_panel, staff_client):
    ShopSettingsFactory()

    answer = fragment(staff_client, "/admin/dashboard/slow/")

    assert answer.status_code == 200
    assert "were given up" in answer.content.decode()
    assert staff_client.get("/admin/dashboard/slow.csv").status_code == 503


def test_the_bound_ends_with_what_it_bounds():
    with timing.bounded(1.5), connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        inside = cursor.fetchone()[0]
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert (inside, cursor.fetchone()[0]) == ("1500ms", "0")


def test_the_page_and_the_panel_ask_as_often_whatever_there_is(staff_client):
    ShopSettingsFactory()
    OrderFactory(placed_at=timezone.now())
    few = [statements(staff_client, where) for where in ("/admin/", REVENUE)]

    for weeks in range(30):
        OrderFactory(placed_at=timezone.now() - timedelta(weeks=weeks))
    many = [statements(staff_client, where) for where in ("/admin/", REVENUE)]

    assert few == many
    assert many[0] <= 18
