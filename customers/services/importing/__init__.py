"""Files in: stored at once, read by a job in resumable chunks."""

from customers.services.importing.handler import on_end, run_chunk
from customers.services.importing.starting import KIND, start_import

__all__ = ["KIND", "on_end", "run_chunk", "start_import"]
