"""The admin shows and takes what a person may see and do."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.core.models import Job
from customers.models import ShopSettings
from tests.api import publish_scores
from tests.factories import CustomerFactory, ScoringRunFactory, ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
CUSTOMERS = "/admin/customers/customer/"
SETTINGS = "/admin/customers/shopsettings/1/change/"


def signed_in(client, *permissions):
    user = UserFactory(is_staff=True)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    client.force_login(user)
    return client


def test_scores_in_the_list_are_for_those_who_may_read_scores(client):
    ShopSettingsFactory()
    customer = CustomerFactory(name="Ann")
    run = ScoringRunFactory(state="published", published_at="2026-03-02T03:00Z")
    publish_scores(run, [{"customer": customer, "churn_probability": 0.87}])

    plain = signed_in(client, "customers.view_customer").get(CUSTOMERS).content.decode()
    assert "Ann" in plain
    assert "87 %" not in plain
    filtered = client.get(CUSTOMERS, {"churn_band": "low"})
    assert filtered.status_code == 302  # an unknown filter, as any other word would be

    allowed = signed_in(client, "customers.view_customer", "analytics.view_currentscore")
    assert "87 %" in allowed.get(CUSTOMERS).content.decode()
    assert "Ann" not in allowed.get(CUSTOMERS, {"churn_band": "low"}).content.decode()


def test_an_empty_shop_is_told_how_it_counts_before_the_first_file(client):
    ShopSettingsFactory(currency="CNY", zone="Asia/Shanghai")
    rights = ("customers.view_customer", "customers.add_importbatch")
    counts = "The shop counts in CNY, and its days are those of Asia/Shanghai."

    front = signed_in(client, *rights).get("/admin/").content.decode()
    assert counts in front
    assert "change it first" not in front
    assert "The shop counts in" not in client.get(CUSTOMERS).content.decode()

    may_change = signed_in(client, *rights, "customers.change_shopsettings")
    assert "change it first" in may_change.get("/admin/").content.decode()


def test_who_has_no_score_is_found_without_a_list_of_all_who_have(admin_client):
    ShopSettingsFactory()
    scored, _unscored, empty = (CustomerFactory(name=name) for name in ("Ann", "Bea", "Cat"))
    run = ScoringRunFactory(state="published", published_at="2026-03-02T03:00Z")
    rows = [{"customer": scored, "churn_probability": 0.87}, {"customer": empty}]
    publish_scores(run, rows)

    with CaptureQueriesContext(connection) as queries:
        page = admin_client.get(CUSTOMERS, {"churn_band": "none"}).content.decode()

    assert [name in page for name in ("Ann", "Bea", "Cat")] == [False, True, True]
    assert not any(" IN (SELECT" in query["sql"] for query in queries)


def settings_form(**changes):
    row = ShopSettings.objects.get()
    names = ("name", "zone", "currency", "refund_window_days", "discount_rate", "nightly_hour")
    return {name: getattr(row, name) for name in names} | {"horizon_days": ""} | changes


def test_a_zone_that_is_none_is_refused_beside_its_field(client):
    ShopSettingsFactory()
    signed_in(client, "customers.view_shopsettings", "customers.change_shopsettings")

    response = client.post(SETTINGS, settings_form(zone="Mars/Olympus"))

    assert response.status_code == 200
    assert "is not a time zone" in response.content.decode()
    assert ShopSettings.objects.get().zone == "UTC"


def test_a_new_zone_starts_its_job(client):
    ShopSettingsFactory()
    signed_in(client, "customers.view_shopsettings", "customers.change_shopsettings")

    response = client.post(SETTINGS, settings_form(zone="Asia/Shanghai"))

    assert response.status_code == 302
    assert ShopSettings.objects.get().zone == "Asia/Shanghai"
    assert Job.objects.get().kind == "customers.recount_shop"
