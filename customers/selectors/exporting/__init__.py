"""What an export reads: the rows of each kind, as Huike's own files have them."""

from customers.selectors.exporting.kinds import (
    KINDS,
    Kind,
    exportable,
    permissions_for,
    read_rows,
)
from customers.selectors.exporting.lists import (
    Count,
    count_rows,
    describe_filters,
    fields_for,
    file_name,
    permissions_to_take,
    show_filters,
    sources_of,
    without_people,
)

__all__ = [
    "KINDS",
    "Count",
    "Kind",
    "count_rows",
    "describe_filters",
    "exportable",
    "fields_for",
    "file_name",
    "permissions_for",
    "permissions_to_take",
    "read_rows",
    "show_filters",
    "sources_of",
    "without_people",
]
