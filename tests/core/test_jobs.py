"""The life of a job: who holds it, how it ends, what staff are told."""

import threading
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from crm.core import tasks
from crm.core.enums import JobState
from crm.core.errors import JobLostError, NotFoundError, WrongStateError
from crm.core.models import Job, JobLog
from crm.core.registry import JobHandler, registry
from crm.core.services import jobs, retention
from crm.core.services.heartbeat import heartbeat
from tests.factories import NOON, JobFactory

MINUTE = timedelta(minutes=1)


@pytest.fixture
def handler():
    """Register handlers for one test."""
    keys = []

    def register(run_chunk, key="test.work", **values):
        registry.job_handlers.register(
            JobHandler(key=key, label="Work", run_chunk=run_chunk, **values)
        )
        keys.append(key)

    yield register
    for key in keys:
        registry.job_handlers.unregister(key)


def run(job, seconds=10.0):
    goes_on = jobs.run_job(job_id=job.pk, worker="here:1", now=timezone.now(), seconds=seconds)
    job.refresh_from_db()
    return goes_on


@transaction.atomic
def write_a_chunk(held):
    held.say("half a chunk")
    held.save(done=5)


def log_of(job):
    return list(JobLog.objects.filter(job=job).values_list("message", flat=True))


@pytest.mark.django_db
def test_a_key_exists_once_per_kind(handler):
    handler(lambda run: True)

    first, made = jobs.create_job(kind="test.work", title="One", key="2026-03-02")
    second, made_again = jobs.create_job(kind="test.work", title="Two", key="2026-03-02")

    assert (made, made_again) == (True, False)
    assert (first.pk, second.title) == (second.pk, "One")


@pytest.mark.django_db
def test_work_nobody_knows_is_refused_and_an_orphan_is_failed_by_name():
    with pytest.raises(NotFoundError):
        jobs.create_job(kind="test.unknown", title="Unknown")
    assert not Job.objects.exists()

    orphan = JobFactory(kind="test.removed")
    assert run(orphan) is False
    assert orphan.state == JobState.FAILED
    assert orphan.error == "There is no work of the kind “test.removed”."


@pytest.mark.django_db
def test_a_job_runs_to_its_end_and_tells_its_handler_once(handler):
    told = []

    def chunk(held):
        done = held.cursor.get("done", 0)
        if done == 3:
            return True
        with transaction.atomic():
            held.save(done=done + 1, total=3, cursor={"done": done + 1})
        return False

    handler(chunk, on_end=lambda job: told.append((job.state, job.done)))
    job = JobFactory()

    assert run(job) is False
    assert run(job) is False  # a doubled hint finds nothing to do

    assert (job.state, job.done, job.percent, job.epoch) == (JobState.SUCCEEDED, 3, 100, 2)
    assert told == [("succeeded", 3)]


@pytest.mark.django_db
def test_a_slice_gives_the_job_back_when_its_time_is_over(handler):
    handler(lambda held: False)
    job = JobFactory()

    assert run(job, seconds=0) is True

    assert (job.state, job.worker, job.finished_at) == (JobState.QUEUED, "", None)


@pytest.mark.django_db
def test_an_internal_error_tells_staff_its_name_and_no_data(handler):
    def chunk(held):
        raise ValueError("Key (email)=(ann@example.com) already exists.")

    handler(chunk)
    job = JobFactory()
    run(job)

    assert job.state == JobState.FAILED
    assert job.error == (
        "It stopped because of an internal error (ValueError). The server's log has the details."
    )


@pytest.mark.django_db
def test_a_lost_connection_is_tried_again_and_not_for_ever(handler, settings):
    settings.JOB_MAX_ATTEMPTS = 3

    def chunk(held):
        raise OperationalError("server closed the connection")

    handler(chunk)
    job = JobFactory()
    run(job)
    assert (job.state, job.attempts) == (JobState.QUEUED, 1)
    assert job.due_at > timezone.now() + timedelta(seconds=3)

    for _attempt in range(2):
        Job.objects.filter(pk=job.pk).update(due_at=NOON)
        run(job)

    assert (job.state, job.attempts) == (JobState.FAILED, 3)
    assert job.error == (
        "The database interrupted the work (OperationalError). That was attempt 3 of 3 at the "
        "same place; the job is not tried again by itself."
    )


@pytest.mark.django_db
def test_getting_ahead_forgives_earlier_deaths(handler):
    handler(lambda held: held.save(step="still here") or held.save(done=1) or True)
    job = JobFactory(attempts=4)
    run(job)
    assert (job.state, job.attempts) == (JobState.SUCCEEDED, 0)


@pytest.mark.django_db
def test_an_end_its_handler_cannot_take_fails_the_job_and_is_told_once(handler):
    told = []

    def end(job):
        told.append(job.state)
        raise KeyError("ann@example.com")

    handler(lambda held: True, on_end=end)
    job = JobFactory()
    run(job)

    assert told == [JobState.SUCCEEDED]
    assert job.state == JobState.FAILED
    assert job.error == "Its last step failed (KeyError). The server's log has the details."


@pytest.mark.django_db
def test_the_end_and_the_handlers_rows_are_one_transaction(handler):
    def end(job):
        JobLog.objects.create(job=job, message="half")
        raise OperationalError("gone")

    handler(lambda held: True, on_end=end)
    job = JobFactory()
    run(job)

    assert job.state == JobState.QUEUED  # ended later, as a whole
    assert "half" not in log_of(job)


@pytest.mark.django_db
def test_cancel_ends_a_queued_job_at_once_and_refuses_an_ended_one(handler):
    told = []
    handler(lambda held: True, on_end=lambda job: told.append(job.state))
    job = JobFactory()

    cancelled = jobs.cancel_job(job_id=job.pk, now=NOON)
    with pytest.raises(WrongStateError):
        jobs.cancel_job(job_id=job.pk, now=NOON)
    with pytest.raises(NotFoundError):
        jobs.cancel_job(job_id=0, now=NOON)

    assert (cancelled.state, cancelled.finished_at) == (JobState.CANCELLED, NOON)
    assert told == [JobState.CANCELLED]


@pytest.mark.django_db
def test_a_silent_worker_loses_its_job_and_the_fenced_off_chunk_writes_nothing(handler):
    handler(lambda held: True)
    job = JobFactory(due_at=NOON)
    lost = jobs.claim_job(job_id=job.pk, worker="old:1", now=NOON)

    assert jobs.requeue_abandoned(now=NOON + timedelta(seconds=20)) == ([], [])
    assert jobs.requeue_abandoned(now=NOON + MINUTE) == ([job.pk], [])
    with pytest.raises(JobLostError):
        write_a_chunk(lost)
    with pytest.raises(JobLostError):
        jobs.finish_job(run=lost, state=JobState.SUCCEEDED, now=NOON)
    assert jobs.release_job(run=lost, now=NOON) is False

    job.refresh_from_db()
    assert (job.state, job.done, job.attempts) == (JobState.QUEUED, 0, 1)
    assert log_of(job) == ["Worker old:1 stopped answering. The job goes on by itself."]


@pytest.mark.django_db
def test_a_dead_workers_job_that_was_to_stop_is_cancelled(handler):
    handler(lambda held: True)
    job = JobFactory(due_at=NOON)
    jobs.claim_job(job_id=job.pk, worker="old:1", now=NOON)
    jobs.cancel_job(job_id=job.pk, now=NOON)

    assert jobs.requeue_abandoned(now=NOON + MINUTE) == ([], [job.pk])

    job.refresh_from_db()
    assert job.state == JobState.CANCELLED


@pytest.mark.django_db
def test_hints_do_not_pile_up(handler):
    fresh = JobFactory(due_at=NOON)
    JobFactory(due_at=NOON + MINUTE)

    assert jobs.take_hints(now=NOON + timedelta(seconds=2)) == []
    assert jobs.take_hints(now=NOON + timedelta(seconds=6)) == [fresh.pk]
    assert jobs.take_hints(now=NOON + timedelta(seconds=21)) == []
    assert fresh.pk in jobs.take_hints(now=NOON + timedelta(seconds=67))


@pytest.mark.django_db
def test_progress_inside_a_chunk_is_written_at_most_once_a_second(
    handler, django_assert_num_queries
):
    job = JobFactory()
    held = jobs.claim_job(job_id=job.pk, worker="here:1", now=timezone.now())

    with django_assert_num_queries(1):
        for done in range(1, 200):
            held.report(done=done)

    job.refresh_from_db()
    assert job.done == 1


@pytest.mark.django_db(transaction=True)
def test_a_new_error_file_replaces_the_former_one():
    job = JobFactory()
    held = jobs.claim_job(job_id=job.pk, worker="here:1", now=timezone.now())
    held.attach_errors("errors.csv", ContentFile(b"old"))
    former = held.job.error_file.path
    held.attach_errors("errors.csv", ContentFile(b"new"))

    job.refresh_from_db()
    assert job.error_file.read() == b"new"
    assert not job.error_file.storage.exists(former)


@pytest.mark.django_db
def test_finished_jobs_go_after_ninety_days_with_their_files():
    old = JobFactory(state="succeeded", finished_at=NOON - timedelta(days=91))
    old.error_file.save("errors.csv", ContentFile(b"row"))
    path, storage = old.error_file.name, old.error_file.storage
    young = JobFactory(state="failed", finished_at=NOON - timedelta(days=89))
    waiting = JobFactory(due_at=NOON - timedelta(days=400))

    assert retention.prune_jobs(now=NOON) == 1
    assert retention.prune_jobs(now=NOON) == 0

    assert set(Job.objects.values_list("pk", flat=True)) == {young.pk, waiting.pk}
    assert not storage.exists(path)


@pytest.mark.django_db(transaction=True)
def test_of_two_claims_one_wins():
    job = JobFactory()
    barrier = threading.Barrier(2)
    claims = []

    def claim(name):
        try:
            barrier.wait()
            claims.append(jobs.claim_job(job_id=job.pk, worker=name, now=timezone.now()))
        finally:
            connection.close()

    threads = [threading.Thread(target=claim, args=(f"host:{n}",)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)

    won = [held for held in claims if held is not None]
    assert (len(claims), len(won)) == (2, 1)
    job.refresh_from_db()
    assert (job.worker, job.epoch) == (won[0].job.worker, 1)


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_survives_a_lost_connection(settings):
    settings.JOB_HEARTBEAT_SECONDS = 0.1
    job = JobFactory(due_at=NOON)
    held = jobs.claim_job(job_id=job.pk, worker="here:1", now=NOON)
    stopped = threading.Event()

    with heartbeat(held.job.pk, held.epoch):
        with connection.cursor() as cursor:  # as a restarted server does to every session
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        stopped.wait(0.5)
        Job.objects.filter(pk=job.pk).update(heartbeat_at=NOON)
        stopped.wait(0.5)

    assert Job.objects.filter(pk=job.pk, heartbeat_at__gt=NOON).exists()


@pytest.mark.django_db(transaction=True)
def test_the_sweep_hints_through_the_broker(handler, monkeypatch):
    handler(lambda held: True)
    job = JobFactory(due_at=NOON)
    sent = []
    monkeypatch.setattr(
        tasks.run_job, "apply_async", lambda arguments, **options: sent.append(arguments)
    )

    tasks.sweep_jobs()
    tasks.sweep_jobs()

    assert sent == [(job.pk,)]
