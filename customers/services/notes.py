"""What staff write down about a customer."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from crm.core.services.audit import record_audit
from customers.enums import InteractionKind
from customers.errors import InvalidNoteError, NotOwnNoteError
from customers.models import Interaction
from customers.services.profiles import locked_profile

LONGEST = 4000


def add_note(*, customer_id: int, text: str, user_id: int, now: datetime) -> Interaction:
    """Write a note; raises InvalidNoteError for one that says nothing, or too much."""
    words = _clean(text)
    with transaction.atomic():
        customer = locked_profile(customer_id)
        note = Interaction.objects.create(
            customer=customer,
            kind=InteractionKind.NOTE,
            at=now,
            text=words,
            author_id=user_id,
        )
        note.refresh_from_db(fields=["public_id"])
        _record("note.added", note, user_id)
    return note


def edit_note(*, note_id: int, text: str, user_id: int, now: datetime) -> Interaction:
    """Put other words into one's own note; raises NotOwnNoteError for somebody else's."""
    words = _clean(text)
    with transaction.atomic():
        note = _own(note_id, user_id)
        if note.text != words:
            note.text, note.edited_at = words, now
            note.save(update_fields=["text", "edited_at"])
            _record("note.edited", note, user_id)
    return note


def delete_note(*, note_id: int, user_id: int, now: datetime) -> None:
    """Take one's own note back: its words go for good, an empty row stays for merges to find."""
    with transaction.atomic():
        note = _own(note_id, user_id)
        note.text, note.deleted_at = "", now
        note.save(update_fields=["text", "deleted_at"])
        _record("note.deleted", note, user_id)


def _own(note_id: int, user_id: int) -> Interaction:
    note = Interaction.objects.notes().select_for_update(of=("self",)).get(pk=note_id)
    if note.author_id != user_id:
        raise NotOwnNoteError(_("Only who wrote a note may change it or take it back."))
    locked_profile(note.customer_id)
    return note


def _clean(text: str) -> str:
    words = text.replace("\0", "").strip()
    if not words:
        raise InvalidNoteError(_("Write something first: an empty note tells nobody anything."))
    if len(words) > LONGEST:
        raise InvalidNoteError(
            _("A note has at most %(most)d characters; this one has %(have)d. Make it two.")
            % {"most": LONGEST, "have": len(words)}
        )
    return words


def _record(action: str, note: Interaction, user_id: int) -> None:
    record_audit(
        actor_id=user_id,
        action=action,
        object_type="customers.interaction",
        object_id=note.public_id,
        details={"customer": note.customer.public_id},
    )
