"""Take a source that was only to look around with out of the record, wholly or not at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import FileField, Model
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from psycopg import sql

from crm.core.enums import FINAL_JOB_STATES
from crm.core.models import Job
from crm.core.registry import registry
from crm.core.services.audit import record_audit
from customers.enums import SourceKind
from customers.errors import RemovalRefusedError
from customers.models import Customer, SavedImport, ShopSettings, Source
from customers.selectors.sample import KEY
from customers.selectors.shop import SIMULATED, shop_settings
from customers.services.facts.refresh import lock_facts
from customers.services.importing.undo.tables import (
    Reference,
    execute,
    history_of,
    references_from,
    table,
)


@dataclass(frozen=True)
class Removal:
    """What would go, by name and number, and why it may not."""

    source: Source
    rows: Sequence[tuple[str, int]]
    refusals: Sequence[str]


def plan_removal(*, key: str) -> Removal:
    """Return what removing a source would take out; nothing is changed.

    Raises RemovalRefusedError for a source that is not there, or was not made to look around.
    """
    source = Source.objects.filter(key=key).first()
    if source is None:
        raise RemovalRefusedError(_("There is no source “%(key)s”.") % {"key": key})
    if source.kind != SourceKind.SIMULATED and source.key != KEY:
        raise RemovalRefusedError(
            _("“%(name)s” is neither simulated nor the sample: its customers are somebody's own.")
            % {"name": source.name}
        )
    tables = _Tables(source.pk)
    return Removal(source, tables.counts(), _refusals(source, tables))


def remove_source(*, key: str, user_id: int | None) -> Sequence[tuple[str, int]]:
    """Remove a simulated shop or the sample with all that hangs on it; return what went.

    Notes, tasks, tags and tickets about these customers go, too. Raises RemovalRefusedError, and
    nothing has happened, where a row of another source hangs together with one of these.
    """
    with transaction.atomic():
        ShopSettings.objects.select_for_update().get(pk=shop_settings().pk)
        lock_facts()
        plan = plan_removal(key=key)
        if plan.refusals:
            raise RemovalRefusedError(" ".join(plan.refusals))
        tables = _Tables(plan.source.pk)
        files = tables.files()
        tables.delete()
        plan.source.delete()
        _relabel(is_sample=key == KEY)
        record_audit(
            actor_id=user_id,
            action="source.removed",
            object_type="customers.source",
            object_id=plan.source.public_id,
            details={"name": plan.source.name, "rows": sum(count for _label, count in plan.rows)},
        )
        for name in files:
            transaction.on_commit(lambda name=name: default_storage.delete(name), robust=True)  # type: ignore[misc]  # bound at once
    return plan.rows


class _Tables:
    """The tables in which a source has rows: its own, and what hangs on those.

    In the statements are quoted names of tables and columns, and the source's number.
    """

    def __init__(self, source_id: int) -> None:
        self.source_id = source_id
        models = [
            model
            for model in apps.get_models(include_auto_created=True)
            if not model._meta.proxy and not hasattr(model, "pgh_tracked_model")
        ]
        self.own = [model for model in models if _source_column(model)]
        self.hanging: list[type[Model]] = []
        while more := [
            model
            for model in models
            if model not in (*self.own, *self.hanging) and any(self.ties(model))
        ]:
            self.hanging += more

    def ties(self, model: type[Model]) -> Iterator[Reference]:
        """Yield a table's keys to other tables of these; what is computed goes by itself."""
        for found in references_from(model):
            if found.key not in registry.computed_rows and found.target in (
                *self.own,
                *self.hanging,
            ):
                yield found

    def going(self, model: type[Model]) -> sql.Composable:
        """Return the condition on ``m`` that holds for rows which go."""
        tied: list[sql.Composable] = [
            sql.SQL("{column} IN ({keys})").format(
                column=sql.Identifier("m", one.column), keys=self.keys(one.target)
            )
            for one in self.ties(model)
            if one.target is not model
        ]
        own = _source_column(model)
        if not own:
            return sql.SQL(" OR ").join(tied)
        here = sql.SQL("m.{own} = {source}").format(
            own=sql.Identifier(own), source=sql.Literal(self.source_id)
        )
        if not tied:
            return here
        # What staff wrote by hand is from nowhere, or from a source of its own.
        return sql.SQL(
            "{here} OR ((m.{own} IS NULL OR m.{own} IN (SELECT id FROM customers_source "
            "WHERE kind = {by_hand})) AND ({tied}))"
        ).format(
            here=here,
            own=sql.Identifier(own),
            by_hand=sql.Literal(str(SourceKind.MANUAL)),
            tied=sql.SQL(" OR ").join(tied),
        )

    def keys(self, model: type[Model]) -> sql.Composable:
        """Return the statement that finds the rows which go by their key."""
        return sql.SQL("SELECT m.{key} FROM {table} m WHERE {going}").format(
            key=sql.Identifier(str(getattr(model._meta.pk, "column", ""))),
            table=table(model),
            going=self.going(model),
        )

    def counts(self) -> list[tuple[str, int]]:
        """Return how many rows go, by the names people know; what is none is left out."""
        found = []
        for model in (*self.own, *self.hanging):
            count = _number(
                sql.SQL("SELECT count(*) FROM {table} m WHERE {going}").format(
                    table=table(model), going=self.going(model)
                )
            )
            if count:
                found.append((capfirst(str(model._meta.verbose_name_plural)), count))
        return found

    def entangled(self) -> Iterator[tuple[type[Model], int]]:
        """Yield tables in which rows tie what goes to what stays, and how many do."""
        for model in (*self.own, *self.hanging):
            if model is SavedImport:
                continue
            for one in self.ties(model):
                both = sql.SQL("{column} IS NOT NULL AND ({going}) <> ({column} IN ({keys}))")
                count = _number(
                    sql.SQL("SELECT count(*) FROM {table} m WHERE {both}").format(
                        table=table(model),
                        both=both.format(
                            column=sql.Identifier("m", one.column),
                            going=self.going(model),
                            keys=self.keys(one.target),
                        ),
                    )
                )
                if count:
                    yield model, count

    def files(self) -> list[str]:
        """Return the files that go with their rows."""
        names: list[str] = []
        for model in self.own:
            for field in model._meta.concrete_fields:
                if isinstance(field, FileField):
                    rows: Any = model._default_manager.filter(source=self.source_id)
                    names += [name for name in rows.values_list(field.name, flat=True) if name]
        return names

    def delete(self) -> None:
        """Delete all of it, what was computed and the history of changes included."""
        every = (*self.own, *self.hanging)
        kept = {model: self._ids(model) for model in every if any(history_of(model))}
        customers = kept[Customer]
        for computed in registry.computed_rows:
            computed.drop(customers)
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM customers_factsmark WHERE customer_id = ANY(%s)", [customers]
            )
            # What hangs is found by what it hangs on, and goes first. Keys are checked at the end.
            for model in sorted(every, key=self._depth, reverse=True):
                execute(
                    cursor,
                    sql.SQL("DELETE FROM {table} m WHERE {going}").format(
                        table=table(model), going=self.going(model)
                    ),
                )
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            for model, ids in kept.items():
                for history in history_of(model):
                    cursor.execute(
                        f"DELETE FROM {history._meta.db_table} WHERE pgh_obj_id = ANY(%s)",  # noqa: S608 - a table of ours
                        [ids],
                    )

    def _depth(self, model: type[Model]) -> int:
        """Return how many tables a table hangs on, one behind the other."""
        targets = [one.target for one in self.ties(model) if one.target is not model]
        return 1 + max((self._depth(target) for target in targets), default=0)

    def _ids(self, model: type[Model]) -> list[int]:
        with connection.cursor() as cursor:
            execute(cursor, sql.SQL("{keys}").format(keys=self.keys(model)))
            return [row[0] for row in cursor.fetchall()]


def _refusals(source: Source, tables: _Tables) -> list[str]:
    """Say what stands in the way."""
    found = []
    if Job.objects.exclude(state__in=FINAL_JOB_STATES).exists():
        found.append(_("A job is waiting or at work: wait for its end, or cancel it."))
    if SavedImport.objects.filter(source=source).exists():
        found.append(_("A saved import brings files in for it: delete that first."))
    counts: dict[type[Model], int] = {}
    for model, count in tables.entangled():
        counts[model] = max(count, counts.get(model, 0))
    found += [
        _(
            "Rows that tie its customers to those of other sources: %(count)d (%(name)s). Part "
            "the merged profiles first."
        )
        % {"count": count, "name": model._meta.verbose_name_plural}
        for model, count in counts.items()
    ]
    return found


def _relabel(*, is_sample: bool) -> None:
    """Take off the label of a demonstration what is no longer there."""
    shop = ShopSettings.objects.get(pk=shop_settings().pk)
    words = shop.demo_note.split()
    if is_sample:
        words = [word for word in words if word == SIMULATED]
    if not Source.objects.filter(kind=SourceKind.SIMULATED).exists():
        words = [word for word in words if word != SIMULATED]
    shop.demo_note, shop.is_demo = " ".join(words), bool(words)
    shop.save(update_fields=["demo_note", "is_demo", "updated_at"])


def _source_column(model: type[Model]) -> str:
    """Return the column in which a table's rows name their source; empty where they do not."""
    for one in references_from(model):
        if one.target is Source:
            return one.column
    return ""


def _number(statement: sql.Composed) -> int:
    with connection.cursor() as cursor:
        execute(cursor, statement)
        return int(cursor.fetchone()[0])
