"""Jobs are read by people of both languages, and written once."""

import pytest
from django.utils.translation import gettext, gettext_noop, override

from crm.core.enums import JobState
from crm.core.errors import DomainError
from crm.core.models import Job
from crm.core.registry import JobHandler, registry
from crm.core.services import jobs
from tests.factories import NOON, JobFactory, ShopSettingsFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kind():
    """Let a test say what a chunk of work does."""
    made = []

    def register(run_chunk) -> str:
        registry.job_handlers.register(JobHandler("test.words", "Words", run_chunk))
        made.append("test.words")
        return "test.words"

    yield register
    for key in made:
        registry.job_handlers.unregister(key)


def test_a_step_is_shown_in_the_readers_language(kind):
    def chunk(run):
        run.save(step=gettext_noop("Reading the file"))
        return False

    job, _created = jobs.create_job(kind=kind(chunk), title="Words")
    jobs.run_job(job_id=job.pk, worker="here:1", now=job.due_at, seconds=0)
    job.refresh_from_db()

    assert job.step == "Reading the file"
    with override("zh-hans"):
        assert job.step_words == "读取文件"
    with override("en"):
        assert job.step_words == "Reading the file"


def test_no_step_has_no_words():
    with override("zh-hans"):
        assert JobFactory().step_words == ""


@pytest.mark.parametrize(
    ("language", "line", "error"),
    [
        ("zh-hans", "任务会自动继续。", "没有这个任务。"),
        ("en", "The job goes on by itself.", "There is no such job."),
    ],
)
def test_what_a_worker_writes_is_in_the_language_of_who_started_it(kind, language, line, error):
    def chunk(run):
        run.say(gettext("The job goes on by itself."))
        raise DomainError(gettext("There is no such job."))

    with override(language):
        job, _created = jobs.create_job(kind=kind(chunk), title="Words")
    with override("en"):  # the worker's own
        jobs.run_job(job_id=job.pk, worker="here:1", now=job.due_at, seconds=0)
    job.refresh_from_db()

    assert (job.language, job.state, job.error) == (language, JobState.FAILED, error)
    assert [entry.message for entry in job.log.all()] == [line]


def test_a_lost_worker_is_told_of_in_the_language_of_who_started_the_job(kind):
    with override("zh-hans"):
        job, _created = jobs.create_job(kind=kind(lambda run: True), title="Words")
    Job.objects.filter(pk=job.pk).update(state="running", heartbeat_at=NOON, worker="here:1")

    jobs.requeue_abandoned(now=job.due_at)

    assert [entry.message for entry in job.log.all()] == [
        "处理进程 here:1 没有响应。任务会自动继续。"
    ]


@pytest.mark.parametrize(
    ("kind", "parameters", "english", "chinese"),
    [
        ("customers.import", {"batch": 1, "file": "a.csv"}, "Import of a.csv", "导入 a.csv"),
        ("customers.import", {"batch": 1}, "Stored", "Stored"),
        (
            "customers.recount_shop",
            {"zone": "Asia/Shanghai", "currency": "CNY"},
            "Days and amounts in Asia/Shanghai and CNY",
            "按 Asia/Shanghai、CNY 重算日期和金额",
        ),
        (
            "analytics.score",
            {"as_of_day": "2026-03-02"},
            "Scores as of 2 Mar 2026",
            "截至 2026年3月2日的评分",
        ),
    ],
)
def test_a_title_is_worded_when_it_is_shown(kind, parameters, english, chinese):
    ShopSettingsFactory()
    job = JobFactory(kind=kind, title="Stored", parameters=parameters)

    for language, words in (("en", english), ("zh-hans", chinese)):
        with override(language):
            assert str(job) == words


def test_a_title_without_parameters_is_a_phrase_of_the_catalogue():
    job = JobFactory(kind="customers.rebuild_facts", title="Rebuild of the customer facts")

    with override("zh-hans"):
        assert job.title_words == "重新计算客户数据汇总"
