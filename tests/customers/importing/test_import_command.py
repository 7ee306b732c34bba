"""``manage.py import_file``: what may be said of a file on the command line."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from customers.models import ImportBatch, Order
from tests.customers.importing import files
from tests.factories import ShopSettingsFactory

pytestmark = pytest.mark.django_db
COLUMNS = {"order_id": "No", "placed_at": "Day", "total": "Sum"}


@pytest.fixture
def orders(tmp_path):
    ShopSettingsFactory()
    file = tmp_path / "orders.csv"
    file.write_text("No,Day,Sum\nB1,2026-01-02,10\nB2,2026-01-03,x\n")
    return file


def bring(file, **more):
    said = StringIO()
    call_command("import_file", str(file), source="shop", stdout=said, **more)
    return said.getvalue()


def test_a_mapping_and_options_are_read_from_files(orders, tmp_path):
    mapping, options = tmp_path / "mapping.json", tmp_path / "options.json"
    mapping.write_text(json.dumps({"kind": "orders", "columns": COLUMNS}))
    options.write_text(json.dumps({"keep": ["country"]}))
    bring(orders, mapping=mapping, options=options)
    batch = files.finish(ImportBatch.objects.get())
    assert files.fates(batch) == (2, 1, 0, 0, 1)
    assert batch.options["keep"] == ["country"]


def test_a_dry_run_changes_nothing(orders, tmp_path):
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"kind": "orders", "columns": COLUMNS}))
    bring(orders, mapping=mapping, dry_run=True)
    batch = files.finish(ImportBatch.objects.get())
    assert batch.trial["rows"]["rows_created"] == 1
    assert not Order.objects.exists()


@pytest.mark.parametrize(("text", "says"), [("{", "no JSON"), ("[]", "one object")])
def test_what_is_no_mapping_is_refused(orders, tmp_path, text, says):
    mapping = tmp_path / "mapping.json"
    mapping.write_text(text)
    with pytest.raises(CommandError, match=says):
        bring(orders, mapping=mapping)
    assert not ImportBatch.objects.exists()
