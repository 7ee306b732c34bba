"""A call's work is done once, however often the call arrives."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from crm.core.models import IdempotencyRecord
from crm.core.services import idempotency
from crm.core.services.idempotency import CallInProgressError, KeyReusedError
from tests.factories import NOON, UserFactory

DAY = timedelta(hours=24)
pytestmark = pytest.mark.django_db


def claim(user, key="k", fingerprint="f", now=NOON):
    return idempotency.claim_call(user_id=user.pk, key=key, fingerprint=fingerprint, now=now)


def answer(made, body="done"):
    idempotency.store_answer(
        claim=made, status_code=202, body={"is": body}, headers={"Location": "/there/"}
    )


def test_the_stored_answer_is_returned():
    person = UserFactory()
    answer(claim(person))

    again = claim(person)

    assert again.answer == idempotency.StoredAnswer(202, {"is": "done"}, {"Location": "/there/"})


def test_another_call_under_the_same_key_is_refused():
    person = UserFactory()
    answer(claim(person))

    with pytest.raises(KeyReusedError) as refusal:
        claim(person, fingerprint="other")

    assert (refusal.value.status, refusal.value.code) == (422, "idempotency_key_reused")
    assert IdempotencyRecord.objects.get().fingerprint == "f"


def test_a_call_in_progress_is_not_started_again():
    person = UserFactory()
    claim(person)

    with pytest.raises(CallInProgressError) as refusal:
        claim(person)

    assert (refusal.value.status, refusal.value.code) == (409, "call_in_progress")


def test_keys_belong_to_the_person_who_sent_them():
    answer(claim(UserFactory()))

    assert claim(UserFactory()).answer is None


def test_after_a_day_a_key_may_be_used_anew():
    person = UserFactory()
    answer(claim(person))

    assert claim(person, now=NOON + DAY - timedelta(seconds=1)).answer is not None
    fresh = claim(person, fingerprint="other", now=NOON + DAY)

    assert fresh.answer is None
    assert IdempotencyRecord.objects.get().created_at == NOON + DAY


def test_a_released_call_may_be_corrected_and_sent_again():
    person = UserFactory()
    idempotency.release_call(claim=claim(person))

    assert claim(person, fingerprint="corrected").answer is None


def test_a_dead_processes_claim_is_taken_over_and_its_late_answer_refused():
    person = UserFactory()
    lost = claim(person)
    with pytest.raises(CallInProgressError):
        claim(person, now=NOON + timedelta(minutes=14))

    taken = claim(person, now=NOON + timedelta(minutes=15))

    with pytest.raises(CallInProgressError):
        answer(lost, "late")
    idempotency.release_call(claim=lost)
    answer(taken, "second")
    assert IdempotencyRecord.objects.get().body == {"is": "second"}


def test_answers_are_removed_after_a_day():
    person = UserFactory()
    for number in range(3):
        answer(claim(person, key=f"old-{number}"))
    answer(claim(person, key="young", now=NOON + timedelta(hours=12)))

    claim(person, key="new", now=NOON + DAY + timedelta(seconds=1))

    assert sorted(IdempotencyRecord.objects.values_list("key", flat=True)) == ["new", "young"]


@pytest.mark.django_db(transaction=True)
def test_of_many_callers_at_once_one_does_the_work():
    person = UserFactory()
    start = threading.Barrier(8)
    claims, refusals = [], []

    def call():
        start.wait()
        try:
            claims.append(claim(person))
        except CallInProgressError as error:
            refusals.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(claims), len(refusals)) == (1, 7)
    assert IdempotencyRecord.objects.count() == 1
