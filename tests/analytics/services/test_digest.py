"""The mail of Monday: who gets it, once, in their language; what it says and what it never says."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings as product
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.utils.translation import override

from analytics.models import ActivityMark, DigestChoice, DigestMail, ScoreSnapshot
from analytics.selectors import foretold
from analytics.selectors.digest import verdict
from analytics.services import digest
from analytics.services.activity import count_activity
from crm.core.models import AuditEntry
from crm.core.services.languages import remember_language
from customers.services.facts import mark_all_dirty, refresh_pending
from tests.api import publish_scores
from tests.factories import (
    CustomerFactory,
    OrderFactory,
    ScoringRunFactory,
    ShopSettingsFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
MINE = "/admin/my-settings/"
# Monday 9 March 2026, 8:30 in Shanghai, where it is still half past midnight in Greenwich.
MONDAY = datetime(2026, 3, 9, 0, 30, tzinfo=UTC)
EARLIER = MONDAY - timedelta(days=3)


class DyingBackend(EmailBackend):
    """A mail server to which the way breaks after the mail was handed over."""

    def send_messages(self, messages):
        super().send_messages(messages)
        raise KeyboardInterrupt


class AwayBackend(EmailBackend):
    def open(self):
        raise ConnectionRefusedError


def reader(*permissions, language="en", since=EARLIER, **more):
    """Return a person who wants the mail; without permissions one who may do everything."""
    user = UserFactory(is_staff=True, is_superuser=not permissions, **more)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    DigestChoice.objects.create(user=user, wanted_since=since, language=language)
    return user


def send(now=MONDAY):
    return digest.send_digests(now=now, limit=50)


@pytest.fixture
def shop():
    return ShopSettingsFactory(zone="Asia/Shanghai", currency="CNY", name="Tea", sending_armed=True)


@pytest.fixture
def busy_shop(shop):
    """Two orders last week, one the week before, one a year before; one customer at risk."""
    week = timedelta(weeks=1)
    known = CustomerFactory(name="Ann Lee", email="ann@example.com", phone="+8613812345678")
    last = MONDAY - timedelta(days=3)
    for customer, placed, total in [
        (known, last, 60),
        (CustomerFactory(), last, 40),
        (CustomerFactory(), last - week, 50),
        (known, last - 52 * week, 200),
    ]:
        OrderFactory(customer=customer, placed_at=placed, total=Decimal(total), currency="CNY")
    mark_all_dirty()
    while refresh_pending(now=MONDAY, seconds=60):
        pass
    count_activity(now=MONDAY)
    run = ScoringRunFactory(
        as_of_day=date(2026, 3, 9), state="published", published_at=MONDAY, currency="CNY",
        horizon_days=90,
    )  # fmt: skip
    row = {"customer": known, "churn_probability": 0.5, "predicted_clv": Decimal(100)}
    publish_scores(run, [row])
    return known


def test_it_says_what_changed_and_who_to_act_on_and_no_contact(busy_shop, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://crm.example.com"]
    reader()

    assert send() == 1

    (letter,) = mail.outbox
    html = letter.alternatives[0][0]
    assert letter.subject == "Tea: the week from 2 Mar 2026 to 8 Mar 2026"
    for line in (
        "Revenue: 100 CNY (week before: +100 %, year before: −50 %)",
        "Orders: 2 (week before: +100 %, year before: +100 %)",
        "New customers: 1 (week before: ±0 %, year before: ±0 %)",
        "Ann Lee: churn risk 50 %, 50.00 CNY at risk",
        f"https://crm.example.com/admin/customers/customer/{busy_shop.pk}/change/",
        "As of 9 Mar 2026, 08:30, Asia/Shanghai.",
    ):
        assert line in letter.body
    assert f'href="https://crm.example.com/admin/customers/customer/{busy_shop.pk}/change/"' in html
    for words in (letter.body, html):
        assert "ann@example.com" not in words
        assert "13812345678" not in words


def test_a_customer_without_a_name_is_told_by_id(busy_shop):
    busy_shop.name = ""
    busy_shop.save()
    reader()

    send()

    assert busy_shop.public_id in mail.outbox[0].body
    assert "ann@example.com" not in mail.outbox[0].body


def test_it_has_only_what_its_reader_may_see(busy_shop):
    reader("customers.view_order", email="orders@example.com")
    reader("analytics.view_currentscore", email="scores@example.com")
    reader("core.view_job", email="nothing@example.com")

    send()

    words = {letter.to[0]: letter.body for letter in mail.outbox}
    assert words.keys() == {"orders@example.com", "scores@example.com"}
    assert "Revenue: 100 CNY" in words["orders@example.com"]
    assert "Who to act on" not in words["orders@example.com"]
    assert "Revenue" not in words["scores@example.com"]
    assert "Ann Lee" not in words["scores@example.com"]
    assert busy_shop.public_id in words["scores@example.com"]


@pytest.mark.parametrize(
    ("hours", "due"), [(-1, False), (0, True), (15, True), (16, False), (24 * 7, True)]
)
def test_it_goes_out_on_monday_of_the_shops_zone(hours, due, shop):
    reader()

    assert send(MONDAY + timedelta(hours=hours)) == due


def test_once_a_week_for_who_wants_it_and_can_get_it(shop):
    wanted = reader(email="ann@example.com")
    reader(since=None)
    reader(email="")
    reader(is_active=False)
    reader(since=MONDAY)  # chosen after the hour

    assert [send(), send(), send(MONDAY + timedelta(hours=3))] == [1, 0, 0]
    assert [letter.to for letter in mail.outbox] == [["ann@example.com"]]
    (row,) = DigestMail.objects.all()
    assert (row.user, row.week, row.state) == (wanted, date(2026, 3, 9), "sent")


def test_a_copy_of_a_shop_mails_nobody_by_itself_and_says_so(shop, client):
    shop.sending_armed = False
    shop.save()
    client.force_login(reader())

    assert send() == 0
    assert not DigestMail.objects.exists()
    assert "Sending is not armed" in client.get(MINE).content.decode()


def test_a_mail_whose_end_nobody_saw_is_unknown_and_not_sent_again(shop, settings):
    reader()
    settings.EMAIL_BACKEND = f"{__name__}.DyingBackend"
    with pytest.raises(KeyboardInterrupt):
        send()
    assert (len(mail.outbox), DigestMail.objects.get().state) == (1, "claimed")

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert send(MONDAY + timedelta(minutes=5)) == 0
    assert DigestMail.objects.get().state == "claimed"
    assert send(MONDAY + timedelta(minutes=25)) == 0

    assert (len(mail.outbox), DigestMail.objects.get().state) == (1, "unknown")


def test_while_the_mail_server_is_away_nothing_is_claimed(shop, settings):
    reader()
    settings.EMAIL_BACKEND = f"{__name__}.AwayBackend"
    assert send() == 0
    assert not DigestMail.objects.exists()

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert send(MONDAY + timedelta(minutes=5)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_each_mail_once():
    ShopSettingsFactory(zone="Asia/Shanghai", sending_armed=True)
    for _number in range(5):
        reader()

    def work(_worker):
        try:
            return send()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        begun = list(pool.map(work, range(2)))

    assert sum(begun) == 5
    assert len({letter.to[0] for letter in mail.outbox}) == len(mail.outbox) == 5


def snapshot(run, *rows):
    for spend, churn, *orders in rows:
        customer = CustomerFactory()
        ScoreSnapshot.objects.create(
            customer=customer, run=run, month=run.as_of_day.replace(day=1),
            predicted_clv=Decimal(spend), churn_probability=churn,
        )  # fmt: skip
        for day, total in orders:
            placed = datetime.combine(run.as_of_day, datetime.min.time(), UTC) + timedelta(days=day)
            OrderFactory(customer=customer, placed_at=placed, total=Decimal(total))


def foretelling(bias):
    return ScoringRunFactory(
        as_of_day=date(2025, 12, 1), state="replaced", published_at=EARLIER, currency="CNY",
        horizon_days=90,
        metrics={"clv": {"by_origin": [{"bias_percent": miss} for miss in bias]}},
    )  # fmt: skip


def test_what_was_foretold_is_held_against_what_came(shop):
    run = foretelling(bias=[-20.0, 25.0])
    # The order of day 90 is not of the 90 days.
    snapshot(run, ("60.00", 0.25, (0, 50), (89, 20), (90, 999)), ("40.00", 0.75))
    today = date(2026, 3, 9)

    found = foretold.newest_foretold(today=today, currency="CNY")

    assert found is not None
    assert (found.spend, found.low, found.high, found.came) == (100, 80, 125, 70)
    assert (found.customers, found.lapses, found.lapsed, found.is_inside) == (2, 1.0, 1, False)
    assert verdict(today=today, currency="CNY") == [
        "98 days ago we predicted that 2 customers would spend 100.00 CNY within 90 days; "
        "they spent 70.00 CNY.",
        "That is outside 80.00 CNY to 125.00 CNY, the range of the misses in its backtest.",
        "1 were expected not to order in that time; 1 did not.",
    ]


def test_what_cannot_be_said_yet_is_said_in_words(shop):
    today = date(2026, 3, 9)
    assert verdict(today=today, currency="CNY") == [
        "No forecast was kept yet that could be held against what came."
    ]
    run = foretelling(bias=[3.0])
    snapshot(run, ("60.00", 0.25, (0, 50)))
    early = date(2026, 2, 2)
    assert verdict(today=early, currency="CNY") == [
        "No forecast is old enough yet: the first can be judged on 1 Mar 2026."
    ]
    assert verdict(today=today, currency="CNY")[1].startswith("How far off to expect was not known")


def test_new_customers_are_left_out_until_the_whole_week_is_counted(busy_shop):
    ActivityMark.objects.update(until_day=date(2026, 3, 8))
    reader()

    send()

    assert "New customers" not in mail.outbox[0].body


def test_a_person_chooses_looks_and_tries(shop, client):
    user = UserFactory(is_staff=True, is_superuser=True, email="ann@example.com")
    client.force_login(user)

    assert client.post(MINE, {"wanted": "on", "language": "zh-hans"}).status_code == 302
    choice = DigestChoice.objects.get(user=user)
    assert (choice.language, choice.wanted_since is not None) == ("zh-hans", True)
    assert client.post(MINE, {"language": "xx"}).status_code == 200
    assert client.get(f"{MINE}preview/").context["letter"].language == "zh-hans"
    assert client.get(f"{MINE}test/").status_code == 405
    client.post(f"{MINE}test/")

    (letter,) = mail.outbox
    assert (letter.to, letter.alternatives[0][1]) == (["ann@example.com"], "text/html")
    assert not DigestMail.objects.exists()
    client.post(MINE, {"language": "en"})
    assert DigestChoice.objects.get(user=user).wanted_since is None
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["digest.chosen", "digest.refused"]


def test_my_settings_are_for_staff(client):
    client.force_login(UserFactory())

    for address in (MINE, f"{MINE}preview/"):
        assert client.get(address).status_code == 302
    assert client.post(f"{MINE}test/").status_code == 302
    assert mail.outbox == []


def test_the_mail_speaks_as_its_reader_is_spoken_to_until_they_choose(client):
    user = UserFactory(is_staff=True)
    remember_language(user_id=user.pk, language="zh-hans")
    client.force_login(user)
    client.cookies["django_language"] = "en"

    assert client.get(MINE).context["form"].initial["language"] == "zh-hans"
    client.post(MINE, {"wanted": "on", "language": "en"})
    assert client.get(MINE).context["form"].initial["language"] == "en"


def test_days_are_written_in_the_readers_language(shop):
    user = reader(language="zh-hans")
    with override(product.LANGUAGE_CODE):
        letter = digest.compose(user=user, language="zh-hans", now=MONDAY)

    assert letter is not None
    assert "2026年3月2日" in letter.subject
    assert 'lang="zh-hans"' in letter.html
