"""Look at a shop as it was on days of the past, and at what followed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.ml.arrays import BoolArray, FloatArray
from analytics.ml.clv import NEWTON
from analytics.ml.errors import DegenerateFitError
from analytics.ml.features import (
    Base,
    Recent,
    describe,
    fit_base,
    forecasts,
    recent_activity,
    some,
)
from analytics.ml.ladder import MIN_BUYERS, MIN_REPEATERS
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.levels import LANDMARKS, MONTH_DAYS, LastYear
from analytics.ml.summary import PurchaseDays, Summary, summarise, window_outcome

MIN_PAST_DAYS = 60
MOST_ROWS = 60_000
"""Of a larger shop learners see so many customers of each landmark; repeat buying sees them all."""


@dataclass(frozen=True)
class Landmark:
    """One day as it was seen then; of a large shop, some of its buyers."""

    day: int
    summary: Summary
    recent: Recent
    base: Base
    worth: FloatArray
    features: FloatArray


def thinned(ledger: PurchaseLedger) -> PurchaseLedger:
    """Return the ledger of as many customers as learners see, always the same ones."""
    buyers = np.unique(ledger.gross.customer_id)
    if buyers.size <= MOST_ROWS:
        return ledger
    return ledger.without(buyers[~some(buyers, MOST_ROWS)])


class Past:
    """Landmarks of a ledger, each made once, and the outcomes that were known on some day."""

    def __init__(
        self,
        ledger: PurchaseLedger,
        *,
        first_day: int,
        horizon_days: int,
        engine: str = NEWTON,
        last_year: LastYear | None = None,
    ) -> None:
        self.ledger = ledger
        self.first_day = first_day
        self.horizon_days = horizon_days
        self.engine = engine
        self.last_year = last_year or LastYear(
            thinned(ledger),
            first_day=first_day,
            horizon_days=horizon_days,
            most=MOST_ROWS,
            engine=engine,
        )
        self._made: dict[int, Landmark | None] = {}
        self._known: dict[int, PurchaseDays] = {}

    def prepare(self, days: Sequence[int]) -> None:
        """Make landmarks from old to new, each fit starting where the one before ended."""
        before: Base | None = None
        for day in sorted(set(days)):
            made = self._make(day, before)
            self._made[day] = made
            before = made.base if made else before

    def prepare_to_learn(self, days: Sequence[int]) -> None:
        """Make the landmarks of some days, and of those that teach what is used from them on."""
        self.prepare([*days, *(one for day in days for one in self.training_days(day))])

    def landmark(self, day: int) -> Landmark | None:
        """Return a prepared landmark, or None where too little had happened by that day."""
        return self._made[day]

    def outcome(self, landmark: Landmark, *, known_before: int) -> tuple[FloatArray, BoolArray]:
        """Return each buyer's spend in the horizon, and whether there was an order in it."""
        if known_before not in self._known:
            self._known = {known_before: self.ledger.occasions(known_before=known_before)}
        spend, orders = window_outcome(
            self._known[known_before],
            landmark.summary.customer_id,
            start_day=landmark.day,
            end_day=landmark.day + self.horizon_days,
        )
        return spend, orders > 0

    def training_days(self, day: int) -> list[int]:
        """Return the landmark days that may teach what is used from ``day`` on."""
        newest = day - self.horizon_days
        return [newest - MONTH_DAYS * step for step in range(LANDMARKS)]

    def _make(self, day: int, before: Base | None) -> Landmark | None:
        if day - self.first_day < MIN_PAST_DAYS:
            return None
        occasions = self.ledger.occasions(known_before=day)
        summary = summarise(occasions, as_of_day=day)
        if summary.T.size < MIN_BUYERS or int((summary.frequency > 0).sum()) < MIN_REPEATERS:
            return None
        try:
            base = fit_base(
                occasions,
                summary,
                horizon_days=self.horizon_days,
                engine=self.engine,
                start=before,
            )
        except DegenerateFitError:
            return None
        seen = some(summary.customer_id, MOST_ROWS)
        occasions = occasions.where(np.repeat(seen, summary.order_count))
        summary = summary.take(seen)
        recent = recent_activity(occasions, as_of_day=day, horizon_days=self.horizon_days)
        _buy, orders, worth = forecasts(summary, base)
        features = describe(summary, recent, base)
        return Landmark(day, summary, recent, base, orders * worth, features)
