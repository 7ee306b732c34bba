"""What is put into the slots: panels, columns, entries of the timeline, wordings, rules."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Expression
from django.http import HttpRequest


@dataclass(frozen=True)
class Cell:
    """One cell of a panel's table: what the page shows and, where it differs, what a file has.

    ``url`` opens the list behind it, ``level`` (0–5) says how full it is, ``is_open`` that the time
    it counts is not over yet.
    """

    text: Any
    value: Any = None
    url: str = ""
    level: int | None = None
    is_open: bool = False


@dataclass(frozen=True)
class Table:
    """The figures of a panel as a table; its file has the same rows."""

    head: Sequence[Any]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Panel:
    """A box on an admin page.

    ``page`` is "customer", "customer_head" (right below the strip of figures, without a heading),
    "ticket" or "dashboard"; ``context`` gets the request and, on a page about a customer, the
    customer's id, and returns the variables of ``template``; None leaves the box out.

    On the dashboard: ``is_late`` panels are asked for after the page is there; ``obeys`` names the
    filters in the address that the panel follows ("period", "source", "step"), and the page says so
    of the others; a ``Table`` under "table" in what ``context`` returns can be saved as a file, and
    is audited where the panel ``names_people``.
    """

    key: str
    page: str
    title: Any
    template: str
    context: Callable[[HttpRequest, int | None], Mapping[str, Any] | None]
    order: int = 100
    permission: str = ""
    width: str = "full"
    is_late: bool = False
    obeys: frozenset[str] | None = None
    names_people: bool = False
    keeps_reach: bool = False
    """Whether it shows a limited person no more than they may see; who does not say so is left out.

    On the dashboard following the source is enough.
    """


@dataclass(frozen=True)
class StripCards:
    """Figures for the strip at the head of a customer's page.

    ``load`` maps ids to cards, in a number of queries that does not grow with the ids. A card has
    the texts ``label``, ``value``, ``range`` and ``silent`` (why there is no value), a ``tone``
    (good, fair, bad or neutral) and the ``url`` that opens what it rests on.
    """

    key: str
    load: Callable[[Sequence[int]], Mapping[int, Sequence[Mapping[str, Any]]]]
    order: int = 100
    permission: str = ""


@dataclass(frozen=True)
class TimelineEntry:
    """One line of a customer's timeline. ``url`` opens the row behind it, when there is one."""

    at: datetime
    pk: int
    title: Any
    detail: Any = ""
    url: str = ""
    icon: str = "circle"
    simulated: bool = False
    source: str = ""


@dataclass(frozen=True)
class TimelineBound:
    """Where a page starts: rows older than ``at``, or of that instant with a smaller ``pk``."""

    at: datetime
    pk: int


@dataclass(frozen=True)
class TimelineSource:
    """A supplier of timeline entries: ``fetch(customer_id, bound, limit)``, newest first.

    ``fetch_for(user, customer_id, bound, limit)`` is asked for somebody whose rights end at some
    sources, and returns what they may see; without it they see nothing of this kind.
    """

    key: str
    label: Any
    fetch: Callable[[int, TimelineBound | None, int], Sequence[TimelineEntry]]
    order: int = 100
    permission: str = ""
    fetch_for: Callable[[Any, int, TimelineBound | None, int], Sequence[TimelineEntry]] | None = (
        None
    )


@dataclass(frozen=True)
class ListColumn:
    """A column of a list that an upper app adds, and may be ordered by.

    ``annotation`` makes the expression on the list's model; ``render`` turns a value into text.
    Only who holds ``permission`` sees it. One that is not usual is shown to who chooses it.
    ``ranking(downwards)`` returns the ids of the rows that have a value, by it, then newest first:
    so the first page of a million is read, and not computed for all of them.
    """

    key: str
    page: str
    label: Any
    annotation: Callable[[], Expression | Any]
    render: Callable[[Any], Any] = str
    order: int = 100
    permission: str = ""
    is_usual: bool = True
    ranking: Callable[[bool], Any] | None = None


@dataclass(frozen=True)
class ListOrder:
    """What an upper app lets a list begin with: rows with a larger value come first.

    ``annotation`` makes the expression on the list's model; ``words`` is the sentence that says so.
    Lists of who lacks ``permission`` keep their own order.
    """

    key: str
    page: str
    words: Any
    annotation: Callable[[], Expression | Any]
    order: int = 100
    permission: str = ""


@dataclass(frozen=True)
class ListFilter:
    """A filter of an admin list that an upper app adds (an admin list-filter class).

    Only who holds ``permission`` may choose by it.
    """

    key: str
    page: str
    filter_class: type
    order: int = 100
    permission: str = ""


@dataclass(frozen=True)
class ApiExpansion:
    """Rows an upper app adds to a REST resource; ``load`` maps ids to plain data, in one query."""

    key: str
    resource: str
    load: Callable[[Sequence[int]], Mapping[int, Any]]
    schema: Any = None
    order: int = 100
    permission: str = ""


@dataclass(frozen=True)
class ApiFilter:
    """A filter and ordering an upper app adds to a REST list (an annotation on its model)."""

    key: str
    resource: str
    annotation: Callable[[], Expression | Any]
    order: int = 100
    permission: str = ""


@dataclass(frozen=True)
class ReferenceHandler:
    """What happens to rows that point at a customer when customers merge or are erased.

    ``key`` is ``app_label.Model.field``. ``merge(source_id, target_id)`` moves rows and returns
    what ``unmerge(source_id, target_id, moved)`` needs to restore them exactly; ``erase(id)``
    removes or anonymises personal data.
    """

    key: str
    merge: Callable[[int, int], Any]
    unmerge: Callable[[int, int, Any], None]
    erase: Callable[[int], None]
    order: int = 100


@dataclass(frozen=True)
class ComputedRows:
    """Rows that an app computes about customers, and computes anew when they are gone.

    ``key`` is the foreign key, ``app_label.Model.field``; such rows never keep a customer from
    being removed: ``drop(ids)`` removes them with the customers.
    """

    key: str
    drop: Callable[[Sequence[int]], None]
    order: int = 100


@dataclass(frozen=True)
class JobHandler:
    """Work of one kind, done in chunks.

    ``run_chunk(run)`` does a bounded piece of work (two minutes at most), records progress through
    ``run`` in the same transaction as its data, and returns True when nothing is left. ``on_end``
    is told the final state: it brings rows of the handler's own into a state that says so.
    ``title`` words what a job does from its parameters, in the reader's language. ``page`` returns
    the admin address of what a job makes, or nothing. ``errors_permission`` is what it takes to
    read the rows it rejected, besides that of reading jobs.
    """

    key: str
    label: Any
    run_chunk: Callable[[Any], bool]
    on_end: Callable[[Any], None] | None = None
    title: Callable[[Any], str] | None = None
    page: Callable[[Any], str] | None = None
    order: int = 100
    max_attempts: int | None = None
    errors_permission: str = ""


@dataclass(frozen=True)
class AlertWording:
    """How alerts of one code read: ``words`` makes the sentence from an alert's parameters."""

    key: str
    words: Callable[[Mapping[str, Any]], str]
    order: int = 100


@dataclass(frozen=True)
class AuditWording:
    """How audit entries of one action read.

    ``key`` is the action, ``label`` names it in the filter. ``words`` makes the sentence from who
    did it and from the entry's details.
    """

    key: str
    label: Any
    words: Callable[[str, Mapping[str, Any]], str]
    order: int = 100


@dataclass(frozen=True)
class Reach:
    """How far a person's rights reach: ``limit_of(user)`` is None for everywhere.

    There is one of these at most. What a limit is only its ``ReachRule``s know.
    """

    key: str
    limit_of: Callable[[Any], Any]
    order: int = 100


@dataclass(frozen=True)
class ReachRule:
    """Which rows of a model a limit leaves: ``within(rows, limit, user)``.

    ``key`` is the model's label in lower case. Of a model without a rule a limited person sees
    nothing.
    """

    key: str
    within: Callable[[Any, Any, Any], Any]
    order: int = 100


@dataclass(frozen=True)
class OpenRoute:
    """An address that limited persons may open; every other is closed to them.

    ``key`` is its name (``admin:customers_note``). ``rows`` maps the parts of the address that name
    a row to the row's model: what is out of reach answers 404 before the page is asked.
    """

    key: str
    rows: Mapping[str, str] = field(default_factory=dict)
    order: int = 100


@dataclass(frozen=True)
class RoleField:
    """A field on a role's page: ``make()`` the form field, ``initial(group_id)``, ``save``.

    ``save(group_id=…, value=…, user_id=…)`` is called in the page's transaction when the value was
    changed.
    """

    key: str
    make: Callable[[], Any]
    initial: Callable[[int | None], Any]
    save: Callable[..., Any]
    order: int = 100


@dataclass(frozen=True)
class TextGuard:
    """What somebody may read of a text that may hold another's data: ``show(text, user)``.

    ``hides_search(text, user)`` tells whether what another typed to search by is not for them.
    """

    key: str
    show: Callable[[str, Any], str]
    hides_search: Callable[[str, Any], bool]
    order: int = 100
