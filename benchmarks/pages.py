"""The pages of the web admin over a million customers, beside stock Django admin.

    .venv/bin/python -m deploy.local.embedded run --ephemeral -- \
        .venv/bin/python -m benchmarks.pages --customers 1000000

The record is a simulated shop with an audit log and one customer of very many orders. Scores are
drawn from the facts by one statement: the pages only need every customer to have some. ``--score``
lets a night score them instead, which takes longer than all the rest. Pages are asked for in this
process by Django's test client, middleware and templates included: no web server, no network, no
browser. Each page is asked for once before it is measured. Peer and page come in turn.
"""

import argparse
import logging
import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
os.environ.setdefault("OMP_NUM_THREADS", "1")
django.setup()

import django.contrib.admin  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Max  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from analytics.models import CurrentScore  # noqa: E402
from customers.models import Customer, CustomerFacts, Order, Source, Ticket  # noqa: E402

NAME = "pages"
AUDIT_ENTRIES = 200_000
LONG = 3.0
MANY_ORDERS = 5_000
CUSTOMERS, ORDERS = "customers/customer/", "customers/order/"
_SCORES = """
INSERT INTO {table} (run_id, customer_id, r_score, f_score, m_score, rfm_group, p_alive,
    churn_probability, churn_low, churn_high, expected_orders, orders_low, orders_high,
    predicted_clv, clv_low, clv_high, clv_12m, margin_12m, satisfaction, satisfaction_low,
    satisfaction_high, satisfaction_n_eff, satisfaction_inferred, next_order_from,
    next_order_until, reasons)
SELECT {run}, customer_id, r, f, m, (%(groups)s::text[])[1 + (r * 5 + f * 3 + m) %% 11],
    1 - risk, risk, risk * 0.9, least(1, risk * 1.1), orders, orders * 0.5, orders * 2,
    spend, spend * 0.5, spend * 2, spend * 3, spend, happy, happy * 0.9, least(100, happy * 1.1),
    3, 0.5, last_order_day + (30 + 60 * risk)::int, last_order_day + (60 + 90 * risk)::int,
    jsonb_build_object('churn', jsonb_build_array(told, told, told), 'clv',
        jsonb_build_array(told, told), 'satisfaction', jsonb_build_array(told))
FROM (
    SELECT f.*, ntile(5) OVER (ORDER BY last_order_day) AS r, ntile(5) OVER (ORDER BY order_count)
        AS f, ntile(5) OVER (ORDER BY total_spend) AS m,
        1 - exp(-(%(today)s::date - last_order_day) / (60.0 + 60 * order_count)) AS risk,
        orders_365d / 4.0 * random() AS orders, greatest(total_spend, 0) / 4 * random() AS spend,
        40 + 60 * random() AS happy, jsonb_build_object('code', 'order_count', 'value',
            order_count, 'typical', 3, 'direction', 'up') AS told
    FROM customers_customerfacts f WHERE last_order_day IS NOT NULL
) drawn
"""
_AUDIT = """
INSERT INTO core_auditentry (public_id, actor_id, actor_name, action, object_type, object_id,
    details, request_id, at)
SELECT 'aud_' || md5('entry' || n), %(user)s, 'pages', (%(actions)s::text[])[1 + n %% 7],
    'customers.customer', 'cus_' || md5('object' || n), '{}', '', now() - n * interval '1 minute'
FROM generate_series(1, %(count)s) n
"""
_MANY_ORDERS = """
INSERT INTO customers_order (public_id, source_id, external_id, customer_id, status, placed_at,
    placed_day, currency, exchange_rate, total, total_shop, country)
SELECT 'ord_' || md5('many' || n), o.source_id, 'MANY-' || n, o.customer_id, 'paid',
    o.placed_at - n * interval '3 hours', (o.placed_at - n * interval '3 hours')::date, o.currency,
    o.exchange_rate, o.total, o.total_shop, o.country
FROM (SELECT * FROM customers_order WHERE customer_id = %(customer)s LIMIT 1) o,
    generate_series(1, %(count)s) n
"""


@dataclass(frozen=True)
class Page:
    """A page, its address, and that of stock admin where it has such a page."""

    name: str
    address: str
    peer: str = ""
    goal: float = 0.3
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Taken:
    """What one page took: wall seconds, CPU seconds of this process and of Postgres, statements."""

    wall: list[float] = field(default_factory=list)
    here: list[float] = field(default_factory=list)
    postgres: list[float] = field(default_factory=list)
    statements: int = 0

    @property
    def busy(self) -> list[float]:
        """CPU seconds of both: what a page takes where nothing else runs and the cache is warm."""
        return [sum(pair) for pair in zip(self.here, self.postgres, strict=True)]

    def words(self) -> list[str]:
        """Return the cells of a table."""
        figures = (
            statistics.median(self.busy), max(self.busy), statistics.median(self.postgres),
            statistics.median(self.wall), max(self.wall),
        )  # fmt: skip
        return [*(f"{1000 * figure:,.0f}" for figure in figures), str(self.statements)]


class Watch:
    """Counts statements, and the CPU time of the server process that answers them.

    Helpers of a parallel plan are not in it. Where the machine does not tell it (only Linux does,
    and only of a server on the same machine), the time until the answer is here stands for it.
    """

    def __init__(self, slow: float) -> None:
        self.slow, self.seconds, self.count = slow, 0.0, 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Run a statement, and note what it took."""
        pid = context["connection"].connection.info.backend_pid
        began = spent(pid)
        try:
            return execute(sql, params, many, context)
        finally:
            took = spent(pid) - began
            self.seconds += took
            self.count += 1
            if took > self.slow:
                sys.stderr.write(f"    {took * 1000:.0f} ms: {sql[:3000]} {str(params)[:300]}\n")


def spent(pid: int) -> float:
    """Return the CPU seconds of a process so far."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return time.perf_counter()


def fill(customers: int) -> None:
    """Write a simulated shop and its facts."""
    from benchmarks.nightly import fill as write

    write(customers)


def complete(*, by_night: bool) -> None:
    """Put beside a filled record what the pages show of it, and scores where there are none.

    That is an audit log, and one customer with very many orders.
    """
    from analytics.services.activity import count_activity
    from customers.services.facts import refresh_pending

    user, _made = get_user_model()._default_manager.get_or_create(
        username=NAME, defaults={"is_staff": True, "is_superuser": True}
    )
    actions = [
        "scoring_run.started", "digest.chosen", "panel.saved", "audit.exported", "export.started",
        "customer.tagged", "import.started",
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_AUDIT, {"user": user.pk, "actions": actions, "count": AUDIT_ENTRIES})
        many = Order.objects.filter(customer__isnull=False).order_by("pk").values("customer")[:1]
        chosen = {"customer": many.get()["customer"], "count": MANY_ORDERS}
        cursor.execute(_MANY_ORDERS, chosen)
        cursor.execute(
            "INSERT INTO customers_factsmark (customer_id) VALUES (%(customer)s)", chosen
        )
    while refresh_pending(now=timezone.now(), seconds=60):
        pass
    count_activity(now=timezone.now())
    if not CurrentScore.objects.exists():
        score(by_night=by_night)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def score(*, by_night: bool) -> None:
    """Publish scores: those of a night, or drawn ones."""
    from analytics.enums import RfmGroup
    from analytics.services.publishing import _partition, complete_table, create_table, publish
    from benchmarks.nightly import UNTIL, _started, ours

    if by_night:
        ours(lambda _stage: None)
        return
    run = _started()
    run.horizon_days, run.currency, run.model_name = 90, "GBP", "drawn"
    run.data_until = run.started_at = run.published_at = timezone.now()
    run.state = "published"
    run.save()
    create_table(run_id=run.pk)
    statement = _SCORES.replace("{table}", f'"{_partition(run.pk)}"').replace("{run}", str(run.pk))
    with connection.cursor() as cursor:
        cursor.execute(statement, {"groups": RfmGroup.values, "today": UNTIL})
    complete_table(run_id=run.pk)
    with transaction.atomic():
        publish(run=run)


def pages() -> list[Page]:
    """Return what is measured, by rows of this shop."""
    people = Customer.objects.filter(phone__gt="", email__gt="", external_id__gt="")
    known = people.filter(facts__order_count__gte=3).order_by("-pk")[1000]
    busy = CustomerFacts.objects.order_by("-order_count").values_list("customer", flat=True)[0]
    order = Order.objects.filter(customer=known).latest("pk")
    ticket = Ticket.objects.filter(customer__isnull=False).latest("pk")
    source = Source.objects.order_by("pk")[0]
    name = known.name.split()[-1]
    day = CustomerFacts.objects.aggregate(day=Max("first_order_day"))["day"]
    month = f"{day.replace(day=1).isoformat()}..{day.replace(day=28).isoformat()}"
    last = min(200, Customer.objects.count() // 50)
    return [
        *_lists(known, name, order, month, last),
        both("orders: first page", ORDERS),
        both(f"orders: page {last}", ORDERS, p=last),
        both("orders: by total", ORDERS, _order="-shown_total", peer={"o": "-5"}),
        both("orders: cancelled", ORDERS, status__exact="cancelled"),
        both("orders: search by number", ORDERS, q=order.external_id),
        both("orders: search by half a name", ORDERS, q=name),
        both("order", f"{ORDERS}{order.pk}/change/"),
        both("customer, 3 orders or more", f"{CUSTOMERS}{known.pk}/change/"),
        both("customer, 5,000 orders", f"{CUSTOMERS}{busy}/change/"),
        Page("timeline: next page", after(busy)),
        both("tickets: queue", "customers/ticket/"),
        Page("ticket", f"/admin/customers/ticket/{ticket.pk}/change/"),
        both("audit log", "core/auditentry/"),
        both("audit log: one action", "core/auditentry/", action="panel.saved"),
        *_dashboard(source.key),
    ]


def _lists(known: Customer, name: str, order: Order, month: str, last: int) -> list[Page]:
    end = known.phone[-4:]
    found = [
        both("customers: first page", CUSTOMERS),
        both(f"customers: page {last}", CUSTOMERS, p=last),
        both("customers: RFM group", CUSTOMERS, rfm_group="champions"),
        both("customers: churn risk high", CUSTOMERS, churn_band="high"),
        Page("customers: first purchase in a month", f"/admin/{CUSTOMERS}?first_purchase={month}"),
        Page("customers: bought in a month", f"/admin/{CUSTOMERS}?purchased={month}"),
        Page(
            "customers: cohort that came again",
            f"/admin/{CUSTOMERS}?first_purchase=1970-01-01..{month[:10]}&purchased={month}",
        ),
        Page("customers: answered in a month", f"/admin/{CUSTOMERS}?answered={month}"),
    ]
    places = {
        "who": 1, "country": 2, "orders": 3, "spend": 4, "last_order": 5, "rfm_group": 6,
        "churn_probability": 7, "predicted_clv": 8, "satisfaction": 9,
    }  # fmt: skip
    more = ("clv_12m", "margin_12m", "expected_orders", "next_order_from", "next_order_until")
    for column, place in places.items():
        for way in ("", "-"):
            words = f"customers: by {column}, {'downwards' if way else 'upwards'}"
            found.append(
                both(words, CUSTOMERS, _order=f"{way}{column}", peer={"o": f"{way}{place}"})
            )
    found += [
        Page(f"customers: by {name}", f"/admin/{CUSTOMERS}?_columns=who,{name}&_order=-{name}")
        for name in more
    ]
    searched = {
        "half a name": name[: max(3, len(name) // 2)],
        "pinyin": "zhangwei",
        "initials": "zw",
        "e-mail": known.email,
        "begin of an e-mail": known.email[:4],
        "four digits of a phone": end,
        "order number": order.external_id,
        "external id": known.external_id,
        "nobody": "nobody is called this",
    }
    found += [
        both(f"customers: search by {words}", CUSTOMERS, q=text) for words, text in searched.items()
    ]
    found.append(
        both(
            "customers: half a name, by spend",
            CUSTOMERS,
            q=name[:3],
            _order="-spend",
            peer={"q": name[:3], "o": "-4"},
        )
    )
    return found


def both(name: str, address: str, peer: Any = None, **words: Any) -> Page:
    """Return a page that stock admin has too; ``peer`` are its words where they differ."""
    theirs = words if peer is None else {**peer, **{k: v for k, v in words.items() if k == "q"}}
    return Page(
        name, f"/admin/{address}?{urlencode(words)}", f"/stock/{address}?{urlencode(theirs)}"
    )


def after(customer_id: int) -> str:
    """Return the address of the second page of a timeline, as its first page leads to it."""
    from customers.selectors.timeline import timeline

    cursor = timeline(customer_id=customer_id, user=None, cursor="", kinds=[]).next_cursor
    return f"/admin/{CUSTOMERS}{customer_id}/change/?{urlencode({'before': cursor})}"


def _dashboard(source: str) -> list[Page]:
    from crm.core.registry import registry

    found = []
    for words, query in (
        ("all sources", "weeks=26"),
        ("one source", f"weeks=26&source={source}"),
        ("52 weeks", "weeks=52"),
    ):
        found.append(Page(f"dashboard: {words}", f"/admin/?{query}", goal=1.0))
        for panel in registry.panels:
            if panel.page == "dashboard" and panel.is_late:
                found.append(
                    Page(
                        f"· {panel.key}: {words}",
                        f"/admin/dashboard/{panel.key}/?{query}",
                        goal=1.0,
                        headers={"X-Huike-Fragment": "1"},
                    )
                )
    return found


def measure(
    client: Client, page: Page, peer: str, turns: int, slow: float
) -> tuple[Taken, Taken | None]:
    """Ask for a page and its peer in turn."""
    mine, theirs = Taken(), Taken() if peer else None
    for turn in range(turns + 1):
        ask(client, page.address, mine, slow if turn == turns else 1e9, page.headers)
        # The peer's worst pages take half a minute: one turn tells as much as five.
        if theirs is not None and (turn < 2 or min(theirs.wall) < LONG):
            ask(client, peer, theirs, 1e9, {})
    for taken in filter(None, (mine, theirs)):
        del taken.wall[0], taken.here[0], taken.postgres[0]
    return mine, theirs


def ask(client: Client, address: str, taken: Taken, slow: float, headers: Any) -> None:
    """Ask for one page."""
    watch = Watch(slow)
    began, here = time.perf_counter(), time.process_time()
    with connection.execute_wrapper(watch):
        answer = client.get(address, headers=headers)
    taken.wall.append(time.perf_counter() - began)
    taken.here.append(time.process_time() - here)
    assert answer.status_code == 200, (address, answer.status_code)
    taken.postgres.append(watch.seconds)
    taken.statements = watch.count


def compare(mine: Taken, theirs: Taken | None) -> list[str]:
    """Return the peer's median, and its ratio to ours; nothing where it has no such page."""
    if theirs is None:
        return ["", ""]
    median = statistics.median(theirs.busy)
    return [f"{median * 1000:,.0f}", f"{median / statistics.median(mine.busy):.1f}"]


def stock_templates() -> list[dict[str, Any]]:
    """Return the template engines with one more that has Django's admin before the theme's."""
    own = Path(django.contrib.admin.__file__).parent / "templates"
    base = settings.TEMPLATES[0]
    return [*settings.TEMPLATES, {**base, "NAME": "stock", "DIRS": [own]}]


def main() -> None:
    """Fill the record where it is empty, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--score", action="store_true", help="let a night score the customers")
    parser.add_argument("--only", default="", help="measure the pages with this in their name")
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--slow", type=float, default=1e9, help="show statements beyond so many ms")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    names = connection.introspection.table_names()
    if "customers_customer" not in names or not Customer.objects.exists():
        fill(options.customers)
    if not get_user_model()._default_manager.filter(username=NAME).exists():
        complete(by_night=options.score)
    print(f"{Customer.objects.count():,} customers, {Order.objects.count():,} orders\n")
    print(
        "| Page | CPU ms, median | worst | of it Postgres | wall ms, median | worst | statements |"
        " stock CPU ms | stock / Huike |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    )
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        ROOT_URLCONF="benchmarks.stock_admin", ALLOWED_HOSTS=["*"], SECURE_SSL_REDIRECT=False,
        TEMPLATES=stock_templates(), STORAGES={**settings.STORAGES, "staticfiles": plain},
    ):  # fmt: skip
        client = Client()
        client.force_login(get_user_model()._default_manager.get(username=NAME))
        missed = []
        for page in pages():
            if options.only not in page.name:
                continue
            peer = "" if options.without_peer else page.peer
            mine, theirs = measure(client, page, peer, options.turns, options.slow / 1000)
            told = [page.name, *mine.words(), *compare(mine, theirs)]
            print(f"| {' | '.join(told)} |", flush=True)
            if max(mine.busy) > page.goal:
                missed.append(page.name)
    print(f"\nBeyond their goal: {', '.join(missed) or 'none'}")


if __name__ == "__main__":
    main()
