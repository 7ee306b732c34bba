"""Share the scoring of a run between workers: each takes a part of the customers at a time."""

from functools import lru_cache

from celery import current_app
from django.db import connection, transaction

from analytics.enums import RunState
from analytics.ml.run import FittedShop, score_part
from analytics.models import ScoringFit, ScoringPart, ScoringRun
from analytics.selectors.frames import parts_for, scoring_input
from analytics.services.publishing import copy_scores, create_table

TASK = "analytics.score_parts"
MOST_HELPERS = 7
HINT_SECONDS = 300
PATIENCE = "10min"
"""How long a part may be held by a worker that has vanished with its connection open."""


def divide(*, run: ScoringRun, fitted: FittedShop) -> int:
    """Store what scores are made with and the parts to be scored; return their number.

    Runs inside the caller's transaction. What an earlier attempt left is replaced.
    """
    create_table(run_id=run.pk)
    ScoringFit.objects.update_or_create(run=run, defaults={"state": fitted.to_dict()})
    ScoringPart.objects.filter(run=run).delete()
    count = parts_for(run.customer_count)
    ScoringPart.objects.bulk_create(ScoringPart(run=run, number=n) for n in range(count))
    return count


def score_next(*, run_id: int) -> bool:
    """Score a part that nobody is at; return False when there is none.

    Its scores and the word that it is done appear together. Raises DegenerateFitError when a
    prediction is not a finite number.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [PATIENCE]
            )
        part = (
            ScoringPart.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("run")
            .filter(run_id=run_id, run__state=RunState.RUNNING, is_done=False)
            .order_by("number")
            .first()
        )
        if part is None:
            return False
        count = ScoringPart.objects.filter(run_id=run_id).count()
        given = scoring_input(part.run.as_of_day, part=part.number, of=count)
        fitted = _fitted(run_id, part.run.public_id)
        copy_scores(run_id=run_id, scores=score_part(fitted, given))
        part.is_done = True
        part.save(update_fields=["is_done"])
    return True


def parts_left(*, run_id: int) -> int:
    """Return how many parts are not scored yet."""
    return ScoringPart.objects.filter(run_id=run_id, is_done=False).count()


def call_for_help(*, run_id: int, parts: int) -> None:
    """Hint other workers at the parts once they are committed; unread hints are dropped."""

    def hint() -> None:
        for _helper in range(min(parts - 1, MOST_HELPERS)):
            current_app.send_task(TASK, (run_id,), expires=HINT_SECONDS)

    transaction.on_commit(hint, robust=True)


@lru_cache(maxsize=1)
def _fitted(run_id: int, public_id: str) -> FittedShop:
    """Return what a run's scores are made with; it never changes once there are parts."""
    return FittedShop.from_dict(ScoringFit.objects.get(run_id=run_id).state)
