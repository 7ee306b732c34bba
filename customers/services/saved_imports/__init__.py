"""Imports that run by themselves every day: saved, due, fetched, handed over, stopped."""

from customers.services.saved_imports.fetching import (
    KIND,
    on_end,
    run_chunk,
    start_due,
    start_fetch,
)
from customers.services.saved_imports.places import confirm_host_key, place_of, shown_host_key
from customers.services.saved_imports.saving import (
    SAVABLE,
    Where,
    check_where,
    pause,
    refused_batch,
    remove,
    resume,
    save_import,
    update_saved_import,
)
from customers.services.saved_imports.turns import begin_next, import_ended

__all__ = [
    "KIND",
    "SAVABLE",
    "Where",
    "begin_next",
    "check_where",
    "confirm_host_key",
    "import_ended",
    "on_end",
    "pause",
    "place_of",
    "refused_batch",
    "remove",
    "resume",
    "run_chunk",
    "save_import",
    "shown_host_key",
    "start_due",
    "start_fetch",
    "update_saved_import",
]
