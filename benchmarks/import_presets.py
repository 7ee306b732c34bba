"""Exports of shop platforms into the record, dry run and load: ours beside django-import-export.

    .venv/bin/python -m deploy.local.embedded run --ephemeral -- \
        .venv/bin/python -m benchmarks.import_presets --rows 100000 --peer 10000

A Shopify file of orders (one row a line item, UTF-8) and a Taobao file of orders (GB18030) are made
up by chance. Both sides first try the file out and then bring it in. The peer reads ``--peer`` rows
in its bulk mode, ours the same rows right before and right after it, and the slower median counts;
the whole ``--rows`` are read by ours alone and tell how cost and memory grow.
"""

import argparse
import csv
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import tablib
from django.core.files import File
from django.db import connection
from django.utils import timezone
from import_export import resources

from benchmarks.import_orders import empty, peak_mb, timed  # sets Django up
from crm.core.models import Job
from crm.core.services import jobs
from customers.models import Customer, Identity, Order, OrderLine, Product, Source
from customers.services import importing

START = datetime(2026, 1, 1, 8, tzinfo=ZoneInfo("UTC"))
SHOPIFY = (
    "Name", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Currency", "Subtotal",
    "Shipping", "Taxes", "Total", "Discount Amount", "Created at", "Lineitem quantity",
    "Lineitem name", "Lineitem price", "Lineitem sku", "Billing Name", "Refunded Amount", "Id",
    "Cancelled at",
)  # fmt: skip
TAOBAO = (
    "订单编号", "买家会员名", "买家应付货款", "买家应付邮费", "总金额", "买家实际支付金额",
    "订单状态", "收货人姓名", "联系手机", "订单创建时间", "订单付款时间", "宝贝标题", "宝贝总数量",
    "退款金额",
)  # fmt: skip


def shopify(count: int) -> Iterator[list[str]]:
    """Yield a header and ``count`` rows of orders with one to three items each."""
    dice = random.Random(1)
    yield list(SHOPIFY)
    done, number = 0, 1000
    while done < count:
        number += 1
        items = [
            (dice.randint(1, 3), f"SKU-{dice.randint(1, 4000)}", dice.randint(300, 9000) / 100)
            for _item in range(dice.randint(1, 3))
        ]
        goods = sum(pieces * price for pieces, _sku, price in items)
        placed = START + timedelta(minutes=3 * number)
        stamp = placed.strftime("%Y-%m-%d %H:%M:%S +0000")
        for place, (pieces, sku, price) in enumerate(items):
            first = place == 0
            order = [
                f"c{dice.randint(1, count // 4 + 1)}@example.com", "paid", stamp, "fulfilled",
                "GBP", f"{goods:.2f}", "4.90", "0.00", f"{goods + 4.9:.2f}", "0.00",
            ]  # fmt: skip
            yield [
                f"#{number}", *(order if first else [""] * len(order)), stamp, str(pieces),
                f"Article {sku}", f"{price:.2f}", sku, "Ann Lee" if first else "",
                "0.00" if first else "", str(9_000_000 + number) if first else "", "",
            ]  # fmt: skip
            done += 1
            if done == count:
                return


def taobao(count: int) -> Iterator[list[str]]:
    """Yield a header and ``count`` orders, a part of them closed or with a masked phone."""
    dice = random.Random(2)
    yield list(TAOBAO)
    for number in range(count):
        goods = dice.randint(1000, 50_000) / 100
        placed = START + timedelta(minutes=3 * number)
        status = dice.choices(("交易成功", "交易关闭", "卖家已发货"), (8, 1, 1))[0]
        phone = f"138{dice.randint(10_000_000, 99_999_999)}"
        yield [
            f"{20_000_000_000_000 + number}", f"买家{dice.randint(1, count // 3 + 1)}",
            f"{goods:.2f}", "6.00", f"{goods + 6:.2f}", f"{goods + 6:.2f}", status, "王小明",
            phone if dice.random() < 0.5 else "138****0000", f"{placed:%Y-%m-%d %H:%M:%S}",
            f"{placed + timedelta(minutes=2):%Y-%m-%d %H:%M:%S}", "保温杯 500ml", "1", "0.00",
        ]  # fmt: skip


def write(folder: str, name: str, rows: Iterator[list[str]], encoding: str) -> Path:
    """Write a file and return where it is."""
    path = Path(folder) / name
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows(rows)
    return path


def ours(path: Path) -> int:
    """Try a file out, then bring it in, as the worker does; return the orders at the end."""
    with path.open("rb") as content:
        batch = importing.receive_file(
            file=File(content),
            filename=path.name,
            source_key="bench",
            user_id=None,
            now=timezone.now(),
        )
    for dry_run in (True, False):
        job = importing.begin_import(batch_id=batch.pk, user_id=None, dry_run=dry_run)
        while not Job.objects.get(pk=job.pk).is_final:
            jobs.run_job(job_id=job.pk, worker="benchmark", now=timezone.now(), seconds=120)
    batch.refresh_from_db()
    assert batch.state == "finished", batch.error
    assert batch.rows_rejected == 0, batch.audit
    batch.file.delete(save=False)
    return Order.objects.count()


def _order(source: Source, row: dict[str, str], **values: object) -> Order:
    placed = values.pop("placed")
    assert isinstance(placed, datetime)
    buyer, is_new = Customer.objects.get_or_create(
        source=source, external_id=str(values.pop("buyer"))
    )
    if is_new:
        Identity.objects.create(
            customer=buyer, issuer="bench", kind="external_id", value=buyer.external_id
        )
    order, _is_new = Order.objects.get_or_create(
        source=source,
        external_id=str(values.pop("number")),
        defaults={
            "customer": buyer,
            "placed_at": placed,
            "placed_day": placed.date(),
            "currency": "GBP",
            "exchange_rate": 1,
            **values,
        },
    )
    return order


class ShopifyResource(resources.ModelResource):
    """The peer's way with line items: the order is made before its first row."""

    class Meta:
        model = OrderLine
        fields = ()
        import_id_fields = ()
        use_bulk = True
        batch_size = 1000
        skip_diff = True
        force_init_instance = True

    def before_import(self, dataset, **kwargs):
        self.source = Source.objects.get(key="bench")

    def import_instance(self, instance, row, **kwargs):
        if row["Total"]:
            total = Decimal(row["Total"])
            placed = datetime.strptime(row["Created at"], "%Y-%m-%d %H:%M:%S %z")
            self.order = _order(
                self.source, row, number=row["Name"], buyer=row["Email"], placed=placed,
                total=total, total_shop=total, charges=Decimal(row["Shipping"]),
            )  # fmt: skip
        product, _is_new = Product.objects.get_or_create(
            source=self.source, sku=row["Lineitem sku"], defaults={"title": row["Lineitem name"]}
        )
        instance.order, instance.product, instance.sku = self.order, product, product.sku
        instance.title, instance.quantity = row["Lineitem name"], int(row["Lineitem quantity"])
        instance.unit_price = Decimal(row["Lineitem price"])
        instance.amount = instance.unit_price * instance.quantity
        instance.line_key = f"{product.sku}#{kwargs.get('row_number', id(row))}"


class TaobaoResource(resources.ModelResource):
    """The peer's way with orders: one row is one."""

    class Meta(ShopifyResource.Meta):
        model = Order

    def before_import(self, dataset, **kwargs):
        self.source = Source.objects.get(key="bench")

    def import_instance(self, instance, row, **kwargs):
        buyer, is_new = Customer.objects.get_or_create(
            source=self.source, external_id=row["买家会员名"]
        )
        if is_new:
            Identity.objects.create(
                customer=buyer, issuer="bench", kind="external_id", value=buyer.external_id
            )
        placed = datetime.fromisoformat(row["订单创建时间"]).replace(tzinfo=ZoneInfo("UTC"))
        closed = row["订单状态"] == "交易关闭"
        instance.source, instance.external_id, instance.customer = (
            self.source,
            row["订单编号"],
            buyer,
        )
        instance.status = "cancelled" if closed else "completed"
        instance.cancelled_at = placed if closed else None
        instance.placed_at, instance.placed_day, instance.currency = placed, placed.date(), "GBP"
        instance.total = instance.total_shop = Decimal(row["买家实际支付金额"])
        instance.exchange_rate, instance.charges = Decimal(1), Decimal(row["买家应付邮费"])


def peer(kind: type[resources.ModelResource], encoding: str) -> Callable[[Path], int]:
    """Return the peer's dry run and import of a file."""

    def run(path: Path) -> int:
        with path.open(newline="", encoding=encoding) as file:
            reader = csv.reader(file)
            data = tablib.Dataset(*reader, headers=next(reader))
        for dry_run in (True, False):
            result = kind().import_data(data, dry_run=dry_run, raise_errors=True)
            assert not result.has_errors()
        return Order.objects.count()

    return run


def compare(name: str, made: Callable[[int], Iterator[list[str]]], encoding: str,
            kind: type[resources.ModelResource], options: argparse.Namespace) -> None:  # fmt: skip
    """Print one file's rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        small = write(folder, f"{name}-small.csv", made(options.peer), encoding)
        large = write(folder, f"{name}.csv", made(options.rows), encoding)
        before, orders = timed(ours, small, options.repeat)
        theirs, _orders = timed(peer(kind, encoding), small, 1)
        after, _orders = timed(ours, small, options.repeat)
        mine, held = max(before, after), peak_mb()
        print(f"| {name} | {options.peer:,} | {orders:,} | {theirs / mine:.1f} | 1.00 | 1.00 |")
        sys.stdout.flush()
        seconds, orders = timed(ours, large, 1)
        growth = seconds / options.rows / (mine / options.peer)
        print(
            f"| {name} | {options.rows:,} | {orders:,} | – | {growth:.2f} |"
            f" {peak_mb() / held:.2f} |"
        )
        sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--peer", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3, help="of ours; the peer runs once")
    options = parser.parse_args()
    empty()
    print("| file | rows | orders | peer / Huike | per row, ratio | peak memory, ratio |")
    print("|---|---:|---:|---:|---:|---:|")
    compare("Shopify orders", shopify, "utf-8", ShopifyResource, options)
    compare("Taobao orders, GB18030", taobao, "gb18030", TaobaoResource, options)


if __name__ == "__main__":
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        main()
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
