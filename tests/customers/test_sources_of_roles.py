"""Whose role is limited to a source: nothing of another is there for them, wherever they look.

The addresses are those the product has: a new one is walked by itself, and is closed until somebody
declares it open.
"""

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group, Permission
from django.db.models import CharField, ProtectedError, TextField, Value
from django.db.models.functions import Concat
from django.urls import get_resolver, reverse
from django.utils import timezone

from analytics.services import digest
from crm.core.models import AuditEntry, Job, Role, SavedView
from crm.core.registry import registry
from crm.core.selectors.audit import describe_entry
from crm.core.selectors.reach import limit_of
from crm.core.services import jobs
from customers import models as record
from customers.models import Customer, Order, Source
from customers.querysets import LARGE, Sources
from customers.selectors.reach import limits_of_role, sources_of
from customers.services import tagging
from customers.services.merging import merge_customers
from customers.services.roles import limit_role
from tests import factories as make
from tests.admin_pages import rows_to_open
from tests.api import client_with, publish_scores, token_for
from tests.customers.exporting import files

pytestmark = pytest.mark.django_db
MARK, KEY = "OnlyInB", "zzkey"
"""What stands in every text of the other source, and in its key."""
TEXTS = (
    "name", "title", "subject", "body", "text", "comment", "filename", "external_id", "sku",
    "evidence", "reason", "city", "line_key",
)  # fmt: skip
"""Columns of text in which the other source's mark is put."""
OF_THE_SHOP = (record.Attribute, record.ShopSettings, record.RejectedOrder)
"""Words that belong to the whole shop."""


def marks_in(text, but=""):
    """Tell whether a text knows the other source; what was asked for comes back in addresses."""
    return MARK.lower() in text.lower() or (KEY in text and KEY not in but)


def told(answer):
    """Return what an answer says: its text, its files, and where it leads."""
    streaming = getattr(answer, "streaming_content", None)
    body = b"".join(streaming) if streaming is not None else answer.content
    return body.decode("utf-8", "replace") + answer.headers.get("Location", "")


def mark_everything():
    """Put the mark into every text there is: all of it is of the other source."""
    for name in record.__all__:
        model = getattr(record, name)
        if model in OF_THE_SHOP or not model._meta.managed:
            continue
        for field in model._meta.fields:
            if (
                field.name in TEXTS
                and isinstance(field, CharField | TextField)
                and not field.choices
            ):
                rows = model._default_manager.exclude(**{field.name: ""})
                rows.exclude(**{field.name: None}).update(
                    **{field.name: Concat(Value(MARK), field.name)}
                )
    for tag in record.Tag.objects.all():  # what nobody wears is everybody's word
        record.CustomerTag.objects.get_or_create(tag=tag, customer=Customer.objects.earliest("pk"))
    for source in Source.objects.all():
        Source.objects.filter(pk=source.pk).update(key=f"{KEY}-{source.key}")
    record.Identity.objects.exclude(issuer="").update(issuer=Concat(Value(MARK), "issuer"))
    Job.objects.update(title=f"{MARK} job", parameters={"file": f"{MARK}.csv", "batch": 1})
    SavedView.objects.update(name=f"{MARK} view")


def two_sources(there):
    """Give the other source somebody of its own, and this one what limited persons see."""
    other = make.CustomerFactory(
        source=there, name=f"{MARK}Wanda", external_id=f"{MARK}-0", email="w@example.com"
    )
    here = make.SourceFactory(key="here", name="Here")
    mine = make.CustomerFactory(source=here, name="Mine Own")
    record.Identity.objects.create(customer=other, kind="email", value=other.email)
    # Somebody of both: everything they have in the other source is marked.
    both = make.CustomerFactory(
        source=there, external_id=f"{MARK}-1", name="Of Both", email=other.email
    )
    record.Identity.objects.create(
        customer=both, issuer=there.key, kind="external_id", value=f"{MARK}-1"
    )
    order = make.OrderFactory(source=here, customer=both, external_id="H1")
    product = make.ProductFactory(source=here, sku="here-sku", title="Here product")
    make.OrderLineFactory(order=order, product=product)
    elsewhere = make.OrderFactory(source=there, customer=both, external_id=f"{MARK}-2")
    texts = {"customer": both, "source": there}
    make.TicketFactory(**texts, subject=f"{MARK} ticket", body=MARK)
    make.ReviewFactory(**texts, text=MARK)
    make.SurveyResponseFactory(**texts, comment=MARK)
    make.ConsentFactory(**texts, evidence=MARK)
    make.RefundFactory(**texts, order=elsewhere, external_id=f"{MARK}-3", sku=MARK)
    return SimpleNamespace(
        here=here, there=there, mine=mine, both=both, other=other, order=order, product=product,
        ticket=make.TicketFactory(source=here, customer=both, subject="Here ticket"),
        task=make.TaskFactory(customer=both, title="Call back"),
    )  # fmt: skip


@pytest.fixture
def two(db):
    """Two sources with a few rows each, and a customer of both."""
    make.ShopSettingsFactory()
    return two_sources(make.SourceFactory(key=KEY, name=MARK))


@pytest.fixture
def shop(db):
    """Two sources, and everything there is in the other one."""
    rows = rows_to_open()
    make.RefundFactory(order=make.OrderFactory(), customer=rows.customer)
    publish_scores(make.ScoringRunFactory(), [{"customer": rows.customer, "abstained": "new"}])
    mark_everything()
    found = two_sources(Source.objects.get(pk=rows.customer.source_id))
    found.rows = rows
    note = record.Interaction.objects.create(
        customer=found.both, kind="note", at=make.NOON, text="Kind"
    )
    gone = make.CustomerFactory(source=found.here, name="Gone Here")
    merged = merge_customers(
        source_id=gone.pk, target_id=found.both.pk, user_id=None, now=make.NOON
    )
    own = dict.fromkeys(
        ("customer", "contact", "note", "task_give", "compare", "merge", "part"), found.both
    )
    own |= {
        "order": found.order, "product": found.product, "ticket": found.ticket,
        "task": found.task, "source": found.here,
    }  # fmt: skip
    found.own = SimpleNamespace(
        by_page={f"customers_{name}": row.pk for name, row in own.items()},
        parts={"note": note.pk, "other": found.mine.pk, "record": merged.pk},
    )
    return found


def limited_person(role, *sources, **more):
    user = make.UserFactory(username=f"limited-{role}", is_staff=True, **more)
    group = Role.objects.get(key=role).group
    user.groups.add(group)
    limit_role(group_id=group.pk, sources=sources, user_id=None)
    return user


def routes(patterns=None, prefix=""):
    """Yield the name of every address there is, and the names of what stands in it."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if hasattr(one, "url_patterns"):
            space = f"{prefix}{one.namespace}:" if one.namespace else prefix
            yield from routes(one.url_patterns, space)
        elif one.name:
            parts = list(one.pattern.converters) or list(one.pattern.regex.groupindex)
            yield prefix + one.name, parts


ADMIN = [(name, parts) for name, parts in routes() if not name.startswith("api")]
API = [(name, parts) for name, parts in routes() if name.startswith("api")]


def address_of(name, parts, rows):
    """Return an address with rows behind it; None where these rows have none for it."""
    short = name.removeprefix("admin:")
    values = {}
    for part in parts:
        if part in ("pk", "object_id", "id"):
            known = [
                start for start in rows.by_page if short == start or short.startswith(f"{start}_")
            ]
            if not known:
                return None
            values[part] = rows.by_page[max(known, key=len)]
        elif part in rows.parts:
            values[part] = rows.parts[part]
        elif part == "field":
            values[part] = "email"
        elif part == "key":
            values[part] = "churn_risk"
        else:
            return None
    return reverse(name, kwargs=values)


LEAVING = ("admin:logout", "admin:login", "set_language")
"""Addresses that end or change one's own session; there is nothing behind them."""
WORDS = ("", "?q=Wanda", "?source={key}", "?source__id__exact={pk}")
"""What is asked of every list: all, a name of the other source, the other source itself."""


def asked(shop):
    return [word.format(key=shop.there.key, pk=shop.there.pk) for word in WORDS]


@pytest.mark.parametrize("role", ["owner", "support"])
def test_no_page_of_the_web_admin_knows_the_other_source(shop, client, role):
    client.force_login(limited_person(role, shop.here))
    opened = set()
    for name, parts in ADMIN:
        address = address_of(name, parts, shop.rows)
        if address is None or name in LEAVING:
            continue
        if parts and not name.startswith("dashboard:"):
            assert client.get(address).status_code == 404, name
            assert client.post(address).status_code == 404, name
            continue
        is_asked = role == "owner" and name.endswith(("_changelist", "index"))
        for word in asked(shop) if is_asked else ("",):
            answer = client.get(address + word)
            assert not marks_in(told(answer), word), (name, word)
            opened |= {name} if answer.status_code == 200 else set()
        assert not marks_in(told(client.post(address))), name
    assert {"admin:customers_customer_changelist", "admin:index", "dashboard:panel"} <= opened


@pytest.mark.parametrize("role", ["owner", "support"])
def test_pages_of_the_own_source_are_there_without_what_is_of_the_other(shop, client, role):
    client.force_login(limited_person(role, shop.here))
    opened = set()
    for name, parts in ADMIN:
        address = address_of(name, parts, shop.own)
        if address is None or not parts or name.startswith("dashboard:"):
            continue
        answer = client.get(address)
        assert not marks_in(told(answer)), name
        opened |= {name.removeprefix("admin:customers_")} if answer.status_code == 200 else set()
    assert {"customer_change", "order_change", "ticket_change", "product_change", "compare"} <= (
        opened
    )


def test_an_own_page_is_closed_until_it_is_declared_open(two, client):
    client.force_login(limited_person("owner", two.here))
    address = f"/admin/customers/customer/{two.mine.pk}/change/"
    assert client.get(address).status_code == 200

    route = registry.open_routes.get("admin:customers_customer_change")
    registry.open_routes.unregister(route.key)
    try:
        assert client.get(address).status_code == 404
    finally:
        registry.open_routes.register(route)


def test_the_marks_stand_where_an_owner_without_a_limit_looks(shop, client):
    """What the walk looks for is there to be found."""
    client.force_login(limited_person("owner"))
    for name in ("customer", "order", "product", "ticket", "importbatch", "source", "savedimport"):
        for page in ("changelist", "change"):
            route = f"admin:customers_{name}_{page}"
            parts = ["object_id"] if page == "change" else []
            assert marks_in(told(client.get(address_of(route, parts, shop.rows)))), route
    for route in ("admin:customers_export_add", "admin:index", "admin:core_job_changelist"):
        assert marks_in(told(client.get(reverse(route)))), route


def publics(shop, rows):
    """Return the public ids behind the API's addresses."""
    made = {
        "customer": shop.rows.customer, "order": Order.objects.filter(source=shop.there).first(),
        "product": record.Product.objects.filter(source=shop.there).first(),
        "import": record.ImportBatch.objects.exclude(source=shop.here).first(),
        "export": record.Export.objects.exclude(source=shop.here).first(),
        "saved-import": record.SavedImport.objects.exclude(source=shop.here).first(),
        "job": Job.objects.first(), "alert": make.AlertFactory(),
        "scoring-run": make.ScoringRunFactory(),
    }  # fmt: skip
    own = {"customer": shop.both, "order": shop.order, "product": shop.product}
    return {name: row.public_id for name, row in (made if rows == "other" else own).items()}


def api_address(name, parts, ids):
    if not parts:
        return reverse(name)
    resource = max((one for one in ids if name.startswith(f"api:{one}-")), key=len, default="")
    return reverse(name, kwargs={"id": ids[resource]}) if resource else None


@pytest.mark.parametrize("way", ["session", "key"])
def test_no_address_of_the_api_knows_the_other_source(shop, client, way):
    user = limited_person("owner", shop.here)
    client.force_login(user)
    caller = client_with(token_for(user, "read", "write")) if way == "key" else client
    other, own = publics(shop, "other"), publics(shop, "own")
    opened = set()
    for name, parts in API:
        if (address := api_address(name, parts, other)) is None:
            continue
        for word in ("",) if parts else ("", "?q=Wanda", f"?source={shop.there.key}"):
            answer = caller.get(address + word)
            assert not marks_in(told(answer), word), name
            assert answer.status_code in (404, 405) or not parts, name
        answer = caller.post(address, {}, content_type="application/json")
        assert answer.status_code >= 302, name
        assert not marks_in(told(answer)), name
        if (address := api_address(name, parts, own)) is not None:
            for more in ("", "?expand=identities") if "customer-" in name else ("",):
                answer = caller.get(address + more)
                assert not marks_in(told(answer)), name
                opened |= {name} if answer.status_code == 200 else set()
    assert {"api:customer-list", "api:customer-detail", "api:order-detail"} <= opened
    listed = caller.get("/api/v1/customers/").json()["results"]
    assert {one["name"] for one in listed} == {"Mine Own", "Of Both"}
    assert {one["source"] for one in listed} == {"here", None}


def test_the_marks_stand_where_an_owner_without_a_limit_calls(shop):
    caller = client_with(token_for(limited_person("owner"), "read"))
    for name in ("customer", "order", "product", "import", "saved-import"):
        assert marks_in(told(caller.get(reverse(f"api:{name}-list")))), name


def test_a_list_counts_and_finds_what_is_there(two, client):
    client.force_login(limited_person("manager", two.here))
    address = "/admin/customers/customer/"

    assert client.get(address).context["cl"].result_count == 2
    assert client.get(f"{address}?q=Of Both").context["cl"].result_count == 1
    # The other source's number of somebody who is there.
    assert client.get(f"{address}?q={MARK}-1").context["cl"].result_count == 0
    assert client.get(f"{address}?q={MARK}-2").context["cl"].result_count == 0
    # … and what would tell that they are of the other one.
    for word in (f"external_id={MARK}-1", f"source__id__exact={two.there.pk}"):
        answer = client.get(f"{address}?{word}")
        assert answer.status_code != 200 or answer.context["cl"].result_count == 0
    for word in (f"external_id={MARK}-1", f"source={KEY}"):
        assert client.get(f"/api/v1/customers/?{word}").json()["results"] == []
    third = make.SourceFactory(key="third", name="Third")
    group = Role.objects.get(key="manager").group
    limit_role(group_id=group.pk, sources=[two.here, third], user_id=None)
    specs = client.get(address).context["cl"].filter_specs
    offered = next(spec for spec in specs if getattr(spec, "field_path", "") == "source")
    assert [label for _pk, label in offered.lookup_choices] == ["Here", "Third"]


def test_likely_duplicates_and_merges_stay_within_reach(two, client):
    address = f"/admin/customers/customer/{two.both.pk}/"
    client.force_login(limited_person("owner"))
    assert "Wanda" in told(client.get(f"{address}change/"))

    client.force_login(limited_person("manager", two.here))
    page = told(client.get(f"{address}change/"))
    assert "Wanda" not in page
    assert "You see what is of Here." in page
    merge = client.post(f"{address}merge/{two.other.pk}/")
    assert merge.status_code == 404
    two.other.refresh_from_db()
    assert two.other.lifecycle == "active"


def test_a_role_opens_what_all_its_persons_roles_open(two):
    user = limited_person("support", two.here)
    assert reach_of(user) == {two.here.pk}

    third = make.SourceFactory(key="third", name="Third")
    more = Role.objects.get(key="analyst").group
    limit_role(group_id=more.pk, sources=[third], user_id=None)
    user.groups.add(more)
    assert reach_of(user) == {two.here.pk, third.pk}

    user.groups.add(Group.objects.create(name="grants nothing"))
    assert reach_of(user) == {two.here.pk, third.pk}

    limit_role(group_id=more.pk, sources=[], user_id=None)
    assert reach_of(user) is None


def test_a_right_of_ones_own_and_a_superuser_open_all(two):
    user = limited_person("support", two.here)
    user.user_permissions.add(Permission.objects.get(codename="view_order"))
    assert reach_of(user) is None

    user.user_permissions.clear()
    user.is_superuser = True
    assert reach_of(user) is None


def reach_of(user):
    found = sources_of(user)
    return None if found is None else set(found)


def test_who_has_a_limit_or_none_costs_one_query(two, django_assert_num_queries):
    for user in (limited_person("support", two.here), limited_person("owner")):
        with django_assert_num_queries(1):
            limit_of(user)
            limit_of(user)


def test_a_source_that_a_role_is_limited_to_stays(two):
    limited_person("support", two.here)
    lonely = make.SourceFactory(key="lonely")
    limit_role(group_id=Role.objects.get(key="analyst").group_id, sources=[lonely], user_id=None)
    with pytest.raises(ProtectedError):
        lonely.delete()


def test_an_owner_limits_a_role_on_its_page_and_it_is_on_record(client, staff):
    here = make.SourceFactory(key="here", name="Here")
    group = Role.objects.get(key="support").group
    client.force_login(staff)
    address = f"/admin/auth/group/{group.pk}/change/"
    kept = list(group.permissions.values_list("pk", flat=True))
    page = client.get(address)
    assert "A customer is of a source when" in told(page)

    client.post(address, {"name": group.name, "permissions": kept, "sources": [here.pk]})
    assert limits_of_role(group.pk) == [here.pk]
    assert group.permissions.count() == len(kept)
    entry = AuditEntry.objects.get(action="role.limited")
    assert describe_entry(entry) == "staff limited the role “Support” to: Here."

    client.post(address, {"name": group.name, "permissions": kept, "sources": [here.pk]})
    client.post(address, {"name": group.name, "permissions": kept})
    assert limits_of_role(group.pk) == []
    assert AuditEntry.objects.filter(action__startswith="role.").count() == 2


def test_many_are_tagged_only_as_far_as_who_asked_reaches_then(two):
    user = limited_person("support", two.here)
    rows = Customer.objects.filter(pk__in=[two.mine.pk, two.other.pk])
    action = tagging.freeze_audience(kind="tag", rows=rows, filters={}, user_id=user.pk)
    job = tagging.start_bulk(action_id=action.pk, name="Met", user_id=user.pk)

    jobs.run_job(job_id=job.pk, worker="test", now=timezone.now(), seconds=60)

    tagged = record.CustomerTag.objects.filter(tag__name="Met")
    assert [row.customer_id for row in tagged] == [two.mine.pk]


def test_the_monday_mail_is_not_for_limited_persons(two):
    user = limited_person("manager", two.here, email="m@example.com")
    assert digest.compose(user=user, language="en", now=make.NOON) is None


def test_limited_persons_set_up_their_second_step_and_see_no_mail(two, client):
    client.force_login(limited_person("support", two.here))

    settings_page = client.get(reverse("my_settings:page"))
    set_up = client.get(reverse("mfa_activate_totp"))
    refused = client.post(reverse("my_settings:page"), {"wanted": "on", "language": "en"})

    assert reverse("mfa_activate_totp") in settings_page.content.decode()
    assert "Monday" not in settings_page.content.decode()
    assert set_up.status_code in (200, 302)
    assert refused.status_code == 403


def test_a_file_has_what_is_there_for_who_asked(two):
    user = limited_person("manager", two.here)
    mine = make.CustomerFactory(source=two.here, external_id="here-2", name="Third Own")
    record.Identity.objects.create(customer=mine, issuer=KEY, kind="user_id", value=f"{MARK}-9")
    record.Consent.objects.create(
        customer=mine, channel="email", action="given", at=make.NOON, source=two.there,
        evidence=f"{MARK} till",
    )  # fmt: skip

    file = files.text_rows(files.export("customers", source="here", user=user))
    assert [row[0] for row in file[1:]] == [two.mine.external_id, "here-2"]
    assert not marks_in(str(file))
    whole = files.text_rows(files.export("customers", source="here"))
    assert marks_in(str(whole))

    orders = files.text_rows(files.export("orders", source="here", user=user))
    assert [row[0] for row in orders[1:]] == ["H1"]


def test_a_file_is_not_written_once_its_source_is_out_of_reach(two):
    third = make.SourceFactory(key="third", name="Third")
    user = limited_person("manager", two.here)
    wish = files.start("orders", source="here", user=user)
    group = Role.objects.get(key="manager").group
    limit_role(group_id=group.pk, sources=[third], user_id=None)

    assert files.finish(wish).state == "failed"


def test_files_that_others_asked_for_stay_closed(two, client):
    done = files.export("orders", source="here")
    client.force_login(limited_person("owner", two.here))
    assert client.get(f"/admin/customers/export/{done.pk}/file/").status_code == 404


def test_the_dashboard_shows_one_of_ones_own_sources(two, client):
    client.force_login(limited_person("owner", two.here))
    for word in ("", f"?source={KEY}", "?source=here"):
        context = client.get(f"/admin/{word}").context
        assert context["choice"].source == two.here
        assert context["sources"] == [two.here]
        assert {panel["key"] for panel in context["panels"]} & {"freshness", "alerts"} == set()
    assert client.get("/admin/dashboard/freshness/").status_code == 404
    revenue = told(client.get(f"/admin/dashboard/revenue.csv?source={KEY}&weeks=52"))
    assert revenue == told(client.get("/admin/dashboard/revenue.csv?source=here&weeks=52"))


def test_nobody_writes_to_an_own_page_about_somebody_out_of_reach(two, client):
    client.force_login(limited_person("owner", two.here))
    assert client.get(f"/admin/customers/ticket/add/?customer={two.both.pk}").status_code == 200
    answer = client.post(
        f"/admin/customers/ticket/add/?customer={two.other.pk}", {"subject": "x", "text": "y"}
    )
    assert answer.status_code == 302
    assert not record.Ticket.objects.filter(subject="x").exists()
    ids = {"action": "tag_chosen", "_selected_action": [two.other.pk, two.mine.pk]}
    answer = client.post("/admin/customers/customer/", ids)
    assert record.BulkAction.objects.get().people == 1


@pytest.mark.parametrize("are_large", [False, True])
def test_who_is_of_a_source_is_the_same_however_it_is_asked(two, monkeypatch, are_large):
    if are_large:
        monkeypatch.setitem(LARGE, "Customer", 0)
    sources = Sources([two.here.pk])
    assert sources.are_large is are_large
    asks, known = (make.CustomerFactory(source=two.there) for _one in range(2))
    make.TicketFactory(source=two.here, customer=asks)
    record.Identity.objects.create(
        customer=known, issuer="here", kind="external_id", value="here-9"
    )
    make.TaskFactory(customer=two.other)
    task = make.TaskFactory(customer=known)
    manual = make.SourceFactory(key="by-hand", kind="manual")
    written = make.TicketFactory(source=manual, customer=known)
    make.TicketFactory(source=manual, customer=two.other)

    assert {*Customer.objects.within(sources)} == {two.mine, two.both, asks, known}
    assert {*record.Task.objects.within(sources)} == {two.task, task}
    mine = {*record.Ticket.objects.filter(source=two.here)}
    assert {*record.Ticket.objects.within(sources)} == mine | {written}
