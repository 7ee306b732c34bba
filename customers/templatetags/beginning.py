"""What an empty shop may be filled with."""

from django import template

from customers.selectors.sample import has_sample_file, sample_path

register = template.Library()


@register.simple_tag
def sample_file() -> dict[str, object]:
    """Return where the sample's file is expected, and whether it is there."""
    return {"is_there": has_sample_file(), "path": sample_path()}
