"""Callers of the REST API for tests: clients with a key, and score rows to ask for."""

from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from analytics.models import CustomerScore, ScorePointer
from crm.core.services.keys import create_api_key
from tests.factories import UserFactory


def token_for(user, *scopes, expires_at=None):
    """Make a key that acts as ``user`` and return its text."""
    _key, token = create_api_key(
        name="test", user_id=user.pk, scopes=scopes, expires_at=expires_at, now=timezone.now()
    )
    return token


def client_with(token, **kwargs):
    """Return a client that sends ``token``."""
    return APIClient(headers={"Authorization": f"Bearer {token}"}, **kwargs)


def api_client(*scopes, permissions=None, **kwargs):
    """Return a client whose key has ``scopes`` and acts as a person who may do everything.

    With ``permissions``, such as ``["customers.view_customer"]``, the person may do only that.
    """
    user = UserFactory(is_superuser=permissions is None)
    for name in permissions or []:
        app, codename = name.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    client = client_with(token_for(user, *(scopes or ("read",))), **kwargs)
    client.user = user
    return client


def publish_scores(run, rows):
    """Give ``run`` a partition with score rows and make it the published one."""
    with connection.cursor() as cursor:
        # Tests that end their transactions leave their partitions, and numbers begin anew.
        cursor.execute(f"DROP TABLE IF EXISTS score_of_run_{run.pk}")
        cursor.execute(
            f"CREATE TABLE score_of_run_{run.pk} PARTITION OF analytics_customerscore "
            f"FOR VALUES IN ({run.pk})"
        )
    CustomerScore.objects.bulk_create(CustomerScore(run=run, **row) for row in rows)
    ScorePointer.objects.update_or_create(id=1, defaults={"run": run})
