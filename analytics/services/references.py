"""What happens to score rows when customers merge, part again, are erased, or go."""

from collections.abc import Callable, Sequence

from django.db import connection

from analytics.models import CustomerScore, ScoreSnapshot
from crm.core.registry import ComputedRows, ReferenceHandler


def handlers() -> list[ReferenceHandler]:
    """Return a handler for every foreign key of this app to Customer.

    Scores are computed: a merged profile keeps its rows, which no page shows, so that parting the
    two restores them; the next run scores whoever is active then.
    """
    keys = ("CustomerScore", "CurrentScore", "ScoreSnapshot")
    erasers = (_erase_scores, _nothing, _erase_history)
    return [
        ReferenceHandler(
            f"analytics.{key}.customer",
            lambda source, target: None,
            lambda source, target, moved: None,
            erase,
        )
        for key, erase in zip(keys, erasers, strict=True)
    ]


def _erase_scores(customer_id: int) -> None:
    CustomerScore.objects.filter(customer_id=customer_id).delete()


def _erase_history(customer_id: int) -> None:
    ScoreSnapshot.objects.filter(customer_id=customer_id).delete()


def _nothing(_customer_id: int) -> None:
    """A view has no rows of its own."""


def computed() -> list[ComputedRows]:
    """Return what is computed about customers: it goes with them."""
    return [
        ComputedRows("analytics.CustomerScore.customer", _dropper("analytics_customerscore")),
        ComputedRows("analytics.ScoreSnapshot.customer", _dropper("analytics_scoresnapshot")),
        # A view of the first.
        ComputedRows("analytics.CurrentScore.customer", lambda ids: None),
    ]


def _dropper(table: str) -> Callable[[Sequence[int]], None]:
    def drop(customer_ids: Sequence[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} WHERE customer_id = ANY(%s)",  # noqa: S608 - a table of ours
                [list(customer_ids)],
            )

    return drop
