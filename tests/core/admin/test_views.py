"""Lists open as somebody saved them, for those who may; what is gone is said and no error."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from crm.core.admin import base
from crm.core.models import AuditEntry, SavedView
from crm.core.registry import registry
from tests.factories import CustomerFactory, ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/customers/customer/"


@pytest.fixture
def other(client):
    """Another person who may see customers and no scores."""
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_customer"))
    return user


def save(client, look="", name="Mine", **more):
    return client.post(f"{LIST}views/add/", {"look": look, "name": name, **more})


def change(client, view, act, **more):
    return client.post(f"{LIST}views/{view.pk}/change/", {"act": act, **more}, follow=True)


def opened(client, view):
    answer = client.get(f"{LIST}views/{view.pk}/")
    return {key: values[0] for key, values in parse_qs(urlsplit(answer.url).query).items()}


def names(client, address):
    return [row.name for row in client.get(address, follow=True).context["cl"].result_list]


def columns(client, address):
    return [
        getattr(one, "__name__", one)
        for one in client.get(address, follow=True).context["cl"].list_display
        if one != "action_checkbox"
    ]


def test_a_view_keeps_search_filters_order_and_columns(staff_client):
    for name, language in (("Ann", "en"), ("Anna", "en"), ("Anne", "de"), ("Bob", "en")):
        CustomerFactory(name=name, language=language)
    shown = "q=ann&language__exact=en&_order=-who&_columns=who,orders"
    look = staff_client.get(f"{LIST}?{shown}").context["list_look"]["words"]
    assert names(staff_client, f"{LIST}?{shown}") == ["Anna", "Ann"]

    answer = save(staff_client, look, "Annas")

    view = SavedView.objects.get()
    assert view.words == {"q": ["ann"], "language__exact": ["en"]}
    assert (view.order, view.columns) == (["-who"], ["who", "orders"])
    assert names(staff_client, answer.url) == ["Anna", "Ann"]
    assert columns(staff_client, answer.url) == ["who", "orders"]
    assert "Annas" in staff_client.get(LIST).content.decode()
    head = staff_client.get(answer.url, follow=True).context["cl"]
    assert "_columns=who%2Corders" in head.get_query_string({"p": 2})


def test_any_score_may_be_a_column_and_order_the_list(staff_client):
    ShopSettingsFactory()
    CustomerFactory()
    assert "clv_12m" not in columns(staff_client, LIST)
    for column in registry.list_columns:
        if column.page != "customers":
            continue
        address = f"{LIST}?_columns=who&_columns={column.key}&_order=-{column.key}"
        assert columns(staff_client, address) == ["who", column.key]
        assert staff_client.get(address).context["cl"].order_names == [f"-{column.key}"]


def test_a_shared_view_is_everybody_s_to_open_and_its_owner_s_to_change(staff_client, other):
    save(staff_client, "q=ann", "Private")
    save(staff_client, "q=ann", "Shared", share="on")
    private, shared = SavedView.objects.order_by("name")
    assert AuditEntry.objects.get().action == "view.shared"
    staff_client.get(LIST)  # what was said about saving is read
    staff_client.force_login(other)
    client = staff_client

    page = client.get(f"{LIST}?_view={shared.pk}").content.decode()
    assert "Shared" in page
    assert "Private" not in page
    assert opened(client, shared)["q"] == "ann"
    assert opened(client, private) == {"_view": "all"}
    for act in ("save", "rename", "unshare", "delete"):
        for view in (shared, private):
            change(client, view, act, name="Taken", look="q=bob")
    for view in (private, shared):
        former = (view.name, view.words, view.is_shared)
        view.refresh_from_db()
        assert (view.name, view.words, view.is_shared) == former
    assert client.get(f"{LIST}views/{shared.pk}/change/").status_code == 405


def test_its_owner_saves_renames_shares_and_deletes_it(staff_client):
    save(staff_client, "q=ann", "Mine")
    save(staff_client, "q=bob", "Other")
    view = SavedView.objects.get(name="Mine")
    change(staff_client, view, "save", look="q=cat&p=3&_view=7")
    change(staff_client, view, "rename", name="other")  # taken
    change(staff_client, view, "rename", name="Cats")
    change(staff_client, view, "share")
    view.refresh_from_db()
    assert (view.name, view.words, view.is_shared) == ("Cats", {"q": ["cat"]}, True)
    save(staff_client, "q=x", "CATS")
    change(staff_client, view, "delete")
    assert [view.name for view in SavedView.objects.all()] == ["Other"]


def test_the_list_opens_with_one_view_for_each_person(staff_client, other):
    CustomerFactory(name="Ann")
    CustomerFactory(name="Bob")
    save(staff_client, "q=ann", "Annas", share="on")
    save(staff_client, "q=bob", "Bobs")
    annas, bobs = SavedView.objects.order_by("name")
    change(staff_client, annas, "default")
    change(staff_client, bobs, "default")
    assert names(staff_client, LIST) == ["Bob"]
    assert names(staff_client, f"{LIST}?_view=all") == ["Bob", "Ann"]
    change(staff_client, bobs, "usual")
    assert names(staff_client, LIST) == ["Bob", "Ann"]

    staff_client.force_login(other)
    assert names(staff_client, LIST) == ["Bob", "Ann"]
    change(staff_client, annas, "default")
    assert names(staff_client, LIST) == ["Ann"]


def test_what_a_view_says_that_is_gone_is_left_out_and_named(staff_client, other):
    CustomerFactory(name="Ann", language="en")
    view = SavedView.objects.create(
        page="customers.customer",
        name="Old",
        owner=other,
        words={"churn_band": ["high"], "was": ["1"], "language__exact": ["en"]},
        order=["-churn_probability"],
        columns=["who", "former"],
    )
    staff_client.force_login(other)

    answer = staff_client.get(f"{LIST}views/{view.pk}/", follow=True)

    assert answer.status_code == 200
    assert [row.name for row in answer.context["cl"].result_list] == ["Ann"]
    assert [str(message) for message in answer.context["messages"]] == [
        "“Old” is shown without what is no longer there for you:"
        " was, churn_band, former, churn_probability."
    ]
    assert staff_client.get(f"{LIST}?_columns=former&_order=former").status_code == 200


def test_a_list_is_counted_to_ten_thousand_and_estimated_beyond(staff_client, monkeypatch):
    monkeypatch.setattr(base, "MOST_COUNTED", 30)  # a shop of thousands would take its time
    for number in range(31):
        CustomerFactory(name=f"Ann {number}")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_customer (source_id, external_id, name)"
            " SELECT min(source_id), 'M' || n, 'Bob' FROM customers_customer,"
            " generate_series(1, 3000) n GROUP BY n"
        )
        cursor.execute("ANALYZE customers_customer")
    whole = staff_client.get(LIST).context["cl"].paginator
    assert (whole.count, whole.is_exact, whole.count_words) == (30, False, "about 3,031")
    assert "about 3,031" in staff_client.get(LIST).content.decode()
    assert "about" in staff_client.get(f"{LIST}?q=bob").context["cl"].paginator.count_words
    found = staff_client.get(f"{LIST}?q=ann+1").context["cl"].paginator
    assert (found.is_exact, found.count_words) == (True, "11")


def shared_search(client, text, name="Shared"):
    save(client, f"q={text}", name, share="1")
    return SavedView.objects.get(name__iexact=name)


@pytest.mark.parametrize(
    "text", ["zoe%40example.com", "zoe%40exam", "13812345678", "%2B44+7700+900123"]
)
def test_a_shared_view_carries_no_contact_to_who_may_see_none(staff_client, client, other, text):
    view = shared_search(staff_client, text)
    assert "q" in opened(staff_client, view)

    client.force_login(other)
    assert "q" not in opened(client, view)
    page = client.get(f"{LIST}views/{view.pk}/", follow=True).content.decode()
    assert "it is shown without that search" in page
    assert "zoe" not in page
    assert "12345678" not in page


def test_a_shared_search_for_a_name_or_a_number_of_an_order_stays(staff_client, client, other):
    for number, text in enumerate(("wanda", "536365", "5678")):
        view = shared_search(staff_client, text, f"View {number}")
        client.force_login(other)
        assert opened(client, view)["q"] == text
        client.force_login(UserFactory(is_staff=True, is_superuser=True))


def test_the_name_of_a_view_is_masked_where_it_is_a_contact(staff_client, client, other):
    view = shared_search(staff_client, "wanda", "zoe@example.com")
    staff_client.get(LIST)  # takes the word that it is saved
    client.force_login(other)

    page = client.get(f"{LIST}views/{view.pk}/", follow=True).content.decode()

    assert "z•••@e•••.com" in page
    assert "zoe@example.com" not in page
