"""Taobao and Tmall: the file of orders, and the file of items that belongs to it."""

from decimal import Decimal

from django.utils.translation import gettext_noop

from customers.connectors import values
from customers.connectors.presets.base import LINES, ORDERS, Cells, Field, Reading, Sheet
from customers.connectors.presets.chinese import RULES, mobile, paid_at_first
from customers.connectors.presets.columns import ColumnsPreset
from customers.connectors.presets.grouped import settle_cancellation, settle_refund

PAID = ("买家实际支付金额", "买家实付金额")


class TaobaoOrders(ColumnsPreset):
    """A row per order; 总金额 is what was due for goods and postage, 实际支付 what came of it."""

    key = "taobao_orders"
    label = gettext_noop("Taobao and Tmall orders")
    kinds = (ORDERS,)
    default_rules = RULES
    customer_key = gettext_noop(
        "The buyer's member name while it is not masked, else the phone that receives the parcel. "
        "Masked names and phones, numbers lent for one delivery and OAID are never keys: such "
        "orders are guests'."
    )
    needed = (
        ("订单编号",),
        ("买家应付货款",),
        ("总金额",),
        PAID,
        ("订单状态",),
        ("订单创建时间",),
    )
    fields = (
        Field("order_id", values.key, ("订单编号",), is_required=True),
        Field("placed_at", values.instant, ("订单创建时间",), is_required=True),
        Field("status", values.status, ("订单状态",), is_required=True),
        Field("total", values.amount, ("总金额",), is_required=True),
        Field("charges", values.amount, ("买家应付邮费",)),
        Field("platform_fee", values.amount, ("卖家服务费",)),
        Field("paid_at", values.instant, ("订单付款时间",)),
        Field("delivered_at", values.instant, ("确认收货时间",)),
        Field("refunded_amount", values.amount, ("退款金额",)),
        Field("customer_id", values.key, ("买家会员名", "买家昵称")),
        Field("phone", mobile, ("联系手机", "联系电话")),
        Field("customer_name", values.masked_text, ("收货人姓名",)),
    )
    more = PAID

    def repair(self, cells: Cells, reading: Reading, sheet: Sheet) -> Cells:
        """Return the order with what was paid for it, before refunds, as its total."""
        given = reading.read(Field("total", values.amount, sheet.find_all(*PAID)))
        due, refunded = Decimal(cells["total"]), Decimal(cells.get("refunded_amount", "0"))
        cells["total"] = str(paid_at_first(due, Decimal(given or 0), refunded))
        cells["currency"] = reading.rules.currency
        settle_cancellation(cells, reading)
        settle_refund(cells, reading)
        return cells


class TaobaoItems(ColumnsPreset):
    """A row per item; refunds stand in the file of orders and are not counted again."""

    key = "taobao_items"
    label = gettext_noop("Taobao and Tmall items (bring in the orders first)")
    kinds = (LINES,)
    default_rules = RULES
    customer_key = gettext_noop("Items belong to orders, which name the buyer.")
    needed = (
        ("子订单编号",),
        ("主订单编号",),
        ("商品标题", "标题", "宝贝标题"),
        ("商品价格", "价格"),
        ("购买数量",),
    )
    fields = (
        Field("order_id", values.key, ("主订单编号",), is_required=True),
        Field("line_id", values.key, ("子订单编号",), is_required=True),
        Field(
            "sku",
            values.article,
            ("商家编码", "外部系统编号", "商品ID", "商品标题", "标题", "宝贝标题"),
            is_required=True,
        ),
        Field("title", values.text, ("商品标题", "标题", "宝贝标题")),
        Field("quantity", values.count, ("购买数量",), is_required=True),
        Field("unit_price", values.amount, ("商品价格", "价格"), is_required=True),
    )
    more = (*PAID, "退款金额")

    def repair(self, cells: Cells, reading: Reading, sheet: Sheet) -> Cells:
        """Return the line with what it came to after discounts, before refunds."""
        paid = reading.read(Field("amount", values.amount, sheet.find_all(*PAID)))
        back = reading.read(Field("amount", values.amount, sheet.find_all("退款金额")))
        due = Decimal(cells["quantity"]) * Decimal(cells["unit_price"])
        cells["amount"] = str(paid_at_first(due, Decimal(paid or 0), Decimal(back or 0)))
        return cells
