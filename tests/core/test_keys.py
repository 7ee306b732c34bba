"""Keys: shown once, checked in constant time, closed for good."""

import hashlib
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from crm.core.errors import DomainError, NotFoundError
from crm.core.models import ApiKey, AuditEntry
from crm.core.services import keys
from tests.factories import NOON, UserFactory

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def made(**changes):
    values = {
        "name": "Warehouse",
        "user_id": UserFactory().pk,
        "scopes": ["read"],
        "expires_at": None,
        "now": NOON,
    }
    return keys.create_api_key(**{**values, **changes})


def test_only_the_hash_of_a_key_is_stored():
    key, token = made(scopes=["write", "read", "read"])

    word, prefix, secret = token.split("_")
    assert (word, prefix, len(secret)) == ("hk", key.prefix, 43)
    assert key.secret_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert key.scopes == ["read", "write"]
    row = ApiKey.objects.filter(pk=key.pk).values().get()
    assert secret not in str(row)


def test_making_and_revoking_a_key_is_on_record():
    person = UserFactory()

    key, token = made(user_id=person.pk, actor_id=person.pk, request_id="r-1")
    keys.revoke_api_key(key_id=key.pk, now=NOON, actor_id=person.pk, request_id="r-2")
    keys.revoke_api_key(key_id=key.pk, now=NOON + MINUTE, actor_id=person.pk)

    entries = AuditEntry.objects.order_by("pk")
    assert [(entry.action, entry.request_id) for entry in entries] == [
        ("api_key.created", "r-1"),
        ("api_key.revoked", "r-2"),
    ]
    assert {(entry.actor_id, entry.object_id) for entry in entries} == {(person.pk, key.public_id)}
    assert token.split("_")[2] not in str([entry.details for entry in entries])
    key.refresh_from_db()
    assert key.revoked_at == NOON


@pytest.mark.parametrize("scopes", [[], ["admin"], ["read", "all"]])
def test_a_key_without_known_scopes_is_not_made(scopes):
    with pytest.raises(keys.UnknownScopeError):
        made(scopes=scopes)

    assert not ApiKey.objects.exists()


def test_a_key_that_would_have_expired_is_not_made():
    with pytest.raises(DomainError):
        made(expires_at=NOON)

    assert not ApiKey.objects.exists()


def test_revoking_what_is_not_there_is_an_error():
    with pytest.raises(NotFoundError):
        keys.revoke_api_key(key_id=1, now=NOON)


def test_use_is_noted_at_most_once_a_minute(django_assert_num_queries):
    key, token = made()

    keys.check_api_key(token=token, now=NOON)
    with django_assert_num_queries(1):
        keys.check_api_key(token=token, now=NOON + timedelta(seconds=59))
    key.refresh_from_db()
    assert key.last_used_at == NOON

    keys.check_api_key(token=token, now=NOON + MINUTE)
    key.refresh_from_db()
    assert key.last_used_at == NOON + MINUTE


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda key: setattr(key, "revoked_at", NOON), "revoked_api_key"),
        (lambda key: setattr(key, "expires_at", NOON), "expired_api_key"),
        (lambda key: setattr(key.user, "is_active", False), "inactive_user"),
    ],
)
def test_a_closed_key_is_refused_by_name_and_its_use_not_noted(spoil, code):
    key, token = made()
    spoil(key)
    key.save()
    key.user.save()

    with pytest.raises(keys.ApiKeyRefusedError) as refusal:
        keys.check_api_key(token=token, now=NOON)

    assert refusal.value.code == code
    key.refresh_from_db()
    assert key.last_used_at is None


@pytest.mark.parametrize("text", ["", "hk_", "hk_é_é", "x" * 5000, "hk_0_0\x00", "hk__"])
def test_any_other_text_is_not_a_key(text):
    with pytest.raises(keys.ApiKeyRefusedError) as refusal:
        keys.check_api_key(token=text, now=NOON)

    assert refusal.value.code == "invalid_api_key"


def test_who_does_not_know_the_secret_does_not_learn_that_a_key_is_revoked():
    key, _token = made()
    keys.revoke_api_key(key_id=key.pk, now=NOON)

    with pytest.raises(keys.ApiKeyRefusedError) as refusal:
        keys.check_api_key(token=f"hk_{key.prefix}_{'a' * 43}", now=NOON)

    assert refusal.value.code == "invalid_api_key"


def test_the_command_prints_a_key_that_works():
    person = UserFactory(username="robot")
    printed = StringIO()

    call_command(
        "create_api_key",
        "--user=robot",
        "--name=Till",
        "--scope=read",
        "--scope=write",
        "--expires=2099-01-01T00:00:00Z",
        stdout=printed,
    )

    key = keys.check_api_key(token=printed.getvalue().strip(), now=NOON)
    assert (key.user, key.name, key.scopes) == (person, "Till", ["read", "write"])
    assert key.expires_at == datetime(2099, 1, 1, tzinfo=UTC)


def test_the_command_needs_somebody_to_act_as():
    with pytest.raises(CommandError, match="no user named “nobody”"):
        call_command("create_api_key", "--user=nobody", "--name=Till", "--scope=read")
