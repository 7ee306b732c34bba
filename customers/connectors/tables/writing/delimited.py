"""CSV: UTF-8 with a mark, so that spreadsheets read it as such; no cell can act as a formula."""

import csv
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from customers.connectors.tables.harmless import guard
from customers.connectors.tables.writing.fields import NUMBERS, Field, Part, Value, as_text


def write_part(
    path: Path, fields: Sequence[Field], rows: Iterable[Sequence[Value]], after: int
) -> int:
    """Write rows to a part and return how many; numbers are no text and stay plain."""
    plain = [field.type in NUMBERS for field in fields]
    written = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for row in rows:
            texts = map(as_text, row)
            writer.writerow(
                [
                    text if is_plain else guard(text)
                    for text, is_plain in zip(texts, plain, strict=True)
                ]
            )
            written += 1
    return written


def join(path: Path, fields: Sequence[Field], parts: Sequence[Part]) -> None:
    """Write the file: a header and all parts."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerow([guard(field.name) for field in fields])
    with path.open("ab") as whole:
        for part in parts:
            with part.path.open("rb") as rows:
                shutil.copyfileobj(rows, whole, 1 << 20)
