"""When people buy: seasons and sales peaks as a clock that runs faster on busy days.

Purchases are drawn in *shop time*, in which nothing but chance and the customer's own rate decides;
shop time runs faster on a busy day and slower on a quiet one, and as fast as the calendar on
average. So seasons bend the calendar and leave the laws of buying untouched: what a fitter should
find is known exactly, with seasons and without.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from customers.services.simulation.world.arrays import Floats, Ints
from customers.services.simulation.world.plan import Plan

MONTHS = (0.95, 0.80, 0.95, 0.95, 1.0, 1.05, 0.95, 0.90, 1.0, 1.05, 1.15, 1.25)
WEEKDAYS = (0.98, 0.95, 0.95, 0.97, 1.02, 1.08, 1.05)
HOURS = (8, 4, 2, 1, 1, 2, 6, 14, 26, 40, 50, 48, 46, 42, 40, 40, 42, 44, 46, 56, 70, 72, 50, 24)
"""How busy each hour of the day is."""
PEAKS = {
    (6, 16): 1.8, (6, 17): 2.5, (6, 18): 5.0,
    (11, 1): 2.0, (11, 10): 3.0, (11, 11): 7.0, (11, 12): 1.5,
    (12, 12): 2.0,
}  # fmt: skip
"""618 and Double 11, with the days around them."""
BLACK_FRIDAY = {0: 4.5, 1: 2.0, 2: 1.8, 3: 3.0}
"""From the Friday to the Monday after it."""


def busyness(day: date) -> float:
    """Return how busy a day is beside an ordinary one."""
    base = MONTHS[day.month - 1] * WEEKDAYS[day.weekday()]
    return base * PEAKS.get((day.month, day.day), 1.0) * BLACK_FRIDAY.get(_after_friday(day), 1.0)


def _after_friday(day: date) -> int:
    """Return the days since the year's Black Friday: the day after November's fourth Thursday."""
    first = date(day.year, 11, 1)
    thursday = first + timedelta(days=(3 - first.weekday()) % 7 + 21)
    return (day - thursday).days - 1


class Seasons:
    """The clocks of a plan: days since its start, shop time, instants.

    Attributes
    ----------
    until, horizon : shop time at the end of the record and at the end of the horizon
    """

    def __init__(self, plan: Plan) -> None:
        self.days = plan.days
        count = plan.days + plan.horizon_days + 60
        dates = [plan.start + timedelta(days=place) for place in range(count + 1)]
        busy = np.array([busyness(day) for day in dates[:-1]]) ** plan.season
        busy /= busy[: plan.days].mean()
        self._shop = np.concatenate([[0.0], np.cumsum(busy)])
        self._day = np.arange(count + 1, dtype=np.float64)
        zone = ZoneInfo(plan.zone)
        self._midnight = np.array(
            [datetime(d.year, d.month, d.day, tzinfo=zone).timestamp() for d in dates]
        )
        self._first_day = (plan.start - date(1970, 1, 1)).days
        self._clock = np.concatenate([[0.0], np.cumsum(HOURS)]) / sum(HOURS)
        self.until = float(self.shop_time(np.array([float(plan.days)]))[0])
        self.horizon = float(self.shop_time(np.array([float(plan.days + plan.horizon_days)]))[0])

    def shop_time(self, day: Floats) -> Floats:
        """Return shop time at days since the start."""
        return np.interp(day, self._day, self._shop)

    def day(self, shop_time: Floats) -> Floats:
        """Return days since the start at a shop time; within a day the busy hours come first."""
        plain = np.interp(shop_time, self._shop, self._day)
        whole = np.floor(plain)
        hours = np.interp(plain - whole, self._clock, np.arange(25.0))
        # Below one, so that rounding to microseconds keeps the day.
        return np.asarray(whole + np.minimum(hours / 24.0, 1.0 - 1e-9))

    def instant(self, day: Floats) -> Ints:
        """Return microseconds since 1970 (UTC) at days since the start in the shop's zone."""
        seconds = np.interp(day, self._day, self._midnight)
        return np.asarray(np.floor(seconds * 1e6), dtype=np.int64)

    def epoch_day(self, day: Floats) -> Ints:
        """Return the local day as days since 1970."""
        return np.floor(day).astype(np.int64) + self._first_day
