"""The sample or a simulated shop goes wholly, or not at all."""

from io import StringIO
from unittest import mock

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from crm.core.models import AuditEntry
from customers.errors import RemovalRefusedError
from customers.models import (
    Customer,
    CustomerFacts,
    CustomerTag,
    ImportBatch,
    Order,
    ShopSettings,
    Source,
    Task,
    Ticket,
)
from customers.services import simulation, tagging, tickets
from customers.services.merging import merge_customers
from customers.services.removing import plan_removal, remove_source
from tests.customers.demo.test_loading import finish, start
from tests.factories import (
    CustomerFactory,
    OrderFactory,
    ShopSettingsFactory,
    SourceFactory,
    TaskFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
KEY = "online-retail"


def rows_of_source(source_id):
    """Count what still names the source, or a customer who is gone, in every table there is."""
    left = {}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.related_model is Source:
                statement, values = f"{field.column} = %s", [source_id]
            elif field.related_model is Customer:
                gone = "(SELECT id FROM customers_customer)"
                statement, values = f"{field.column} NOT IN {gone}", []
            else:
                continue
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT count(*) FROM {model._meta.db_table} WHERE {statement}", values
                )
                left[model._meta.label, field.name] = cursor.fetchone()[0]
    return {key: count for key, count in left.items() if count}


def load(sample):
    ShopSettingsFactory()
    job = finish(start())
    assert job.state == "succeeded", job.error
    return Source.objects.get(key=KEY)


def refused_where_it_hangs_together_with_others(there, own):
    """Merge, or let somebody buy in two shops, and expect that nothing goes."""
    with transaction.atomic():
        merge_customers(
            source_id=own.customer_id,
            target_id=there.pk,
            user_id=UserFactory().pk,
            now=timezone.now(),
        )
        with pytest.raises(RemovalRefusedError, match="tie its customers to those of other"):
            remove_source(key=KEY, user_id=None)
        transaction.set_rollback(True)
    with transaction.atomic():
        OrderFactory(customer=there, source=own.source)
        with pytest.raises(RemovalRefusedError, match="of other sources"):
            remove_source(key=KEY, user_id=None)
        assert Customer.objects.filter(source__key=KEY).count() > 60
        transaction.set_rollback(True)


def test_the_sample_goes_with_all_that_hangs_on_it_and_nothing_else(sample):
    before = rows_of_source(0)  # scores that other tests committed
    source = load(sample)
    person = UserFactory(is_staff=True)
    there = Customer.objects.filter(source=source).first()
    TaskFactory(customer=there)
    tagging.tag_customer(customer_id=there.pk, name="VIP", user_id=person.pk)
    tickets.create_ticket(
        customer_id=there.pk, subject="Where is it?", text="", user_id=person.pk, now=timezone.now()
    )
    own = OrderFactory(customer=CustomerFactory(source=SourceFactory(key="own")))
    kept = TaskFactory(customer=own.customer)
    file = ImportBatch.objects.get().file
    storage, name = file.storage, file.name
    assert storage.exists(name)

    refused_where_it_hangs_together_with_others(there, own)
    plan = plan_removal(key=KEY)
    with_files = remove_source(key=KEY, user_id=person.pk)

    assert dict(with_files) == dict(plan.rows)
    assert dict(plan.rows)["Tasks"] == 1
    assert list(Customer.objects.all()) == [own.customer]
    assert list(Order.objects.all()) == [own]
    assert list(Task.objects.all()) == [kept]
    assert not Ticket.objects.exists()
    assert not CustomerTag.objects.exists()
    assert not CustomerFacts.objects.exclude(customer=own.customer).exists()
    assert not Source.objects.filter(key=KEY).exists()
    assert rows_of_source(source.pk).items() <= before.items()
    shop = ShopSettings.objects.get()
    assert (shop.is_demo, shop.demo_note) == (False, "")
    entry = AuditEntry.objects.get(action="source.removed")
    assert (entry.actor, entry.details["name"]) == (person, "Online Retail")


def test_a_source_of_ones_own_is_never_removed():
    own = CustomerFactory(source=SourceFactory(key="own"))

    with pytest.raises(RemovalRefusedError, match="neither simulated nor the sample"):
        remove_source(key="own", user_id=None)
    with pytest.raises(RemovalRefusedError, match="no source"):
        plan_removal(key="nobody")

    assert Customer.objects.get() == own


def test_the_command_says_what_goes_and_asks_first():
    before = rows_of_source(0)  # scores that other tests committed
    ShopSettingsFactory()
    job = simulation.start_simulation(customers=60, seed=5, user_id=None, now=timezone.now())
    with pytest.raises(CommandError, match="A job is waiting"):
        call_command("remove_source", Source.objects.create(key="x", kind="simulated").key)
    finish(job)
    source = Source.objects.get(pk=Customer.objects.first().source_id)
    out = StringIO()

    with mock.patch("builtins.input", return_value="no"), pytest.raises(CommandError):
        call_command("remove_source", source.key, stdout=out)
    assert "Customers: 60" in out.getvalue()
    assert Customer.objects.count() == 60

    with mock.patch("builtins.input", return_value=source.key):
        call_command("remove_source", source.key, stdout=out)
    assert not Customer.objects.exists()
    assert rows_of_source(source.pk).items() <= before.items()
    assert ShopSettings.objects.get().is_demo
    call_command("remove_source", "x", "--yes", stdout=out)
    assert not ShopSettings.objects.get().is_demo
