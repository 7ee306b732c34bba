"""The shared machinery's lists ask the database as often for one row as for twenty."""

import pytest
from django.utils import timezone

from crm.core.models import AuditEntry
from crm.core.services import keys
from tests.budgets import statements
from tests.factories import JobFactory, ShopSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db
MOST_OF_A_LIST = 7


def api_key(number: int):
    return keys.create_api_key(
        name=f"key {number}",
        user_id=UserFactory().pk,
        scopes=["read"],
        expires_at=None,
        now=timezone.now(),
    )


def audit(number: int):
    return AuditEntry.objects.create(
        actor=UserFactory(), action="shop.settings", object_type="shop", object_id=str(number)
    )


ROWS = {"job": lambda number: JobFactory(), "apikey": api_key, "auditentry": audit}


@pytest.mark.parametrize("name", ROWS)
def test_a_list_asks_as_often_for_one_row_as_for_twenty(name, staff_client):
    ShopSettingsFactory()
    address = f"/admin/core/{name}/"
    ROWS[name](0)
    one = statements(staff_client, address)

    for number in range(1, 20):
        ROWS[name](number)
    twenty = statements(staff_client, address)

    assert staff_client.get(address).context["cl"].result_count == 20
    assert one == twenty <= MOST_OF_A_LIST
