"""Tags as words: renamed, made one with another, deleted. Whoever wears them is tagging's."""

from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.core.models import Job
from crm.core.services import jobs
from crm.core.services.audit import record_audit
from crm.core.services.jobs import JobRun
from crm.core.services.views import replace_word
from customers.errors import TagRefusedError
from customers.models import BulkAction, CustomerTag, Tag
from customers.services.tagging import clean_name

KIND = "customers.tag_end"
PART = 5_000
"""So many customers are one chunk; a tag worn by no more goes at once."""
LIST = "customers.customer"
_MOVE = """
    WITH part AS (
        SELECT id FROM customers_customertag WHERE tag_id = %(tag)s ORDER BY id LIMIT %(most)s
    ), gone AS (
        DELETE FROM customers_customertag t USING part WHERE t.id = part.id
        RETURNING t.customer_id, t.added_at, t.added_by_id
    ), kept AS (
        INSERT INTO customers_customertag (customer_id, tag_id, added_at, added_by_id)
        SELECT customer_id, %(into)s, added_at, added_by_id FROM gone WHERE %(into)s IS NOT NULL
        ON CONFLICT (customer_id, tag_id) DO NOTHING
    )
    SELECT count(*) FROM gone
"""


@dataclass(frozen=True)
class TagEnd:
    """What became of a tag that was to end: done at once, or by a job."""

    customers: int
    job: Job | None


def rename_tag(*, tag_id: int, name: str, user_id: int) -> Tag:
    """Give a tag another name; raises TagRefusedError for a name that another tag has."""
    clean = clean_name(name)
    with transaction.atomic():
        tag = _locked(tag_id)
        if tag.name == clean:
            return tag
        if Tag.objects.filter(name__iexact=clean).exclude(pk=tag.pk).exists():
            raise TagRefusedError(_("There is a tag “%(name)s” already.") % {"name": clean})
        before, tag.name = tag.name, clean
        tag.save(update_fields=["name", "updated_at"])
        _record("tag.renamed", tag, user_id, {"before": before, "tag": clean})
    return tag


def merge_tags(*, tag_id: int, into_id: int, user_id: int) -> TagEnd:
    """Make two tags one: whoever wears the first wears the second, and the first is gone.

    Saved views that ask for the first ask for the second.
    """
    if tag_id == into_id:
        raise TagRefusedError(_("A tag cannot become one with itself."))
    with transaction.atomic():
        tag, into = _locked(tag_id), _locked(into_id)
        BulkAction.objects.filter(tag=tag).update(tag=into)
        replace_word(page=LIST, name="tag", before=tag.public_id, after=into.public_id)
        return _end(tag, into, user_id)


def delete_tag(*, tag_id: int, user_id: int) -> TagEnd:
    """Take a tag off everybody and out of the list of tags."""
    with transaction.atomic():
        return _end(_locked(tag_id), None, user_id)


def run_chunk(run: JobRun) -> bool:
    """Move or take off the next part, and delete the tag behind the last; True when it is gone."""
    tag_id, into_id = run.parameters["tag"], run.parameters["into"]
    if into_id is not None and not Tag.objects.filter(pk=into_id).exists():
        raise TagRefusedError(_("There is no such tag."))
    with transaction.atomic():
        moved = _move(tag_id, into_id)
        if not moved and _remove_unworn(tag_id):
            run.save(done=run.job.total or 0, result={"customers": run.job.done})
            return True
        run.save(
            step=gettext_noop("Writing rows"),
            done=run.job.done + moved,
            cursor={"customers": run.job.done + moved},
        )
    return False


def _end(tag: Tag, into: Tag | None, user_id: int) -> TagEnd:
    count = CustomerTag.objects.filter(tag=tag).count()
    details: dict[str, str | int] = {"tag": tag.name, "customers": count}
    if into is None:
        _record("tag.deleted", tag, user_id, details)
    else:
        _record("tag.merged", tag, user_id, {**details, "into": into.name})
    if count <= PART:
        _move(tag.pk, into.pk if into else None)
        tag.delete()
        return TagEnd(count, None)
    job, _created = jobs.create_job(
        kind=KIND,
        title=f"End of the tag {tag.name}",
        parameters={
            "tag": tag.pk,
            "name": tag.name,
            "into": into.pk if into else None,
            "into_name": into.name if into else "",
        },
        key=str(tag.pk),
        total=count,
        user_id=user_id,
    )
    return TagEnd(count, job)


def _move(tag_id: int, into_id: int | None) -> int:
    """Give a part of a tag's customers the other tag, or none; return how many wore it."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, {"tag": tag_id, "into": into_id, "most": PART})
        return int(cursor.fetchone()[0])


def _remove_unworn(tag_id: int) -> bool:
    """Delete a tag nobody wears; return False where somebody put it on in the meantime."""
    tag = Tag.objects.select_for_update().filter(pk=tag_id).first()
    if tag is not None and CustomerTag.objects.filter(tag=tag).exists():
        return False
    if tag is not None:
        tag.delete()
    return True


def _locked(tag_id: int) -> Tag:
    tag = Tag.objects.select_for_update().filter(pk=tag_id).first()
    if tag is None:
        raise TagRefusedError(_("There is no such tag."))
    return tag


def _record(action: str, tag: Tag, user_id: int, details: dict[str, str | int]) -> None:
    record_audit(
        actor_id=user_id,
        action=action,
        object_type="customers.tag",
        object_id=tag.public_id,
        details=details,
    )
