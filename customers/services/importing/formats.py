"""Which files are read, and how each is recognised."""

from typing import Any

from django.utils.translation import gettext as _

from customers.connectors.presets import PRESETS
from customers.enums import ImportFormat
from customers.errors import UnknownFormatError, UnrecognisedError
from customers.models import ImportBatch
from customers.services.importing import huike, online_retail
from customers.services.importing.format import Format
from customers.services.importing.translated import format_of, format_of_mapping

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
    **{ImportFormat(key): format_of(preset) for key, preset in PRESETS.items()},
}


def of(batch: ImportBatch) -> Format:
    """Return how a batch's file is read."""
    if batch.format == ImportFormat.MAPPED:
        return format_of_mapping(batch.mapping)
    return FORMATS[ImportFormat(batch.format)]


def recognise(header: list[str], wanted: str = "") -> ImportFormat:
    """Return the format of a file with this header; ``wanted`` asks for one by name.

    Raises UnknownFormatError with what was found and what is missing.
    """
    names = [ImportFormat(wanted)] if wanted in FORMATS else list(FORMATS)
    if wanted and wanted not in FORMATS:
        raise UnknownFormatError(
            _("There is no format “%(name)s”. Choose one of: %(names)s.")
            % {"name": wanted, "names": ", ".join(FORMATS)}
        )
    lacks = {name: FORMATS[name].missing(header) for name in names}
    fitting = [name for name in names if not lacks[name][0]]
    if not fitting:
        raise _unknown(header, lacks)
    # Of the formats that fit, the one that asks for most: lines may name the customer, too.
    found = max(fitting, key=lambda name: lacks[name][1])
    FORMATS[found].check(header)
    return found


def _unknown(
    header: list[str], lacks: dict[ImportFormat, tuple[list[str], int]]
) -> UnrecognisedError:
    """Name the format that comes nearest, and what it lacks."""
    near = min(lacks, key=lambda name: len(lacks[name][0]) / lacks[name][1])
    named: dict[str, Any] = {"found": header[:30], "missing": lacks[near][0]}
    return UnrecognisedError(
        _(
            "This header is not known: %(found)s. For “%(format)s” it lacks: %(missing)s. Rename "
            "columns, or say by a mapping which column is which."
        )
        % {
            "found": ", ".join(header[:30]),
            "format": near.label,
            "missing": ", ".join(lacks[near][0]),
        },
        **named,
    )
