"""Bring a forecast to the level that windows of the past have shown, and to the season's.

Both factors are ratios of what came to what had been said. A ratio stands on heavy-tailed spends of
a limited number of customers, so it is drawn towards 1 by as much as chance alone could have made
of it, and bounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.ml.arrays import FloatArray
from analytics.ml.clv import NEWTON
from analytics.ml.errors import DegenerateFitError
from analytics.ml.features import Base, fit_base, forecasts, some
from analytics.ml.ladder import BACKTEST_SLACK_DAYS, MIN_BUYERS, MIN_REPEATERS
from analytics.ml.ledger import PurchaseLedger
from analytics.ml.metrics import poisson_deviance
from analytics.ml.summary import PurchaseDays, summarise, window_outcome

YEAR_DAYS = 365
MONTHS = 12
MONTH_DAYS = 30
LANDMARKS = 3
"""As many windows that were over give the level, a month apart, as teach a blend."""
BOUNDS = (0.5, 2.0)
BELIEF = 0.3
"""How far, on the scale of logarithms, a level or a season usually lies from none."""
YEARS_DIFFER = 0.1
"""How far, on that scale, the same days of two years differ though nothing changed."""

Window = tuple[FloatArray, FloatArray]
"""What came and what had been said, one entry per customer."""


def shrunk_ratio(windows: Sequence[Window], *, noise: float = 0.0) -> float:
    """Return the sum of what came over the sum of what was said, drawn towards 1 and bounded.

    The windows overlap, so together they count as one that has their mean error; ``noise`` is what
    two windows differ by, beside the chance of single customers, on the scale of logarithms.
    """
    came = [float(came.sum()) for came, _said in windows]
    said = [float(said.sum()) for _came, said in windows]
    if not windows or min(came) <= 0.0 or min(said) <= 0.0:
        return 1.0
    squares = [float(((came - said) ** 2).sum()) for came, said in windows]
    chance = float(np.mean([one / total**2 for one, total in zip(squares, came, strict=True)]))
    weight = BELIEF**2 / (BELIEF**2 + chance + noise**2)
    return float(np.clip((sum(came) / sum(said)) ** weight, *BOUNDS))


@dataclass(frozen=True)
class Foretold:
    """What came in a horizon and what had been said of it, as purchase days and as spend."""

    orders: Window
    spend: Window


class LastYear:
    """The same days one year earlier, read by the model of repeat buying as of today.

    Of a young shop a model fitted a year ago had seen too little: what came over what it said would
    be off by its youth more than by the season. So today's model is given each customer's history
    as of then. Purchase days are counted, for single spends are heavy-tailed. Of a large shop
    ``most`` buyers are looked at.
    """

    def __init__(
        self,
        ledger: PurchaseLedger,
        *,
        first_day: int,
        horizon_days: int,
        most: int,
        engine: str = NEWTON,
    ) -> None:
        self.ledger = ledger
        self.first_day = first_day
        self.horizon_days = horizon_days
        self.most = most
        self.engine = engine
        self._models: dict[int, Base | None] = {}
        self._levels: dict[int, float] = {}
        self._factors: dict[tuple[int, bool], float | None] = {}
        self._known: dict[int, PurchaseDays] = {}

    def factor(self, day: int, *, levelled: bool = True) -> float | None:
        """Return the factor for the horizon after ``day``; None without such a window.

        ``levelled`` tells whether it is for forecasts that know the level of their landmarks: what
        these weeks held of the season is then no longer missing.
        """
        asked = (day, levelled)
        if asked not in self._factors:
            self._factors[asked] = self._factor(day, levelled=levelled)
        return self._factors[asked]

    def helped(self, as_of_day: int, *, levelled: bool = True) -> bool:
        """Tell whether the factor lowered the error of the past year, month by month.

        Judged are windows that are over, and have one a year earlier; there the factor must lower
        the mean deviance of the spend that repeat buying foretells.
        """
        plain, seasonal = [], []
        for step in range(MONTHS):
            day = as_of_day - self.horizon_days - MONTH_DAYS * step
            factor = self.factor(day, levelled=levelled)
            if factor is None:
                continue
            then = self._window(day, model_day=day, known_before=as_of_day)
            if then is None:
                continue
            came, said = then.spend
            said = self._level(day) * said if levelled else said
            plain.append(poisson_deviance(came, said))
            seasonal.append(poisson_deviance(came, factor * said))
        return bool(plain) and float(np.mean(seasonal)) < float(np.mean(plain))

    def factors(self, days: Sequence[int]) -> list[float | None]:
        """Return the factors of repeat buying alone on days, the newest first; of none if no help.

        Whether they helped is judged as of the newest day.
        """
        if not self.helped(days[0], levelled=False):
            return [None] * len(days)
        return [self.factor(day, levelled=False) for day in days]

    def _factor(self, day: int, *, levelled: bool) -> float | None:
        if self.horizon_days > YEAR_DAYS:
            return None
        then = self._window(day - YEAR_DAYS, model_day=day, known_before=day)
        if then is None:
            return None
        came, said = then.orders
        level = self._level(day) if levelled else 1.0
        return shrunk_ratio([(came, level * said)], noise=YEARS_DIFFER)

    def _level(self, day: int) -> float:
        """Return what came in the newest windows that were over by a day, over what was said."""
        if day not in self._levels:
            newest = day - self.horizon_days
            days = [newest - MONTH_DAYS * step for step in range(LANDMARKS)]
            found = [self._window(one, model_day=day, known_before=day) for one in days]
            self._levels[day] = shrunk_ratio([one.orders for one in found if one is not None])
        return self._levels[day]

    def _window(self, day: int, *, model_day: int, known_before: int) -> Foretold | None:
        """Return what came after a day, and what the model of another says of it.

        None where too little had happened by the day, or the model describes nobody.
        """
        if day - self.first_day < BACKTEST_SLACK_DAYS:
            return None
        if (base := self._model(model_day)) is None:
            return None
        summary = summarise(self._occasions(day), as_of_day=day)
        if summary.T.size < MIN_BUYERS:
            return None
        _buy, orders, worth = forecasts(summary, base)
        if known_before not in self._known:
            self._known = {known_before: self.ledger.occasions(known_before=known_before)}
        spent, came = window_outcome(
            self._known[known_before],
            summary.customer_id,
            start_day=day,
            end_day=day + self.horizon_days,
        )
        return Foretold((came.astype(np.float64), orders), (spent, orders * worth))

    def _model(self, day: int) -> Base | None:
        """Return the models fitted on what was known before a day; None where it was too little."""
        if day not in self._models:
            self._models[day] = self._fit(day)
        return self._models[day]

    def _fit(self, day: int) -> Base | None:
        occasions = self._occasions(day)
        summary = summarise(occasions, as_of_day=day)
        if summary.T.size < MIN_BUYERS or int((summary.frequency > 0).sum()) < MIN_REPEATERS:
            return None
        try:
            return fit_base(occasions, summary, horizon_days=self.horizon_days, engine=self.engine)
        except DegenerateFitError:
            return None

    def _occasions(self, day: int) -> PurchaseDays:
        """Return the occasions known before a day, of the customers looked at."""
        occasions = self.ledger.occasions(known_before=day)
        buyers, counts = np.unique(occasions.customer_id, return_counts=True)
        return occasions.where(np.repeat(some(buyers, self.most), counts))
