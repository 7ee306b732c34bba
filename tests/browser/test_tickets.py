"""A ticket from the first word to the last, in both languages and both widths."""

import os

import pytest
from playwright.sync_api import expect

from customers.models import Customer, Identity, Order, ShopSettings, Source, Ticket
from customers.services.identities import add_identity
from tests.browser.conftest import NARROW, WIDE
from tests.browser.watching import faults
from tests.workers import wait_for

LIST = "/admin/customers/ticket/"
WORDS = {
    "en": {
        "new": "New ticket", "write": "Write it down", "send": "Send, and wait for the customer",
        "sent": "Sent", "close": "Close the ticket", "reopen": "Reopen", "assign": "Assign",
        "subject": "Subject", "asked": "What the customer says", "answer": "Answer by e-mail",
        "assignee": "Assignee", "waits": "Waiting for the customer", "closed": "Closed",
    },
    "zh-hans": {
        "new": "新建工单", "write": "记录", "send": "发送并等待客户回复",
        "sent": "已发送", "close": "关闭工单", "reopen": "重新打开", "assign": "指派",
        "subject": "主题", "asked": "客户的问题", "answer": "邮件回复",
        "assignee": "处理人", "waits": "等待客户回复", "closed": "已关闭",
    },
}  # fmt: skip


@pytest.fixture
def asker():
    """A real person with an order of the shop; gone with their tickets afterwards."""
    ShopSettings.objects.update(sending_armed=True)
    source, _made = Source.objects.get_or_create(key="asking", defaults={"name": "Asking"})
    customer = Customer.objects.create(source=source, external_id="A1", name="王小明")
    customer.refresh_from_db()
    add_identity(customer_id=customer.pk, kind="email", value="wang@example.com")
    order = Order.objects.filter(customer__isnull=False).latest("placed_at")
    former = order.customer_id
    Order.objects.filter(pk=order.pk).update(customer=customer)
    yield customer
    Order.objects.filter(pk=order.pk).update(customer=former)
    Ticket.objects.filter(customer=customer).delete()
    Identity.objects.filter(customer=customer).delete()
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
    words, page = WORDS[language], open_page(language, size)

    def look(name):
        assert faults(page) == []
        if os.environ.get("SHOTS"):
            page.screenshot(
                path=f"{os.environ['SHOTS']}/{language}-{size[0]}-{name}.png", full_page=True
            )

    def press(name):
        page.get_by_role("button", name=words[name], exact=True).click()

    page.goto(LIST)
    look("0-empty")
    page.goto(f"/admin/customers/customer/{asker.pk}/change/")
    look("1-customer")
    page.get_by_role("link", name=words["new"]).click()
    page.get_by_label(words["subject"]).fill("Where is my parcel?")
    page.get_by_label(words["asked"]).fill("It should have come on Monday.\nNobody answers.")
    look("2-new")
    press("write")
    expect(page.get_by_role("heading", level=1)).to_have_text("Where is my parcel?")
    ticket = Ticket.objects.get(customer=asker)

    page.get_by_label(words["assignee"]).select_option(index=1)
    press("assign")
    page.locator("input[type=datetime-local]").fill("2026-11-20T18:00")
    page.locator("#work form").nth(1).get_by_role("button").click()
    page.get_by_label(words["answer"]).fill("It left today.\nIt takes two days.")
    look("3-page")
    press("send")
    expect(page.locator(".huike-strip")).to_contain_text(words["waits"])
    wait_for(lambda: ticket.messages.filter(delivery="sent").exists(), tell=worker.output)
    page.goto(f"{LIST}{ticket.pk}/change/")
    expect(page.locator("li.answer .range")).to_contain_text(words["sent"])
    look("4-sent")

    page.goto(LIST)
    look("5-queue")
    page.locator("#result_list th a").first.click()
    press("close")
    expect(page.locator(".huike-strip")).to_contain_text(words["closed"])
    look("6-closed")
    press("reopen")
    ticket.refresh_from_db()
    assert (ticket.state, ticket.closed_at) == ("open", None)
