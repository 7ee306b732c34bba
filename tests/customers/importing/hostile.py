"""Files that mean harm, or were harmed: their bytes, by name."""

import gzip
import io
import random
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq

from customers.connectors.huike import CUT
from tests.customers.connectors.files import inline, sheet, workbook

HEADER = "customer_id,name,city,email"
LONG = 100_001
JUNK = random.Random(7).randbytes(5_000)
JUNK_TEXT = bytes(byte for byte in JUNK if byte)


def table(*rows, header=HEADER):
    return "\n".join([header, *rows, ""]).encode()


def parquet(**columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def xlsx(*rows, **more):
    file = io.BytesIO()
    workbook(file, sheet(inline(*HEADER.split(",")), *rows), **more)
    return file.getvalue()


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("customers.csv", content)
    return file.getvalue()


GOOD = table("1,Ann,Bath,", "2,Bob,York,")
SHEET = xlsx(inline("1", "Ann"))
COLUMNS = parquet(customer_id=["1", "2"], name=["Ann", "Bob"])
WEST = "1,Zoé,Köln,"

# Refused at the upload: bytes, and words of what is said.
REFUSED = {
    "nothing": (b"", "The file is empty"),
    "blank lines": (b"\n \r\n\n", "The file is empty"),
    "binary junk": (JUNK, "save it as CSV in UTF-8"),
    "binary junk without NUL": (JUNK_TEXT, "save it as CSV in UTF-8"),
    "binary junk behind a header": (table() + JUNK_TEXT, "save it as CSV in UTF-8"),
    "NUL bytes": (b"\0" * 5_000, "save it as CSV in UTF-8"),
    "a header twice": (table("1,2", header="customer_id,customer_id"), "customer_id (2)"),
    "300 columns": (
        table(header=",".join(["customer_id", *(f"x{n}" for n in range(299))])),
        "Rename or remove them",
    ),
    "301 columns": (table(header=",".join(f"x{n}" for n in range(301))), "300 is the most"),
    "gzip": (gzip.compress(GOOD), "Unpack it"),
    "half a gzip": (gzip.compress(GOOD)[:20], "Unpack it"),
    "zip": (zipped(GOOD), "Unpack it"),
    "half a workbook": (SHEET[: len(SHEET) // 2], "save it again as .xlsx"),
    "a workbook without its end": (SHEET[:-30], "save it again as .xlsx"),
    "half a Parquet": (COLUMNS[: len(COLUMNS) // 2], "export it again"),
    "a Parquet without its end": (COLUMNS[:-4], "export it again"),
    "zip bomb": (xlsx(parts={"xl/media/a.xml": "0" * 30_000_000}), "save it as CSV in UTF-8"),
    "zip bomb of rows": (
        xlsx(parts={"xl/worksheets/sheet1.xml": "<row><c><v>1</v></c></row>" * 1_000_000}),
        "save it as CSV in UTF-8",
    ),
    "surrogates": (table("1,a,b,") + b"2,\xed\xa0\x80,b,\n", "Save it as CSV in UTF-8"),
    "half a surrogate": (
        b"\xff\xfe" + table("1,a").decode().encode("utf-16-le") + b"\0\xd8,\0",
        "save it as CSV in UTF-8",
    ),
    "invalid in the middle": (
        table(*[WEST] * 50) + b"51,\xff\xfe\xfa,b,\n" + table(*[WEST] * 50),
        "Save it as CSV in UTF-8",
    ),
    "two encodings": (
        table(*[WEST] * 50) + (f"{WEST}\n" * 50).encode("latin-1"),
        "Save it as CSV in UTF-8",
    ),
    "Chinese in two encodings": (
        table(*["1,客户,北京,"] * 50) + ("2,客户,上海,\n" * 50).encode("gb18030"),
        "Save it as CSV in UTF-8",
    ),
    "a web page": (b"<html><table><tr><td>customer_id", "save it as .xlsx"),
}
# Taken in, and found to be unreadable by the job: nothing of them is written.
FAILED = {
    "a quotation mark before a long text": (
        table("1,a,b,", '2,"b,c,', *["a line of prose"] * 10_000),
        "Behind row 1 a row goes on and on: a quotation mark",
    ),
    "a huge cell in a workbook": (xlsx(inline("1", "x" * LONG)), "shorten it"),
    "a huge cell in Parquet": (
        parquet(customer_id=["1", "2"], name=["a", "x" * LONG]),
        "shorten it",
    ),
}
TORN = "more or fewer cells than the header has"
BIRTHDAY = "birthday: no date; write it as 2026-03-31"
NO_TIME = "updated_at: no time; write it as 2026-03-31 18:05"
UNCLOSED = "a quotation mark that opens in this row is not closed"
# Read: rows by fate (total, created, rejected), and how many each reason rejects.
READ = {
    "a header alone": (table(), (0, 0, 0), {}),
    "a header without an end": (HEADER.encode(), (0, 0, 0), {}),
    "a table of another name": (SHEET, (1, 1, 0), {}),
    "NUL signs": (table("1,A\0nn,Bath,", *(f"{n},x,y," for n in range(2, 60))), (59, 59, 0), {}),
    "a huge cell": (
        table("1,a,b,", "2," + "x" * LONG + ",b,", "3,a,b,"),
        (3, 2, 1),
        {"a cell is longer than a hundred thousand characters": 1},
    ),
    "a quotation mark that is not closed": (
        table('1,"Ann,Bath,', "2,Bob,York,", "3,Cy,Rome,"),
        (3, 2, 1),
        {UNCLOSED: 1},
    ),
    "one before twenty thousand rows": (
        table('1,"Ann,Bath,', *(f"{n},Bob,York," for n in range(2, 20_000))),
        (19_999, 19_998, 1),
        {UNCLOSED: 1},
    ),
    "some that are closed by others": (
        table(
            '1,"Ann,Bath,', "2,Bob,York,", '3,"Cy, Jr",Rome,', '4,"Di,Oslo,', '5,Eve 24" high,Bonn,'
        ),
        (5, 3, 2),
        {UNCLOSED: 2},
    ),
    "a last row that is cut within a cell": (
        table("1,a,b,", '2,"Dear A'),
        (2, 1, 1),
        {UNCLOSED: 1},
    ),
    "ragged rows": (
        table("1", "2,a,b,,,,", "3,a,b,,x", "4,a", "5,a,b,c@d.de", ",,,,,,,9"),
        (6, 2, 4),
        {TORN: 4},
    ),
    "formulas": (
        table("1,=cmd|' /C calc'!A0,+1,", "2,@SUM(A1),-2,", "=1+1,x,y,", "-3,,,", "+4,,,", "@5,,,"),
        (6, 6, 0),
        {},
    ),
    "signs nobody sees": (
        table("1,\u202eevil\u202c,\u200fBath,", "\u202e2,\x1b[31m,\x07,", "\ufeff\u200b3\x01,a,,"),
        (3, 3, 0),
        {},
    ),
    "ids of signs nobody sees": (
        table("\u200b\x01,a,b,", "\u20281,a,b,", "1\x1f,a,b,"),
        (3, 1, 2),
        {
            "customer_id: no id: it has only signs that nobody sees": 1,
            "customer_id: the same one stands again further down; the last row counts": 1,
        },
    ),
    "long numbers": (
        table(f"{'9' * 121},a,b,", f"{'9' * 120},a,b,", "1e308,a,b,"),
        (3, 2, 1),
        {"customer_id: the text is too long": 1},
    ),
    "absurd days": (
        table(
            *("1,0000-00-00", "2,2026-02-31", "3,10000-01-01", "4,NaN", "5,inf", "6,-1"),
            header="customer_id,birthday",
        ),
        (6, 1, 5),
        {BIRTHDAY: 5},
    ),
    "absurd times": (
        table(
            "1,9999-12-31T23:59:59-12:00",
            "2,2026-01-01T10:00+23:59",
            "3,0001-01-01",
            "4,2026-02-31 10:00",
            "5,2026-01-01T25:00",
            "6,9998-12-31 23:59",
            header="customer_id,updated_at",
        ),
        (6, 1, 5),
        {
            "updated_at: the time lies after the year 9998": 1,
            "updated_at: no time zone is so far from Greenwich": 1,
            "updated_at: the time lies before 1990": 1,
            NO_TIME: 2,
        },
    ),
    "numbers that are none in a workbook": (
        xlsx(
            "<c><v>1</v></c><c><v>1e400</v></c><c><v>NaN</v></c>",
            '<c><v>-5</v></c><c t="str"><f>cmd|A</f><v>=cmd</v></c><c t="z"><v>9</v></c>',
            '<c t="inlineStr"><is><t>3_xD800_</t></is></c><c t="e"><v>#REF!</v></c>',
        ),
        (3, 2, 1),
        {"name: a spreadsheet's error; mend the cell and save again": 1},
    ),
    "ids that were rounded in a workbook": (
        xlsx("<c><v>123456789012345678</v></c>", "<c><v>123456789012345</v></c>"),
        (2, 1, 1),
        {f"customer_id: {CUT}": 1},
    ),
    "ids that were rounded in Parquet": (
        parquet(customer_id=[123456789012345678.0, 123456789012345.0, 7.0, 0.5]),
        (4, 3, 1),
        {f"customer_id: {CUT}": 1},
    ),
    "days beyond counting in Parquet": (
        parquet(
            customer_id=["1", "2", "3"],
            birthday=pa.array([-800_000, 90_000_000, 10], pa.date32()),
        ),
        (3, 1, 2),
        {BIRTHDAY: 2},
    ),
    "times beyond counting in Parquet": (
        parquet(
            customer_id=["1", "2", "3"],
            updated_at=pa.array([-(2**62), 2**62, 10**15], pa.timestamp("us", "UTC")),
        ),
        (3, 1, 2),
        {NO_TIME: 2},
    ),
    "no numbers in Parquet": (
        parquet(customer_id=["1", "2", "3"], birthday=[float("nan"), float("inf"), 1e300]),
        (3, 1, 2),
        {BIRTHDAY: 2},
    ),
    "bytes in Parquet": (
        parquet(customer_id=[b"1", b"2"], name=["Zoé".encode(), b"\xff\xfe"]),
        (2, 2, 0),
        {},
    ),
}
