"""Tickets: written down, assigned, answered, closed."""

from customers.services.tickets.answering import answer, check_answerable, send_again
from customers.services.tickets.sending import note_lost, send_next
from customers.services.tickets.working import (
    add_note,
    assign,
    close,
    create_ticket,
    hear,
    may_become,
    reopen,
    set_due,
)

__all__ = [
    "add_note",
    "answer",
    "assign",
    "check_answerable",
    "close",
    "create_ticket",
    "hear",
    "may_become",
    "note_lost",
    "reopen",
    "send_again",
    "send_next",
    "set_due",
]
