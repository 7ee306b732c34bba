"""How the record's entries in the audit log read."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.enums import ExportKind, FileFormat


def contact_shown(who: str, details: Mapping[str, Any]) -> str:
    """Say whose eyes saw which contact, and why."""
    field = str(details.get("field", ""))
    words = {
        "email": _("%(who)s looked at a customer's masked e-mail address: %(reason)s"),
        "phone": _("%(who)s looked at a customer's masked phone number: %(reason)s"),
    }.get(field, _("%(who)s looked at another masked contact of a customer: %(reason)s"))
    return words % {"who": who, "reason": details.get("reason", "–")}


def settings_changed(who: str, details: Mapping[str, Any]) -> str:
    """Say what was counted by, and what is now."""
    changes = ", ".join(f"{name}: {old} → {new}" for name, (old, new) in sorted(details.items()))
    return _("%(who)s changed the shop's settings: %(changes)s.") % {
        "who": who,
        "changes": changes,
    }


def _exported(who: str, details: Mapping[str, Any], words: str) -> str:
    values = {
        "who": who,
        "kind": _label(ExportKind, details.get("kind")),
        "format": _label(FileFormat, details.get("format")),
        "rows": details.get("rows", "–"),
    }
    told = words % values
    return told + " " + _("Contacts are whole in it.") if details.get("shows_contacts") else told


def export_started(who: str, details: Mapping[str, Any]) -> str:
    """Say what was to become a file."""
    return _exported(who, details, _("%(who)s asked for a file of %(kind)s (%(format)s)."))


def export_downloaded(who: str, details: Mapping[str, Any]) -> str:
    """Say what left the house."""
    words = _("%(who)s downloaded a file of %(kind)s (%(format)s, rows: %(rows)s).")
    return _exported(who, details, words)


def _label(choices: Any, value: Any) -> str:
    return str(choices(value).label) if value in choices.values else str(value)


SENTENCES: dict[str, tuple[Any, Any]] = {
    "customer.contact_shown": (gettext_lazy("contact shown"), contact_shown),
    "customer.erased": (
        gettext_lazy("customer erased"),
        gettext_lazy("%(who)s erased a customer."),
    ),
    "exchange_rate.set": (
        gettext_lazy("exchange rate set"),
        gettext_lazy("%(who)s set an exchange rate to %(rate)s for %(days)s days."),
    ),
    "export.started": (gettext_lazy("export asked for"), export_started),
    "export.downloaded": (gettext_lazy("export downloaded"), export_downloaded),
    "role.limited": (
        gettext_lazy("role limited to sources"),
        gettext_lazy("%(who)s limited the role “%(role)s” to: %(sources)s."),
    ),
    "role.unlimited": (
        gettext_lazy("limit of a role lifted"),
        gettext_lazy("%(who)s let the role “%(role)s” see all sources."),
    ),
    "import.started": (
        gettext_lazy("import started"),
        gettext_lazy("%(who)s started an import."),
    ),
    "import.uploaded": (
        gettext_lazy("import file sent"),
        gettext_lazy("%(who)s sent a file to be imported."),
    ),
    "import.tried": (
        gettext_lazy("import tried out"),
        gettext_lazy("%(who)s tried an import out."),
    ),
    "import.undo_started": (
        gettext_lazy("undo of an import asked for"),
        gettext_lazy("%(who)s asked to undo an import."),
    ),
    "import.undone": (gettext_lazy("import undone"), gettext_lazy("An import was undone.")),
    "reconciliation.stated": (
        gettext_lazy("back office total told"),
        gettext_lazy("%(who)s told a month's total of the back office."),
    ),
    "reconciliation.changed": (
        gettext_lazy("back office total changed"),
        gettext_lazy("%(who)s changed a month's total of the back office."),
    ),
    "saved_import.created": (
        gettext_lazy("saved import made"),
        gettext_lazy("%(who)s made the saved import “%(name)s”."),
    ),
    "saved_import.changed": (
        gettext_lazy("saved import changed"),
        gettext_lazy("%(who)s changed the saved import “%(name)s”."),
    ),
    "saved_import.removed": (
        gettext_lazy("saved import removed"),
        gettext_lazy("%(who)s removed the saved import “%(name)s”."),
    ),
    "saved_import.paused": (
        gettext_lazy("saved import paused"),
        gettext_lazy("%(who)s paused the saved import “%(name)s”."),
    ),
    "saved_import.resumed": (
        gettext_lazy("saved import resumed"),
        gettext_lazy("%(who)s resumed the saved import “%(name)s”."),
    ),
    "saved_import.started": (
        gettext_lazy("saved import run"),
        gettext_lazy("%(who)s ran a saved import by hand."),
    ),
    "saved_import.host_key_confirmed": (
        gettext_lazy("server confirmed"),
        gettext_lazy("%(who)s confirmed the key of the server %(host)s."),
    ),
    "shop.sample_loaded": (
        gettext_lazy("sample loaded"),
        gettext_lazy("%(who)s had the orders of another shop loaded, to look around."),
    ),
    "source.removed": (
        gettext_lazy("source removed"),
        gettext_lazy("%(who)s removed the source “%(name)s” with everything that came from it."),
    ),
    "shop.simulated": (
        gettext_lazy("shop simulated"),
        gettext_lazy("%(who)s had a shop simulated."),
    ),
    "shop_settings.changed": (gettext_lazy("shop settings changed"), settings_changed),
    "attribute.changed": (
        gettext_lazy("attribute changed"),
        gettext_lazy("%(who)s changed how a custom attribute is declared."),
    ),
    "attribute.declared": (
        gettext_lazy("attribute declared"),
        gettext_lazy("%(who)s declared a custom attribute."),
    ),
    "attribute.removed": (
        gettext_lazy("attribute removed"),
        gettext_lazy("%(who)s removed a custom attribute."),
    ),
    "customer.attributes": (
        gettext_lazy("attributes set"),
        gettext_lazy("%(who)s set custom attributes of a customer."),
    ),
    "customer.merged": (
        gettext_lazy("customers merged"),
        gettext_lazy("%(who)s merged another profile into a customer."),
    ),
    "customer.unmerged": (
        gettext_lazy("customers parted"),
        gettext_lazy("%(who)s parted two merged profiles again."),
    ),
    "customer.tagged": (
        gettext_lazy("customer tagged"),
        gettext_lazy("%(who)s gave a customer the tag “%(tag)s”."),
    ),
    "customer.untagged": (
        gettext_lazy("tag taken off"),
        gettext_lazy("%(who)s took the tag “%(tag)s” off a customer."),
    ),
    "tag.renamed": (
        gettext_lazy("tag renamed"),
        gettext_lazy("%(who)s renamed the tag “%(before)s” to “%(tag)s”."),
    ),
    "tag.merged": (
        gettext_lazy("tags made one"),
        gettext_lazy(
            "%(who)s made the tag “%(tag)s” one with “%(into)s”; %(customers)s customers had it."
        ),
    ),
    "tag.deleted": (
        gettext_lazy("tag deleted"),
        gettext_lazy("%(who)s deleted the tag “%(tag)s”; %(customers)s customers had it."),
    ),
    "customers.bulk_tag": (
        gettext_lazy("many customers tagged"),
        gettext_lazy(
            "%(who)s gave %(customers)s customers the tag “%(tag)s”; %(changed)s did not have it."
        ),
    ),
    "customers.bulk_untag": (
        gettext_lazy("tag taken off many"),
        gettext_lazy(
            "%(who)s took the tag “%(tag)s” off %(customers)s customers; %(changed)s had it."
        ),
    ),
    "note.added": (
        gettext_lazy("note written"),
        gettext_lazy("%(who)s wrote a note on a customer."),
    ),
    "note.edited": (
        gettext_lazy("note edited"),
        gettext_lazy("%(who)s edited a note on a customer."),
    ),
    "note.deleted": (
        gettext_lazy("note taken back"),
        gettext_lazy("%(who)s took a note on a customer back."),
    ),
    "panel.saved": (
        gettext_lazy("panel saved"),
        gettext_lazy("%(who)s saved a panel that names people as a file, rows: %(rows)s."),
    ),
    "shop.set_up": (
        gettext_lazy("shop set up"),
        gettext_lazy("%(who)s set the shop up, in %(zone)s and %(currency)s."),
    ),
    "task.added": (
        gettext_lazy("task given"),
        gettext_lazy("%(who)s gave a task about a customer."),
    ),
    "task.done": (
        gettext_lazy("task done"),
        gettext_lazy("%(who)s marked a task as done."),
    ),
    "task.reassigned": (
        gettext_lazy("task given to another"),
        gettext_lazy("%(who)s gave a task to another colleague."),
    ),
    "task.rescheduled": (
        gettext_lazy("task moved to another day"),
        gettext_lazy("%(who)s moved a task to another day."),
    ),
    "task.reworded": (
        gettext_lazy("task worded anew"),
        gettext_lazy("%(who)s changed what a task says."),
    ),
    "task.cancelled": (
        gettext_lazy("task cancelled"),
        gettext_lazy("%(who)s cancelled a task."),
    ),
    "task.reopened": (
        gettext_lazy("task reopened"),
        gettext_lazy("%(who)s reopened a task."),
    ),
    "ticket.created": (
        gettext_lazy("ticket made"),
        gettext_lazy("%(who)s made a ticket."),
    ),
    "ticket.assigned": (
        gettext_lazy("ticket assigned"),
        gettext_lazy("%(who)s assigned a ticket."),
    ),
    "ticket.answered": (
        gettext_lazy("ticket answered"),
        gettext_lazy("%(who)s answered a ticket by e-mail."),
    ),
    "ticket.answered_again": (
        gettext_lazy("answer sent again"),
        gettext_lazy("%(who)s sent an answer to a ticket again."),
    ),
    "ticket.closed": (
        gettext_lazy("ticket closed"),
        gettext_lazy("%(who)s closed a ticket."),
    ),
    "ticket.reopened": (
        gettext_lazy("ticket reopened"),
        gettext_lazy("%(who)s reopened a ticket."),
    ),
}
