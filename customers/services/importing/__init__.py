"""Files in: stored at once, read by a job in resumable chunks."""

from customers.services.importing.handler import on_end, run_chunk
from customers.services.importing.options import Options
from customers.services.importing.starting import (
    KIND,
    WAITING,
    begin_import,
    describe_import,
    receive_file,
    same_mapping,
    start_import,
)

__all__ = [
    "KIND",
    "WAITING",
    "Options",
    "begin_import",
    "describe_import",
    "on_end",
    "receive_file",
    "run_chunk",
    "same_mapping",
    "start_import",
]
