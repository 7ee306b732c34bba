"""How values look in answers: instants in UTC, money as text, ids that say what they name."""

from datetime import UTC
from decimal import Decimal
from typing import Any

from django.db import models
from rest_framework import serializers

_CENT = Decimal("0.01")


class InstantField(serializers.DateTimeField):
    """An instant in UTC, as RFC 3339 with a Z."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)


class MoneyField(serializers.DecimalField):
    """An amount as decimal text, with two places or as many more as are needed."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 16)
        kwargs.setdefault("decimal_places", 4)
        super().__init__(**kwargs)

    def to_representation(self, value: Any) -> str:
        """Return the amount without zeros behind the second place."""
        amount = Decimal(value)
        short = amount.quantize(_CENT)
        return f"{short if short == amount else amount.normalize():f}"


class ReadSerializer(serializers.ModelSerializer):
    """Shows a row: its public id as ``id``, instants in UTC, decimals as text."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: InstantField,
        models.DecimalField: MoneyField,
    }

    def get_fields(self) -> dict[str, serializers.Field]:
        """Return the fields, all of them for reading only."""
        fields: dict[str, serializers.Field] = super().get_fields()
        for field in fields.values():
            field.read_only = True
        return fields


def public_id(source: str = "public_id", **kwargs: Any) -> serializers.CharField:
    """Make the field of a public id."""
    return serializers.CharField(source=source, read_only=True, **kwargs)
