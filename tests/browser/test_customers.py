"""Find a customer, and understand them."""

import re

import pytest
from playwright.sync_api import Page, expect

from customers.models import Customer, Review
from tests.browser.conftest import NARROW, WIDE
from tests.browser.pages import LISTS, newest_order, telling_customer

WIDTHS = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


def rows(page: Page):
    return page.locator("#result_list tbody tr.data-row")


def column(page: Page, name: str) -> list[str]:
    return page.locator(f"#result_list td.field-{name}").all_inner_texts()


@pytest.mark.parametrize("key", ["name", "email", "phone", "external_id", "public_id"])
def test_a_customer_is_found_by(page, key):
    customer = Customer.objects.get(pk=telling_customer())
    page.goto(LISTS["customers"])

    field = page.get_by_role("searchbox", name="Search")
    field.fill(getattr(customer, key))
    field.press("Enter")
    page.wait_for_url("**?q=**")

    link = page.locator(f"#result_list a[href*='/customer/{customer.pk}/change/']")
    expect(link).to_contain_text(customer.name)
    if key != "name":
        expect(rows(page)).to_have_count(1)


def test_a_search_without_an_answer_says_so_and_leads_back(page):
    page.goto(LISTS["customers"] + "?q=nobody-is-called-this")

    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    expect(page.locator("#huike-live")).to_have_text("0 results")
    page.locator("#changelist").get_by_role("link", name="Show all").click()

    expect(rows(page)).to_have_count(50)


@WIDTHS
def test_the_filters_open_by_keyboard_and_narrow_the_list(open_page, size):
    page = open_page(size=size)
    page.goto(LISTS["customers"])

    page.get_by_role("button", name="Filters").press("Enter")
    drawer = page.locator("#changelist-filter")
    expect(drawer).to_be_visible()
    drawer.get_by_role("link", name="Champions", exact=True).click()
    page.wait_for_url("**rfm_group=champions**")

    assert set(column(page, "rfm_group")) == {"Champions"}


def test_the_list_orders_by_score(page):
    page.goto(LISTS["customers"])

    heading = page.locator("#result_list thead").get_by_role("link", name="Predicted spend")
    heading.click()
    page.wait_for_url(re.compile(r"[?]o=\d"))
    lowest = column(page, "predicted_clv")
    heading.click()
    page.wait_for_url(re.compile(r"[?]o=-\d"))
    highest = column(page, "predicted_clv")

    def amounts(texts: list[str]) -> list[int]:
        return [int(text.replace(",", "")) for text in texts if text != "–"]

    assert amounts(lowest) == sorted(amounts(lowest))
    assert amounts(highest) == sorted(amounts(highest), reverse=True)
    assert amounts(highest)[0] > amounts(lowest)[0]
    assert "–" not in highest + lowest


@WIDTHS
def test_scores_open_to_their_reasons(open_page, size):
    page = open_page(size=size)
    page.goto(f"{LISTS['customers']}{telling_customer()}/change/")

    for key in (
        "churn_probability",
        "next_order",
        "expected_orders",
        "predicted_clv",
        "margin_12m",
        "satisfaction",
        "rfm_group",
    ):
        card = page.locator(f"#score-{key}")
        expect(card.locator(".value")).not_to_be_empty()
        expect(card.locator("details p").first).to_be_hidden()
        card.get_by_text("Why, and how sure").click()
        expect(card.locator("details p").first).to_be_visible()
    assert page.locator("#score-churn_probability details li").count() >= 2
    expect(page.locator("#score-churn_probability details p").first).to_contain_text("backtest")


def test_the_timeline_shows_one_kind_alone(page):
    review = Review.objects.exclude(text="").latest("pk")
    page.goto(f"{LISTS['customers']}{review.customer_id}/change/")
    entries = page.locator("#timeline .huike-timeline li")
    everything = entries.count()

    page.locator("#timeline nav").get_by_role("link", name="Reviews").click()
    page.wait_for_url("**kind=review**")

    expect(entries).to_have_count(1)
    expect(entries).to_contain_text(review.text)
    assert everything > 1
    expect(page.locator("#timeline [aria-current]")).to_have_text("Reviews")


def test_the_profile_is_changed_below_and_the_buttons_wait_there(page):
    customer = Customer.objects.get(pk=telling_customer())
    page.goto(f"{LISTS['customers']}{customer.pk}/change/")
    save = page.get_by_role("button", name="Save", exact=True)
    expect(save).to_be_hidden()

    page.locator("fieldset summary").click()
    page.get_by_label("City").fill("Leeds")
    save.click()

    page.wait_for_url("**/admin/customers/customer/")
    expect(page.locator(".huike-messages .success")).to_be_visible()
    customer.refresh_from_db()
    assert customer.city == "Leeds"
    Customer.objects.filter(pk=customer.pk).update(city="")


@WIDTHS
def test_an_order_leads_to_its_customer_and_products(open_page, size):
    page = open_page(size=size)
    order = newest_order()
    page.goto(f"{LISTS['orders']}{order.pk}/change/")

    expect(page.get_by_role("heading", level=1)).to_have_text(order.external_id)
    assert page.locator(".huike-table tr").count() == 1 + order.lines.count()
    expect(page.locator(".huike-strip")).to_contain_text(f"{order.total:,.2f} {order.currency}")

    page.locator(".huike-strip").get_by_role("link", name=str(order.customer)).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(str(order.customer))


def test_a_product_is_found_by_a_part_of_its_title(page):
    page.goto(LISTS["products"])

    page.get_by_role("searchbox", name="Search").fill("lantern")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**?q=lantern")

    titles = column(page, "title")
    assert titles
    assert all("lantern" in title.lower() for title in titles)
