"""The audit log in words, and where what it is about can be opened."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.core.models import AuditEntry
from crm.core.registry import AuditWording, registry

Words = Callable[[str, Mapping[str, Any]], str]
SHORT_TYPES = {"customer": "customers.customer"}
"""Types written without their app."""
SENTENCES: dict[str, tuple[Any, Any]] = {
    "job.cancelled": (gettext_lazy("job cancelled"), gettext_lazy("%(who)s cancelled a job.")),
    "alert.resolved": (
        gettext_lazy("alert resolved"),
        gettext_lazy("%(who)s marked an alert as resolved."),
    ),
    "api_key.created": (
        gettext_lazy("API key made"),
        gettext_lazy("%(who)s made the API key “%(name)s”."),
    ),
    "api_key.revoked": (
        gettext_lazy("API key revoked"),
        gettext_lazy("%(who)s revoked the API key “%(name)s”."),
    ),
    "audit.exported": (
        gettext_lazy("audit log exported"),
        gettext_lazy("%(who)s took the audit log out as a file."),
    ),
    "sign_in.unlocked": (
        gettext_lazy("sign-in unlocked"),
        gettext_lazy("%(who)s unlocked the sign-in of “%(name)s”."),
    ),
    "second_step.on": (
        gettext_lazy("second step set up"),
        gettext_lazy("%(who)s set up the second step of their sign-in."),
    ),
    "second_step.off": (
        gettext_lazy("second step switched off"),
        gettext_lazy("%(who)s switched off the second step of their sign-in."),
    ),
    "second_step.codes": (
        gettext_lazy("recovery codes made"),
        gettext_lazy("%(who)s made new recovery codes for their sign-in."),
    ),
    "second_step.code_used": (
        gettext_lazy("recovery code used"),
        gettext_lazy("%(who)s signed in with a recovery code; %(left)s are left."),
    ),
    "second_step.reset": (
        gettext_lazy("second step reset"),
        gettext_lazy("%(who)s reset the second step of “%(name)s”."),
    ),
    "second_step.required": (
        gettext_lazy("second step required"),
        gettext_lazy("%(who)s required a second step of everybody."),
    ),
    "second_step.optional": (
        gettext_lazy("second step left to people"),
        gettext_lazy("%(who)s left the second step to everybody's own choice."),
    ),
    "view.deleted": (
        gettext_lazy("view removed"),
        gettext_lazy("%(who)s removed the view “%(name)s” of a list."),
    ),
    "view.shared": (
        gettext_lazy("view shared"),
        gettext_lazy("%(who)s shared the view “%(name)s” of a list with everybody."),
    ),
    "view.unshared": (
        gettext_lazy("view no longer shared"),
        gettext_lazy("%(who)s keeps the view “%(name)s” of a list to themselves again."),
    ),
    "session.ended": (
        gettext_lazy("signed out elsewhere"),
        gettext_lazy("%(who)s signed out other devices: %(count)s."),
    ),
}


class _Details(dict[str, Any]):
    """What an entry tells; what it does not tell is a dash, not an error."""

    def __missing__(self, key: str) -> str:
        return "–"


def register_sentences(sentences: Mapping[str, tuple[Any, Any]]) -> None:
    """Put actions into the slot: each with its label, and a sentence or what makes one."""
    for action, (label, sentence) in sentences.items():
        words: Words = sentence if callable(sentence) else partial(_fill, sentence)
        registry.audit_wordings.register(AuditWording(key=action, label=label, words=words))


def _fill(sentence: Any, who: str, details: Mapping[str, Any]) -> str:
    numbers = {
        name: number_format(value, force_grouping=True)
        for name, value in details.items()
        if type(value) is int
    }
    return str(sentence) % _Details({**details, **numbers, "who": who})


def who_did(entry: AuditEntry) -> str:
    """Return who did it: the person, with the key that acted for them; or Huike itself."""
    person = entry.actor.get_username() if entry.actor else entry.actor_name
    if entry.api_key is None:
        return person or _("Huike")
    return _("%(person)s by the key “%(key)s”") % {
        "person": person or "–",
        "key": entry.api_key.name,
    }


def describe_entry(entry: AuditEntry) -> str:
    """Return what an entry says in the reader's language; of unknown actions their name."""
    who = who_did(entry)
    if entry.action not in registry.audit_wordings:
        return _("%(who)s: %(action)s") % {"who": who, "action": entry.action}
    return registry.audit_wordings.get(entry.action).words(who, entry.details)


def label_of(action: str) -> str:
    """Return what an action is called."""
    known = action in registry.audit_wordings
    return str(registry.audit_wordings.get(action).label) if known else action


def object_page(entry: AuditEntry) -> str:
    """Return the address of what an entry is about; empty when it is gone or has no page."""
    try:
        model: type[Model] = apps.get_model(SHORT_TYPES.get(entry.object_type, entry.object_type))
        model._meta.get_field("public_id")
    except (LookupError, ValueError, FieldDoesNotExist):
        return ""
    found = model._default_manager.filter(public_id=entry.object_id).values_list("pk").first()
    if found is None:
        return ""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
    try:
        return reverse(name, args=[found[0]])
    except NoReverseMatch:
        return ""
