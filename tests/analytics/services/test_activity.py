"""Who bought when: cohorts, new and returning buyers, and the lists behind each count."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from analytics.models import ActivityCount, ActivityMark, ScoreSnapshot
from analytics.selectors import activity, movement
from analytics.services.activity import count_activity
from customers.selectors.choice import month_starts, week_starts
from customers.services.facts import mark_all_dirty, refresh_pending
from tests.api import publish_scores
from tests.factories import (
    NOON,
    CustomerFactory,
    OrderFactory,
    RefundFactory,
    ReviewFactory,
    ScoringRunFactory,
    ShopSettingsFactory,
    SourceFactory,
    SurveyResponseFactory,
)

pytestmark = pytest.mark.django_db
CUSTOMERS = "/admin/customers/customer/"
TODAY = NOON.date()


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)


def bought(customer, *days: str):
    return [
        OrderFactory(customer=customer, source=customer.source, placed_at=at(day)) for day in days
    ]


@pytest.fixture
def buyers():
    """Four customers; one gave back all of the first order, one came with another source."""
    ShopSettingsFactory()
    web = SourceFactory(key="web", name="Web")
    early, loyal, regretful = (CustomerFactory(name=name) for name in ("Early", "Loyal", "Regret"))
    other = CustomerFactory(name="Other", source=web)
    bought(early, "2024-03-01", "2026-02-10")
    bought(loyal, "2026-01-05", "2026-01-20", "2026-02-28", "2026-03-02")
    first, _second = bought(regretful, "2026-01-07", "2026-02-03")
    RefundFactory(order=first, customer=regretful, amount=Decimal(20), refunded_at=at("2026-01-09"))
    bought(other, "2026-01-31", "2026-03-01")
    mark_all_dirty()
    while refresh_pending(now=NOON, seconds=60):
        pass
    assert count_activity(now=NOON)
    return web


def months():
    return month_starts(until=TODAY, months=3)


def test_cohorts_count_who_bought_again_in_each_month(buyers):
    shown = activity.cohorts(months=months(), source_id=None)

    assert [(one.month.month, one.bought) for one in shown] == [
        (1, [2, 1, 2]),  # Loyal and Other; Regret's first purchase that stayed is of February
        (2, [1, 0]),
        (3, [0]),
    ]
    (january, *_rest) = activity.cohorts(months=months(), source_id=buyers.pk)
    assert january.bought == [1, 0, 1]


@pytest.mark.parametrize(
    ("step", "found"),
    [("month", [(2, 0), (1, 2), (0, 2)]), ("week", [(0, 2), (0, 1)])],
)
def test_new_and_returning_buyers_count_once_a_span(step, found, buyers):
    starts = months() if step == "month" else week_starts(until=TODAY, weeks=2)

    shown = activity.new_and_returning(step=step, starts=starts, source_id=None)

    assert [(one.new, one.returning) for one in shown] == found


def test_each_count_of_the_panels_opens_just_its_customers(buyers, staff_client, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    counts = {}
    for key, query in [("retention", ""), ("buyers", "step=month"), ("buyers", "step=week")]:
        address = f"/admin/dashboard/{key}/?weeks=13&{query}"
        panel = staff_client.get(address).context["panel"]["data"]
        for row in panel["table"].rows:
            counts |= {cell.url: cell for cell in row if cell.url.startswith(CUSTOMERS)}
    sizes = {url: cell.value for url, cell in counts.items() if isinstance(cell.value, int)}
    assert sum(size > 0 for size in sizes.values()) >= 8

    listed = {
        url: staff_client.get(url).context["cl"].result_count for url, size in sizes.items() if size
    }

    assert listed == {url: size for url, size in sizes.items() if size}


@pytest.mark.parametrize("name", ["first_purchase", "purchased", "answered", "rfm_moved"])
def test_what_is_no_span_and_no_movement_lists_nobody(name, buyers, staff_client):
    listed = staff_client.get(CUSTOMERS, {name: "whenever"})

    assert listed.context["cl"].result_count == 0


def test_buyers_are_counted_again_only_when_it_is_time(buyers):
    assert not count_activity(now=NOON + timedelta(minutes=4))
    ActivityMark.objects.update(seconds=30)
    assert not count_activity(now=NOON + timedelta(minutes=90))
    ActivityMark.objects.update(zone="Asia/Shanghai")
    rows = set(ActivityCount.objects.values_list("step", "starts_on", "began_on", "customers"))

    assert count_activity(now=NOON + timedelta(minutes=1))

    again = set(ActivityCount.objects.values_list("step", "starts_on", "began_on", "customers"))
    assert again == rows


def test_answers_say_of_how_many_they_are(buyers):
    customer = CustomerFactory()
    ReviewFactory(customer=customer, rating=5, written_at=at("2026-02-03"))
    SurveyResponseFactory(customer=customer, metric="csat", value=3, answered_at=at("2026-02-04"))
    mark_all_dirty()
    while refresh_pending(now=NOON, seconds=60):
        pass

    january, february, _march = activity.answers_by_month(months=months(), source_id=None)

    assert (january.count, january.mean, january.error) == (0, None, None)
    assert (february.count, february.customers, february.mean) == (2, 1, 75.0)
    assert february.error == pytest.approx(25.0)


def test_movement_is_since_the_first_scores_of_a_month_before_these(staff_client):
    ShopSettingsFactory()
    moved, stayed, gone, fresh = (CustomerFactory(name=name) for name in ("Mo", "St", "Go", "Fr"))
    february, later, march = (
        ScoringRunFactory(as_of_day=date(2026, month, day), state=state, published_at=NOON)
        for month, day, state in [(2, 1, "replaced"), (2, 9, "replaced"), (3, 2, "published")]
    )
    for customer, group in [(moved, "loyal"), (stayed, "champions"), (gone, "champions")]:
        ScoreSnapshot.objects.create(
            customer=customer, run=february, month=date(2026, 2, 1), rfm_group=group
        )
    for run, customer in [(later, fresh), (march, stayed)]:
        month = run.as_of_day.replace(day=1)
        ScoreSnapshot.objects.create(customer=customer, run=run, month=month, rfm_group="lost")
    publish_scores(
        march,
        [
            {"customer": customer, "rfm_group": group}
            for customer, group in [(moved, "champions"), (stayed, "champions"), (fresh, "loyal")]
        ],
    )

    snapshot = movement.last_snapshot()
    shown = movement.movements(snapshot=snapshot)

    assert snapshot == february
    assert shown["champions"] == movement.Movement("champions", 2, 2, 1, 1)
    assert shown["loyal"] == movement.Movement("loyal", 1, 1, 1, 1)
    for value, names in {
        "in-champions": ["Mo"],
        "out-champions": ["Go"],
        "in-loyal": ["Fr"],
    }.items():
        listed = staff_client.get(CUSTOMERS, {"rfm_moved": value}).context["cl"].result_list
        assert [customer.name for customer in listed] == names
