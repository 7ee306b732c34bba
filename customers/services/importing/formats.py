"""Which files are read, how each is recognised, and what becomes of its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from crm.core.services.jobs import JobRun
from customers.enums import ImportFormat
from customers.errors import UnknownFormatError
from customers.models import ImportBatch
from customers.services.importing import huike, online_retail
from customers.services.importing.counts import Counts
from customers.services.importing.stagers import Stager

Step = Callable[[JobRun, ImportBatch, Any, Counts], Any]


@dataclass(frozen=True)
class Format:
    """A kind of file.

    ``missing`` says which of how many columns a header lacks; ``check`` refuses it for other
    reasons; ``stager`` makes what turns rows into staging rows, from the state it was left in;
    ``steps`` follow the staging, by name and in order.
    """

    missing: Callable[[list[str]], tuple[list[str], int]]
    check: Callable[[list[str]], None]
    stager: Callable[[ImportBatch, list[str], datetime, dict[str, Any]], Stager]
    steps: tuple[tuple[str, Step], ...]


FORMATS = {
    **{
        name: Format(
            kind.missing,
            kind.check,
            kind.stager,
            (("prepare", kind.prepare), ("write", kind.write), ("conclude", kind.conclude)),
        )
        for name, kind in huike.KINDS.items()
    },
    ImportFormat.ONLINE_RETAIL: Format(
        online_retail.missing,
        lambda header: None,
        online_retail.stager,
        (
            ("write", online_retail.write_orders),
            ("net", online_retail.net_cancellations),
            ("conclude", online_retail.conclude),
        ),
    ),
}


def of(batch: ImportBatch) -> Format:
    """Return how a batch's file is read."""
    return FORMATS[ImportFormat(batch.format)]


def recognise(header: list[str], wanted: str) -> ImportFormat:
    """Return the format of a file with this header; ``wanted`` asks for one by name.

    Raises UnknownFormatError with what was found and what is missing.
    """
    names = [ImportFormat(wanted)] if wanted in ImportFormat.values else list(FORMATS)
    if wanted and wanted not in ImportFormat.values:
        raise UnknownFormatError(
            _("There is no format “%(name)s”. Choose one of: %(names)s.")
            % {"name": wanted, "names": ", ".join(ImportFormat.values)}
        )
    lacks = {name: FORMATS[name].missing(header) for name in names}
    # Of the formats that fit, the one that asks for most: lines may name the customer, too.
    fitting = [name for name in names if not lacks[name][0]]
    if not fitting:
        near = min(lacks, key=lambda name: len(lacks[name][0]) / lacks[name][1])
        raise UnknownFormatError(
            _("This header is not known: %(found)s. For “%(format)s” it lacks: %(missing)s.")
            % {
                "found": ", ".join(header[:30]),
                "format": near.label,
                "missing": ", ".join(lacks[near][0]),
            },
            found=header[:30],
            missing=lacks[near][0],
        )
    found = fitting[-1]
    FORMATS[found].check(header)
    return found
