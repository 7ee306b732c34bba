"""The Idempotency-Key header."""

import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import path
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.core.api.idempotency import answer_once
from crm.core.api.permissions import SignedInPermission
from crm.core.errors import DomainError
from crm.core.models import AuditEntry, IdempotencyRecord
from crm.core.services.audit import record_audit
from tests.api import api_client, client_with, token_for
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.core.api.test_idempotency")]


class WorkView(APIView):
    permission_classes = [SignedInPermission]
    parser_classes = [JSONParser, MultiPartParser]

    def post(self, request):
        return answer_once(request, lambda: self.work(request))

    def work(self, request):
        record_audit(actor_id=request.user.pk, action="work", object_type="", object_id="")
        if request.data.get("fail") == "rule":
            raise DomainError("Not this one.")
        if request.data.get("fail"):
            raise ValueError
        number = AuditEntry.objects.filter(action="work").count()
        return Response({"number": number}, status=202, headers={"Location": f"/work/{number}/"})


urlpatterns = [path("work/", WorkView.as_view())]


def done():
    return AuditEntry.objects.filter(action="work").count()


def test_without_a_key_every_call_works():
    client = api_client("write")

    assert [client.post("/work/", {}).json()["number"] for _call in range(2)] == [1, 2]
    assert not IdempotencyRecord.objects.exists()


def test_the_same_call_gets_the_same_answer_and_starts_nothing():
    client = api_client("write")
    headers = {"Idempotency-Key": "a 1"}

    first = client.post("/work/", {"a": 1, "b": [2]}, headers=headers)
    second = client.post("/work/", {"b": [2], "a": 1}, headers=headers)

    assert (first.status_code, first.json(), first["Location"]) == (
        202,
        {"number": 1},
        "/work/1/",
    )
    assert (second.status_code, second.json(), second["Location"]) == (
        202,
        {"number": 1},
        "/work/1/",
    )
    assert not first.has_header("Idempotent-Replayed")
    assert second["Idempotent-Replayed"] == "true"
    assert done() == 1


def test_another_body_under_the_same_key_is_refused():
    client = api_client("write")
    headers = {"Idempotency-Key": "a"}
    client.post("/work/", {"a": 1}, headers=headers)

    response = client.post("/work/", {"a": 2}, headers=headers)

    assert response.status_code == 422
    assert response.json()["code"] == "idempotency_key_reused"
    assert done() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"file": ("a.csv", b"1,2\n4"), "source": "shop"},
        {"file": ("b.csv", b"1,2\n3"), "source": "shop"},
        {"file": ("a.csv", b"1,2\n3"), "source": "till"},
    ],
    ids=["bytes", "name", "field"],
)
def test_an_uploaded_file_is_part_of_the_call(other):
    def upload(file, source):
        body = {"file": SimpleUploadedFile(*file), "source": source}
        return client.post("/work/", body, format="multipart", headers={"Idempotency-Key": "a"})

    client = api_client("write")
    same = {"file": ("a.csv", b"1,2\n3"), "source": "shop"}

    assert upload(**same).status_code == 202
    assert upload(**same)["Idempotent-Replayed"] == "true"
    assert upload(**other).status_code == 422
    assert done() == 1


def test_a_refused_call_leaves_nothing_and_may_be_corrected():
    client = api_client("write", raise_request_exception=False)
    headers = {"Idempotency-Key": "a"}

    assert client.post("/work/", {"fail": "rule"}, headers=headers).status_code == 422
    assert client.post("/work/", {"fail": "crash"}, headers=headers).status_code == 500
    assert done() == 0
    assert not IdempotencyRecord.objects.exists()
    assert client.post("/work/", {}, headers=headers).json() == {"number": 1}


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_a_key_that_is_no_key_is_refused(key):
    response = api_client("write").post("/work/", {}, headers={"Idempotency-Key": key})

    assert response.status_code == 400
    assert done() == 0


@pytest.mark.django_db(transaction=True)
def test_of_many_equal_calls_at_once_one_works():
    token = token_for(UserFactory(is_superuser=True), "write")
    start = threading.Barrier(6)
    answers = []

    def call():
        client = client_with(token)
        start.wait()
        response = client.post("/work/", {"a": 1}, headers={"Idempotency-Key": "a"})
        answers.append(response.status_code)
        connection.close()

    threads = [threading.Thread(target=call) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert done() == 1
    assert set(answers) <= {202, 409}
    assert 202 in answers
    assert IdempotencyRecord.objects.get().state == "done"
