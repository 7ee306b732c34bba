"""What our templates may draw anywhere."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from crm.core.selectors.reach import may_open
from crm.core.selectors.terms import TERMS, Term, term_of

register = template.Library()


@register.simple_tag
def term(key: str) -> SafeString:
    """Draw the way to what a word means; an unknown key is a mistake in the template."""
    return _link(TERMS[key])


@register.simple_tag
def term_for(key: Any) -> SafeString | str:
    """Draw the way to the word behind a box or a card; nothing where there is none."""
    found = term_of(str(key))
    return _link(found) if found else ""


@register.simple_tag(takes_context=True)
def empty_action(context: Any, model_admin: Any) -> Any:
    """Return what an empty list offers this person besides adding a row, or None."""
    action = getattr(model_admin, "empty_action", None)
    # The theme draws rows in a context of its own; the request is still known to it.
    user = context.request.user
    if action is None or not user.has_perm(action.permission):
        return None
    return action if may_open(user, action.page) else None


@register.filter
def opens(request: Any, name: str) -> bool:
    """Tell whether an address is there for who reads, whose roles may be limited."""
    return may_open(getattr(request, "user", None), name)


def _link(found: Term) -> SafeString:
    """A question mark with a name of its own: several stand on a page."""
    name = gettext("What does “%(word)s” mean?") % {"word": found.title}
    return format_html(
        ' <a class="huike-term" href="{}#{}" aria-label="{}" title="{}">?</a>',
        reverse("terms"),
        found.anchor,
        name,
        name,
    )
