"""Files out: a list becomes a file by a job, is handed out for some days, and is removed."""

from customers.services.exporting.handing_out import expire_exports, hand_out
from customers.services.exporting.handler import on_end, run_chunk
from customers.services.exporting.starting import KIND, one_source, start_export

__all__ = [
    "KIND",
    "expire_exports",
    "hand_out",
    "on_end",
    "one_source",
    "run_chunk",
    "start_export",
]
