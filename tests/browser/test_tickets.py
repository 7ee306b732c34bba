"""A ticket from the first word to the last, in both languages and both widths."""

import os

import pytest
from playwright.sync_api import expect

from customers.models import Customer, Order, ShopSettings, Source, Ticket
from customers.services.identities import add_identity
from tests.browser.conftest import NARROW, WIDE
from tests.browser.watching import faults
from tests.workers import wait_for

LIST = "/admin/customers/ticket/"


@pytest.fixture
def asker():
    """A person who is not made up, with an order of the shop; gone with what they asked."""
    ShopSettings.objects.update(sending_armed=True)
    source, _made = Source.objects.get_or_create(key="asking", defaults={"name": "Asking"})
    customer = Customer.objects.create(source=source, external_id="A1", name="王小明")
    add_identity(customer_id=customer.pk, kind="email", value="wang@example.com")
    order = Order.objects.filter(customer__isnull=False).latest("placed_at")
    Order.objects.filter(pk=order.pk).update(customer=customer)
    yield customer
    Order.objects.filter(pk=order.pk).update(customer=order.customer_id)
    Ticket.objects.filter(customer=customer).delete()
    customer.identities.all().delete()
    Customer.objects.filter(pk=customer.pk).delete()
    Source.objects.filter(key__in=["asking", "by-hand"]).delete()
    ShopSettings.objects.update(sending_armed=False)


@pytest.mark.parametrize(
    ("language", "size"),
    [
        pytest.param("en", WIDE, id="en-wide"),
        pytest.param("zh-hans", NARROW, id="zh-narrow"),
        pytest.param("en", NARROW, id="en-narrow", marks=pytest.mark.slow),
        pytest.param("zh-hans", WIDE, id="zh-wide", marks=pytest.mark.slow),
    ],
)
def test_a_ticket_is_asked_answered_and_closed(open_page, worker, asker, language, size):
    page = open_page(language, size)

    def look(name):
        assert faults(page) == []
        if os.environ.get("SHOTS"):
            page.screenshot(
                path=f"{os.environ['SHOTS']}/{language}-{size[0]}-{name}.png", full_page=True
            )

    def act(name):
        """Press the first button of a form, and wait for the page that follows."""
        form = page.locator(f"form:has(input[name=act][value={name}])")
        with page.expect_navigation():
            form.locator("button").first.click()
        expect(page.locator(".huike-messages .success")).to_be_visible()

    page.goto(LIST)
    look("0-empty")
    made_up = Ticket.objects.filter(state="open", customer__is_simulated=True).latest("opened_at")
    page.goto(f"{LIST}{made_up.pk}/change/")
    expect(page.locator("#unanswerable")).to_be_visible()
    expect(page.locator("#panel-ticket_scores dd")).to_have_count(3)
    look("0-made-up")
    page.goto(f"/admin/customers/customer/{asker.pk}/change/")
    look("1-customer")
    page.locator(f"a[href$='/ticket/add/?customer={asker.pk}']").click()
    page.locator("[name=subject]").fill("Where is my parcel?")
    page.locator("[name=text]").fill("It should have come on Monday.\nNobody answers.")
    look("2-new")
    page.locator("#content form button").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where is my parcel?")
    ticket = Ticket.objects.get(customer=asker)

    page.locator("[name=assign-assignee]").select_option(index=1)
    act("assign")
    page.locator("[name=due-due_at]").fill("2026-11-20T18:00")
    act("due")
    page.locator("[name=answer-text]").fill("It left today.\nIt takes two days.")
    look("3-page")
    act("answer")
    wait_for(lambda: ticket.messages.filter(delivery="sent").exists(), tell=worker.output)
    page.goto(f"{LIST}{ticket.pk}/change/")
    expect(page.locator("li.answer .range")).not_to_be_empty()
    look("4-sent")

    page.goto(LIST)
    look("5-queue")
    page.locator(f"#result_list th a[href*='/ticket/{ticket.pk}/change/']").click()
    act("close")
    expect(page.locator("#answer")).to_have_count(0)
    look("6-closed")
    act("reopen")
    expect(page.locator("#answer")).to_be_visible()
    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_at) == ("open", None)
