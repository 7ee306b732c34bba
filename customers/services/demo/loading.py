"""The sample as a job: another shop's orders, made-up people, their facts, their scores.

What other jobs do, they do here too: the import and the scoring run are jobs of their own, which
this one makes and lends its worker to. So each goes on where it was when a worker is lost.
"""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.core.enums import FINAL_JOB_STATES, JobState
from crm.core.models import Job
from crm.core.registry import registry
from crm.core.services import jobs
from crm.core.services.audit import record_audit
from crm.core.services.jobs import JobRun
from customers.enums import ImportState
from customers.errors import SampleRefusedError
from customers.models import Customer, ImportBatch, Order, ShopSettings, Source
from customers.selectors.sample import KEY, has_sample_customers, has_sample_file, sample_path
from customers.selectors.shop import shop_settings
from customers.services.demo.orders import shift_sample
from customers.services.demo.profiles import simulate_some_profiles
from customers.services.facts import refresh_pending
from customers.services.importing import start_import

KIND = "customers.load_sample"
BESIDE = (KIND, "customers.simulate")
"""Work that fills an empty shop: one at a time."""
SCORING = "analytics.score"
WAIT_SECONDS = 0.5
ENDED_BADLY = (ImportState.FAILED, ImportState.CANCELLED, ImportState.UNDONE)


def start_sample(*, user_id: int | None, now: datetime) -> Job:
    """Create the job that loads the sample, which the caller queues after commit.

    Where it was loaded before, the job finds everything done. Raises SampleRefusedError where the
    file is missing, where other customers are, or where a shop is being filled at this moment.
    """
    if not has_sample_file():
        raise SampleRefusedError(
            _("The sample's file is not on this server: %(path)s.") % {"path": sample_path()}
        )
    shop = shop_settings()
    with transaction.atomic():
        # Two clicks must not load it twice.
        ShopSettings.objects.select_for_update().get(pk=shop.pk)
        if Job.objects.filter(kind__in=BESIDE).exclude(state__in=FINAL_JOB_STATES).exists():
            raise SampleRefusedError(_("This shop is being filled at this moment: wait for it."))
        if not has_sample_customers() and Customer.objects.exists():
            raise SampleRefusedError(
                _(
                    "This shop has customers already. The sample's would be counted among them: "
                    "load it into an empty shop."
                )
            )
        job, _created = jobs.create_job(
            kind=KIND,
            title=gettext_noop("Orders of another shop, to look around with"),
            total=100,
            user_id=user_id,
        )
        record_audit(
            actor_id=user_id,
            action="shop.sample_loaded",
            object_type="core.job",
            object_id=job.public_id,
            details={"source": KEY},
        )
    return job


def run_chunk(run: JobRun, *, now: datetime) -> bool:
    """Do some of the step in hand; return True after the last. What is done stays as it is."""
    names = [*STEPS]
    name = run.cursor.get("step", names[0])
    words, start, end, work = STEPS[name]
    if run.job.step != words:
        run.save(step=words, done=start)
    if not work(run, now):
        return False
    if name != names[-1]:
        run.save(cursor={"step": names[names.index(name) + 1]}, done=end)
        return False
    found = {
        "customers": Customer.objects.active().filter(source__key=KEY).count(),
        "orders": Order.objects.filter(source__key=KEY).count(),
    }
    run.save(done=end, result=found, step=gettext_noop("Finished"))
    return True


def on_end(job: Job, *, now: datetime) -> None:
    """Stop the import or the scoring run of a job that was stopped itself."""
    lent = Job.objects.filter(pk=(job.cursor or {}).get("job", 0)).first()
    if job.state != JobState.SUCCEEDED and lent is not None and not lent.is_final:
        jobs.cancel_job(job_id=lent.pk, now=now)


def _bring_orders(run: JobRun, now: datetime) -> bool:
    """Import the orders, once."""
    job_id = run.cursor.get("job")
    if job_id is None:
        batch = _batch()
        if batch is not None and batch.state == ImportState.FINISHED:
            return True
        job_id = batch.job_id if batch is not None else _start_import(run, now)
    return _lend(run, int(job_id or 0), now)


def _batch() -> ImportBatch | None:
    """Return the import of the sample that has ended well or goes on."""
    rows = ImportBatch.objects.filter(source__key=KEY, job__isnull=False)
    return rows.exclude(state__in=ENDED_BADLY).order_by("pk").first()


def _start_import(run: JobRun, now: datetime) -> int:
    """Move the orders to the present, by whole weeks, and hand them to an import."""
    if not has_sample_file():
        raise SampleRefusedError(
            _("The sample's file is not on this server: %(path)s.") % {"path": sample_path()}
        )
    local = now.astimezone(ZoneInfo(shop_settings().zone)).replace(tzinfo=None)
    with TemporaryDirectory() as folder:
        target = Path(folder) / sample_path().name
        weeks = shift_sample(sample=sample_path(), target=target, now=local)
        with target.open("rb") as content, transaction.atomic():
            Source.objects.get_or_create(key=KEY, defaults={"name": "Online Retail"})
            batch = start_import(
                file=File(content),
                filename=target.name,
                source_key=KEY,
                user_id=run.job.created_by_id,
                now=now,
            )
            ShopSettings.objects.filter(pk=1).update(is_demo=True, demo_note=str(weeks))
            run.save(cursor={**run.cursor, "job": batch.job_id})
    return int(batch.job_id or 0)


def _make_people_up(run: JobRun, now: datetime) -> bool:
    """Give the next customers a made-up profile."""
    with transaction.atomic():
        source = Source.objects.get(key=KEY)
        made = simulate_some_profiles(source_id=source.pk, now=now)
        count = Customer.objects.active().filter(source=source).count()
        left = count - run.cursor.get("made", 0) - made
        share = 1 - max(0, left) / max(1, count)
        _words, start, end, _work = STEPS["people"]
        run.save(
            cursor={**run.cursor, "made": run.cursor.get("made", 0) + made},
            done=start + int((end - start) * share),
        )
    return made == 0


def _count_facts(run: JobRun, now: datetime) -> bool:
    """Bring the facts of those who were marked up to date."""
    return not refresh_pending(now=now, seconds=settings.JOB_CHUNK_SECONDS / 2, wait=True)


def _score(run: JobRun, now: datetime) -> bool:
    """Have everybody scored, once for this import."""
    batch = _batch()
    if SCORING not in registry.job_handlers or batch is None:
        return True
    job_id = run.cursor.get("job")
    if job_id is None:
        with transaction.atomic():
            tried = Job.objects.filter(kind=SCORING, key__startswith=f"{batch.public_id}:")
            failed = tried.filter(state__in=[JobState.FAILED, JobState.CANCELLED]).count()
            job, _created = jobs.create_job(
                kind=SCORING,
                title=gettext_noop("First scores of the demonstration"),
                parameters={"trigger": "manual"},
                key=f"{batch.public_id}:{failed}",
                user_id=run.job.created_by_id,
            )
            run.save(cursor={**run.cursor, "job": job.pk})
            job_id = job.pk
    return _lend(run, job_id, now)


def _lend(run: JobRun, job_id: int, now: datetime) -> bool:
    """Lend this worker to another job for a while; return whether that has ended well.

    Where another worker holds it there is nothing to do but to look on.
    """
    jobs.run_job(
        job_id=job_id,
        worker=jobs.worker_name(),
        now=now,
        seconds=settings.JOB_CHUNK_SECONDS / 2,
    )
    lent = Job.objects.get(pk=job_id)
    _words, start, end, _work = STEPS[run.cursor.get("step", FIRST)]
    run.save(done=start + int((end - start) * (lent.percent or 0) / 100))
    if lent.state == JobState.SUCCEEDED:
        return True
    if lent.is_final:
        raise SampleRefusedError(
            _("%(job)s: %(state)s. %(error)s")
            % {"job": lent.title_words, "state": lent.get_state_display(), "error": lent.error}
        )
    if lent.state == JobState.RUNNING or lent.due_at > now:
        time.sleep(WAIT_SECONDS)
    return False


Work = Callable[[JobRun, datetime], bool]
FIRST = "orders"
STEPS: dict[str, tuple[str, int, int, Work]] = {
    FIRST: (gettext_noop("Bringing the orders in"), 0, 60, _bring_orders),
    "facts": (gettext_noop("Computing customer facts"), 60, 65, _count_facts),
    "people": (gettext_noop("Making people up"), 65, 75, _make_people_up),
    "facts_again": (gettext_noop("Computing customer facts"), 75, 80, _count_facts),
    "scores": (gettext_noop("Scoring customers"), 80, 100, _score),
}
"""Each step's words, where it begins and ends on the way to 100, and its work."""
