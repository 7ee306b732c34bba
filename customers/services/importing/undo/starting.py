"""The undo's job: one transaction, so that it is wholly there or not at all."""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from crm.core.errors import WrongStateError
from crm.core.models import Job
from crm.core.services import jobs
from crm.core.services.audit import record_audit
from customers.enums import ImportState
from customers.errors import UndoRefusedError
from customers.models import ImportBatch, ImportChange, ShopSettings
from customers.selectors.shop import shop_settings
from customers.services.facts.refresh import lock_facts
from customers.services.importing.undo import applying, planning, workset
from customers.services.importing.undo.naming import Refusal
from customers.services.rates import recheck_rates

KIND = "customers.undo_import"


def start_undo(*, batch_id: int, user_id: int | None, now: datetime) -> Job:
    """Create the undo's job, which the caller queues after commit.

    Raises UndoRefusedError, with the rows by name, when they were changed since; WrongStateError
    when the import has not ended or was undone; UndoTooLateError when it is too old.
    """
    with transaction.atomic():
        batch = _locked(batch_id)
        planning.check_undo(batch, now=now)
        if batch.undo_job is not None and not batch.undo_job.is_final:
            raise WrongStateError(_("This import is being undone already."))
        plan = planning.plan_undo(batch)
        if plan.refused:
            raise planning.refusal(plan.refusals, plan.refused)
        job, _created = jobs.create_job(
            kind=KIND,
            title=_("Undo of the import of %(file)s") % {"file": batch.filename},
            parameters={"batch": batch.pk},
            total=sum(one.removed + one.restored + one.returned for one in plan.effects),
            user_id=user_id,
        )
        batch.undo_job = job
        batch.save(update_fields=["undo_job", "updated_at"])
    return job


def run_chunk(run: jobs.JobRun, *, now: datetime) -> bool:
    """Undo the import in one transaction, or raise UndoRefusedError and change nothing."""
    batch_id = run.parameters["batch"]
    if ImportBatch.objects.filter(pk=batch_id, state=ImportState.UNDONE).exists():
        return True
    run.save(step=_("Comparing rows"))
    refusals: Sequence[Refusal] = ()
    try:
        with transaction.atomic():
            batch = _locked(batch_id)
            refusals, refused = _undo(batch, user_id=run.job.created_by_id, now=now)
            if refused:
                raise planning.refusal(refusals, refused)
            recheck_rates(now=now)
            run.save(step=_("Undone"), done=run.job.total or 0)
    except UndoRefusedError as error:
        kept = [one.as_dict() for one in refusals]
        run.save(result={"refusals": kept, "others": error.details.get("others", 0)})
        raise
    except IntegrityError as error:
        raise UndoRefusedError(
            _("Nothing was undone: rows that came since hold on to what this import made.")
        ) from error
    return True


def last_refusals(batch: ImportBatch) -> tuple[list[Refusal], int]:
    """Return what stood in the way of the last attempt, and how many besides."""
    result = batch.undo_job.result if batch.undo_job else {}
    return [Refusal(**one) for one in result.get("refusals", [])], int(result.get("others", 0))


def _locked(batch_id: int) -> ImportBatch:
    ImportBatch.objects.select_for_update().get(pk=batch_id)
    return ImportBatch.objects.select_related("undo_job").get(pk=batch_id)


def _undo(batch: ImportBatch, *, user_id: int | None, now: datetime) -> tuple[list[Refusal], int]:
    """Undo a locked import, or return what stands in the way; the caller then rolls back."""
    planning.check_undo(batch, now=now)
    # First the locks of who writes facts and who brings files in, in this order.
    lock_facts()
    ShopSettings.objects.select_for_update().get(pk=shop_settings().pk)
    with connection.cursor() as cursor:
        fates = workset.make(cursor, batch.pk)
        applying.lock(cursor, fates)
        refusals, refused = planning.find_refusals(cursor, batch.pk, fates)
        if refused:
            return refusals, refused
        applying.apply(cursor, fates)
        workset.drop(cursor)
    ImportChange.objects.filter(batch=batch).delete()
    ImportBatch.objects.filter(pk=batch.pk).update(
        state=ImportState.UNDONE, undone_at=now, keeps_changes=False, updated_at=now
    )
    record_audit(
        actor_id=user_id,
        action="import.undone",
        object_type="customers.importbatch",
        object_id=batch.public_id,
        details={model._meta.label_lower: counts for model, counts in fates.items()},
    )
    return [], 0
