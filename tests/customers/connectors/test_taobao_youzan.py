"""Taobao's and Youzan's files: money before and after refunds, masked people never keys."""

from decimal import Decimal

from tests.customers.connectors.files import records, translate
from tests.customers.connectors.headers import TAOBAO_ITEMS, TAOBAO_ORDERS, YOUZAN, table


def taobao(number, status, due, paid, refunded="0.00", **more):
    return {
        "订单编号": f'="{number}"',
        "买家会员名": "tb小鱼",
        "买家应付货款": str(Decimal(due) - 8),
        "买家应付邮费": "8.00",
        "总金额": due,
        "买家实际支付金额": paid,
        "订单状态": status,
        "收货人姓名": "张三",
        "联系手机": "'13812345678",
        "订单创建时间": "2026-03-31 18:05:12",
        "订单付款时间": "" if status == "等待买家付款" else "2026-03-31 18:06:00",
        "退款金额": refunded,
        **more,
    }


def test_taobao_orders_in_gb18030(tmp_path):
    rows = (
        taobao("3214567890123456789", "交易成功", "108.00", "108.00"),
        taobao("2", "交易成功", "108.00", "78.00", "30.00"),
        taobao("3", "交易成功", "108.00", "108.00", "30.00"),
        taobao("4", "交易关闭", "108.00", "0.00", "108.00"),
        taobao("5", "等待买家付款", "108.00", "0.00"),
        taobao("6", "买家已付款，等待卖家发货", "108.00", "0.00"),
        taobao("7", "卖家已发货，等待买家确认", "108.00", "100.00", 卖家服务费="2.00"),
    )
    path = table(tmp_path, TAOBAO_ORDERS, *rows, codec="gb18030")

    preset, found = translate(path)
    orders = records(found)

    assert preset.key == "taobao_orders"
    assert orders[0] == {
        "order_id": "3214567890123456789",
        "placed_at": "2026-03-31 18:05:12+08:00",
        "status": "completed",
        "total": "108.00",
        "currency": "CNY",
        "charges": "8.00",
        "paid_at": "2026-03-31 18:06:00+08:00",
        "refunded_amount": "0.00",
        "customer_id": "tb小鱼",
        "phone": "+8613812345678",
        "customer_name": "张三",
    }
    # What was paid before anything went back, and what went back.
    assert [(o["status"], o["total"], o["refunded_amount"]) for o in orders] == [
        ("completed", "108.00", "0.00"),
        ("completed", "108.00", "30.00"),
        ("completed", "108.00", "30.00"),
        ("cancelled", "108.00", "108.00"),
        ("pending", "108.00", "0.00"),
        ("paid", "108.00", "0.00"),
        ("shipped", "100.00", "0.00"),
    ]
    assert orders[3]["cancelled_at"] == orders[3]["refunded_at"] == "2026-03-31 18:06:00+08:00"
    assert orders[6]["platform_fee"] == "2.00"
    kept = sum(
        Decimal(o["total"]) - Decimal(o["refunded_amount"])
        for o in orders
        if o["status"] in ("completed", "paid", "shipped")
    )
    assert kept == Decimal("108") + 78 + 78 + 108 + 100


def test_a_refund_that_nobody_asked_for_is_none(tmp_path):
    orders = [
        taobao("1", "交易成功", "108", "108", "无退款申请"),
        taobao("2", "交易成功", "108", "78", "30元"),
    ]
    item = {"子订单编号": "11", "主订单编号": "1", "商品标题": "茶", "商品价格": "60.00"}
    item |= {"购买数量": "2", "买家实付金额": "108.00", "退款金额": "无退款申请"}

    found = translate(table(tmp_path, TAOBAO_ORDERS, *orders))[1]
    (line,) = records(translate(table(tmp_path, TAOBAO_ITEMS, item))[1])

    assert [row.reason for row in found] == ["", ""]
    told = [(order["total"], order.get("refunded_amount")) for order in records(found)]
    assert told == [("108.00", None), ("108.00", "30.00")]
    assert line["amount"] == "108.00"


def test_masked_buyers_and_numbers_lent_for_a_delivery_are_no_keys(tmp_path):
    rows = (
        taobao("1", "交易成功", "108", "108", 买家会员名="t**1", 联系手机="138****5678"),
        taobao("2", "交易成功", "108", "108", 买家会员名="-", 联系手机="17212345678-1234"),
        taobao("3", "交易成功", "108", "108", 买家会员名="", 联系手机="——", 收货人姓名="张**"),
    )
    header = [*TAOBAO_ORDERS, "OAID"]

    found = translate(table(tmp_path, header, *(row | {"OAID": "oaid1"} for row in rows)))[1]

    for order in records(found):
        assert {"customer_id", "phone", "email"} & set(order) == set()
        assert "oaid1" not in order.values()
    assert [len(row.notes) for row in found] == [2, 1, 1]


def test_ids_that_a_spreadsheet_cut_are_refused(tmp_path):
    row = taobao("1", "交易成功", "108", "108") | {"订单编号": "3.21457E+18"}

    (found,) = translate(table(tmp_path, TAOBAO_ORDERS, row))[1]

    assert found.reason.startswith("order_id: a spreadsheet cut this number")


def test_taobao_items_belong_to_orders_and_leave_refunds_to_them(tmp_path):
    item = {
        "子订单编号": "'32145678901234567891",
        "主订单编号": "'3214567890123456789",
        "商品标题": "龙井茶 250g",
        "商品价格": "60.00",
        "购买数量": "2",
        "订单状态": "交易成功",
        "商家编码": "LJ-250",
        "买家实付金额": "70.00",
        "退款状态": "退款成功",
        "退款金额": "30.00",
        "商品ID": "600123456789",
    }
    rows = (
        item,
        item | {"商家编码": "", "外部系统编号": "", "买家实付金额": "", "退款金额": ""},
        item | {"购买数量": "二"},
    )
    path = table(tmp_path, TAOBAO_ITEMS, *rows, codec="gb18030")

    preset, found = translate(path)

    assert preset.kinds == ("lines",)
    assert records(found) == [
        {
            "order_id": "3214567890123456789",
            "line_id": "32145678901234567891",
            "sku": "LJ-250",
            "title": "龙井茶 250g",
            "quantity": "2",
            "unit_price": "60.00",
            "amount": "100.00",
        },
        {
            "order_id": "3214567890123456789",
            "line_id": "32145678901234567891",
            "sku": "600123456789",
            "title": "龙井茶 250g",
            "quantity": "2",
            "unit_price": "60.00",
            "amount": "120.00",
        },
    ]
    assert found[2].reason.startswith("quantity: ")


def youzan(number, status, due, paid, **more):
    return {
        "订单号": number,
        "归属店铺": "茶铺",
        "订单类型": "普通订单",
        "订单状态": status,
        "订单创建时间": "2026-03-31 18:05:12",
        "买家付款时间": "2026-03-31 18:06:00",
        "商品金额合计": "100.00",
        "运费": "8.00",
        "店铺优惠合计": "-10.00",
        "应收订单金额": due,
        "订单实付金额": paid,
        "全部商品名称": "龙井茶;茶杯",
        "收货人/提货人": "李四",
        "收货人手机号/提货人手机号": "186******05",
        "买家昵称": "小鱼",
        "买家手机号": "13812345678",
        "订单退款状态": "-",
        "订单已退款金额": "——",
        **more,
    }


def test_youzan_orders(tmp_path):
    rows = (
        youzan("E2026033118051200001", "交易完成", "98.00", "98.00"),
        youzan(
            "E2", "交易完成", "98.00", "98.00", 订单已退款金额="20.00", 买家手机号="186******05"
        ),
        youzan("E3", "待付款", "98.00", "0.00", 买家付款时间="-"),
        youzan("E4", "交易关闭", "98.00", "-", 买家付款时间="——"),
        youzan("E5", "待发货", "98.00", "0.00"),
    )

    preset, found = translate(table(tmp_path, YOUZAN, *rows))
    orders = records(found)

    assert preset.key == "youzan_orders"
    assert orders[0] == {
        "order_id": "E2026033118051200001",
        "placed_at": "2026-03-31 18:05:12+08:00",
        "status": "completed",
        "total": "98.00",
        "currency": "CNY",
        "charges": "8.00",
        "shop_discount": "10.00",
        "paid_at": "2026-03-31 18:06:00+08:00",
        "phone": "+8613812345678",
        "customer_name": "李四",
    }
    assert [(o["status"], o["total"], o.get("refunded_amount")) for o in orders] == [
        ("completed", "98.00", None),
        ("completed", "98.00", "20.00"),
        ("pending", "98.00", None),
        ("cancelled", "98.00", None),
        ("paid", "0.00", None),
    ]
    assert "phone" not in orders[1]
    assert orders[3]["cancelled_at"] == orders[3]["placed_at"]
    assert {"refunds", "lines"} & set(preset.kinds) == set()
