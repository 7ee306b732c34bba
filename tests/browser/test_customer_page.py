"""Write, give, decide and merge on a customer's page, as staff do."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from playwright.sync_api import Page, expect

from analytics.models import ScoreSnapshot
from customers.enums import IdentityKind
from customers.models import Attribute, Customer, Identity, Interaction, MergeRecord, Task
from customers.services.merging import merge_customers
from tests.browser.conftest import NARROW, WIDE
from tests.browser.pages import LISTS, telling_customer
from tests.browser.shop import NAME


def never_scrolls_sideways(page: Page) -> None:
    wide = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, page.url


@pytest.fixture
def twins():
    """Lend the shop a second profile of somebody, an attribute, and an overdue task."""
    ann = Customer.objects.get(pk=telling_customer())
    twin = Customer.objects.create(
        source=ann.source, name=ann.name, city="Leeds", external_id="twin-of-somebody"
    )
    Identity.objects.create(
        customer=twin, kind=IdentityKind.EXTERNAL_ID, issuer="other-shop", value="twin"
    )
    Customer.objects.filter(pk=ann.pk).update(city="Leeds")
    Attribute.objects.create(key="shoe", label="Shoe size / 鞋码", type="number")
    keeper = get_user_model().objects.get(username=NAME)
    Task.objects.create(
        customer=ann,
        title="Ask about the late parcel",
        assignee=keeper,
        author=keeper,
        due_day=timezone.localdate() - timedelta(days=3),
    )
    yield ann, twin
    for model in (Task, Interaction, MergeRecord, Attribute):
        model.objects.all().delete()
    Identity.objects.filter(issuer="other-shop").delete()
    Customer.objects.filter(pk=ann.pk).update(city="", attributes={})
    Customer.objects.filter(pk=twin.pk).delete()


@pytest.mark.parametrize(
    ("language", "size"), [("en", WIDE), ("zh-hans", NARROW)], ids=["en-wide", "zh-narrow"]
)
def test_a_walk_over_note_task_attribute_merge_and_unmerge(open_page, twins, language, size):
    ann, twin = twins
    address = f"{LISTS['customers']}{ann.pk}/change/"
    page = open_page(language, size)
    page.goto(address)
    never_scrolls_sideways(page)

    page.locator("#glance a[href='#why-churn_probability']").click()
    expect(page.locator("#why-churn_probability p").first).to_be_visible()

    page.locator("#panel-notes summary").click()
    page.locator("#panel-notes textarea").fill("Prefers tea. 喜欢茶。")
    page.locator("#panel-notes form button").click()
    expect(page.locator(".huike-messages .success")).to_be_visible()
    expect(page.locator("#panel-notes .huike-words")).to_have_text("Prefers tea. 喜欢茶。")
    page.locator("#panel-notes .when a").click()
    expect(page.locator("textarea")).to_have_value("Prefers tea. 喜欢茶。")

    page.goto(address)
    page.locator("#panel-tasks summary").click()
    page.locator("#task_title").fill("Call back")
    page.locator("#task_due_day").fill(f"{timezone.localdate() + timedelta(days=1)}")
    page.locator("#panel-tasks .huike-add button").click()
    expect(page.locator("#panel-tasks li")).to_have_count(2)
    page.locator("#panel-tasks li form button").first.click()
    expect(page.locator("#panel-tasks .huike-done")).to_have_count(1)
    page.goto("/admin/customers/task/?show=open")
    expect(page.locator("#result_list tbody tr.data-row")).to_have_count(1)
    never_scrolls_sideways(page)
    page.locator("#result_list tbody th a").click()

    page.goto(f"{LISTS['customers']}{ann.pk}/attributes/")
    page.locator("#id_attribute-shoe").fill("42.5")
    page.locator("form.huike-form button").click()
    expect(page.locator("#panel-attributes dd")).to_have_text("42.5")
    never_scrolls_sideways(page)

    page.locator("#panel-duplicates .huike-button").click()
    never_scrolls_sideways(page)
    page.locator(".huike-actions .huike-button").first.click()
    expect(page.locator("#content td.number")).to_have_text("1")
    page.locator("#content form button[type=submit]").click()
    expect(page.locator("#taken-in li")).to_have_count(1)
    page.goto(f"{LISTS['customers']}{twin.pk}/change/")
    page.locator(".huike-note .huike-button").click()
    page.locator("#content form button[type=submit]").click()
    expect(page.locator(".huike-messages .success")).to_be_visible()
    expect(page.locator("#panel-duplicates")).to_be_visible()
    never_scrolls_sideways(page)


@pytest.mark.parametrize(
    ("language", "size"), [("en", NARROW), ("zh-hans", WIDE)], ids=["en-narrow", "zh-wide"]
)
def test_no_page_of_the_walk_scrolls_sideways(open_page, twins, language, size):
    ann, twin = twins
    page = open_page(language, size)
    about = f"{LISTS['customers']}{ann.pk}/"

    for tail in ("change/", f"compare/{twin.pk}/", f"merge/{twin.pk}/", "attributes/"):
        page.goto(f"{about}{tail}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        never_scrolls_sideways(page)
    merge_customers(source_id=twin.pk, target_id=ann.pk, user_id=None, now=timezone.now())
    record = MergeRecord.objects.get()
    for address in (
        f"{LISTS['customers']}{twin.pk}/change/",
        f"{about}part/{record.pk}/",
        "/admin/customers/task/?show=overdue",
        "/admin/customers/attribute/",
    ):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        never_scrolls_sideways(page)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_months_of_scores_are_a_chart_and_a_table(open_page, size):
    now = ScoreSnapshot.objects.filter(customer=telling_customer()).latest("month")
    values = {"run": now.run, "churn_probability": 0.4, "predicted_clv": 300, "satisfaction": 70}
    months = [
        ScoreSnapshot.objects.create(
            customer_id=now.customer_id,
            month=(now.month - timedelta(days=31 * back)).replace(day=1),
            **values,
        )
        for back in (1, 2)
    ]
    page = open_page("en", size)
    page.goto(f"{LISTS['customers']}{now.customer_id}/change/")

    expect(page.locator("#score-history canvas")).to_have_count(2)
    expect(page.locator("#score-history tr")).to_have_count(4)
    never_scrolls_sideways(page)
    page.locator("#score-history").scroll_into_view_if_needed()
    ScoreSnapshot.objects.filter(pk__in=[row.pk for row in months]).delete()
