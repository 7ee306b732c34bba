"""The OpenAPI document and the page that shows it."""

import re
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command

from tests.api import api_client
from tests.factories import (
    CustomerFactory,
    JobFactory,
    OrderFactory,
    ProductFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
PAGE = "/api/docs/"
GENERATED = "manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"


@pytest.fixture
def document():
    text = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=text)
    return text.getvalue()


def test_the_committed_document_is_current(document):
    committed = Path(settings.BASE_DIR, "docs", "openapi.yaml").read_text(encoding="utf-8")

    assert yaml.safe_load(committed) == yaml.safe_load(document), GENERATED


def test_every_operation_is_described_and_may_answer_with_a_problem(document):
    operations = [
        (path, method, operation)
        for path, methods in yaml.safe_load(document)["paths"].items()
        for method, operation in methods.items()
    ]

    assert len(operations) >= 16
    for path, method, operation in operations:
        assert operation["summary"], (path, method)
        assert "application/problem+json" in operation["responses"]["default"]["content"]
        assert operation["security"] == [{"apiKey": []}, {"cookieAuth": []}], (path, method)


def test_lists_are_described_as_they_are(document):
    schema = yaml.safe_load(document)
    parameters = {
        parameter["name"]: parameter["schema"]
        for parameter in schema["paths"]["/api/v1/jobs/"]["get"]["parameters"]
    }
    page = schema["components"]["schemas"]["PaginatedJobList"]

    assert (parameters["limit"]["minimum"], parameters["limit"]["maximum"]) == (1, 200)
    assert parameters["ordering"]["enum"] == ["id", "-id"]
    body = api_client().get("/api/v1/jobs/").json()
    assert set(body) == set(page["properties"]) == set(page["required"])


def test_answers_match_the_document(document):
    schemas = yaml.safe_load(document)["components"]["schemas"]
    client = api_client()
    for name, resource, factory in (
        ("Customer", "customers", CustomerFactory),
        ("OrderDetail", "orders", OrderFactory),
        ("Product", "products", ProductFactory),
        ("JobDetail", "jobs", JobFactory),
    ):
        body = client.get(f"/api/v1/{resource}/{factory().public_id}/").json()
        assert set(schemas[name]["required"]) <= set(body) <= set(schemas[name]["properties"])


def test_a_key_may_read_the_document():
    response = api_client(permissions=[]).get("/api/v1/schema/?format=json")

    assert response.status_code == 200
    assert b"openapi: 3.1.0" in response.content


def test_the_page_is_for_staff(client):
    assert client.get(PAGE).status_code == 302
    client.force_login(UserFactory())
    assert client.get(PAGE).status_code == 302


def test_the_page_loads_nothing_foreign_and_runs_no_inline_script(client):
    client.force_login(UserFactory(is_staff=True))

    page = client.get(PAGE)
    html = page.content.decode()
    script = client.get(PAGE + "?script=")

    addresses = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert len(addresses) >= 5
    assert [address for address in addresses if not address.startswith("/")] == []
    for address in addresses:
        if address.startswith("/static/"):
            assert finders.find(address.removeprefix("/static/")), address
    assert re.search(r"<script(?![^>]*\bsrc=)[^>]*>", html) is None
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert "unsafe-eval" not in page["Content-Security-Policy"]
    assert script["Content-Type"].startswith("application/javascript")
    assert "http" not in re.sub(r'"type === "http"|=== "http"', "", script.content.decode())
    assert '"validatorUrl": null' in script.content.decode()
