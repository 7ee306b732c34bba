"""Nothing opens without a key, the key's scope and the permission of the person behind it.

Every route of the API and every method is tried by every kind of caller; a route that is missing
from the table fails.
"""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from crm.core.models import ApiKey
from tests.api import api_client, client_with, publish_scores, token_for
from tests.factories import (
    AlertFactory,
    CustomerFactory,
    ExportFactory,
    ImportBatchFactory,
    JobFactory,
    OrderFactory,
    ProductFactory,
    SavedImportFactory,
    ScoringRunFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
VERBS = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}

READ_ONLY = {"GET", "HEAD", "OPTIONS"}
ROUTES = {
    # name: (model, methods that do something)
    "customer-list": ("customers.customer", READ_ONLY),
    "customer-detail": ("customers.customer", READ_ONLY),
    "customer-scores": ("analytics.currentscore", READ_ONLY),
    "order-list": ("customers.order", READ_ONLY),
    "order-detail": ("customers.order", READ_ONLY),
    "product-list": ("customers.product", READ_ONLY),
    "product-detail": ("customers.product", READ_ONLY),
    "import-list": ("customers.importbatch", READ_ONLY | {"POST"}),
    "import-detail": ("customers.importbatch", READ_ONLY),
    "import-error-file": ("customers.importbatch", READ_ONLY),
    "import-start": ("customers.importbatch", {"OPTIONS", "POST"}),
    "import-undo": ("customers.importbatch", {"OPTIONS", "POST"}),
    "saved-import-list": ("customers.savedimport", READ_ONLY),
    "saved-import-detail": ("customers.savedimport", READ_ONLY),
    "saved-import-run": ("customers.savedimport", {"OPTIONS", "POST"}),
    "export-list": ("customers.export", READ_ONLY | {"POST"}),
    "export-detail": ("customers.export", READ_ONLY),
    "export-file": ("customers.export", READ_ONLY),
    "score-list": ("analytics.currentscore", READ_ONLY),
    "scoring-run-list": ("analytics.scoringrun", READ_ONLY | {"POST"}),
    "scoring-run-detail": ("analytics.scoringrun", READ_ONLY),
    "job-list": ("core.job", READ_ONLY),
    "job-detail": ("core.job", READ_ONLY),
    "job-cancel": ("core.job", {"OPTIONS", "POST"}),
    "job-error-file": ("core.job", READ_ONLY),
    "alert-list": ("core.alert", READ_ONLY),
    "alert-detail": ("core.alert", READ_ONLY),
    "schema": (None, READ_ONLY),
}
OTHER_VERBS = {
    ("job-cancel", "POST"): "change",
    ("import-undo", "POST"): "delete",
    ("saved-import-run", "POST"): "change",
}
MORE_NEEDED = {
    "customer-scores": ["view_customer"],
    # Contacts are whole in it.
    "export-file": ["view_customer", "add_export", "view_contact"],
    "import-error-file": ["view_contact"],
}
CASES = [(route, method) for route in ROUTES for method in METHODS]


def api_routes(patterns=None, prefix=""):
    """Return every route below /api/v1/ by name."""
    found: dict[str | None, str] = {}
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        where = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= api_routes(pattern.url_patterns, where)
        elif isinstance(pattern, URLPattern) and where.startswith("api/v1/"):
            found[pattern.name] = where
    return found


@pytest.fixture
def address():
    """Return the address of a route, with a row behind it."""

    def make(route):
        rows = {
            "customer": CustomerFactory,
            "order": OrderFactory,
            "product": ProductFactory,
            "import": ImportBatchFactory,
            "saved-import": SavedImportFactory,
            "export": ExportFactory,
            "scoring-run": ScoringRunFactory,
            "job": JobFactory,
            "alert": AlertFactory,
        }
        if route == "schema":
            return "/api/v1/schema/"
        if route == "score-list":
            return "/api/v1/scores/"
        resource = next(name for name in rows if route.startswith(f"{name}-"))
        row = rows[resource]()
        if route == "customer-scores":
            run = ScoringRunFactory()
            publish_scores(run, [{"customer": row}])
        tail = route.removeprefix(f"{resource}-")
        base = f"/api/v1/{resource}s/"
        if tail == "list":
            return base
        return f"{base}{row.public_id}/" + ("" if tail == "detail" else f"{tail}/")

    return make


def permission_of(route, method):
    model, _methods = ROUTES[route]
    if model is None:
        return None
    app, name = model.split(".")
    verb = OTHER_VERBS.get((route, method), VERBS.get(method, "view"))
    return f"{app}.{verb}_{name}"


def call(client, method, url):
    return client.generic(method, url, data="{}" if method in VERBS else "", content_type="a/b")


def code_of(response):
    return None if response.status_code < 400 or not response.content else response.json()["code"]


def test_the_table_names_every_route():
    assert set(api_routes()) == set(ROUTES)


@pytest.mark.parametrize(("route", "method"), CASES)
def test_without_a_key_nothing_opens(route, method, address):
    response = call(APIClient(), method, address(route))

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="huike"'
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("route", "method"), CASES)
def test_closed_keys_open_nothing(route, method, address):
    user = UserFactory(is_superuser=True)
    url = address(route)
    expired = token_for(user, "read", "write", expires_at=timezone.now() + timedelta(hours=1))
    ApiKey.objects.update(expires_at=timezone.now())
    revoked = token_for(user, "read", "write")
    ApiKey.objects.filter(expires_at=None).update(revoked_at=timezone.now())

    for token, code in ((expired, "expired_api_key"), (revoked, "revoked_api_key")):
        response = call(client_with(token), method, url)
        assert response.status_code == 401
        assert method == "HEAD" or code_of(response) == code


@pytest.mark.parametrize(("route", "method"), CASES)
def test_a_key_of_somebody_without_permissions_opens_nothing(route, method, address):
    response = call(api_client("read", "write", permissions=[]), method, address(route))

    if permission_of(route, method) is None:
        assert response.status_code == (200 if method in READ_ONLY else 405)
        return
    assert response.status_code == 403
    assert method == "HEAD" or code_of(response) == "missing_permission"
    assert method == "HEAD" or permission_of(route, method) in response.json()["detail"]


@pytest.mark.parametrize(("route", "method"), CASES)
def test_a_key_needs_the_scope_of_the_method(route, method, address):
    wrong = "write" if method in READ_ONLY else "read"

    response = call(api_client(wrong), method, address(route))

    assert response.status_code == 403
    assert method == "HEAD" or code_of(response) == "missing_scope"


@pytest.mark.parametrize(("route", "method"), CASES)
def test_scope_and_permission_together_open_what_exists(route, method, address):
    scope = "read" if method in READ_ONLY else "write"
    permission = permission_of(route, method)
    client = api_client(scope, permissions=[permission] if permission else [])
    url = address(route)

    response = call(client, method, url)

    for codename in MORE_NEEDED.get(route, []) if method in ("GET", "HEAD") else []:
        assert response.status_code == 403
        client.user.user_permissions.add(Permission.objects.get(codename=codename))
        response = call(client, method, url)
    if method not in ROUTES[route][1]:
        assert response.status_code == 405
    elif route.endswith("error-file") and method != "OPTIONS":
        assert response.status_code == 404
    elif route == "import-undo" and method == "POST":
        # It reads no body; this import has not run.
        assert response.status_code == 409
    elif route == "saved-import-run" and method == "POST":
        # It reads no body.
        assert response.status_code == 202
    elif route == "export-file" and method != "OPTIONS":
        # It is not written yet.
        assert response.status_code == 409
    elif method == "POST" and route != "job-cancel":
        # It got as far as reading the body, which is of no type the address reads.
        assert response.status_code == 415
    else:
        assert response.status_code == 200


def test_a_person_who_left_takes_the_keys_along():
    client = api_client()
    client.user.is_active = False
    client.user.save()

    response = client.get("/api/v1/customers/")

    assert (response.status_code, code_of(response)) == (401, "inactive_user")


def test_a_session_opens_the_api_to_staff_only(client):
    url = "/api/v1/customers/"
    client.force_login(UserFactory(is_superuser=True, is_staff=False))
    assert client.get(url).status_code == 403

    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    assert client.get(url).status_code == 200


def test_a_session_writes_only_with_the_csrf_token():
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(UserFactory(is_superuser=True, is_staff=True))
    job = JobFactory()

    response = client.post(f"/api/v1/jobs/{job.public_id}/cancel/")

    assert response.status_code == 403
    job.refresh_from_db()
    assert job.cancel_requested_at is None
