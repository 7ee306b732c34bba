"""Order lines from a CSV file into the record: ours beside django-import-export, in one run.

    make bench                          # 100,000 rows beside the peer, then 1,000,000 of ours
    .venv/bin/python -m deploy.local.embedded run --ephemeral -- \
        .venv/bin/python -m benchmarks.import_orders --rows 20000 --large 0 --repeat 1

Both read the same file into an empty database of the same schema: customers, orders, products and
lines, cancellations included. The peer does it in two ways, row by row as its documentation begins,
and in its bulk mode. Times are wall time of this machine: read the ratios, not the seconds. Ours
runs before and after each of the peer's, and the slower median counts.
"""

import argparse
import csv
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import django
import pyarrow.parquet as pq

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
django.setup()

import tablib  # noqa: E402
from django.core.files import File  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from import_export import fields, resources, widgets  # noqa: E402

from crm.core.models import Job  # noqa: E402
from crm.core.services import jobs  # noqa: E402
from customers.models import (  # noqa: E402
    Customer,
    Identity,
    Order,
    OrderLine,
    Product,
    Source,
)
from customers.selectors.shop import shop_settings  # noqa: E402
from customers.services import importing  # noqa: E402

SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "online_retail.parquet"
ZONE = ZoneInfo("Europe/London")
EMPTIED = (
    "customers_customer, customers_order, customers_product, customers_importbatch,"
    " customers_source, core_job"
)


def rows(count: int) -> Iterator[list[str]]:
    """Yield the sample's rows, and again under other numbers when more are wanted."""
    table = pq.read_table(SAMPLE)
    names = table.column_names
    yield names
    done, turn = 0, 0
    while done < count:
        for batch in table.to_batches(max_chunksize=20_000):
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                row = dict(zip(names, values, strict=True))
                if turn:
                    number = row["InvoiceNo"]
                    row["InvoiceNo"] = f"{number[:1]}{turn}{number[1:]}"
                    if row["CustomerID"]:
                        row["CustomerID"] = int(row["CustomerID"]) + turn * 1_000_000
                yield ["" if row[name] is None else str(row[name]) for name in names]
                done += 1
                if done == count:
                    return
        turn += 1


def write_file(path: Path, count: int) -> Path:
    """Write ``count`` rows as CSV."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows(count))
    return path


def empty() -> None:
    """Bring the database back to how both begin."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {EMPTIED} CASCADE")
    Source.objects.create(key="bench", name="Benchmark")
    shop_settings()


def ours(path: Path) -> int:
    """Import as the worker does; return the lines that are there at the end."""
    with path.open("rb") as content:
        batch = importing.start_import(
            file=File(content),
            filename=path.name,
            source_key="bench",
            user_id=None,
            now=timezone.now(),
        )
    assert batch.job_id is not None
    while not Job.objects.get(pk=batch.job_id).is_final:
        jobs.run_job(job_id=batch.job_id, worker="benchmark", now=timezone.now(), seconds=120)
    batch.refresh_from_db()
    assert batch.state == "finished", batch.error
    batch.file.delete(save=False)
    return OrderLine.objects.count()


KEYS = ("order", "product", "line_key", "amount")


def rows_header() -> list[str]:
    return next(rows(1))


def with_keys(found: Iterator[dict[str, str]]) -> Iterator[dict[str, object]]:
    """Add the columns the peer needs to know a line again."""
    seen: dict[tuple[str, ...], int] = {}
    for row in found:
        key = (row["InvoiceNo"], row["StockCode"], row["Quantity"], row["UnitPrice"])
        seen[key] = seen.get(key, 0) + 1
        yield {
            **row,
            "order": row["InvoiceNo"],
            "product": row["StockCode"],
            "line_key": "|".join((*key[1:], str(seen[key]))),
            "amount": Decimal(row["UnitPrice"]) * int(row["Quantity"]),
        }


class LineResource(resources.ModelResource):
    """The peer's way: a resource per row, with what the row needs made before it."""

    order = fields.Field("order", "order", widgets.ForeignKeyWidget(Order, "external_id"))
    product = fields.Field("product", "product", widgets.ForeignKeyWidget(Product, "sku"))
    sku = fields.Field("sku", "StockCode")
    title = fields.Field("title", "Description")
    quantity = fields.Field("quantity", "Quantity", widgets.IntegerWidget())
    unit_price = fields.Field("unit_price", "UnitPrice", widgets.DecimalWidget())
    amount = fields.Field("amount", "amount", widgets.DecimalWidget())
    line_key = fields.Field("line_key", "line_key")

    class Meta:
        model = OrderLine
        import_id_fields = ("order", "line_key")
        fields = (
            "order",
            "product",
            "sku",
            "title",
            "quantity",
            "unit_price",
            "amount",
            "line_key",
        )
        skip_unchanged = True
        report_skipped = False

    def before_import(self, dataset, **kwargs):
        self.source = Source.objects.get(key="bench")

    def skip_row(self, instance, original, row, import_validation_errors=None):
        if row["InvoiceNo"].startswith(("C", "A")) or int(row["Quantity"]) <= 0:
            return True
        return super().skip_row(instance, original, row, import_validation_errors)

    def before_import_row(self, row, **kwargs):
        customer = None
        if row["CustomerID"]:
            customer, is_new = Customer.objects.get_or_create(
                source=self.source,
                external_id=row["CustomerID"],
                defaults={"country": row["Country"]},
            )
            if is_new:
                Identity.objects.create(
                    customer=customer,
                    issuer="bench",
                    kind="external_id",
                    value=row["CustomerID"],
                )
        Product.objects.get_or_create(
            source=self.source, sku=row["StockCode"], defaults={"title": row["Description"]}
        )
        placed = datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=ZONE)
        Order.objects.get_or_create(
            source=self.source,
            external_id=row["InvoiceNo"],
            defaults={
                "customer": customer,
                "placed_at": placed,
                "placed_day": placed.date(),
                "currency": "GBP",
                "total": 0,
                "total_shop": 0,
                "exchange_rate": 1,
            },
        )


class BulkLineResource(LineResource):
    """The peer's fast mode: no comparison with what is there, inserts by the thousand."""

    class Meta(LineResource.Meta):
        use_bulk = True
        batch_size = 1000
        skip_unchanged = False
        skip_diff = True
        force_init_instance = True


def peer(resource_class: type[LineResource]) -> Callable[[Path], int]:
    """Return the peer's import of a file."""

    def run(path: Path) -> int:
        data = tablib.Dataset(headers=[*rows_header(), *KEYS])
        with path.open(newline="") as file:
            for row in with_keys(iter(csv.DictReader(file))):
                data.append(list(row.values()))
        result = resource_class().import_data(data, dry_run=False, raise_errors=True)
        assert not result.has_errors()
        return OrderLine.objects.count()

    return run


def timed(run: Callable[[Path], int], path: Path, repeat: int) -> tuple[float, int]:
    """Return the median seconds of ``repeat`` runs into an empty database, and the lines."""
    seconds, lines = [], 0
    for _turn in range(repeat):
        empty()
        begun = time.perf_counter()
        lines = run(path)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds), lines


def peak_mb() -> float:
    """Return the most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def beside_peers(path: Path, rows: int, repeat: int) -> None:
    """Print how much longer the peer takes.

    It takes long, and others may work on this machine meanwhile: ours is measured right before and
    right after, and the slower of the two counts.
    """
    for name, kind in (("bulk mode", BulkLineResource), ("row by row", LineResource)):
        before, _lines = timed(ours, path, repeat)
        seconds, lines = timed(peer(kind), path, 1)
        after, _lines = timed(ours, path, repeat)
        ratio = seconds / max(before, after)
        print(
            f"| django-import-export, {name} | {rows:,} | {lines:,} | {ratio:.1f} | {ratio:.2f} |"
        )
        sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=1_000_000, help="0 leaves it out")
    parser.add_argument("--repeat", type=int, default=3, help="of ours; the peer runs once")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = write_file(Path(folder) / "small.csv", options.rows)
        mine, lines = timed(ours, small, options.repeat)
        small_peak = peak_mb()
        print("| import | rows | lines | wall, ratio | per row, ratio |")
        print("|---|---:|---:|---:|---:|")
        print(f"| Huike (median of {options.repeat}) | {options.rows:,} | {lines:,} | 1.0 | 1.00 |")
        sys.stdout.flush()
        memory = ""
        if options.large:
            large = write_file(Path(folder) / "large.csv", options.large)
            theirs, lines = timed(ours, large, 1)
            growth = theirs / options.large / (mine / options.rows)
            print(
                f"| Huike, large file | {options.large:,} | {lines:,} | {theirs / mine:.1f}"
                f" | {growth:.2f} |"
            )
            memory = (
                f"\nPeak memory of the importing process with the large file: {peak_mb():,.0f} MB,"
                f" {peak_mb() / small_peak:.2f} times that of the small one."
            )
        beside_peers(small, options.rows, options.repeat)
        print(memory)


if __name__ == "__main__":
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        main()
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
