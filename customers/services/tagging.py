"""Put tags on customers and take them off: one by one, or on all that a list has."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from crm.core.enums import JobState
from crm.core.models import Job
from crm.core.selectors.reach import is_limited, reached
from crm.core.services import jobs
from crm.core.services.audit import record_audit
from crm.core.services.jobs import JobRun
from customers.enums import BulkKind, Lifecycle
from customers.errors import BulkRefusedError, TagRefusedError
from customers.models import BulkAction, Customer, CustomerTag, Tag

KIND = "customers.bulk"
PART = 5_000
"""So many customers are one chunk: tens of milliseconds, and a lock nobody notices."""
LONGEST = 48
UNCONFIRMED = timedelta(days=1)
"""What was chosen and not confirmed is forgotten after this."""
NEEDED = {BulkKind.TAG: "customers.add_customertag", BulkKind.UNTAG: "customers.delete_customertag"}
_FREEZE = """
    INSERT INTO customers_bulkpart (action_id, number, ids)
    SELECT %s, part, array_agg(id ORDER BY id) FROM (
        SELECT id, (row_number() OVER (ORDER BY id) - 1) / {size} AS part
        FROM ({rows}) AS listed (id)
    ) numbered GROUP BY part
"""
_TAG = """
    INSERT INTO customers_customertag (customer_id, tag_id, added_by_id)
    SELECT c.id, %(tag)s, %(user)s FROM customers_customer c
    WHERE c.id = ANY(%(ids)s) AND c.lifecycle = 'active'
    ON CONFLICT (customer_id, tag_id) DO NOTHING
"""
_UNTAG = """
    DELETE FROM customers_customertag WHERE tag_id = %(tag)s AND customer_id = ANY(%(ids)s)
"""


def tag_customer(*, customer_id: int, name: str, user_id: int | None) -> Tag:
    """Put a tag on a customer; a new word becomes a tag. Nothing happens to who has it."""
    with transaction.atomic():
        customer = Customer.objects.select_for_update(of=("self",)).get(pk=customer_id)
        if customer.lifecycle != Lifecycle.ACTIVE:
            raise TagRefusedError(_("%(name)s was merged or erased.") % {"name": customer})
        tag = _named(name)
        _row, is_new = CustomerTag.objects.get_or_create(
            customer=customer, tag=tag, defaults={"added_by_id": user_id}
        )
        if is_new:
            _record("customer.tagged", customer, tag, user_id)
    return tag


def untag_customer(*, customer_id: int, tag_id: int, user_id: int | None) -> None:
    """Take a tag off a customer; nothing happens to who does not have it."""
    with transaction.atomic():
        rows = CustomerTag.objects.filter(customer_id=customer_id, tag_id=tag_id)
        row = rows.select_related("tag", "customer").first()
        if row is not None:
            row.delete()
            _record("customer.untagged", row.customer, row.tag, user_id)


def freeze_audience(
    *, kind: BulkKind, rows: QuerySet[Any], filters: Mapping[str, Any], user_id: int | None
) -> BulkAction:
    """Store whom a bulk action is about: the active customers ``rows`` has now, by one statement.

    What the same person chose before and did not confirm is forgotten.
    """
    with transaction.atomic():
        BulkAction.objects.filter(created_by_id=user_id, job=None, changed=None).delete()
        action = BulkAction.objects.create(kind=kind, filters=dict(filters), created_by_id=user_id)
        listed = rows.filter(lifecycle=Lifecycle.ACTIVE).order_by().values("pk").distinct()
        try:
            statement, values = listed.query.sql_with_params()
        except EmptyResultSet:
            statement, values = "SELECT NULL::bigint WHERE false", ()
        with connection.cursor() as cursor:
            cursor.execute(_FREEZE.format(size=PART, rows=statement), [action.pk, *values])
            cursor.execute(
                "SELECT coalesce(sum(cardinality(ids)), 0) FROM customers_bulkpart"
                " WHERE action_id = %s",
                [action.pk],
            )
            action.people = int(cursor.fetchone()[0])
        action.save(update_fields=["people", "updated_at"])
        action.refresh_from_db(fields=["public_id"])
    return action


def forget_unconfirmed(*, now: datetime, limit: int) -> int:
    """Remove what was chosen more than a day ago and never confirmed; return how many."""
    old = BulkAction.objects.filter(job=None, changed=None, created_at__lt=now - UNCONFIRMED)
    ids = list(old.order_by("pk").values_list("pk", flat=True)[:limit])
    with transaction.atomic():
        # Who confirms at this moment holds the row: it has a job then, and stays.
        rows = BulkAction.objects.select_for_update(skip_locked=True, of=("self",))
        found = list(rows.filter(pk__in=ids, job=None, changed=None).values_list("pk", flat=True))
        BulkAction.objects.filter(pk__in=found).delete()
    return len(found)


def start_bulk(*, action_id: int, name: str, user_id: int) -> Job:
    """Start a bulk action with this tag; the caller queues its job.

    Raises BulkRefusedError when it is somebody else's, is started already, or is about nobody.
    """
    with transaction.atomic():
        rows = BulkAction.objects.select_for_update(of=("self",))
        action = rows.filter(pk=action_id, created_by_id=user_id).first()
        if action is None or action.job_id or action.changed is not None:
            raise BulkRefusedError(_("This was started already, or chosen anew since."))
        if not action.people:
            raise BulkRefusedError(_("There is no active customer among these."))
        action.tag = _named(name) if action.kind == BulkKind.TAG else _known(name)
        action.tag_name = action.tag.name
        action.job, _is_new = jobs.create_job(
            kind=KIND,
            title=f"{action.kind} {action.people} customers: {action.tag_name}",
            parameters={
                "action": action.pk,
                "kind": str(action.kind),
                "people": action.people,
                "tag": action.tag_name,
                "tag_id": action.tag.public_id,
            },
            total=action.people,
            user_id=user_id,
        )
        action.save(update_fields=["tag", "tag_name", "job", "updated_at"])
    return action.job


def run_chunk(run: JobRun) -> bool:
    """Tag or untag the next part; return True after the last.

    A part and the place behind it are one transaction, and tagging twice is tagging once: after a
    killed worker the next one goes on where the last commit ended.
    """
    action = BulkAction.objects.select_related("created_by", "tag").get(pk=run.parameters["action"])
    user = action.created_by
    if user is None or not user.is_active or not user.has_perm(NEEDED[BulkKind(action.kind)]):
        raise BulkRefusedError(_("Who asked for this may not do it any more."))
    if action.tag is None:
        raise BulkRefusedError(_("This tag was deleted since."))
    at = run.cursor.get("part", 0)
    with transaction.atomic():
        part = action.parts.filter(number=at).first()
        if part is None:
            _finish(run, action)
            return True
        with connection.cursor() as cursor:
            cursor.execute(
                _TAG if action.kind == BulkKind.TAG else _UNTAG,
                {"tag": action.tag_id, "user": user.pk, "ids": _there_for(user, part.ids)},
            )
            changed = run.cursor.get("changed", 0) + cursor.rowcount
        run.save(
            step=gettext_noop("Writing rows"),
            done=run.job.done + len(part.ids),
            cursor={"part": at + 1, "changed": changed},
        )
    return False


def _there_for(user: Any, ids: Sequence[int]) -> list[int]:
    """Return who of the chosen is there for who asked, by the rights of now."""
    if not is_limited(user):
        return [*ids]
    rows = reached(Customer.objects.order_by("pk").filter(pk__in=ids), user)
    return [*rows.values_list("pk", flat=True)]


def on_end(job: Job) -> None:
    """Say in the audit what became of it, and forget whom it was about."""
    action = BulkAction.objects.filter(pk=job.parameters["action"]).first()
    if action is None:
        return
    changed = job.cursor.get("changed", 0)
    BulkAction.objects.filter(pk=action.pk).update(changed=changed)
    action.parts.all().delete()
    record_audit(
        actor_id=action.created_by_id,
        action=f"customers.bulk_{action.kind}",
        object_type="customers.bulkaction",
        object_id=action.public_id,
        details={
            "tag": action.tag_name,
            "customers": action.people,
            "changed": changed,
            "filters": action.filters,
            "state": JobState(job.state).value,
        },
    )


def _finish(run: JobRun, action: BulkAction) -> None:
    changed = run.cursor.get("changed", 0)
    result = {"customers": action.people, "changed": changed, "unchanged": action.people - changed}
    words = ngettext(
        "%(people)s customer was chosen: %(changed)s changed, %(unchanged)s stayed as they were.",
        "%(people)s customers were chosen: %(changed)s changed, %(unchanged)s stayed as they were.",
        action.people,
    )
    shown = {key: number_format(value, force_grouping=True) for key, value in result.items()}
    run.say(words % {**shown, "people": shown["customers"]})
    run.save(step=gettext_noop("Finished"), done=action.people, result=result)


def clean_name(name: str) -> str:
    """Return a tag's name without superfluous blanks; raises TagRefusedError for what is none."""
    clean = " ".join(name.replace("\0", "").split())
    if not clean or len(clean) > LONGEST:
        raise TagRefusedError(
            _("A tag is a word or two, of %(count)d characters at most.") % {"count": LONGEST}
        )
    return clean


def _named(name: str) -> Tag:
    """Return the tag of this name, however it is written; a new one where there is none."""
    clean = clean_name(name)
    # Of two people who make one word a tag at the same moment, both get the same.
    Tag.objects.bulk_create([Tag(name=clean)], ignore_conflicts=True)
    return Tag.objects.get(name__iexact=clean)


def _known(name: str) -> Tag:
    tag = Tag.objects.filter(name__iexact=name.strip()).first()
    if tag is None:
        raise TagRefusedError(_("There is no such tag."))
    return tag


def _record(action: str, customer: Customer, tag: Tag, user_id: int | None) -> None:
    record_audit(
        actor_id=user_id,
        action=action,
        object_type="customer",
        object_id=customer.public_id,
        details={"tag": tag.name},
    )
