"""Keep lists as people like to see them. Only who made a view changes it."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from crm.core.errors import DomainError, NotFoundError
from crm.core.models import DefaultView, SavedView
from crm.core.services.audit import record_audit

LONGEST = 60
MOST = 100
"""A person has at most so many views of one list."""


class ViewRefusedError(DomainError):
    code = "view_refused"


def seen_by(*, user_id: int, page: str) -> QuerySet[SavedView]:
    """Return the views of a list that a person may open: their own and the shared ones."""
    return SavedView.objects.filter(Q(owner_id=user_id) | Q(is_shared=True), page=page)


def save_view(
    *,
    page: str,
    name: str,
    words: Mapping[str, Sequence[str]],
    order: Sequence[str],
    columns: Sequence[str],
    user_id: int,
    is_shared: bool = False,
    view_id: int | None = None,
) -> SavedView:
    """Store how a list looks, under a new name or in a view of one's own."""
    look = {"words": dict(words), "order": [*order], "columns": [*columns]}
    with transaction.atomic():
        if view_id is not None:
            view = _own(view_id, user_id)
            for key, value in look.items():
                setattr(view, key, value)
            view.save(update_fields=[*look, "updated_at"])
            return view
        if SavedView.objects.filter(owner_id=user_id, page=page).count() >= MOST:
            raise ViewRefusedError(
                _("Delete a view first: %(count)d are enough.") % {"count": MOST}
            )
        clean = _free_name(name, page, user_id)
        view = SavedView.objects.create(
            page=page, name=clean, owner_id=user_id, is_shared=is_shared, **look
        )
        view.refresh_from_db()
        if is_shared:
            _record("view.shared", view, user_id)
    return view


def rename_view(*, view_id: int, name: str, user_id: int) -> SavedView:
    """Give a view of one's own another name."""
    with transaction.atomic():
        view = _own(view_id, user_id)
        view.name = _free_name(name, view.page, user_id, but=view.pk)
        view.save(update_fields=["name", "updated_at"])
    return view


def share_view(*, view_id: int, is_shared: bool, user_id: int) -> SavedView:
    """Show a view of one's own to everybody, or to nobody else again."""
    with transaction.atomic():
        view = _own(view_id, user_id)
        view.is_shared = is_shared
        view.save(update_fields=["is_shared", "updated_at"])
        if not is_shared:
            DefaultView.objects.filter(view=view).exclude(user_id=user_id).delete()
        _record("view.shared" if is_shared else "view.unshared", view, user_id)
    return view


def delete_view(*, view_id: int, user_id: int) -> str:
    """Delete a view of one's own; return its name."""
    with transaction.atomic():
        view = _own(view_id, user_id)
        if view.is_shared:
            _record("view.deleted", view, user_id)
        view.delete()
    return view.name


def set_default(*, view_id: int, is_default: bool, user_id: int) -> SavedView:
    """Let a list open with a view, one's own or a shared one, or as usual again."""
    with transaction.atomic():
        view = SavedView.objects.filter(Q(owner_id=user_id) | Q(is_shared=True), pk=view_id).first()
        if view is None:
            raise NotFoundError(_("There is no such view."))
        if is_default:
            DefaultView.objects.update_or_create(
                user_id=user_id, page=view.page, defaults={"view": view}
            )
        else:
            DefaultView.objects.filter(user_id=user_id, view=view).delete()
    return view


def replace_word(*, page: str, name: str, before: str, after: str) -> int:
    """Let views of a list that narrow it by a value narrow it by another; return how many did."""
    with transaction.atomic():
        rows = SavedView.objects.select_for_update(of=("self",))
        found = list(rows.filter(page=page, **{f"words__{name}__contains": [before]}))
        for view in found:
            kept = [after if value == before else value for value in view.words[name]]
            view.words = {**view.words, name: kept}
            view.save(update_fields=["words", "updated_at"])
    return len(found)


def _own(view_id: int, user_id: int) -> SavedView:
    view = SavedView.objects.select_for_update(of=("self",)).filter(pk=view_id).first()
    if view is None or (view.owner_id != user_id and not view.is_shared):
        raise NotFoundError(_("There is no such view."))
    if view.owner_id != user_id:
        raise ViewRefusedError(_("Only who made a shared view changes it."))
    return view


def _free_name(name: str, page: str, user_id: int, but: int = 0) -> str:
    clean = " ".join(name.replace("\0", "").split())
    if not clean or len(clean) > LONGEST:
        raise ViewRefusedError(
            _("A view needs a name of %(count)d characters at most.") % {"count": LONGEST}
        )
    others = SavedView.objects.filter(owner_id=user_id, page=page, name__iexact=clean)
    if others.exclude(pk=but).exists():
        raise ViewRefusedError(_("You have a view of this name already."))
    return clean


def _record(action: str, view: SavedView, user_id: int) -> None:
    record_audit(
        actor_id=user_id,
        action=action,
        object_type="core.savedview",
        object_id=view.public_id,
        details={"list": view.page, "name": view.name},
    )
