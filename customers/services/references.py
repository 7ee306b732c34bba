"""What happens to the record's rows when customers merge, part again, or are erased."""

from collections.abc import Callable, Sequence
from typing import Any

import pghistory.models
from django.apps import apps
from django.db import connection
from django.db.models import Model
from django.utils.translation import gettext as _

from crm.core.registry import ComputedRows, ReferenceHandler
from customers.errors import UnmergeRefusedError
from customers.models import (
    Consent,
    Customer,
    CustomerDays,
    CustomerFacts,
    CustomerTag,
    Identity,
    Interaction,
    Order,
    Refund,
    Review,
    SurveyResponse,
    Task,
    Ticket,
    TicketMessage,
)

ERASED = "—"


def handlers() -> list[ReferenceHandler]:
    """Return a handler for every foreign key of this app to Customer."""
    return [
        moving(Identity, erase=lambda pk: _delete(Identity, pk)),
        moving(Order, erase=lambda pk: None),
        moving(Refund, erase=lambda pk: _blank(Refund, pk, reason="")),
        moving(Review, erase=lambda pk: _blank(Review, pk, text="")),
        moving(SurveyResponse, erase=lambda pk: _blank(SurveyResponse, pk, comment="")),
        moving(Ticket, erase=_erase_tickets),
        moving(Interaction, erase=lambda pk: _blank(Interaction, pk, text="", payload={})),
        moving(Task, erase=lambda pk: _blank(Task, pk, title=ERASED)),
        ReferenceHandler(
            "customers.Consent.customer",
            _merge_consents,
            lambda source, target, moved: _move_back(Consent, source, target, moved),
            lambda pk: _blank(Consent, pk, evidence=ERASED),
        ),
        ReferenceHandler(
            "customers.CustomerTag.customer",
            _merge_tags,
            _part_tags,
            lambda pk: _delete(CustomerTag, pk),
        ),
        ReferenceHandler(
            # Facts are computed: the merged profile has none, and both are computed anew.
            "customers.CustomerFacts.customer",
            lambda source, target: _delete(CustomerFacts, source),
            lambda source, target, moved: None,
            lambda pk: _delete(CustomerFacts, pk),
        ),
        ReferenceHandler(
            # Computed with the facts.
            "customers.CustomerDays.customer",
            lambda source, target: _delete(CustomerDays, source),
            lambda source, target, moved: None,
            lambda pk: _delete(CustomerDays, pk),
        ),
        staying("customers.MergeRecord.source_customer"),
        staying("customers.MergeRecord.target_customer"),
        staying("customers.Customer.merged_into"),
    ]


def computed() -> list[ComputedRows]:
    """Return that facts and days go with the customers they were computed for."""
    return [
        ComputedRows(f"customers.{model.__name__}.customer", _dropper(model._meta.db_table))
        for model in (CustomerFacts, CustomerDays)
    ]


def _dropper(table: str) -> Callable[[Sequence[int]], None]:
    def drop(customer_ids: Sequence[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} WHERE customer_id = ANY(%s)",  # noqa: S608 - a table of ours
                [list(customer_ids)],
            )

    return drop


def moving(model: type[Model], erase: Callable[[int], None]) -> ReferenceHandler:
    """Handle a table whose rows simply follow the customer who is kept."""
    return ReferenceHandler(
        f"customers.{model.__name__}.customer",
        lambda source, target: _move(model, source, target),
        lambda source, target, moved: _move_back(model, source, target, moved),
        erase,
    )


def staying(key: str) -> ReferenceHandler:
    """Handle the merge's own bookkeeping: it names the two profiles and never moves."""
    return ReferenceHandler(
        key, lambda source, target: None, lambda source, target, moved: None, lambda pk: None
    )


def scrub_history(customer_id: int) -> None:
    """Delete the change history of a customer and of what belongs to them alone."""
    for model in apps.get_app_config("customers").get_models():
        if not issubclass(model, pghistory.models.Event):
            continue
        if getattr(model, "pgh_tracked_model", None) is Customer:
            model._default_manager.filter(pgh_obj_id=customer_id).delete()
        elif any(field.name == "customer" for field in model._meta.get_fields()):
            model._default_manager.filter(customer_id=customer_id).delete()


def _move(model: type[Model], source: int, target: int) -> list[int]:
    rows = model._default_manager.filter(customer_id=source)
    moved = list(rows.order_by("pk").values_list("pk", flat=True))
    rows.update(customer_id=target)
    return moved


def _merge_consents(source: int, target: int) -> list[int]:
    """Move the log's lines, but for those the kept profile already has word for word."""
    held = set(
        Consent.objects.filter(customer_id=target).values_list("channel", "topic", "at", "action")
    )
    lines = Consent.objects.filter(customer_id=source).order_by("pk")
    moved = [
        line.pk for line in lines if (line.channel, line.topic, line.at, line.action) not in held
    ]
    Consent.objects.filter(pk__in=moved).update(customer_id=target)
    return moved


def _merge_tags(source: int, target: int) -> list[int]:
    """Move the tags the kept profile does not have yet."""
    held = CustomerTag.objects.filter(customer_id=target).values("tag")
    rows = CustomerTag.objects.filter(customer_id=source).exclude(tag__in=held)
    moved = list(rows.order_by("pk").values_list("pk", flat=True))
    CustomerTag.objects.filter(pk__in=moved).update(customer_id=target)
    return moved


def _part_tags(source: int, target: int, moved: list[int] | None) -> None:
    """Give back the moved tags that nobody has taken off since."""
    CustomerTag.objects.filter(pk__in=moved or [], customer_id=target).update(customer_id=source)


def _move_back(model: type[Model], source: int, target: int, moved: list[int]) -> None:
    if not moved:
        return
    back = model._default_manager.filter(pk__in=moved, customer_id=target).update(
        customer_id=source
    )
    if back != len(moved):
        raise UnmergeRefusedError(
            _("%(count)d of %(name)s that were moved are no longer there.")
            % {"count": len(moved) - back, "name": model._meta.verbose_name_plural}
        )


def _blank(model: type[Model], customer_id: int, **values: Any) -> None:
    model._default_manager.filter(customer_id=customer_id).update(**values)


def _erase_tickets(customer_id: int) -> None:
    """Blank what was asked and said; a conversation goes where its ticket goes."""
    # Messages first, as where their e-mails are sent: nobody waits for the other in a circle.
    TicketMessage.objects.filter(ticket__customer_id=customer_id).update(text=ERASED)
    _blank(Ticket, customer_id, subject=ERASED, body="")


def _delete(model: type[Model], customer_id: int) -> None:
    model._default_manager.filter(customer_id=customer_id).delete()
