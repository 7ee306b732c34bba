"""Jobs on a real worker that is killed with SIGKILL: resumed exactly, or failed by name."""

import pytest
from django.utils import timezone

from crm.core.enums import JobState
from crm.core.models import Job, JobLog
from crm.core.services import jobs
from tests.workers import sweep_until_final, wait_for, wait_until_final

pytestmark = pytest.mark.django_db(transaction=True)


def said(job: Job) -> list[str]:
    return list(JobLog.objects.filter(job=job, level="info").values_list("message", flat=True))


def test_a_killed_workers_job_goes_on_elsewhere_with_exact_counts(start_worker):
    first = start_worker()
    job, _ = jobs.create_job(
        kind="test.count", title="Count", parameters={"numbers": 25, "seconds": 0.1}
    )
    first.hint(job.pk)
    wait_for(lambda: Job.objects.filter(pk=job.pk, done__gte=4).exists())

    first.kill()
    job.refresh_from_db()
    killed_at = job.done
    assert job.state in (JobState.RUNNING, JobState.QUEUED)
    second = start_worker()
    sweep_until_final(job, second.queue)

    assert 4 <= killed_at < 25
    assert (job.state, job.done, job.total) == (JobState.SUCCEEDED, 25, 25)
    assert said(job) == [*(f"number {n}" for n in range(25)), "end succeeded"]


def test_a_job_that_kills_its_worker_each_time_is_failed_by_name(start_worker):
    worker = start_worker()
    job, _ = jobs.create_job(kind="test.kill_worker", title="Kill")

    worker.hint(job.pk)
    sweep_until_final(job, worker.queue)

    assert (job.state, job.attempts, job.done) == (JobState.FAILED, 2, 0)
    assert "stopped answering" in job.error
    assert said(job) == ["end failed"]
    assert worker.is_running


def test_a_chunk_longer_than_the_stale_time_keeps_its_worker(start_worker):
    worker = start_worker()
    job, _ = jobs.create_job(kind="test.long_chunk", title="Long", parameters={"seconds": 4})

    worker.hint(job.pk)
    sweep_until_final(job, worker.queue)

    assert (job.state, job.attempts, job.epoch) == (JobState.SUCCEEDED, 0, 2)


def test_a_running_job_stops_between_two_chunks_when_asked(start_worker):
    worker = start_worker()
    job, _ = jobs.create_job(
        kind="test.count", title="Count", parameters={"numbers": 500, "seconds": 0.05}
    )
    worker.hint(job.pk)
    wait_for(lambda: Job.objects.filter(pk=job.pk, done__gte=2).exists())

    jobs.cancel_job(job_id=job.pk, now=timezone.now())
    wait_until_final(job)

    assert job.state == JobState.CANCELLED
    assert 2 <= job.done < 500
    assert said(job) == [*(f"number {n}" for n in range(job.done)), "end cancelled"]
