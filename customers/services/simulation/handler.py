"""The simulation as a job: blocks of customers, then their facts."""

import time
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from crm.core.enums import FINAL_JOB_STATES
from crm.core.models import Job
from crm.core.services import jobs
from crm.core.services.audit import record_audit
from crm.core.services.jobs import JobRun
from customers.errors import SimulationRefusedError
from customers.selectors.shop import shop_settings
from customers.services.facts import refresh_pending
from customers.services.simulation import counts
from customers.services.simulation.opening import check, open_shop
from customers.services.simulation.world import COHORT, Plan, World
from customers.services.simulation.writing import write_cohorts

KIND = "customers.simulate"
BLOCK = 5
"""Cohorts to a transaction."""
ANALYZED = (
    "customers_customer, customers_order, customers_orderline, customers_refund,"
    " customers_review, customers_surveyresponse, customers_ticket, customers_factsmark"
)


def start_simulation(
    *, customers: int, seed: int, user_id: int | None, now: datetime, years: float = 2.0
) -> Job:
    """Create the job of a shop that ends today, which the caller queues after commit.

    Raises SimulationRefusedError where other customers are, or where one is being made.
    """
    shop = shop_settings()
    today = now.astimezone(ZoneInfo(shop.zone)).date()
    plan = Plan.in_currency(
        shop.currency, customers=customers, seed=seed, years=years, until=today, zone=shop.zone
    )
    with transaction.atomic():
        # Two clicks must not make two shops.
        type(shop).objects.select_for_update().get(pk=shop.pk)
        filling = Job.objects.filter(kind__in=(KIND, "customers.load_sample"))
        if filling.exclude(state__in=FINAL_JOB_STATES).exists():
            raise SimulationRefusedError(_("A shop is being simulated at this moment."))
        check(plan=plan, today=today)
        job, _created = jobs.create_job(
            kind=KIND,
            title=_("Simulation of a shop of %(count)d customers") % {"count": customers},
            parameters={"plan": plan.to_dict()},
            total=customers,
            user_id=user_id,
        )
        record_audit(
            actor_id=user_id,
            action="shop.simulated",
            object_type="core.job",
            object_id=job.public_id,
            details=plan.to_dict(),
        )
    return job


def run_chunk(run: JobRun, *, now: datetime) -> bool:
    """Write blocks for some seconds, then bring the facts up to date; return True at the end."""
    plan = Plan.from_dict(run.parameters["plan"])
    deadline = time.monotonic() + settings.JOB_CHUNK_SECONDS / 2
    if run.cursor.get("phase") == "facts":
        return _compute_facts(run, now=now, seconds=settings.JOB_CHUNK_SECONDS / 2)
    world = World(plan)
    source, products = open_shop(world=world)
    while run.cursor.get("phase") != "facts":
        first = run.cursor.get("next", 0)
        with transaction.atomic():
            after = first + BLOCK
            block = range(first, min(after, world.cohorts))
            written = write_cohorts(
                world=world, source=source, products=products, cohorts=map(world.cohort, block)
            )
            done = min(after * COHORT, plan.customers)
            is_last = after >= world.cohorts
            run.save(
                done=done,
                total=plan.customers,
                cursor={"phase": "facts"} if is_last else {"phase": "write", "next": after},
                result=counts.add(run.job.result, written),
                step=_("Writing customers and orders"),
            )
        if run.is_cancelled() or time.monotonic() > deadline:
            return False
    return False


def _compute_facts(run: JobRun, *, now: datetime, seconds: float) -> bool:
    turn = run.cursor.get("turn", 0)
    if turn == 0:
        analyze()
    goes_on = refresh_pending(now=now, seconds=seconds)
    run.save(cursor={"phase": "facts", "turn": turn + 1}, step=_("Computing customer facts"))
    return not goes_on


def analyze() -> None:
    """Tell the planner how large the tables have become."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {ANALYZED}")
