"""Sign in and out, change the language, and do it all without a mouse."""

from playwright.sync_api import expect

from tests.browser.conftest import NARROW
from tests.browser.shop import NAME, PASSWORD


def test_a_wrong_password_is_refused_and_a_right_one_opens(open_page):
    page = open_page(anonymous=True)
    page.goto("/admin/customers/customer/")

    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill("not-this-one")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Please enter the correct username and password")).to_be_visible()
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    page.wait_for_url("**/admin/customers/customer/")
    page.get_by_role("button", name=NAME).press("Enter")
    page.get_by_role("button", name="Log out").press("Enter")
    page.wait_for_url("**/admin/logout/")
    page.goto("/admin/customers/customer/")
    expect(page.locator("#login-form")).to_be_visible()


def test_the_language_changes_by_keyboard_and_back(page):
    page.goto("/admin/customers/order/")

    page.get_by_role("button", name=NAME).press("Enter")
    page.get_by_role("button", name="简体中文").press("Enter")
    page.wait_for_function("() => document.documentElement.lang === 'zh-hans'")
    expect(page.locator("#result_list")).to_be_visible()
    assert page.url.endswith("/admin/customers/order/")

    page.get_by_role("button", name=NAME).press("Enter")
    page.get_by_role("button", name="English").press("Enter")
    page.wait_for_function("() => document.documentElement.lang === 'en'")


def test_the_first_stop_of_the_tab_key_leads_past_the_side_bar(page):
    page.goto("/admin/customers/customer/")

    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    expect(page.locator("#content").locator(":focus")).to_have_count(1)


def test_news_is_read_out(page):
    page.goto("/admin/customers/customer/?rfm_group=champions")

    live = page.locator("#huike-live")
    expect(live).to_have_text(page.locator(".huike-found [data-announce]").inner_text())
    assert live.get_attribute("aria-live") == "polite"


def test_the_menu_of_a_phone_opens_and_leads_on(open_page):
    page = open_page(size=NARROW)
    page.goto("/admin/")
    products = page.locator("#nav-sidebar").get_by_role("link", name="Products")
    expect(products).to_be_hidden()

    page.get_by_role("button", name="Menu").press("Enter")
    products.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Products")


def test_dark_colours_are_kept_from_page_to_page(page):
    page.goto("/admin/")
    page.get_by_role("button", name=NAME).click()
    page.get_by_role("button", name="Dark").click()

    page.goto("/admin/customers/order/")

    expect(page.locator("html")).to_have_class("dark")


def test_the_description_of_the_api_loads_nothing_from_elsewhere(page):
    page.goto("/api/docs/")

    expect(page.locator(".swagger-ui .opblock").first).to_be_visible()
