"""Free text in templates, as the person who reads the page may see it."""

from typing import Any

from django import template

from customers.selectors.contacts import show_text

register = template.Library()


@register.simple_tag(takes_context=True)
def shown(context: dict[str, Any], text: str) -> str:
    """Return ``text`` with the contacts in it masked for who may not see them.

    ``{% shown note.text as words %}{{ words|linebreaksbr }}`` where a filter follows.
    """
    request = context.get("request")
    return show_text(str(text), request.user if request is not None else None)
