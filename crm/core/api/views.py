"""The base of resources that are read as lists and one by one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rest_framework import exceptions, mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from crm.core.api.filters import ResourceFilters, slots_of
from crm.core.api.pagination import Ordering, bad_parameter
from crm.core.api.permissions import require
from crm.core.api.problems import PayloadTooLargeError
from crm.core.models import ApiKey
from crm.core.registry import ApiExpansion, ApiFilter, registry
from crm.core.selectors.reach import reached


class PrivateAnswers(APIView):
    """Keeps answers, which hold personal data, out of every cache."""

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        """Forbid storing."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store, private"
        return answer


class ListViewSet(PrivateAnswers, mixins.ListModelMixin, viewsets.GenericViewSet[Any]):
    """A list: filtered, ordered, paged and expanded the same way everywhere.

    ``resource`` is the name under which upper apps add expansions and filters; ``prefix`` is that
    of its public ids; ``prefetches`` maps an expansion of its own to what it prefetches.
    """

    resource: ClassVar[str]
    orderings: ClassVar[Mapping[str, Ordering]] = {"id": Ordering("pk")}
    default_ordering: ClassVar[str] = "-id"
    filters_class: ClassVar[type[ResourceFilters]] = ResourceFilters
    prefetches: ClassVar[Mapping[str, Sequence[Any]]] = {}
    action_verbs: ClassVar[Mapping[str, str]] = {}

    @property
    def is_list(self) -> bool:
        """Tell whether this call lists rows."""
        return self.action == "list"

    @property
    def is_expandable(self) -> bool:
        """Tell whether this call understands ``expand``."""
        return self.action in ("list", "retrieve") and bool(self.expansion_names())

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse bodies that are larger than will be read, before reading them."""
        super().initial(request, *args, **kwargs)
        is_upload = (request.content_type or "").startswith("multipart/")
        most = settings.UPLOAD_MAX_BYTES if is_upload else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > most:
            raise PayloadTooLargeError(
                _("The body is larger than %(most)d bytes. Send less at once.") % {"most": most}
            )

    def slot_filters(self) -> list[ApiFilter]:
        """Return the filters upper apps add."""
        return slots_of(self.resource)

    def slot_expansions(self) -> list[ApiExpansion]:
        """Return the expansions upper apps add."""
        return [slot for slot in registry.api_expansions if slot.resource == self.resource]

    def expansion_names(self) -> list[str]:
        """Return what may be asked for with ``expand``."""
        return [*self.prefetches, *(slot.key for slot in self.slot_expansions())]

    def other_parameters(self) -> Iterable[str]:
        """Return the parameters that are neither filters nor about pages."""
        return ["expand"] if self.is_expandable else []

    def get_orderings(self) -> dict[str, Ordering]:
        """Return what the list may be ordered by, the upper apps' columns included."""
        added = {slot.key: Ordering(slot.annotation, True) for slot in self.slot_filters()}
        return {**self.orderings, **added}

    def check_ordering(self, name: str) -> None:
        """Refuse an ordering whose column the caller may not see."""
        for slot in self.slot_filters():
            if slot.key == name and slot.permission:
                require(self.request, slot.permission)

    def expanded(self) -> list[str]:
        """Return the expansions this call asks for; refuses unknown and forbidden ones."""
        text = self.request.query_params.get("expand", "") if self.is_expandable else ""
        names = [name for name in text.split(",") if name]
        unknown = set(names) - set(self.expansion_names())
        if unknown:
            known = ", ".join(self.expansion_names())
            raise bad_parameter(
                "expand", _("Choose from: %(names)s, separated by commas.") % {"names": known}
            )
        for slot in self.slot_expansions():
            if slot.key in names and slot.permission:
                require(self.request, slot.permission)
        return names

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows that are there for the caller, with what the expansions prefetch."""
        rows = reached(super().get_queryset(), self.request.user)
        for name in self.expanded():
            rows = rows.prefetch_related(*self.prefetches.get(name, ()))
        return rows

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Load the asked-for expansions for the rows at hand, one query each, and show the rows."""
        serializer: Any = super().get_serializer(*args, **kwargs)
        if args and args[0] is not None:
            rows: list[Model] = list(args[0]) if kwargs.get("many") else [args[0]]
            names = self.expanded()
            ids = [int(row.pk) for row in rows]
            context: dict[str, Any] = serializer.context
            context["expanded"] = {
                slot.key: slot.load(ids) for slot in self.slot_expansions() if slot.key in names
            }
            context["prefetched"] = [name for name in names if name in self.prefetches]
        return serializer


class ResourceViewSet(mixins.RetrieveModelMixin, ListViewSet):
    """A list whose rows can be opened by their public id."""

    lookup_field = "public_id"
    lookup_url_kwarg = "id"


class UnknownAddressView(APIView):
    """Answers every address below /api/ that nothing else answers."""

    authentication_classes: Sequence[Any] = ()
    permission_classes: Sequence[Any] = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse whatever is asked."""
        raise exceptions.NotFound


def actor(request: Request) -> dict[str, Any]:
    """Return who is calling, in the words of the audit log."""
    key = request.auth if isinstance(request.auth, ApiKey) else None
    return {"actor_id": request.user.pk, "api_key_id": key.pk if key else None}
