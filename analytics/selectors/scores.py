"""What is published: the run, the scores of some customers, and how one customer's changed."""

from collections.abc import Sequence

from analytics.enums import RunState
from analytics.models import CurrentScore, ScorePointer, ScoreSnapshot, ScoringRun


def current_run() -> ScoringRun | None:
    """Return the run whose scores everybody reads, or None before the first."""
    pointer = ScorePointer.objects.select_related("run").filter(pk=1).first()
    return pointer.run if pointer else None


def latest_run() -> ScoringRun | None:
    """Return the newest run, whatever became of it."""
    return ScoringRun.objects.select_related("job").first()


def silent_run() -> ScoringRun | None:
    """Return the newest finished run where it abstained, so that what is shown is older or none."""
    done = [RunState.PUBLISHED, RunState.ABSTAINED]
    run = ScoringRun.objects.filter(state__in=done).order_by("-pk").first()
    return run if run is not None and run.state == RunState.ABSTAINED else None


def scores_for(customer_ids: Sequence[int]) -> dict[int, CurrentScore]:
    """Return the published scores of these customers with their run, in one query."""
    rows = CurrentScore.objects.filter(customer_id__in=customer_ids)
    return {row.customer_id: row for row in rows.select_related("run", "customer")}


def score_history(customer_id: int, *, months: int = 24) -> list[ScoreSnapshot]:
    """Return a customer's monthly scores, newest first."""
    rows = ScoreSnapshot.objects.filter(customer_id=customer_id).select_related("run")
    return list(rows.order_by("-month")[:months])
