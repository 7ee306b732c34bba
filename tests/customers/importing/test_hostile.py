"""Whatever is uploaded: refused in words, or each row told its fate; never half, never broken."""

import csv
import io
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from crm.core.errors import DomainError
from crm.core.models import Job
from customers.enums import ImportState
from customers.models import Customer, ImportBatch, ImportRow, Order
from customers.services import importing
from customers.services.importing.huike import KINDS
from tests.api import api_client
from tests.customers.importing import files
from tests.customers.importing.hostile import FAILED, HEADER, READ, REFUSED, table
from tests.customers.importing.test_translated import SHOPIFY
from tests.customers.importing.undoing import whole_record
from tests.factories import ShopSettingsFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shop():
    return ShopSettingsFactory(zone="Pacific/Kiritimati")


@pytest.fixture
def record():
    """The record with somebody in it, who must stay as they are."""
    files.bring(HEADER, "1,Somebody,Else,", source="other")
    return whole_record()


def receive(content, name="customers.csv"):
    return importing.receive_file(
        file=content if isinstance(content, File) else ContentFile(content),
        filename=name,
        source_key="shop",
        user_id=None,
        now=timezone.now(),
    )


def run(batch, **more):
    importing.begin_import(batch_id=batch.pk, user_id=None, **more)
    batch.refresh_from_db()
    files.finish(batch)
    assert batch.job.is_final
    return batch


def balanced(batch):
    """Return a finished import's rows by reason, after looking at its books."""
    total, *parts = files.fates(batch)
    assert (batch.state, batch.error, total) == (ImportState.FINISHED, "", sum(parts))
    reasons = Counter(row["reason"] for row in files.rejects(batch)) if parts[-1] else Counter()
    assert sum(reasons.values()) == parts[-1]
    assert all(reasons)
    assert not ImportRow.objects.exists()
    return reasons


def stored():
    media = Path(settings.MEDIA_ROOT)
    return [path for path in media.rglob("*") if path.is_file()] if media.exists() else []


def assert_nothing_is_stored():
    assert not ImportBatch.objects.exists()
    assert not Job.objects.exists()
    assert stored() == []


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_at_once_with_what_to_do_and_nothing_is_stored(name):
    content, says = REFUSED[name]

    with pytest.raises(DomainError) as refusal:
        importing.start_import(
            file=ContentFile(content), filename="customers.csv", source_key="shop",
            user_id=None, now=timezone.now(),
        )  # fmt: skip

    assert says in str(refusal.value)
    assert_nothing_is_stored()


@pytest.mark.parametrize("name", FAILED)
def test_what_cannot_be_read_to_its_end_changes_nothing(name, record):
    content, says = FAILED[name]

    batch = receive(content)

    for is_trial in (True, False):
        run(batch, dry_run=is_trial)
        assert batch.state == ImportState.FAILED
        assert says in batch.error
        assert not ImportRow.objects.exists()
        assert whole_record() == record


@pytest.mark.parametrize("name", READ)
def test_each_row_is_told_its_fate_and_a_dry_run_tells_the_same(name, record):
    content, (total, created, rejected), reasons = READ[name]

    batch = run(receive(content), dry_run=True)
    assert (batch.state, batch.error) == (ImportState.CHECKED, "")
    assert whole_record() == record
    trial = dict(batch.trial["rows"])
    run(batch)

    assert balanced(batch) == reasons
    assert files.fates(batch) == (total, created, 0, 0, rejected)
    assert trial == {name: getattr(batch, name) for name in trial}
    assert Customer.objects.filter(source__key="shop").count() == created
    assert {key: text for key, text in whole_record().items() if key in record} == record
    assert files.rebuild_drift() == 0


def test_ids_are_what_can_be_seen_and_other_text_stays_as_it_is():
    run(receive(READ["signs nobody sees"][0]))
    run(receive(READ["bytes in Parquet"][0]))

    held = Customer.objects.filter(source__key="shop").order_by("pk")

    assert [one.external_id for one in held] == ["1", "2", "3"]
    assert [one.name for one in held] == ["Zoé", "��", "a"]


# What stands in a column of whatever type, and may be right in some.
NASTY = [
    *("=1+1", "=cmd|' /C calc'!A0", "-1", "+1", "@x", "'=1", "x" * 200, "x" * 60_000, "9" * 50),
    *("1e308", "1e-400", "-1e308", "1E+2", "NaN", "-nan", "inf", "-Infinity", "sNaN", "1,5", "-0"),
    *("0000-00-00", "0000-01-01", "9999-12-31", "9999-12-31 23:59:59-12:00", "2026-02-31"),
    *(
        "0001-01-01T00:00:00+14:00",
        "2026-01-01T10:00+23:59",
        "2026-01-01T10:00+24:00",
        "31.02.2026",
    ),
    *("2026-W01-1", "2026-01-01T10:00:60", "31/02/2026 10:00", "01/01/0001 00:00"),
    *("\u202e2026", "\u0663\u0664", "\u00bd", "0x10", "1_000", "\x1b[31m", "'", '"', "\\", "\\N"),
    *("{}", "null", "#REF!", "####", "\ufffe", "\U0010ffff", "*", "<script>", "a@b", "a@\u0660.de"),
    *("+99999999999999999999", "2147483648", "-2147483649", "99999999999.99995", "../x", "a\nb\tc"),
    *("true", "given", "sms", "csat", "closed", "cancelled", "discount", "usd", "EUR", "paid"),
]
KEYS = {"order_id": "1", "line_id": "1", "sku": "A", "customer_id": "1"}
RIGHT = {
    **KEYS, "placed_at": "2026-01-01", "total": "5", "quantity": "1", "unit_price": "2",
    "category_id": "1", "name": "N", "refund_id": "1", "amount": "1", "refunded_at": "2026-01-01",
    "review_id": "1", "written_at": "2026-01-01", "answer_id": "1", "metric": "csat", "value": "3",
    "answered_at": "2026-01-01", "ticket_id": "1", "subject": "S", "opened_at": "2026-01-01",
    "channel": "sms", "action": "given", "at": "2026-01-01", "evidence": "E",
}  # fmt: skip


def harmed(right, own):
    """Return rows of which each has one nasty cell, and those in ``own`` numbered anew."""
    rows, number = [], 0
    for column in right:
        for cell in NASTY:
            number += 1
            row = {name: f"n{number}" if name in own else text for name, text in right.items()}
            rows.append([*{**row, column: cell}.values()])
    text = io.StringIO()
    csv.writer(text).writerows([right, *rows])
    return text.getvalue().encode(), len(rows)


def show_everything(staff_client):
    """Read the record as pages do: what the database took, Python must be able to hold."""
    list(Customer.objects.all())
    list(Order.objects.all())
    for name in ("customer", "order"):
        url = reverse(f"admin:customers_{name}_changelist")
        assert staff_client.get(url, {"all": ""}).status_code == 200


@pytest.mark.parametrize("format", KINDS)
def test_a_wrong_cell_in_any_column_of_any_kind_rejects_no_more_than_its_row(format, staff_client):
    files.bring("customer_id,name", "1,Ann")
    files.bring("order_id,customer_id,placed_at,total", "1,1,2025-12-31,500000")
    kind = KINDS[format]
    right = {name: RIGHT.get(name, "") for name in kind.columns}
    content, rows = harmed(right, {kind.key or "evidence"})

    batch = run(receive(content))

    assert batch.format == format
    assert balanced(batch)
    assert batch.rows_total == rows
    assert batch.rows_created > rows / 10
    assert files.rebuild_drift() == 0
    show_everything(staff_client)


ONLINE_RETAIL = {
    "InvoiceNo": "1", "StockCode": "A", "Description": "Cup", "Quantity": "1",
    "InvoiceDate": "2011-01-05 10:00", "UnitPrice": "2.00", "CustomerID": "7", "Country": "France",
}  # fmt: skip
SHOPIFY_ORDERS = dict(zip(SHOPIFY[0].split(","), SHOPIFY[1].split(","), strict=True))


@pytest.mark.parametrize(("right", "own"), [(ONLINE_RETAIL, "InvoiceNo"), (SHOPIFY_ORDERS, "Name")])
def test_a_wrong_cell_in_any_column_of_a_known_file_rejects_no_more_than_its_row(
    right, own, staff_client
):
    content, rows = harmed(right, {own})

    batch = run(receive(content))

    assert balanced(batch)
    assert batch.rows_total == rows
    assert batch.rows_created > rows / 10
    assert files.rebuild_drift() == 0
    show_everything(staff_client)


def long_line(path):
    with path.open("wb") as file:
        file.write(table("1,a,b,"))
        file.write(b"2,")
        for _piece in range(60):
            file.write(b"x" * 1_000_000)


def long_row(path):
    with path.open("wb") as file:
        file.write(table("1,a,b,"))
        file.write(b'2,"')
        file.write(b"x\n" * 20_000_000)


@pytest.mark.parametrize(
    ("write", "says"), [(long_line, "one row on"), (long_row, "quotation mark")]
)
def test_a_file_without_an_end_of_line_is_refused_in_little_memory(write, says, tmp_path, record):
    write(tmp_path / "long.csv")

    tracemalloc.start()
    try:
        with (tmp_path / "long.csv").open("rb") as content, pytest.raises(DomainError) as refusal:
            run_to_end(receive(File(content)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert says in str(refusal.value)
    assert peak < 25_000_000
    assert whole_record() == record


def run_to_end(batch):
    run(batch)
    raise DomainError(batch.error)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("𠀀" * 200 + ".csv", ""),
        ("a." + "x" * 200, ""),
        ("x" * 400 + ".csv", "x" * 255),
        ("a\udcff\0.csv", "a?.csv"),
        ("../../etc/passwd", "passwd"),
        ("a/b\\c:d\n?.csv", "b\\c:d\n?.csv"),
        (".", "file"),
        ("", "file"),
    ],
)
def test_no_name_of_a_file_keeps_it_out_or_leads_anywhere(name, told):
    batch = run(receive(table("1,Ann,Bath,"), name=name))

    assert batch.state == ImportState.FINISHED
    assert batch.filename == told or not told
    assert Path(batch.file.path).parent.parent.parent == Path(settings.MEDIA_ROOT) / "imports"
    assert stored() == [Path(batch.file.path)]


OVER_THE_WEB = ["binary junk", "half a workbook", "zip bomb", "301 columns", "two encodings"]


@pytest.mark.parametrize("name", OVER_THE_WEB)
@pytest.mark.parametrize("hold", ["true", "false"])
def test_over_rest_a_refusal_is_a_problem_in_words(name, hold):
    content, says = REFUSED[name]
    body = {"file": SimpleUploadedFile("a.csv", content), "source": "shop", "hold": hold}

    answer = api_client("read", "write").post("/api/v1/imports/", body, format="multipart")

    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["code"] == "unreadable_file"
    assert says in answer.json()["detail"]
    assert_nothing_is_stored()


@pytest.mark.parametrize("name", OVER_THE_WEB)
def test_in_the_admin_a_refusal_is_the_forms_error(name, staff_client):
    content, says = REFUSED[name]
    body = {"file": SimpleUploadedFile("a.csv", content), "source": "shop"}

    page = staff_client.post(reverse("admin:customers_importbatch_add"), body)

    assert page.status_code == 200
    assert says in str(page.context["form"].errors)
    assert_nothing_is_stored()


@pytest.mark.parametrize("name", [*FAILED, "formulas", "signs nobody sees", "ragged rows"])
def test_the_check_of_any_file_is_a_page(name, staff_client):
    body = {"file": SimpleUploadedFile("a.csv", {**READ, **FAILED}[name][0]), "source": "shop"}

    page = staff_client.post(reverse("admin:customers_importbatch_add"), body, follow=True)

    assert page.status_code == 200
    assert (name in FAILED) == any(says in page.content.decode() for _, says in FAILED.values())


@pytest.mark.parametrize("cells", ["=1+1,\x1b[31m", "\x01,\u202e", '"<script>","{{ x }}"'])
def test_an_unknown_header_of_strange_signs_can_be_mapped(cells, staff_client):
    content = table(*[cells] * 3, header=cells)
    body = {"file": SimpleUploadedFile("a.csv", content), "source": "shop"}

    page = staff_client.post(reverse("admin:customers_importbatch_add"), body, follow=True)

    assert page.status_code == 200
    assert "Which column is which" in page.content.decode()
    assert "<script>&quot;" not in page.content.decode()
