"""When saved imports are due."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.core.models import Job
from customers.models import SavedImport
from customers.selectors.shop import shop_settings


def due_saved_imports(*, kind: str, now: datetime) -> list[tuple[SavedImport, str]]:
    """Return the active saved imports that are due, each with the key of its day's job.

    The day is that of the newest hour that has passed in the shop's zone: one job a day, whatever
    becomes of the clock. Of several hours that nobody was awake for the last is made up for; one
    from before the saved import was started is not.
    """
    zone = ZoneInfo(shop_settings().zone)
    due = {}
    for saved in SavedImport.objects.filter(is_active=True).order_by("pk"):
        day, at = newest_hour(saved.hour, zone=zone, now=now)
        if at > saved.active_since:
            due[day_key(saved, day)] = saved
    made = set(Job.objects.filter(kind=kind, key__in=due).values_list("key", flat=True))
    return [(saved, key) for key, saved in due.items() if key not in made]


def newest_hour(hour: int, *, zone: ZoneInfo, now: datetime) -> tuple[date, datetime]:
    """Return the newest local day whose ``hour`` has come, and that instant in UTC.

    An hour that a change of the clocks leaves out comes an hour later; of one that comes twice the
    first counts.
    """
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        at = datetime.combine(day, time(hour), zone).astimezone(UTC)
        if at <= now:
            return day, at
    return day, at


def day_key(saved: SavedImport, day: date) -> str:
    """Return the key of a day's job, which exists once."""
    return f"{saved.public_id}:{day.isoformat()}"
