"""Share the scoring of a run between workers: each takes a part of the customers at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from celery import current_app
from django.db import connection, transaction
from django.db.models import Count, Min

from analytics.enums import RunState
from analytics.ml.errors import DegenerateFitError
from analytics.ml.run import FittedShop, score_part
from analytics.models import ScoringFit, ScoringPart, ScoringRun
from analytics.selectors.frames import parts_for, scoring_input
from analytics.services.publishing import copy_scores, create_table

TASK = "analytics.score_parts"
MOST_HELPERS = 7
HINT_SECONDS = 300
PATIENCE = "10min"
"""How long a part may be held by a worker that has vanished with its connection open."""


def divide(*, run: ScoringRun, fitted: FittedShop, withheld: Sequence[int]) -> int:
    """Store what scores are made with and the parts to be scored; return their number.

    Runs inside the caller's transaction. What an earlier attempt left is replaced; parts first, so
    that whoever is at one ends before the table goes.
    """
    ScoringPart.objects.filter(run=run).delete()
    create_table(run_id=run.pk)
    ScoringFit.objects.update_or_create(
        run=run, defaults={"state": fitted.to_dict(), "withheld_sources": list(withheld)}
    )
    count = parts_for(run.customer_count)
    ScoringPart.objects.bulk_create(ScoringPart(run=run, number=n) for n in range(count))
    return count


def score_next(*, run_id: int) -> bool:
    """Score a part that nobody is at; return False when there is none.

    Its scores and the word that it is done appear together. Raises DegenerateFitError when a
    prediction is not a finite number.
    """
    with transaction.atomic():
        _let_go_when_lost()
        part = (
            ScoringPart.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("run")
            .filter(run_id=run_id, run__state=RunState.RUNNING, is_done=False)
            .order_by("number")
            .first()
        )
        if part is None:
            return False
        parts = ScoringPart.objects.filter(run_id=run_id).aggregate(
            count=Count("*"), first=Min("pk")
        )
        made_with = fit_of(run_id, parts["first"])
        given = scoring_input(
            part.run.as_of_day,
            withheld=made_with.withheld,
            part=part.number,
            of=parts["count"],
        )
        copy_scores(run_id=run_id, scores=score_part(made_with.fitted, given))
        part.is_done = True
        part.save(update_fields=["is_done"])
    return True


def _let_go_when_lost() -> None:
    """Have Postgres end this transaction when its worker, or the worker's host, is gone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true),"
            " set_config('tcp_keepalives_idle', '30', true),"
            " set_config('tcp_keepalives_interval', '10', true),"
            " set_config('tcp_keepalives_count', '3', true)",
            [PATIENCE],
        )


def parts_left(*, run_id: int) -> int:
    """Return how many parts are not scored yet."""
    return ScoringPart.objects.filter(run_id=run_id, is_done=False).count()


def call_for_help(*, run_id: int, parts: int) -> None:
    """Hint other workers at the parts once they are committed; unread hints are dropped.

    A hint is for one part: who has scored it hints anew, so that other work gets its turn.
    """

    def hint() -> None:
        for _helper in range(min(parts - 1, MOST_HELPERS)):
            current_app.send_task(TASK, (run_id,), expires=HINT_SECONDS)

    transaction.on_commit(hint, robust=True)


def help_along(*, run_id: int) -> None:
    """Score one part for a run that somebody else leads, and call for more help.

    What a prediction that is no number means is decided by who leads the run.
    """
    try:
        found = score_next(run_id=run_id)
    except DegenerateFitError:
        return
    if found:
        call_for_help(run_id=run_id, parts=2)


@dataclass(frozen=True)
class Fit:
    """What a run's scores are made with, and the sources whose customers get none."""

    fitted: FittedShop
    withheld: tuple[int, ...]


@lru_cache(maxsize=1)
def fit_of(run_id: int, first_part: int) -> Fit:
    """Return what a run's scores are made with.

    It stays the same as long as the parts do; ``first_part`` tells one division from the next.
    """
    found = ScoringFit.objects.get(run_id=run_id)
    return Fit(FittedShop.from_dict(found.state), tuple(found.withheld_sources))
