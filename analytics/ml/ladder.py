"""Decide what a shop of this size and history may be told, and say what is missing."""

from dataclasses import dataclass

from analytics.ml.arrays import JsonDict

MIN_BUYERS = 100
MIN_REPEATERS = 20
MAX_SILENT_DAYS = 14
SEASON_DAYS = 396  # 13 months: one full year and a month to compare it with
BACKTEST_SLACK_DAYS = 60

# Why one customer has no value, by index; append only (rows are stored).
NULL_REASONS: tuple[str, ...] = (
    "",
    "no_orders",
    "too_few_buyers",
    "too_few_repeaters",
    "no_data_since",
    "history_too_short",
    "degenerate_fit",
    "no_orders_no_signals",
    "too_few_early_buyers",
    "source_without_keys",
    "order_unlikely",
    "order_too_far",
)

RFM = "rfm"
CLV = "clv"
CHURN = "churn"


@dataclass(frozen=True)
class Abstention:
    """One score the run does not give, the machine code why, and how far away it is.

    ``have`` and ``need`` count what ``code`` names (buyers, repeaters, days); ``day`` is the last
    purchase day for ``no_data_since``; ``detail`` carries the reason of a degenerate fit.
    """

    score: str
    code: str
    have: float | None = None
    need: float | None = None
    day: int | None = None
    detail: str = ""

    def to_dict(self) -> JsonDict:
        """Return the abstention as a JSON-able dictionary."""
        return dict(vars(self))


@dataclass(frozen=True)
class Note:
    """One caveat that stands beside every score of the run."""

    code: str
    have: float | None = None
    need: float | None = None
    day: int | None = None
    detail: str = ""

    def to_dict(self) -> JsonDict:
        """Return the note as a JSON-able dictionary."""
        return dict(vars(self))


@dataclass(frozen=True)
class ShopSize:
    """What the shop's purchase days amount to: who bought, who came back, and when."""

    buyers: int
    repeaters: int
    first_day: int | None
    last_day: int | None


def judge(
    size: ShopSize, *, as_of_day: int, horizon_days: int
) -> tuple[tuple[Abstention, ...], tuple[Note, ...]]:
    """Return what must not be scored at this size, and what must be said beside the rest."""
    everything = _refuse_everything(size, as_of_day)
    if everything or size.first_day is None:
        return everything, ()
    history = as_of_day - size.first_day
    needed = 2 * horizon_days + BACKTEST_SLACK_DAYS
    refused: tuple[Abstention, ...] = ()
    if history < needed:
        refused = tuple(
            Abstention(score, "history_too_short", history, needed) for score in (CLV, CHURN)
        )
    # An import rarely reaches back to the first order ever: ages count from what is known.
    notes = [Note("history_starts_at", day=size.first_day)]
    if history < SEASON_DAYS:
        notes.append(Note("seasonality_not_learned", history, SEASON_DAYS))
    return refused, tuple(notes)


def _refuse_everything(size: ShopSize, as_of_day: int) -> tuple[Abstention, ...]:
    """Return the refusals of the first rung that refuses every score, or none."""
    scores = (RFM, CLV, CHURN)
    if size.last_day is not None and as_of_day - size.last_day > MAX_SILENT_DAYS:
        silent = as_of_day - size.last_day
        return tuple(
            Abstention(score, "no_data_since", silent, MAX_SILENT_DAYS, size.last_day)
            for score in scores
        )
    if size.buyers < MIN_BUYERS:
        return tuple(
            Abstention(score, "too_few_buyers", size.buyers, MIN_BUYERS) for score in scores
        )
    if size.repeaters < MIN_REPEATERS:
        return tuple(
            Abstention(score, "too_few_repeaters", size.repeaters, MIN_REPEATERS)
            for score in scores
        )
    return ()
