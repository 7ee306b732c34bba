"""Model fields that several apps use."""

from typing import Any

from django.db import models
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext_lazy as _


@deconstructible(path="crm.core.fields.RandomPublicId")
class RandomPublicId(models.Func):
    """Let the database make ``<prefix>_<32 hex digits>``, for single rows and COPY alike."""

    arity = 0

    def __init__(self, prefix: str) -> None:
        if not prefix.isalpha():
            raise ValueError("A public id's prefix consists of letters.")
        self.prefix = prefix
        super().__init__(output_field=models.CharField())

    def as_sql(self, *args: Any, **kwargs: Any) -> tuple[str, tuple[str | int, ...]]:
        """Return the expression; the prefix is letters only, so it needs no parameter."""
        return f"('{self.prefix}_' || replace(gen_random_uuid()::text, '-', ''))", ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RandomPublicId) and other.prefix == self.prefix

    def __hash__(self) -> int:
        return hash(self.prefix)


class PublicIdField(models.CharField):
    """An opaque id for the outside world, such as ``cus_3f…``, made by the database.

    A table says ``unique=True`` itself: its history keeps the same id in many rows.
    """

    def __init__(self, prefix: str = "", **kwargs: Any) -> None:
        self.prefix = prefix
        kwargs.setdefault("max_length", 40)
        kwargs.setdefault("editable", False)
        kwargs.setdefault("verbose_name", _("public id"))
        if prefix:
            kwargs.setdefault("db_default", RandomPublicId(prefix))
        super().__init__(**kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """Keep the prefix in migrations; the label is the same everywhere and stays out."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("verbose_name", None)
        kwargs["prefix"] = self.prefix
        return name, path, list(args), kwargs
