"""What happens to score rows when customers merge, part again, or are erased."""

from analytics.models import CustomerScore, ScoreSnapshot
from crm.core.registry import ReferenceHandler


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
