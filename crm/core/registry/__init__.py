"""Slots through which upper apps show or undo their things on lower apps' pages.

A lower app reads a slot; an upper app fills it in ``AppConfig.ready()``. Nothing is imported
against the arrow ``campaigns → analytics → customers → crm.core``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from crm.core.registry.entries import (
    AlertWording,
    ApiExpansion,
    ApiFilter,
    AuditWording,
    Cell,
    ComputedRows,
    JobHandler,
    ListColumn,
    ListFilter,
    ListOrder,
    OpenRoute,
    Panel,
    Reach,
    ReachRule,
    ReferenceHandler,
    RoleField,
    StripCards,
    Table,
    TextGuard,
    TimelineBound,
    TimelineEntry,
    TimelineSource,
)

__all__ = [
    "AlertWording",
    "ApiExpansion",
    "ApiFilter",
    "AuditWording",
    "Cell",
    "ComputedRows",
    "JobHandler",
    "ListColumn",
    "ListFilter",
    "ListOrder",
    "OpenRoute",
    "Panel",
    "Reach",
    "ReachRule",
    "ReferenceHandler",
    "RoleField",
    "Slot",
    "StripCards",
    "Table",
    "TextGuard",
    "TimelineBound",
    "TimelineEntry",
    "TimelineSource",
    "errors_permission",
    "is_hidden_search",
    "registry",
    "shown_text",
]


class Keyed(Protocol):
    @property
    def key(self) -> str: ...

    @property
    def order(self) -> int: ...


T = TypeVar("T", bound=Keyed)


class Slot(Generic[T]):
    """An ordered set of registered things, each under its own key."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._items: dict[str, T] = {}

    def register(self, item: T) -> T:
        """Add ``item``; raises ValueError when its key is taken."""
        if item.key in self._items:
            raise ValueError(f"Slot {self.name!r} already holds {item.key!r}.")
        self._items[item.key] = item
        return item

    def unregister(self, key: str) -> None:
        """Remove an item; raises KeyError when there is none."""
        del self._items[key]

    def get(self, key: str) -> T:
        """Return one item; raises KeyError when there is none."""
        return self._items[key]

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[T]:
        return iter(sorted(self._items.values(), key=lambda item: (item.order, item.key)))

    def __len__(self) -> int:
        return len(self._items)


@dataclass
class _Registry:
    panels: Slot[Panel] = field(default_factory=lambda: Slot("panels"))
    customer_strip: Slot[StripCards] = field(default_factory=lambda: Slot("customer_strip"))
    timeline_sources: Slot[TimelineSource] = field(default_factory=lambda: Slot("timeline_sources"))
    list_columns: Slot[ListColumn] = field(default_factory=lambda: Slot("list_columns"))
    list_orders: Slot[ListOrder] = field(default_factory=lambda: Slot("list_orders"))
    list_filters: Slot[ListFilter] = field(default_factory=lambda: Slot("list_filters"))
    api_expansions: Slot[ApiExpansion] = field(default_factory=lambda: Slot("api_expansions"))
    api_filters: Slot[ApiFilter] = field(default_factory=lambda: Slot("api_filters"))
    reference_handlers: Slot[ReferenceHandler] = field(
        default_factory=lambda: Slot("reference_handlers")
    )
    computed_rows: Slot[ComputedRows] = field(default_factory=lambda: Slot("computed_rows"))
    job_handlers: Slot[JobHandler] = field(default_factory=lambda: Slot("job_handlers"))
    alert_wordings: Slot[AlertWording] = field(default_factory=lambda: Slot("alert_wordings"))
    reach: Slot[Reach] = field(default_factory=lambda: Slot("reach"))
    reach_rules: Slot[ReachRule] = field(default_factory=lambda: Slot("reach_rules"))
    open_routes: Slot[OpenRoute] = field(default_factory=lambda: Slot("open_routes"))
    role_fields: Slot[RoleField] = field(default_factory=lambda: Slot("role_fields"))
    audit_wordings: Slot[AuditWording] = field(default_factory=lambda: Slot("audit_wordings"))
    text_guards: Slot[TextGuard] = field(default_factory=lambda: Slot("text_guards"))


registry = _Registry()
"""The one set of slots of this process."""


def errors_permission(kind: str) -> str:
    """Return what it takes to read the rows that jobs of a kind rejected; empty for nothing."""
    known = kind in registry.job_handlers
    return registry.job_handlers.get(kind).errors_permission if known else ""


def shown_text(text: str, user: Any) -> str:
    """Return a text of the machinery, such as a job's error, as somebody may read it."""
    for guard in registry.text_guards:
        text = guard.show(text, user)
    return text


def is_hidden_search(text: str, user: Any) -> bool:
    """Tell whether what somebody else searched by is not for this person."""
    return any(guard.hides_search(text, user) for guard in registry.text_guards)
