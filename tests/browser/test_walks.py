"""What staff do from the first click to the last, in both languages and both widths.

Each walk ends at the audit log, where its acts are found again. Its telling steps are pictures.
"""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils.formats import date_format, number_format
from django.utils.translation import override
from playwright.sync_api import Page, expect

from analytics.models import CurrentScore, ScoreSnapshot
from crm.core.models import AuditEntry, Job, Role, SavedView
from customers.connectors import tables
from customers.models import (
    Customer,
    CustomerTag,
    Export,
    ImportBatch,
    Order,
    Source,
)
from tests.browser.conftest import NARROW, WIDE
from tests.browser.pages import LISTS, telling_customer
from tests.browser.pictures import album
from tests.browser.shop import NAME
from tests.browser.test_pages import VARIANTS

CUSTOMERS = LISTS["customers"]
CROWD = 10_000
PASSWORD = "a-colleague-signs-in"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ROWS = (
    "990001,22423,REGENCY CAKESTAND 3 TIER,2,2026-05-04 10:00,12.75,99001,Norway",
    "990001,22086,PAPER CHAIN KIT 50'S,6,2026-05-04 10:00,2.95,99001,Norway",
    "990002,22086,PAPER CHAIN KIT 50'S,many,2026-05-04 11:00,2.95,99001,Norway",
    "990003,22423,REGENCY CAKESTAND 3 TIER,1,2026-02-31 09:30,12.75,99002,Norway",
)


def rows(page: Page):
    return page.locator("#result_list tbody tr.data-row")


def job_is_done(page: Page) -> None:
    page.wait_for_url("**/core/job/*/change/")
    expect(page.locator("#job-live[data-state=succeeded]")).to_be_visible(timeout=60_000)


def open_result(page: Page) -> None:
    page.locator("#job-live .huike-actions a").click()
    page.wait_for_url(re.compile(r"^(?!.*/core/job/)"))


def found_in_the_audit(page: Page, take, since: int, actions: list[str], words: str = "") -> None:
    """Look each act up in the log as an auditor does: by what was done, and today."""
    for action in actions:
        page.goto(f"{LISTS['audit']}?{urlencode({'action': action, 'day': 'today'})}")
        ids = AuditEntry.objects.filter(pk__gt=since, action=action).values_list("pk", flat=True)
        assert ids, action
        links = [f"a[href*='/auditentry/{pk}/change/']" for pk in ids]
        entry = rows(page).filter(has=page.locator(", ".join(links)))
        expect(entry).to_have_count(len(ids))
        expect(entry.first).to_contain_text(NAME)
    expect(rows(page).first).to_contain_text(words)
    page.goto(LISTS["audit"])
    assert rows(page).count() >= len(actions)
    take("audit")


@pytest.fixture
def since() -> int:
    """Return the newest entry of the audit log before a walk."""
    newest = AuditEntry.objects.order_by("pk").last()
    return newest.pk if newest else 0


@pytest.mark.parametrize(("language", "size"), VARIANTS)
def test_a_file_with_bad_rows_is_mended_and_brought_in_again(
    open_page, worker, tmp_path, since, language, size
):
    page = open_page(language, size)
    take = album(page, language, tmp_path)
    source = f"by-hand-{language}-{size[0]}"
    path = tmp_path / "by-hand.csv"
    path.write_text("\n".join([HEADER, *ROWS]))

    def upload(file: Path) -> None:
        page.goto(LISTS["imports"])
        page.locator("a[href$='/importbatch/add/']").first.click()
        page.locator("input[type=file]").set_input_files(file)
        page.locator("[name=source]").fill(source)
        page.locator("#content form button[type=submit]").last.click()
        page.wait_for_url("**/importbatch/*/check/")

    upload(path)
    expect(page.locator("table.preview")).to_contain_text("REGENCY CAKESTAND 3 TIER")
    take("import-check")
    page.locator("button[value=dry_run]").click()
    job_is_done(page)
    open_result(page)
    refused = page.locator("#trial td.reason")
    expect(refused).to_have_count(2)
    assert not Order.objects.filter(source__key=source).exists()
    take("import-errors", page.locator("#trial"), height=720)
    page.locator("button[value=import]").click()
    job_is_done(page)
    take("import-job")
    open_result(page)

    batch = ImportBatch.objects.get(source__key=source)
    assert (batch.rows_total, batch.rows_created, batch.rows_rejected) == (4, 2, 2)
    expect(page.get_by_role("heading", level=1)).to_have_text("by-hand.csv")
    take("import-result")
    with page.expect_download() as download:
        page.locator("a[href*='/error']").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert text.count("\n") == 3
    mended = tmp_path / "mended.csv"
    mended.write_text(text.replace("many", "3").replace("2026-02-31", "2026-02-28"))

    upload(mended)
    take("import-mended")
    page.locator("button[value=import]").click()
    job_is_done(page)
    open_result(page)
    second = ImportBatch.objects.filter(source__key=source).latest("pk")
    assert (second.rows_total, second.rows_created, second.rows_rejected) == (2, 2, 0)
    totals = Order.objects.filter(source__key=source).order_by("external_id")
    assert [f"{order.external_id} {order.total:.2f}" for order in totals] == [
        "990001 43.20",
        "990002 8.85",
        "990003 12.75",
    ]
    found_in_the_audit(page, take, since, ["import.uploaded", "import.tried", "import.started"])


@pytest.fixture
def months():
    """Lend the telling customer two earlier months of scores."""
    now = ScoreSnapshot.objects.filter(customer=telling_customer()).latest("month")
    made, month = [], now.month
    for back in (1, 2):
        month = (month - timedelta(days=1)).replace(day=1)
        made.append(
            ScoreSnapshot.objects.create(
                customer_id=now.customer_id,
                month=month,
                run=now.run,
                rfm_group=now.rfm_group,
                churn_probability=(now.churn_probability or 0) * (1 - back / 8),
                predicted_clv=(now.predicted_clv or Decimal(0)) * (10 - back) / 10,
                satisfaction=(now.satisfaction or 0) - back,
            )
        )
    yield made
    ScoreSnapshot.objects.filter(pk__in=[row.pk for row in made]).delete()


@pytest.mark.parametrize(("language", "size"), VARIANTS)
def test_who_is_found_by_half_a_name_has_a_risk_that_explains_itself(
    open_page, tmp_path, months, language, size
):
    customer = Customer.objects.get(pk=telling_customer())
    score = CurrentScore.objects.get(customer=customer)
    page = open_page(language, size)
    take = album(page, language, tmp_path)
    half = customer.name.split()[-1][:4] if " " in customer.name else customer.name[:2]

    page.goto(CUSTOMERS)
    page.locator("#searchbar").fill(half)
    page.locator("#searchbar").press("Enter")
    page.wait_for_url("**q=**")
    found = rows(page).filter(has=page.locator(f"a[href*='/customer/{customer.pk}/change/']"))
    expect(found).to_have_count(1)
    take("found")
    found.get_by_role("link", name=re.compile(re.escape(customer.name))).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(str(customer))

    page.locator("#glance a[href='#why-churn_probability']").click()
    why = page.locator("#why-churn_probability")
    card = page.locator("#score-churn_probability")
    expect(card.locator(".value")).to_contain_text(f"{score.churn_probability * 100:.0f}")
    assert why.locator("li").count() >= 2
    expect(why.locator("p").first).to_contain_text(re.compile(r"\d+"))
    with override(language):
        day = date_format(score.run.as_of_day)
    expect(why.locator("a[href*='/scoringrun/']")).to_contain_text(day)
    take("churn-reasons", page.locator("#panel-scores"))
    why.locator("a[href='#score-history']").click()
    expect(page.locator("#score-history table tr")).to_have_count(1 + 3)
    expect(page.locator("#score-history canvas")).to_have_count(2)
    take("history", page.locator("#score-history"))


@pytest.fixture
def colleague():
    """An analyst: sees scores, and contacts with masks. Gone with their views."""
    user = get_user_model().objects.create_user("wang", password=PASSWORD, is_staff=True)
    user.groups.add(Role.objects.get(key="analyst").group)
    yield user
    SavedView.objects.all().delete()
    user.delete()


@pytest.mark.parametrize(("language", "size"), VARIANTS)
def test_a_list_is_kept_as_a_view_that_somebody_else_opens(
    open_page, tmp_path, since, colleague, language, size
):
    name = {"en": "Champions by year", "zh-hans": "高价值客户"}[language]
    page = open_page(language, size)
    take = album(page, language, tmp_path)
    page.goto(f"{CUSTOMERS}?rfm_group=champions&_order=-clv_12m&_columns=who,clv_12m")
    expect(page.locator("#result_list thead th.column-orders")).to_have_count(0)
    wanted = page.locator("#result_list th.field-who, #result_list td.field-who").all_inner_texts()
    assert len(wanted) > 3

    looks = page.locator(".huike-looks > details").last
    looks.locator("summary").click()
    looks.locator("#new-view-name").fill(name)
    looks.locator("[name=share]").check()
    take("view-saving")
    looks.locator("button").last.click()
    page.wait_for_url("**_view=**")
    expect(page.locator(".huike-views [aria-current]")).to_contain_text(name)
    view = SavedView.objects.get()
    assert (view.is_shared, view.order) == (True, ["-clv_12m"])
    take("saved-view")

    other = open_page(language, size, anonymous=True)
    other.goto("/admin/")
    other.locator("#id_username").fill(colleague.username)
    other.locator("#id_password").fill(PASSWORD)
    other.locator("#login-form [type=submit]").click()
    other.wait_for_url("**/admin/")
    other.goto(CUSTOMERS)
    expect(other.locator("#result_list thead th.column-orders")).to_have_count(1)
    other.locator(".huike-views a", has_text=name).click()
    other.wait_for_url("**rfm_group=champions**")
    seen = other.locator("#result_list th.field-who, #result_list td.field-who")
    expect(seen).to_have_count(len(wanted))
    expect(other.locator("#result_list thead th.column-orders")).to_have_count(0)
    looks = other.locator(".huike-looks > details").last
    looks.locator("summary").click()
    expect(looks.locator("button[value=default]")).to_be_visible()
    expect(looks.locator("button[value=delete], button[value=save]")).to_have_count(0)
    album(other, language, tmp_path)("view-opened")

    found_in_the_audit(page, take, since, ["view.shared"], name)


@pytest.fixture
def crowd():
    """Lend the shop ten thousand customers, written by one statement; they go with their tags."""
    source = Source.objects.earliest("pk")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_customer"
            " (created_at, updated_at, source_id, external_id, name, country, is_simulated)"
            " SELECT now(), now(), %s, 'crowd-' || n, 'Guest ' || n, 'Mexico', true"
            " FROM generate_series(1, %s) n",
            [source.pk, CROWD],
        )
        cursor.execute("ANALYZE customers_customer")
    yield
    with transaction.atomic(), connection.cursor() as cursor:
        # Without the triggers that keep each row's history: ten thousand rows go at once.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in ("customertag", "tag", "bulkpart", "bulkaction"):
            cursor.execute(f"DELETE FROM customers_{table}")
        cursor.execute("DELETE FROM customers_customer WHERE external_id LIKE 'crowd-%'")
    Job.objects.filter(kind="customers.bulk").delete()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer")


ONCE = [
    pytest.param("en", WIDE, id="en-1280"),
    *(
        pytest.param(language, size, id=f"{language}-{size[0]}", marks=pytest.mark.slow)
        for language, size in (("zh-hans", NARROW), ("en", NARROW), ("zh-hans", WIDE))
    ),
]


@pytest.mark.parametrize(("language", "size"), ONCE)
def test_ten_thousand_are_tagged_by_name_and_number(
    open_page, worker, tmp_path, since, crowd, language, size
):
    page = open_page(language, size)
    take = album(page, language, tmp_path)
    number = number_format(CROWD, force_grouping=True)
    page.goto(f"{CUSTOMERS}?country=Mexico")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("tag_chosen")
    expect(page.locator(".question a")).to_contain_text(number)
    page.locator(".question a").click()
    expect(page.locator(".actions .all")).to_contain_text(number)
    take("bulk-chosen")
    page.locator(".actions button[name=index]").click()
    page.locator("[name=tag]").fill("VIP")
    take("bulk-tag")
    page.locator("#content form button[type=submit]").click()

    start = page.locator("button[name=start]")
    expect(start).to_contain_text(number)
    expect(start).to_contain_text("VIP")
    take("bulk-confirm", height=480)
    start.click()
    job_is_done(page)
    expect(page.locator("#content")).to_contain_text(number)
    take("bulk-job")
    tagged = CustomerTag.objects.filter(
        tag__name="VIP", customer__external_id__startswith="crowd-"
    ).count()
    assert tagged == CustomerTag.objects.count() == CROWD

    page.goto(f"{CUSTOMERS}{CustomerTag.objects.first().customer_id}/change/")
    chip = page.locator(".huike-tag", has_text="VIP")
    chip.locator("button").click()
    expect(chip).to_have_count(0)
    page.locator("#new-tag").fill("Friend")
    page.locator("#new-tag").press("Enter")
    expect(page.locator(".huike-tag", has_text="Friend")).to_be_visible()
    acts = ["customer.untagged", "customer.tagged", "customers.bulk_tag"]
    found_in_the_audit(page, take, since, acts, number)


@pytest.mark.parametrize(("language", "size"), VARIANTS)
def test_a_list_becomes_a_file(open_page, worker, tmp_path, since, language, size):
    page = open_page(language, size)
    take = album(page, language, tmp_path)
    page.goto(f"{CUSTOMERS}?language=en")
    page.locator("a[href*='/export/add/']").first.click()
    page.locator("[name=format]").select_option("xlsx")
    take("export", height=660)
    page.locator("#content form button[type=submit]").click()
    job_is_done(page)
    open_result(page)
    export = Export.objects.latest("pk")
    assert export.state == "ready"
    page.goto(LISTS["exports"])
    take("export-ready")
    with page.expect_download() as download:
        page.locator("#result_list td.field-download a").first.click()

    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    lines = list(tables.read_rows(path, tables.read_layout(path)))
    assert len(lines) == Customer.objects.active().filter(language="en").count()
    export.refresh_from_db()
    assert export.downloads == 1
    found_in_the_audit(page, take, since, ["export.started", "export.downloaded"], f"{len(lines)}")
