"""The record: who customers are, what they bought and said, what they allow."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = _("Shop")

    def ready(self) -> None:
        """Fill this app's own slots."""
        from customers import slots

        slots.fill()
