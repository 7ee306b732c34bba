"""Undo an import: exactly, or not at all with the reasons by name."""

from customers.services.importing.changes import kept_until
from customers.services.importing.undo.naming import Refusal, words
from customers.services.importing.undo.planning import Plan, check_undo, plan_undo
from customers.services.importing.undo.starting import KIND, last_refusals, run_chunk, start_undo

__all__ = [
    "KIND",
    "Plan",
    "Refusal",
    "check_undo",
    "kept_until",
    "last_refusals",
    "plan_undo",
    "run_chunk",
    "start_undo",
    "words",
]
