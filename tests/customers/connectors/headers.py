"""The header rows of platforms' exports."""

from tests.customers.connectors.files import DATA, csv_text, write

SHOPIFY = DATA / "shopify"
TAOBAO_ORDERS = [
    "订单编号",
    "买家会员名",
    "买家支付宝账号",
    "买家应付货款",
    "买家应付邮费",
    "买家支付积分",
    "总金额",
    "返点积分",
    "买家实际支付金额",
    "买家实际支付积分",
    "订单状态",
    "买家留言",
    "收货人姓名",
    "收货地址 ",
    "运送方式",
    "联系电话 ",
    "联系手机",
    "订单创建时间",
    "订单付款时间 ",
    "宝贝标题 ",
    "宝贝种类 ",
    "物流单号 ",
    "物流公司",
    "订单备注",
    "宝贝总数量",
    "店铺Id",
    "店铺名称",
    "订单关闭原因",
    "卖家服务费",
    "买家服务费",
    "退款金额",
]
TAOBAO_ITEMS = [
    "子订单编号",
    "主订单编号",
    "商品标题",
    "商品价格",
    "购买数量",
    "外部系统编号",
    "商品属性",
    "套餐信息",
    "联系方式备注",
    "订单状态",
    "商家编码",
    "买家应付货款",
    "买家实付金额",
    "退款状态",
    "退款金额",
    "订单创建时间",
    "订单付款时间",
    "商品ID",
]
YOUZAN = [
    "订单号",
    "归属店铺",
    "订单类型",
    "订单状态",
    "订单创建时间",
    "买家付款时间",
    "商品金额合计",
    "运费",
    "店铺优惠合计",
    "应收订单金额",
    "订单实付金额",
    "全部商品名称",
    "收货人/提货人",
    "收货人手机号/提货人手机号",
    "买家昵称",
    "买家手机号",
    "订单退款状态",
    "订单已退款金额",
]
WOO = [
    "order_id",
    "order_number",
    "date",
    "status",
    "shipping_total",
    "shipping_tax_total",
    "fee_total",
    "tax_total",
    "discount_total",
    "order_total",
    "refunded_total",
    "order_currency",
    "customer_id",
    "billing_first_name",
    "billing_last_name",
    "billing_email",
    "billing_phone",
    "billing_country",
]
WOO_ITEMS = ["item_id", "item_product_id", "item_name", "item_sku", "item_quantity", "item_total"]


def table(tmp_path, header, *rows, codec="utf-8", **more):
    """Write rows given as dicts under a header; return the path."""
    lines = [[row.get(name.strip(), row.get(name, "")) for name in header] for row in rows]
    return write(tmp_path / "a.csv", csv_text(header, *lines, **more).encode(codec))


def header_of(name):
    return (SHOPIFY / name).read_text().strip().split(",")
