"""The first page: its figures are those of the lists they open."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE

PANELS = ("revenue", "churn_risk", "rfm_groups", "rfm_heatmap", "clv_distribution", "freshness")


def digits(text: str) -> int:
    return int("".join(sign for sign in text if sign.isdigit()))


def found(page: Page) -> int:
    """Return how many rows the open list says it holds."""
    expect(page.locator("#result_list tbody tr").first).to_be_visible()
    return digits(page.locator(".huike-found [data-announce]").inner_text())


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_panel_is_there_and_has_figures(open_page, size):
    page = open_page(size=size)

    page.goto("/admin/")

    for key in PANELS:
        panel = page.locator(f"#panel-{key}")
        expect(panel).to_be_visible()
        assert panel.get_by_role("link").count() >= 1 or panel.locator("summary").count() == 1
    bars = page.locator("#panel-revenue canvas")
    expect(bars).to_be_visible()
    assert page.evaluate("() => Chart.getChart(document.querySelector('canvas')).data.datasets[0]"
                         ".data.filter((week) => week > 0).length") > 20  # fmt: skip


@pytest.mark.parametrize(
    ("panel", "row"),
    [
        ("rfm_groups", "#panel-rfm_groups tr >> nth=0"),
        ("rfm_groups", "#panel-rfm_groups tr >> nth=-1"),
        ("clv_distribution", "#panel-clv_distribution tr >> nth=1"),
        ("rfm_heatmap", "#panel-rfm_heatmap tr >> nth=1 >> td >> nth=4"),
    ],
)
def test_a_count_opens_the_list_of_just_those_customers(page, panel, row):
    page.goto("/admin/")
    line = page.locator(row)
    count = line if panel == "rfm_heatmap" else line.locator("td.number")
    shown = digits(count.inner_text())

    line.get_by_role("link").click()

    assert shown > 0
    assert found(page) == shown


def test_a_week_opens_its_orders(page):
    page.goto("/admin/")
    page.get_by_text("As a table").click()
    week = page.locator("#panel-revenue tr >> nth=3")
    orders = digits(week.locator("td.number").nth(1).inner_text())

    week.get_by_role("link").click()

    # The list holds also what does not count as revenue, such as cancelled orders.
    assert found(page) >= orders > 0


def test_those_at_risk_and_the_headline_open_what_they_name(page):
    page.goto("/admin/")
    first = page.locator("#panel-churn_risk td a").first
    name = first.inner_text()

    first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)

    page.goto("/admin/")
    page.get_by_role("link", name="Everybody with a high churn risk").click()
    assert found(page) > 0

    page.goto("/admin/")
    page.locator("a.huike-card").first.click()
    assert found(page) > 0

    page.goto("/admin/")
    page.locator("#panel-freshness").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Backtest", exact=False)).to_be_visible()
