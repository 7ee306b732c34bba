"""Files in: stored at once, read by a job in resumable chunks."""

from customers.services.importing.handler import on_end, run_chunk
from customers.services.importing.starting import (
    KIND,
    begin_import,
    describe_import,
    receive_file,
    start_import,
)

__all__ = [
    "KIND",
    "begin_import",
    "describe_import",
    "on_end",
    "receive_file",
    "run_chunk",
    "start_import",
]
