"""What the dashboard was asked to show: the period, the step and the source in its address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from customers.models import Source
from customers.selectors.reach import named_sources

PERIODS = (13, 26, 52)
STEPS = ("week", "month")
USUAL_WEEKS = 26
MONTHS = {13: 4, 26: 7, 52: 13}
"""Months that a period of weeks reaches into, the running one among them."""


@dataclass(frozen=True)
class Choice:
    """A period of whole weeks up to today, a step, and a source or all.

    ``unknown_source`` is a key in the address that no source has (any more).
    """

    weeks: int = USUAL_WEEKS
    step: str = "week"
    source: Source | None = None
    unknown_source: str = ""

    @property
    def source_id(self) -> int | None:
        return self.source.pk if self.source else None

    @property
    def months(self) -> int:
        return MONTHS[self.weeks]

    @property
    def query(self) -> str:
        """Return the address' words for this choice."""
        words: dict[str, Any] = {"weeks": self.weeks, "step": self.step}
        return urlencode(words | ({"source": self.source.key} if self.source else {}))


def choice_of(parameters: Mapping[str, Any]) -> Choice:
    """Read a choice from an address; what it cannot read is as if it were not there."""
    weeks = str(parameters.get("weeks", ""))
    step = str(parameters.get("step", ""))
    key = str(parameters.get("source", "")).replace("\0", "")
    source = Source.objects.filter(key=key).first() if key else None
    return Choice(
        int(weeks) if weeks in map(str, PERIODS) else USUAL_WEEKS,
        step if step in STEPS else STEPS[0],
        source,
        "" if source else key,
    )


def choice_for(request: HttpRequest) -> Choice:
    """Read a choice from a request; whose roles are limited to sources looks at one of these.

    The one that was asked for, or their first by name; the request's own words say so from then on.
    """
    mine = named_sources(request.user)
    if mine:
        asked = request.GET.get("source", "")
        words = request.GET.copy()
        words["source"] = asked if asked in {one.key for one in mine} else mine[0].key
        request.GET = words  # type: ignore[assignment]
    return choice_of(request.GET)


def week_starts(*, until: date, weeks: int) -> list[date]:
    """Return the Mondays of the last weeks, and the one after."""
    last = until - timedelta(days=until.weekday())
    return [last + timedelta(weeks=number - weeks + 1) for number in range(weeks + 1)]


def month_starts(*, until: date, months: int) -> list[date]:
    """Return the first days of the last months, and of the one after."""
    place = until.year * 12 + until.month - 1
    return [
        date(number // 12, number % 12 + 1, 1) for number in range(place - months + 1, place + 2)
    ]
