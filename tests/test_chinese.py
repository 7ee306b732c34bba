"""A reader of Chinese meets no English outside the data, on any page of the web admin."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from crm.core.models import ApiKey, AuditEntry, Job
from crm.core.services.alerts import raise_alert
from customers.models import (
    Attribute,
    Customer,
    ImportBatch,
    Interaction,
    MergeRecord,
    SavedImportFile,
)
from customers.services import importing
from customers.services.merging import merge_customers
from tests.api import publish_scores
from tests.factories import (
    ConsentFactory,
    CustomerFactory,
    ImportBatchFactory,
    JobFactory,
    NoteFactory,
    OrderFactory,
    OrderLineFactory,
    ProductFactory,
    RefundFactory,
    ReviewFactory,
    SavedImportFactory,
    ScoringRunFactory,
    ShopSettingsFactory,
    SourceFactory,
    SurveyResponseFactory,
    TaskFactory,
    TicketFactory,
)

pytestmark = pytest.mark.django_db

NAMES = (
    "Huike", "English", "API", "RFM", "AUC", "Brier", "CSV", "XLSX", "Parquet", "SKU",
    "Online Retail",
    "IP ", "HTTP Accept", "LDAP", "Control", "Mac", "Command", "my-shop", "Asia/Shanghai", "Axes",
    "VIP", "CRM 经理",
    "SFTP", "https", "UTF-8", "zh-hans", "esc", "Shopify", "WooCommerce", "MBG/NBD", "BG/NBD",
)  # fmt: skip
"""What is called the same in both languages."""
DATA = re.compile(
    r"staff@example\.com|\bstaff\b|\bStaff\b|\.csv\b|\bCNY\b|\bmbg_nbd\b|\bread\b|\b[Qq]uantity\b"
    r"|\b(?:order|customer|refund)_id\b|\b(?:placed|refunded)_at\b|\btotal\b"  # columns
    r"|manage\.py remove_source online-retail"  # what to type
    r"|\bCN\b"  # a country's code
    r"|\borders-\*|\bIMPORT_FOLDERS\b"  # a pattern of file names, a setting
    r"|\b[a-z]{3,4}_[0-9a-f]{32}\b|\ben\b|<unknown>|R0+\d"
    r"|staff(?=将)|\bcus_[0-9a-f]{8}…|\bcustomer\.merged\b|^customer$|\b(?:mrg|cus)_[0-9a-f]{32}\b"
    r'|"merge":|"other":'  # the audit log's codes
    r"|\b(?:Owner|CRM manager|Analyst|Support|Auditor)\b"  # groups, as they are stored
    r"|Group-permission relationships?: (?:Group_permissions object \(\d+\)|\d+)"
    r"|Access Log for .*? @"  # how django-axes names a row
    r"|[^|]* \| [^|]* \| Can (?:add|change|delete|view) .*"  # Django stores permissions' names
)
"""What the rows of this test say, and what packages store in English."""
ALERTS = {
    "orders_without_rate": {"orders": 2, "currencies": "CNY"},
    "import_failed": {},
    "saved_import_stopped": {"reason": {"code": "format_changed", "parameters": {"file": "1"}}},
    "saved_import_failed": {"reason": {"code": "host_unknown", "parameters": {"host": "1"}}},
    "saved_import_missing": {"days": 2},
    "saved_import_unreadable": {},
}
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff] ?[,:;?!](?=.)|[,:;?!] ?[\u4e00-\u9fff]")
"""English punctuation beside Chinese words; a form's label may end in a colon."""
READ_ALOUD = {"title", "placeholder", "aria-label", "alt", "data-tooltip"}
SILENT = {"script", "style", "svg", "code"}


class VisibleText(HTMLParser):
    """Collects what a page shows or a screen reader says."""

    def __init__(self) -> None:
        super().__init__()
        self.silent: list[str] = []
        self.icon = False
        self.found: set[str] = set()

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        self.icon = "material-symbols" in (given.get("class") or "")
        if tag in SILENT:
            self.silent.append(tag)
        for name in READ_ALOUD & given.keys():
            self.found.add(given[name] or "")
        if tag == "input" and given.get("type") in {"submit", "button"}:
            self.found.add(given.get("value") or "")

    def handle_endtag(self, tag) -> None:
        self.icon = False
        if self.silent and self.silent[-1] == tag:
            self.silent.pop()

    def handle_data(self, data) -> None:
        if not self.silent and not self.icon:
            self.found.add(" ".join(data.split()))


def visible(response) -> set[str]:
    page = VisibleText()
    page.feed(response.content.decode())
    return {text for text in page.found if text}


@pytest.fixture
def shop(staff):
    """A shop whose own words are Chinese, with something on every page."""
    ShopSettingsFactory(name="回客小店", zone="Asia/Shanghai", currency="CNY", is_demo=True)
    source = SourceFactory(key="1", name="淘宝店")
    now = timezone.now()
    wang = CustomerFactory(
        source=source, name="王小明", external_id="1001", email="", country="中国", city="杭州",
        is_test=True, is_wholesale=True, is_simulated=True,
    )  # fmt: skip
    order = OrderFactory(
        source=source, customer=wang, external_id="2001", placed_at=now - timedelta(days=9),
        currency="CNY", refunded=Decimal(5), country="中国",
    )  # fmt: skip
    product = ProductFactory(source=source, sku="3001", title="杯子")
    OrderLineFactory(order=order, product=product, title="杯子")
    RefundFactory(source=source, customer=wang, order=order, refunded_at=now, currency="CNY")
    RefundFactory(source=source, customer=wang, refunded_at=now, currency="CNY")
    ReviewFactory(source=source, customer=wang, text="很好", written_at=now, is_simulated=True)
    SurveyResponseFactory(source=source, customer=wang, comment="不错", answered_at=now)
    TicketFactory(
        source=source, customer=wang, subject="什么时候到？", external_id="4001", opened_at=now
    )
    ConsentFactory(
        source=source, customer=wang, evidence="结账时勾选",
        at=datetime(2026, 3, 2, 10, 5, tzinfo=UTC),
    )  # fmt: skip
    NoteFactory(customer=wang, text="喜欢喝茶", author=staff)
    TaskFactory(customer=wang, title="回电话", assignee=staff, due_day=now.date())
    Attribute.objects.create(key="1", label="鞋码", type="number")
    twin = CustomerFactory(source=source, name="王小明", external_id="1002", city="杭州")
    merged = CustomerFactory(source=source, name="王明", external_id="1003")
    merge_customers(source_id=merged.pk, target_id=wang.pk, user_id=staff.pk, now=now)
    run = ScoringRunFactory(
        state="published",
        published_at=now,
        model_name="mbg_nbd",
        model_version="1",
        horizon_days=90,
        currency="CNY",
        data_until=now,
        as_of_day=(now - timedelta(days=5)).date(),
        scored_count=1,
        customer_count=1,
        metrics={
            "churn": {"auc": 0.8, "brier": 0.1, "ece": 0.02, "base_rate": 0.4, "n": 900},
            "orders": {
                "mae": 0.4, "rmse": 0.7, "bias_percent": 2.0, "n": 900, "coverage_80": 0.9,
            },
            "next_order": {
                "share_inside": 0.45, "expected_share": 0.46, "mean_width_days": 30.0, "n": 90,
            },
            "clv": {
                "mae": 10.0, "rmse": 20.0, "bias_percent": 2.0, "gini": 0.6, "coverage_80": 0.8,
            },
            "margin_12m": {
                "rate": {"mae": 0.03, "rmse": 0.05, "bias": 0.0, "n": 900},
                "year": {"mae": 10.0, "rmse": 20.0, "bias_percent": 2.0, "n": 900},
            },
        },
        baseline={
            "churn": {"auc": 0.9, "brier": 0.2},
            "orders": {"mae": 0.5, "rmse": 0.9, "bias_percent": 9.0, "n": 900},
            "next_order": {"share_inside": 0.3, "mean_width_days": 25.0, "n": 90},
            "clv": {"mae": 12.0, "rmse": 25.0, "bias_percent": 3.0, "gini": 0.5},
            "margin_12m": {
                "rate": {"mae": 0.04, "rmse": 0.06, "bias": 0.0, "n": 900},
                "year": {"mae": 12.0, "rmse": 22.0, "bias_percent": 3.0, "n": 900},
            },
        },
        abstentions=[{"score": "clv", "code": "too_few_repeaters", "have": 3, "need": 100}],
        parameters={
            "notes": [
                {"code": "nobody_seen_leaving"},
                {"code": "margin_not_better_than_own_margin", "have": 2.0, "need": 1.0},
            ],
            "margin_12m": {
                "shop_rate": 0.4, "half_spend": 100.0, "is_own": True, "known_share": 0.9,
            },
        },
        job=JobFactory(
            kind="analytics.score", title="x", parameters={"as_of_day": "2026-03-02"}
        ),
    )  # fmt: skip
    publish_scores(
        run,
        [
            {
                "customer": wang,
                "churn_probability": 0.75,
                "churn_low": 0.7,
                "churn_high": 0.8,
                "expected_orders": 0.4,
                "orders_low": 0.0,
                "orders_high": 2.0,
                "next_order_abstained": "order_unlikely",
                "predicted_clv": Decimal("120.50"),
                "clv_low": Decimal(40),
                "clv_high": Decimal(300),
                "clv_12m": Decimal(400),
                "margin_12m": Decimal(150),
                "rfm_group": "loyal",
                "r_score": 4,
                "f_score": 4,
                "m_score": 3,
                "satisfaction": 71.0,
                "satisfaction_low": 60.0,
                "satisfaction_high": 80.0,
                "satisfaction_inferred": 0.4,
                "reasons": {
                    "churn": [
                        {
                            "code": "days_since_last_order", "value": 12, "typical": 30,
                            "direction": "up",
                        },
                        {"code": "own_usual_gap", "value": 12, "typical": 30},
                    ],
                    "clv": [
                        {"code": "order_count", "value": 3, "typical": 2, "direction": "down"},
                        {"code": "average_order_value", "value": 30, "typical": 20},
                    ],
                    "satisfaction": [
                        {"code": code, "value": 0.5, "typical": 0.5}
                        for code in ("rating", "delivery_delay", "return_share", "no_answer_yet")
                    ] + [{"code": "ticket_count", "value": 2, "typical": 0}],
                },
            }
        ],
    )  # fmt: skip
    ScoringRunFactory(as_of_day=now.date(), state="failed", trigger="nightly")
    job = JobFactory(
        kind="customers.import", title="x", state="running", step="Reading the file", done=20,
        total=100, started_at=now - timedelta(seconds=60), heartbeat_at=now - timedelta(minutes=2),
        parameters={"batch": 1, "file": "订单.csv"},
    )  # fmt: skip
    batch = ImportBatchFactory(
        source=source, filename="订单.csv", uploaded_by=staff, job=job, state="finished",
        rows_total=3, rows_created=2, rows_rejected=1,
        audit={
            "lines": 3, "first": "2026-03-02T10:00:00+00:00", "total": "30.00",
            "charges": {"1": {"lines": 1, "amount": "2.00"}},
            "rejected": {"the price is negative": 1, "quantity: empty": 2},
        },
    )  # fmt: skip
    Job.objects.filter(pk=job.pk).update(parameters={"batch": batch.pk, "file": "订单.csv"})
    key = ApiKey.objects.create(
        name="对接", prefix="1", secret_hash="1", scopes=["read"], user=staff
    )
    AuditEntry.objects.create(actor=staff, api_key=key, action="1", object_type="1", object_id="1")
    Group.objects.create(name="客服")
    saved = SavedImportFactory(
        source=source, name="每日订单", folder="/1", pattern="*", is_active=False,
        stopped_reason={
            "code": "header_changed",
            "parameters": {"file": "订单.csv", "came": ["甲"], "went": ["乙"], "moved": ["丙"]},
        },
        problem={"code": "file_unreadable", "parameters": {"file": "订单.csv"}},
        header=["客户"], last_run_at=now, last_outcome="stopped",
    )  # fmt: skip
    for refusal in ("", "header", "unreadable"):
        SavedImportFile.objects.create(
            saved=saved, name="订单.csv", size=9, sha256="1", taken_at=now, refusal=refusal,
            batch=batch if refusal != "unreadable" else None,
        )  # fmt: skip
    for text in ("客户,金额\n王,3\n", "order_id,placed_at,total\n7,2026-03-02,12\n"):
        importing.receive_file(
            file=ContentFile(text.encode()), filename="订单.csv", source_key="1",
            user_id=staff.pk, now=now,
        )  # fmt: skip
    for code, told in ALERTS.items():
        known = {"name": "每日订单", "file": "订单.csv", "error": "坏了"}
        raise_alert(key=code, code=code, parameters={**known, **told}, now=now)
    return SimpleNamespace(customer=wang, twin=twin, job=job, batch=batch)


def pages() -> list[str]:
    """Return the addresses of every page: lists, forms to add, and each list's first row."""
    found = [reverse("admin:index"), reverse("admin:password_change")]
    found += [f"{reverse('admin:index')}{app}/" for app in ("customers", "analytics", "core")]
    for batch in ImportBatch.objects.all():
        found += [
            reverse(f"admin:customers_importbatch_{page}", args=[batch.pk])
            for page in ("check", "undo")
        ]
        found.append(reverse("admin:customers_savedimport_add") + f"?batch={batch.pk}")
    found += customer_pages()
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{name}_changelist"))
        found.append(reverse(f"{name}_changelist") + "?q=1")
        found.append(reverse(f"{name}_add"))
        for row in model._default_manager.all()[:3]:
            found.append(reverse(f"{name}_change", args=[row.pk]))
            found.append(reverse(f"{name}_delete", args=[row.pk]))
            found.append(reverse(f"{name}_history", args=[row.pk]))
    return found


def customer_pages() -> list[str]:
    """Return the addresses of the pages about one customer, and of each way to see the tasks."""
    wang, twin = (Customer.objects.get(external_id=key) for key in ("1001", "1002"))
    note, record = Interaction.objects.get(), MergeRecord.objects.get()
    return [
        reverse("admin:customers_note_add", args=[wang.pk]),
        reverse("admin:customers_note", args=[wang.pk, note.pk]),
        reverse("admin:customers_task_give", args=[wang.pk]),
        reverse("admin:customers_customer_attributes", args=[wang.pk]),
        reverse("admin:customers_compare", args=[wang.pk, twin.pk]),
        reverse("admin:customers_merge", args=[wang.pk, twin.pk]),
        reverse("admin:customers_part", args=[wang.pk, record.pk]),
        reverse("admin:customers_customer_change", args=[record.source_customer_id]),
        *(
            reverse("admin:customers_task_changelist") + f"?show={shown}"
            for shown in ("mine", "overdue", "open", "done")
        ),
    ]


def english_in(text: str) -> list[str]:
    """Return the English words of a text that are neither names nor somebody's data."""
    for name in NAMES:
        text = text.replace(name, " ")
    return re.findall(r"[A-Za-z]{2,}", DATA.sub(" ", text))


def test_every_page_is_chinese(client, staff, shop):
    client.cookies["django_language"] = "zh-hans"
    english, half_width, answered = {}, {}, set()
    login = client.get(reverse("admin:login"))
    client.force_login(staff)

    answers = [(page, client.get(page)) for page in pages()]
    for page, answer in [("login", login), *answers]:
        assert answer.status_code in {200, 302, 403}, page
        if answer.status_code == 200:
            answered.add(page)
            for text in visible(answer):
                if english_in(text):
                    english.setdefault(text, page)
                if HALF_WIDTH.search(text) and "/delete/" not in page:  # Django's own list
                    half_width.setdefault(text, page)

    assert not english, english
    assert half_width == {}
    assert english_in("Huike: Save") == ["Save"]
    assert len(answered) > 50
    for name in ("customer", "order", "product", "importbatch", "source", "shopsettings"):
        assert any(f"/customers/{name}/" in page and "/change/" in page for page in answered), name


def test_the_customers_page_speaks_in_whole_sentences(client, staff, shop):
    client.cookies["django_language"] = "zh-hans"
    client.force_login(staff)

    customer = reverse("admin:customers_customer_change", args=[shop.customer.pk])
    texts = visible(client.get(customer))

    assert "上次下单在 12 天前，通常 30 天后会再次下单：风险升高。" in texts
    assert "70% – 80% · 90 天内" in texts
    assert "没有日期：90 天内下单的概率低于一半。" in texts
    assert "0 – 2 · 90 天内" in texts
    assert "营销授权（电子邮件）：已授权 – 结账时勾选" in texts
    assert "电子邮件：已授权" in texts
    assert "杭州，中国" in texts
    assert "2026年3月2日 18:05" in texts


def test_the_next_order_is_dated_in_chinese(client, staff, shop):
    client.cookies["django_language"] = "zh-hans"
    client.force_login(staff)
    run = ScoringRunFactory(
        state="published", published_at=timezone.now(), as_of_day=date(2026, 12, 1),
        horizon_days=90,
    )  # fmt: skip
    days = {"next_order_from": date(2026, 12, 3), "next_order_until": date(2026, 12, 21)}
    publish_scores(run, [{"customer": shop.customer, **days}])

    customer = reverse("admin:customers_customer_change", args=[shop.customer.pk])
    texts = visible(client.get(customer))

    assert "下一单" in texts
    assert "12月3日–21日" in texts
    assert "如果会再次下单，概率为一半" in texts


def test_a_list_is_headed_by_what_it_lists(client, staff, shop):
    client.cookies["django_language"] = "zh-hans"
    client.force_login(staff)

    texts = visible(client.get(reverse("admin:customers_order_changelist")))

    assert "订单" in texts
    assert not [text for text in texts if "订单数" in text]


def test_a_running_job_is_told_in_chinese(client, staff, shop):
    client.cookies["django_language"] = "zh-hans"
    client.force_login(staff)

    address = reverse("admin:core_job_live", args=[shop.job.pk])

    assert "；若已中断，将由其他进程接手" in client.get(address).json()["words"]
    Job.objects.filter(pk=shop.job.pk).update(heartbeat_at=timezone.now())
    words = client.get(address).json()["words"]
    assert words.startswith("运行中 · 读取文件 · 20 / 100 · 约剩 ")


def test_the_same_page_is_english_for_who_reads_english(client, staff, shop):
    client.cookies["django_language"] = "en"
    client.force_login(staff)

    texts = visible(client.get(reverse("admin:core_job_change", args=[shop.job.pk])))

    assert "Import of 订单.csv" in texts
    assert "Cancel this job" in texts
