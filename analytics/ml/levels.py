"""Bring a forecast to the level that windows of the past have shown, and to the season's.

Both factors are ratios of what came to what had been said. A ratio stands on heavy-tailed spends of
a limited number of customers, so it is drawn towards 1 by as much as chance alone could have made
of it, and bounded.
"""

from collections.abc import Sequence

import numpy as np

from analytics.ml.arrays import FloatArray, IntArray
from analytics.ml.clv import NEWTON
from analytics.ml.errors import DegenerateFitError
from analytics.ml.features import fit_base, forecasts, some
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


class LastYear:
    """The same days one year earlier, each fitted on what was known before it and made once.

    Repeat buying stands for every method here: brought to the level of its own landmarks, it is
    off by the season, as blends are; as it is, so is repeat buying alone. Of a large shop it is
    fitted on ``most`` buyers.
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
        self._said: dict[int, tuple[IntArray, FloatArray] | None] = {}
        self._known: dict[int, PurchaseDays] = {}

    def factor(self, day: int, *, levelled: bool = True) -> float | None:
        """Return the factor for the horizon after ``day``; None without such a window.

        ``levelled`` tells whether it is for forecasts that know the level of their landmarks.
        """
        before = day - YEAR_DAYS
        if self.horizon_days > YEAR_DAYS or not self._reaches(before - self.horizon_days):
            return None
        then = self._told(before, known_before=day, levelled=levelled)
        return None if then is None else shrunk_ratio([then], noise=YEARS_DIFFER)

    def helped(self, as_of_day: int, *, levelled: bool = True) -> bool:
        """Tell whether the factor lowered the error of the past year, month by month.

        Judged are windows that are over, and have one a year earlier; there the factor must lower
        the mean deviance of repeat buying.
        """
        plain, seasonal = [], []
        for step in range(MONTHS):
            day = as_of_day - self.horizon_days - MONTH_DAYS * step
            factor = self.factor(day, levelled=levelled)
            then = self._told(day, known_before=as_of_day, levelled=levelled)
            if factor is None or then is None:
                continue
            came, said = then
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

    def _reaches(self, day: int) -> bool:
        return day - self.first_day >= BACKTEST_SLACK_DAYS

    def _told(self, day: int, *, known_before: int, levelled: bool) -> Window | None:
        """Return what came in the horizon after a day, and what would have been said of it."""
        then = self._window(day, known_before)
        if then is None or not levelled:
            return then
        newest = day - self.horizon_days
        windows = [self._window(newest - MONTH_DAYS * step, day) for step in range(LANDMARKS)]
        level = shrunk_ratio([one for one in windows if one is not None])
        came, said = then
        return came, level * said

    def _window(self, day: int, known_before: int) -> Window | None:
        """Return what came in the horizon after a day, as known later, and what was said of it."""
        if day not in self._said:
            self._said[day] = self._foretell(day)
        if (found := self._said[day]) is None:
            return None
        if known_before not in self._known:
            self._known = {known_before: self.ledger.occasions(known_before=known_before)}
        buyers, said = found
        came, _orders = window_outcome(
            self._known[known_before], buyers, start_day=day, end_day=day + self.horizon_days
        )
        return came, said

    def _foretell(self, day: int) -> tuple[IntArray, FloatArray] | None:
        """Return buyers and what repeat buying said of them; None where they were too few."""
        if not self._reaches(day):
            return None
        occasions = _of_some(self.ledger.occasions(known_before=day), self.most)
        summary = summarise(occasions, as_of_day=day)
        if summary.T.size < MIN_BUYERS or int((summary.frequency > 0).sum()) < MIN_REPEATERS:
            return None
        try:
            base = fit_base(occasions, summary, horizon_days=self.horizon_days, engine=self.engine)
        except DegenerateFitError:
            return None
        _buy, orders, worth = forecasts(summary, base)
        return summary.customer_id, orders * worth


def _of_some(occasions: PurchaseDays, most: int) -> PurchaseDays:
    """Return the occasions of the customers looked at, from sorted ones of all."""
    buyers, counts = np.unique(occasions.customer_id, return_counts=True)
    return occasions.where(np.repeat(some(buyers, most), counts))
