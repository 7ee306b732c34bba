"""Every refusal is a problem document that says what to do."""

import pytest
from django.urls import path
from rest_framework.test import APIClient
from rest_framework.views import APIView

from crm import urls
from crm.core.errors import DomainError, NotFoundError, WrongStateError
from tests.api import api_client, token_for
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


class BrokenView(APIView):
    permission_classes = ()
    authentication_classes = ()
    error: Exception = ValueError("the password is hunter2")

    def get(self, request):
        raise self.error


urlpatterns = [
    path("broken/", BrokenView.as_view()),
    path("missing/", BrokenView.as_view(error=NotFoundError("Nothing there."))),
    path("state/", BrokenView.as_view(error=WrongStateError("It has ended."))),
    path("rule/", BrokenView.as_view(error=DomainError("The rule says no."))),
    *urls.urlpatterns,
]


def problem_of(response, status):
    """Check what all problems have in common and return the document."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["type"] == f"urn:huike:problem:{body['code']}"
    assert body["detail"]
    assert len(body["request_id"]) == 36
    return body


@pytest.mark.parametrize(
    ("address", "status", "code", "detail"),
    [
        ("/missing/", 404, "not_found", "Nothing there."),
        ("/state/", 409, "wrong_state", "It has ended."),
        ("/rule/", 422, "rule_broken", "The rule says no."),
    ],
)
@pytest.mark.urls("tests.core.api.test_problems")
def test_a_domain_error_keeps_its_status_code_and_message(address, status, code, detail):
    body = problem_of(APIClient().get(address), status)

    assert (body["code"], body["detail"]) == (code, detail)


@pytest.mark.urls("tests.core.api.test_problems")
def test_an_error_of_ours_is_logged_and_tells_nothing(caplog):
    body = problem_of(APIClient(raise_request_exception=False).get("/broken/"), 500)

    assert body["code"] == "internal_error"
    assert "hunter2" not in str(body)
    assert "hunter2" in caplog.text


@pytest.mark.parametrize(
    "address", ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v1/customers", "/api/v2/customers/"]
)
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_an_unknown_address_is_a_problem_for_anyone(address, method):
    body = problem_of(getattr(APIClient(), method)(address), 404)

    assert body["code"] == "not_found"
    assert "/api/v1/schema/" in body["detail"]


def test_a_wrong_method_names_the_right_ones():
    response = api_client("write").delete("/api/v1/products/")

    body = problem_of(response, 405)
    assert body["code"] == "method_not_allowed"
    assert body["detail"] == "DELETE does not work here. Use one of: GET, HEAD, OPTIONS."
    assert response["Allow"] == "GET, HEAD, OPTIONS"


def test_another_content_type_is_refused():
    response = api_client("write").post("/api/v1/imports/", data="a,b", content_type="text/csv")

    assert problem_of(response, 415)["code"] == "unsupported_media_type"


def test_another_answer_type_is_refused():
    response = api_client().get("/api/v1/customers/", headers={"Accept": "text/html"})

    assert problem_of(response, 406)["code"] == "not_acceptable"


@pytest.mark.parametrize(
    "text", ["{", '{"as_of_day": NaN}', "[" * 100_000, b'"\xff"'], ids=["cut", "nan", "deep", "utf"]
)
def test_a_body_that_cannot_be_read_is_refused(text):
    response = api_client("write").post(
        "/api/v1/scoring-runs/", data=text, content_type="application/json"
    )

    assert problem_of(response, 400)["code"] == "parse_error"


def test_a_wrong_field_is_pointed_at():
    response = api_client("write").post("/api/v1/scoring-runs/", {"as_of_day": "soon"})

    body = problem_of(response, 400)
    assert body["code"] == "invalid"
    assert [(error["pointer"], error["code"]) for error in body["errors"]] == [
        ("/as_of_day", "invalid")
    ]


def test_a_wrong_parameter_is_pointed_at():
    body = problem_of(api_client().get("/api/v1/customers/?limit=0&nmae=x"), 400)

    assert [error["pointer"] for error in body["errors"]] == ["?nmae"]
    body = problem_of(api_client().get("/api/v1/customers/?limit=0"), 400)
    assert body["errors"] == [
        {"pointer": "?limit", "code": "invalid", "detail": "Give a whole number from 1 to 200."}
    ]


def test_a_body_that_is_too_large_is_not_read(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

    response = api_client("write").post("/api/v1/scoring-runs/", {"as_of_day": "2026-03-02"})

    assert problem_of(response, 413)["code"] == "payload_too_large"


def test_details_follow_the_callers_language():
    client = api_client()

    response = client.get("/api/v1/customers/", {"limit": "x"}, headers={"Accept-Language": "en"})

    assert response.json()["errors"][0]["detail"] == "Give a whole number from 1 to 200."


@pytest.mark.parametrize(
    "header", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer hk_x", "Bearer hk_000000000000_" + "a" * 43]
)
def test_a_key_nobody_knows_is_refused(header):
    response = APIClient(headers={"Authorization": header}).get("/api/v1/customers/")

    assert problem_of(response, 401)["code"] == "invalid_api_key"
    assert response["WWW-Authenticate"] == 'Bearer realm="huike"'


def test_a_right_prefix_does_not_open_with_a_wrong_secret():
    token = token_for(UserFactory(is_superuser=True), "read")
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")

    response = APIClient(headers={"Authorization": f"Bearer {wrong}"}).get("/api/v1/customers/")

    assert problem_of(response, 401)["code"] == "invalid_api_key"
