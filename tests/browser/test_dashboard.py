"""The first page: its figures are those of the lists they open."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE
from tests.browser.watching import faults

PANELS = (
    "revenue", "buyers", "churn_risk", "rfm_groups", "rfm_heatmap", "clv_distribution", "retention",
    "satisfaction", "freshness",
)  # fmt: skip
CHARTS = ("revenue", "buyers", "satisfaction")
FILTERED = "/admin/?weeks=52&step=month&source=online-retail"
BOTH = pytest.mark.parametrize(
    ("language", "size"),
    [
        pytest.param("en", WIDE, id="en-wide"),
        pytest.param("zh-hans", NARROW, id="zh-narrow"),
        pytest.param("en", NARROW, id="en-narrow", marks=pytest.mark.slow),
        pytest.param("zh-hans", WIDE, id="zh-wide", marks=pytest.mark.slow),
    ],
)


def digits(text: str) -> int:
    return int("".join(sign for sign in text if sign.isdigit()))


def found(page: Page) -> int:
    """Return how many rows the open list says it holds."""
    expect(page.locator("#result_list tbody tr").first).to_be_visible()
    return digits(page.locator(".huike-found [data-announce]").inner_text())


def opened(page: Page, address: str = "/admin/") -> Page:
    """Open the dashboard and wait until every panel has come."""
    page.goto(address)
    expect(page.locator("[data-panel][aria-busy='false']")).to_have_count(len(PANELS) - 1)
    return page


@BOTH
def test_every_panel_comes_with_its_filters_figures_twin_and_file(open_page, language, size):
    page = opened(open_page(language, size), FILTERED)

    for key in PANELS:
        panel = page.locator(f"#panel-{key}")
        expect(panel).to_be_visible()
        assert panel.get_by_role("link").count() >= 1
    for key in CHARTS:
        panel = page.locator(f"#panel-{key}")
        drawn = panel.locator("canvas").first.evaluate(
            "(canvas) => Chart.getChart(canvas).data.datasets[0].data.filter((n) => n > 0).length"
        )
        panel.locator("summary").click()
        expect(panel.get_by_role("table")).to_be_visible()
        assert panel.get_by_role("row").count() > drawn > 5
    assert page.locator("select[name=weeks]").input_value() == "52"
    assert page.locator("select[name=source]").input_value() == "online-retail"
    with page.expect_download() as download:
        page.locator("#panel-retention a[download]").click()
    text = download.value.path().read_text("utf-8-sig")
    assert len(text.splitlines()) == 14
    assert faults(page) == []


def test_a_cohort_opens_the_customers_who_bought_again(page):
    opened(page, FILTERED)
    row = page.locator("#panel-retention tr >> nth=1")
    size = digits(row.locator("td").first.inner_text())
    share = digits(row.locator("td").nth(1).inner_text()) / 100

    row.locator("td").nth(1).get_by_role("link").click()

    assert found(page) == pytest.approx(share * size, abs=0.006 * size)


def test_the_charts_follow_the_colours_of_the_page(page):
    opened(page)
    colour = "() => Chart.getChart(document.querySelector('canvas')).options.scales.x.ticks.color"
    light = page.evaluate(colour)

    page.evaluate("() => document.documentElement.classList.add('dark')")

    page.wait_for_function(f"(light) => ({colour})() !== light", arg=light)


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
    opened(page)
    line = page.locator(row)
    count = line if panel == "rfm_heatmap" else line.locator("td.number")
    shown = digits(count.inner_text())

    line.get_by_role("link").click()

    assert shown > 0
    assert found(page) == shown


def test_a_week_opens_its_orders(page):
    opened(page)
    page.locator("#panel-revenue summary").click()
    week = page.locator("#panel-revenue tr >> nth=3")
    orders = week.locator("td.number").nth(3)
    shown = digits(orders.inner_text())

    orders.get_by_role("link").click()

    assert found(page) == shown > 0


def test_those_at_risk_and_the_headline_open_what_they_name(page):
    opened(page)
    first = page.locator("#panel-churn_risk td a").first
    name = first.inner_text()

    first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)

    opened(page)
    page.get_by_role("link", name="Everybody with a churn risk").click()
    assert found(page) > 0

    opened(page)
    page.locator("a.huike-card").first.click()
    assert found(page) > 0

    opened(page)
    page.locator("#panel-freshness").get_by_role("link", name="The run").click()
    expect(page.get_by_role("heading", name="Backtest", exact=False)).to_be_visible()
