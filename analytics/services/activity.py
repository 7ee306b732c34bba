"""Count who bought when, ahead of those who ask: over millions of orders it takes long."""

from datetime import date, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from analytics.enums import Step
from analytics.models import ActivityMark
from analytics.selectors.activity import NET_DAYS, activity_mark, day_number
from customers.models import ShopSettings
from customers.selectors.choice import MONTHS, PERIODS, month_starts, week_starts
from customers.selectors.shop import shop_settings

SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(hours=20)
REST_PER_SECOND = 200.0
"""A count that takes a second is made again after so many; the busy share is small at any size."""
_LOCK = 4_203_773

# Of each customer one row per span: where the day before fell into the same span, it is told.
_COUNT = f"""
INSERT INTO analytics_activitycount (step, source_id, began_on, starts_on, customers)
SELECT %(step)s, source_id, CASE WHEN NOT %(cohorts)s AND began < bought THEN NULL
        ELSE (%(starts)s::date[])[began] END, (%(starts)s::date[])[bought], count(*)
FROM (
    SELECT c.source_id, width_bucket(n.days[1], %(edges)s::int[]) AS began,
        width_bucket(u.day, %(edges)s::int[]) AS bought
    FROM customers_customerdays d JOIN customers_customer c ON c.id = d.customer_id
        CROSS JOIN LATERAL ({NET_DAYS}) n
        CROSS JOIN LATERAL unnest(n.days) WITH ORDINALITY u(day, place)
    WHERE d.bought_on[cardinality(d.bought_on)] >= %(first)s
        AND u.day >= %(first)s AND u.day < %(end)s AND (u.place = 1
        OR width_bucket(u.day, %(edges)s::int[])
            <> width_bucket(n.days[u.place - 1], %(edges)s::int[]))
) spans GROUP BY 1, 2, 3, 4
"""  # noqa: S608 - a constant


def count_activity(*, now: datetime) -> bool:
    """Count buyers by week and month when it is time; return whether they were counted.

    It is time sooner in a small shop than in a large one, and at once when the zone is new. Who
    comes while somebody counts goes away again.
    """
    shop = shop_settings()
    if not _is_due(shop, now):
        return False
    today = now.astimezone(ZoneInfo(shop.zone)).date()
    began = perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("DELETE FROM analytics_activitycount")
        for step, starts in _spans(today).items():
            edges = [day_number(day) for day in starts]
            cursor.execute(
                _COUNT,
                {
                    "step": step,
                    "cohorts": step == Step.MONTH,
                    "starts": starts,
                    "edges": edges,
                    "first": edges[0],
                    "end": edges[-1],
                },
            )
        ActivityMark.objects.update_or_create(
            pk=1,
            defaults={
                "counted_at": now,
                "until_day": today,
                "zone": shop.zone,
                "seconds": perf_counter() - began,
            },
        )
    return True


def _is_due(shop: ShopSettings, now: datetime) -> bool:
    mark = activity_mark()
    if mark is None or mark.zone != shop.zone:
        return True
    rest = timedelta(seconds=mark.seconds * REST_PER_SECOND)
    return now - mark.counted_at >= min(max(rest, SHORTEST), LONGEST)


def _spans(today: date) -> dict[Step, list[date]]:
    """Return the starts of what is shown, by step: of weeks also those of the year before."""
    longest = max(PERIODS)
    return {
        Step.WEEK: week_starts(until=today, weeks=2 * longest + 2),
        Step.MONTH: month_starts(until=today, months=MONTHS[longest]),
    }
