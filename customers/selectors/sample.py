"""The orders of another shop that come along with Huike, to look around with."""

from pathlib import Path

from django.conf import settings

from customers.models import Customer

KEY = "online-retail"
"""The source of these orders."""


def sample_path() -> Path:
    """Return where the file is, or would be."""
    return Path(settings.SAMPLE_FILE)


def has_sample_file() -> bool:
    """Tell whether this server has the file."""
    return sample_path().is_file()


def has_sample_customers() -> bool:
    """Tell whether the sample was loaded, or begun to be."""
    return Customer.objects.filter(source__key=KEY).exists()
