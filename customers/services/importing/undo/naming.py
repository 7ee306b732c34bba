"""Say which rows stand in the way of an undo, by the names people know them by."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.enums import Lifecycle
from customers.models import Consent, Customer, Identity, ImportBatch, OrderLine
from customers.services.importing.undo.checking import Hit

SENTENCES = {
    "changed": gettext_lazy("%(row)s was changed since."),
    "changed_by_import": gettext_lazy("%(row)s was changed since by the import %(import)s."),
    "gone": gettext_lazy("%(row)s is no longer there."),
    "gone_by_import": gettext_lazy("%(row)s was removed by the import %(import)s."),
    "merged": gettext_lazy("%(row)s was merged since."),
    "erased": gettext_lazy("%(row)s: the customer was erased since."),
    "meanwhile": gettext_lazy("%(row)s was changed by others while this import ran."),
    "target_gone": gettext_lazy("%(row)s would point at something that is no longer there."),
    "key_taken": gettext_lazy("%(row)s cannot come back: %(about)s has its key now."),
    "needed": gettext_lazy("%(row)s refers to %(about)s, which this import made."),
    "needed_by_import": gettext_lazy(
        "%(row)s, from the import %(import)s, refers to %(about)s, which this import made."
    ),
}
_OWNERS: dict[type[Model], str] = {OrderLine: "order", Identity: "customer", Consent: "customer"}
_BY_IMPORT = "_by_import"


@dataclass(frozen=True)
class Refusal:
    """A row that stands in the way, and why. It names people by their ids alone.

    ``kind`` is the model, ``id`` its public id where it has one; ``import_id`` is the later import
    that wrote the row; ``about_kind`` and ``about_id`` are the row the reason speaks of; ``number``
    is that of a row which is not there.
    """

    kind: str
    id: str
    reason: str
    import_id: str = ""
    about_kind: str = ""
    about_id: str = ""
    number: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return what a job's result keeps."""
        return asdict(self)


def refusals(hits: Sequence[Hit]) -> list[Refusal]:
    """Give what was found its ids and its exact reason."""
    models = {model._meta.db_table: model for model in apps.get_models()}
    wanted: dict[type[Model], set[str]] = defaultdict(set)
    for name, pk, _reason, about_name, about_pk, _number, _batch in hits:
        wanted[models[name]].add(pk)
        if about_name:
            wanted[models[about_name]].add(about_pk)
    rows = {
        (model, str(row.pk)): row
        for model, keys in wanted.items()
        for row in model._default_manager.filter(pk__in=[key for key in keys if key])
    }
    batches = ImportBatch.objects.in_bulk({hit[-1] for hit in hits if hit[-1]})

    def id_of(model: type[Model], pk: str) -> str:
        return str(getattr(rows.get((model, pk)), "public_id", pk or ""))

    found = []
    for name, pk, reason, about_name, about_pk, number, batch_id in hits:
        model, batch = models[name], batches.get(batch_id or 0)
        exact = _exact_reason(reason, rows.get((model, pk)))
        if batch is not None and f"{exact}{_BY_IMPORT}" in SENTENCES:
            exact += _BY_IMPORT
        found.append(
            Refusal(
                model._meta.label_lower,
                id_of(model, pk),
                exact,
                batch.public_id if batch else "",
                models[about_name]._meta.label_lower if about_name else "",
                id_of(models[about_name], about_pk) if about_name else "",
                (number or "") if (model, pk) not in rows else "",
            )
        )
    return found


def words(found: Iterable[Refusal]) -> list[str]:
    """Return one sentence for each refusal, with the names as they are now."""
    listed = list(found)
    wanted: dict[str, set[str]] = defaultdict(set)
    for one in listed:
        wanted[one.kind].add(one.id)
        if one.about_kind:
            wanted[one.about_kind].add(one.about_id)
    names = {(kind, key): name for kind, keys in wanted.items() for key, name in _names(kind, keys)}
    imports = {
        batch.public_id: _import_name(batch)
        for batch in ImportBatch.objects.filter(public_id__in={one.import_id for one in listed})
    }
    return [
        str(SENTENCES[one.reason])
        % {
            "row": names.get((one.kind, one.id)) or _unknown(one.kind, one.number or one.id),
            "about": names.get((one.about_kind, one.about_id)) or one.about_id,
            "import": imports.get(one.import_id, one.import_id),
        }
        for one in listed
    ]


def _exact_reason(reason: str, row: Model | None) -> str:
    """A customer who was merged or erased did not merely change."""
    if reason == "changed" and isinstance(row, Customer) and row.lifecycle != Lifecycle.ACTIVE:
        return str(row.lifecycle)
    return reason


def _names(kind: str, ids: set[str]) -> Iterable[tuple[str, str]]:
    model = apps.get_model(kind)
    owner = _OWNERS.get(model)
    is_public = any(field.name == "public_id" for field in model._meta.concrete_fields)
    field = "public_id" if is_public else "pk"
    rows: Any = model._default_manager.filter(**{f"{field}__in": [key for key in ids if key]})
    for row in rows.select_related(owner) if owner else rows:
        name = f"{capfirst(str(model._meta.verbose_name))} {row}"
        if owner:
            owning = getattr(row, owner)
            about = f"{owning._meta.verbose_name} {owning}"
            name = _("%(row)s (%(owner)s)") % {"row": name, "owner": about}
        yield str(getattr(row, field)), name


def _unknown(kind: str, key: str) -> str:
    return f"{capfirst(str(apps.get_model(kind)._meta.verbose_name))} {key}".strip()


def _import_name(batch: ImportBatch) -> str:
    day = date_format(timezone.localtime(batch.created_at), "DATE_FORMAT")
    return _("“%(file)s” of %(day)s") % {"file": batch.filename, "day": day}
