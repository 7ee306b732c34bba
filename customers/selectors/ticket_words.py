"""Why an answer cannot be sent, or was not, and how long things take: in the reader's words."""

from datetime import datetime
from typing import Any

from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from customers.enums import TicketState
from customers.models import Ticket

SPANS: dict[str, Any] = {
    "year": ngettext_lazy("%(num)d year", "%(num)d years", "num"),
    "month": ngettext_lazy("%(num)d month", "%(num)d months", "num"),
    "week": ngettext_lazy("%(num)d week", "%(num)d weeks", "num"),
    "day": ngettext_lazy("%(num)d day", "%(num)d days", "num"),
    "hour": ngettext_lazy("%(num)d hour", "%(num)d hours", "num"),
    "minute": ngettext_lazy("%(num)d minute", "%(num)d minutes", "num"),
}
"""Django's own words make of eight months an August in Chinese."""

REASONS = {
    "no_customer": gettext_lazy("This ticket names no customer: there is nobody to write to."),
    "made_up": gettext_lazy("This person is made up: nobody would read an answer."),
    "no_address": gettext_lazy(
        "No e-mail address of this customer is known. Answer by another way, and write it down "
        "as a note."
    ),
    "suppressed": gettext_lazy(
        "This customer's e-mail address is blocked: mails came back, somebody complained, or it "
        "was asked for."
    ),
    "not_armed": gettext_lazy(
        "This shop sends no mails yet: tick “Sending armed” in the shop settings first."
    ),
    "no_server": gettext_lazy("No mail server is set up: see the setting EMAIL_URL."),
    "too_late": gettext_lazy("It waited for more than a day, and was not sent so late."),
    "unreachable": gettext_lazy("The mail server did not answer or let nobody in."),
    "refused": gettext_lazy("The mail server refused it (%(code)s)."),
    "unwritable": gettext_lazy("It could not be written as an e-mail."),
    "interrupted": gettext_lazy("The connection to the mail server broke in between."),
    "worker_lost": gettext_lazy("The worker that handed it over stopped in between."),
}
"""By the part of a code before its colon; what follows is the mail server's own number."""


def reason_words(code: str) -> str:
    """Return the sentence of a code; nothing for none."""
    name, _colon, number = code.partition(":")
    return str(REASONS[name]) % {"code": number} if name else ""


def span_words(since: datetime, until: datetime) -> str:
    """Say how long it is from one instant to another, in the largest unit that fits."""
    return timesince(since, until, time_strings=SPANS, depth=1)


def due_words(ticket: Ticket, now: datetime) -> str:
    """Say how long there is left, or since when it is too late; nothing when nothing is due."""
    if ticket.due_at is None or ticket.state == TicketState.CLOSED:
        return ""
    if ticket.due_at < now:
        return _("overdue for %(time)s") % {"time": span_words(ticket.due_at, now)}
    return _("in %(time)s") % {"time": span_words(now, ticket.due_at)}
