"""Youzan's export of orders: a row per order, its goods only as text."""

from django.utils.translation import gettext_noop

from customers.connectors import values
from customers.connectors.presets.base import ORDERS, Cells, Field, Reading, Sheet
from customers.connectors.presets.chinese import RULES, mobile
from customers.connectors.presets.columns import ColumnsPreset
from customers.connectors.presets.grouped import settle_cancellation, settle_refund


class YouzanOrders(ColumnsPreset):
    """订单实付金额 is what the customer paid; what went back stands apart and does not lower it."""

    key = "youzan_orders"
    label = gettext_noop("Youzan orders")
    kinds = (ORDERS,)
    default_rules = RULES
    customer_key = gettext_noop(
        "The buyer's id where the file has one, else the buyer's phone, else the phone that "
        "receives the parcel. Masked phones and nicknames are never keys: such orders are guests'."
    )
    needed = (
        ("订单号",),
        ("订单状态",),
        ("订单创建时间",),
        ("应收订单金额",),
        ("订单实付金额",),
        ("全部商品名称",),
    )
    fields = (
        Field("order_id", values.key, ("订单号",), is_required=True),
        Field("placed_at", values.instant, ("订单创建时间",), is_required=True),
        Field("status", values.status, ("订单状态",), is_required=True),
        Field("total", values.amount, ("订单实付金额",)),
        Field("charges", values.amount, ("运费",)),
        Field("shop_discount", values.amount, ("店铺优惠合计",)),
        Field("paid_at", values.instant, ("买家付款时间",)),
        Field("delivered_at", values.instant, ("买家签收时间", "确认收货时间")),
        Field("refunded_amount", values.amount, ("订单已退款金额",)),
        Field("customer_id", values.key, ("买家ID", "yz_open_id", "用户ID")),
        Field("phone", mobile, ("买家手机号", "收货人手机号/提货人手机号", "收货人手机号")),
        Field(
            "customer_name",
            values.masked_text,
            ("买家姓名", "收货人/提货人", "收货人", "买家昵称"),
        ),
    )
    more = ("应收订单金额",)

    def repair(self, cells: Cells, reading: Reading, sheet: Sheet) -> Cells:
        """Return the order; one that nobody paid yet has what is due as its total."""
        if not cells.get("total", "").strip("0.") and "paid_at" not in cells:
            due = Field("total", values.amount, sheet.find_all("应收订单金额"), is_required=True)
            cells["total"] = reading.read(due)
        cells.setdefault("total", "0.00")
        cells["currency"] = reading.rules.currency
        settle_cancellation(cells, reading)
        settle_refund(cells, reading)
        return cells
