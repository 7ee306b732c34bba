"""The canonical columns of each kind of record: how foreign cells are read, under which names.

Names are compared folded (``base.folded``): case, blanks, width and underscores do not matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from customers.connectors import values
from customers.connectors.huike import ATTRIBUTE, SCOPED
from customers.connectors.presets.base import EMAIL, PHONE, Field, Read
from customers.connectors.values import Rules

DATE_TIME = values.instant
ID, TEXT, MONEY, OFF = values.key, values.text, values.money, values.amount


def consent(cell: str, rules: Rules) -> str:
    """Return ``given`` or ``withdrawn``; yes and no say the same."""
    word = values.clean(cell).lower()
    if word in ("given", "withdrawn"):
        return word
    return "given" if values.flag(cell, rules) == "true" else "withdrawn"


def lower(cell: str, rules: Rules) -> str:
    """Return a word of the record's in lower case."""
    return values.clean(cell).lower()


@dataclass(frozen=True)
class Target:
    """A canonical column; ``names`` are what foreign files call it, the likeliest first."""

    name: str
    read: Read
    names: tuple[str, ...] = ()
    is_required: bool = False
    is_key: bool = False

    def field(self, *columns: str) -> Field:
        """Return the field that reads this column from the file's own ones."""
        return Field(self.name, self.read, columns, self.is_required)


def _kind(*targets: Target) -> dict[str, Target]:
    return {target.name: target for target in targets}


def _target(name: str, read: Read, names: str = "", *, required: bool = False) -> Target:
    is_key = read in (ID, EMAIL, PHONE, values.article)
    known = f"{names}|{ELSEWHERE.get(name, '')}"
    return Target(name, read, tuple(filter(None, known.split("|"))), required, is_key)


# Names in German, French and Spanish of the columns that most files have.
ELSEWHERE = {
    "order_id": "bestellung|bestellnummer|bestell-nr|commande|pedido",
    "customer_id": "kundennummer|kunden-nr|kundennr|id client|id cliente",
    "email": "courriel|correo",
    "phone": "telefon|handy|telefono",
    "placed_at": "datum|bestelldatum|date de commande|fecha",
    "total": "summe|betrag|gesamt|gesamtbetrag|montant|importe",
    "currency": "währung|devise|moneda",
    "sku": "artikel|artikelnummer|artikel-nr|articulo",
    "quantity": "menge|anzahl|quantité|cantidad",
    "unit_price": "preis|einzelpreis|prix|precio",
    "price": "preis|prix|precio",
    "name": "nom|nombre",
}


ORDER_ID = (
    "order number|order id|order no|order|name|订单编号|订单号|主订单编号|交易号|order #|单号"
)
CUSTOMER_ID = (
    "customer id|client id|member id|user id|buyer id|会员号|客户编号|会员ID|用户ID|买家ID"
)
EMAIL_NAMES = "email|e-mail|email address|mail|customer email|billing email|邮箱|电子邮箱|电子邮件"
PHONE_NAMES = (
    "phone|mobile|telephone|cell|phone number|mobile number|billing phone|手机|手机号|手机号码|"
    "联系手机|买家手机号|电话|联系电话"
)
UPDATED = _target("updated_at", DATE_TIME, "updated|last modified|modified|更新时间|修改时间")
WHO = (
    _target("customer_id", ID, CUSTOMER_ID),
    _target("email", EMAIL, EMAIL_NAMES),
    _target("phone", PHONE, PHONE_NAMES),
)
CURRENCY = _target("currency", values.currency, "currency code|order currency|币种|货币")
COUNTRY = "country code|billing country|shipping country|国家|国家地区"
SKU = (
    "product sku|item sku|lineitem sku|product code|article|商品编码|商家编码|规格编码|货号|商品ID"
)
TITLE = (
    "product name|product|item name|lineitem name|product title|name|description|"
    "商品名称|商品标题|宝贝标题"
)
REFUNDED = (
    _target("refunded_amount", OFF, "refund amount|refund|refunded|退款金额|订单已退款金额"),
    _target("refunded_at", DATE_TIME, "refund date|refund time|退款时间"),
)

KINDS: dict[str, dict[str, Target]] = {
    "customers": _kind(
        _target("customer_id", ID, CUSTOMER_ID + "|id|编号", required=True),
        _target("name", TEXT, "full name|customer name|customer|姓名|名称|客户姓名|客户名称|昵称"),
        _target("email", EMAIL, EMAIL_NAMES),
        _target("phone", PHONE, PHONE_NAMES),
        _target("country", TEXT, COUNTRY),
        _target("city", TEXT, "town|billing city|default address city|城市|所在城市"),
        _target("language", TEXT, "locale|语言"),
        _target("time_zone", TEXT, "timezone|时区"),
        _target("birthday", values.day, "birth date|date of birth|birthdate|dob|生日|出生日期"),
        _target("is_test", values.flag, "test"),
        _target("is_wholesale", values.flag, "wholesale|批发"),
        _target("consent_email", consent, "accepts email marketing|accepts marketing|newsletter"),
        _target("consent_sms", consent, "accepts sms marketing|sms opt in|短信订阅"),
        _target("consent_at", DATE_TIME, "consent date|opt in date|订阅时间"),
        _target("consent_evidence", TEXT, "consent source|opt in source"),
        UPDATED,
    ),
    "orders": _kind(
        _target("order_id", ID, ORDER_ID + "|id", required=True),
        *WHO,
        _target("customer_name", TEXT, "customer|buyer|billing name|收货人|收货人姓名|买家|姓名"),
        _target(
            "placed_at",
            DATE_TIME,
            "order date|created at|date|order time|purchase date|ordered at|created|date created|"
            "订单创建时间|下单时间|创建时间|订单时间|日期",
            required=True,
        ),
        _target("status", values.status, "order status|state|financial status|订单状态|状态"),
        CURRENCY,
        _target(
            "total",
            MONEY,
            "order total|grand total|amount|total amount|total paid|order amount|sum|"
            "买家实际支付金额|买家实付金额|订单实付金额|实付金额|支付金额|总金额|订单金额|金额",
            required=True,
        ),
        _target("charges", OFF, "shipping|shipping total|postage|delivery|运费|邮费|买家应付邮费"),
        _target("shop_discount", OFF, "discount|discount amount|discount total|优惠|店铺优惠合计"),
        _target("platform_discount", OFF, "platform discount|平台优惠"),
        _target("tax", OFF, "taxes|tax total|vat|税|税费"),
        _target("platform_fee", OFF, "fee|commission|fees|佣金|平台服务费"),
        _target("shipping_cost", OFF, "shipping cost|运费成本"),
        _target("deposit", OFF, "定金|预付款"),
        _target("deposit_paid_at", DATE_TIME, "定金支付时间"),
        _target("paid_at", DATE_TIME, "payment date|paid|date paid|订单付款时间|付款时间|支付时间"),
        _target("promised_at", DATE_TIME, "promised|estimated delivery|承诺时间|预计送达时间"),
        _target("delivered_at", DATE_TIME, "delivered|delivery date|确认收货时间|签收时间"),
        _target("cancelled_at", DATE_TIME, "cancelled|canceled at|cancel date|取消时间|关闭时间"),
        *REFUNDED,
        _target("country", TEXT, COUNTRY),
        _target("is_test", values.flag, "test"),
        UPDATED,
    ),
    "lines": _kind(
        _target("order_id", ID, ORDER_ID, required=True),
        _target("line_id", ID, "line|item id|line item id|子订单编号|明细编号", required=True),
        _target("kind", lower, "line kind"),
        _target("sku", values.article, SKU, required=True),
        _target("title", TEXT, TITLE),
        _target("category", TEXT, "product category|product type|类目|分类|商品类目"),
        _target(
            "quantity", values.count, "qty|lineitem quantity|购买数量|数量|商品数量", required=True
        ),
        _target(
            "unit_price", MONEY, "price|item price|lineitem price|单价|商品价格|价格", required=True
        ),
        _target("amount", MONEY, "line total|item total|subtotal|小计|买家实付金额"),
        _target("unit_cost", OFF, "cost|cost price|成本|成本价"),
        _target("refunded_quantity", values.count, "returned quantity|退货数量"),
        *REFUNDED,
    ),
    "products": _kind(
        _target("sku", values.article, SKU + "|variant sku|handle|id", required=True),
        _target("title", TEXT, TITLE),
        _target("category", TEXT, "product category|type|product type|类目|分类|商品类目"),
        _target("brand", TEXT, "vendor|manufacturer|品牌"),
        _target("price", OFF, "variant price|regular price|sale price|售价|价格|商品价格"),
        CURRENCY,
        _target("unit_cost", OFF, "cost|cost per item|cost price|成本|成本价"),
        _target("stock", values.count, "inventory|quantity|variant inventory qty|库存|库存数量"),
        _target("is_active", values.flag, "active|published|status|在售|上架"),
        UPDATED,
    ),
    "categories": _kind(
        _target("category_id", ID, "id|类目ID|分类编号", required=True),
        _target("name", TEXT, "category|title|类目名称|分类名称", required=True),
        _target("parent_id", ID, "parent|parent category|上级类目|父分类"),
    ),
    "refunds": _kind(
        _target("refund_id", ID, "refund number|退款编号|退款单号", required=True),
        _target("order_id", ID, ORDER_ID),
        _target("sku", values.article, SKU),
        _target("quantity", values.count, "qty|退货数量|数量"),
        _target("amount", OFF, "refund amount|refunded amount|refund|退款金额|金额", required=True),
        CURRENCY,
        _target("kind", lower, "refund type|type"),
        _target("refunded_at", DATE_TIME, "refund date|date|退款时间|退款完结时间", required=True),
        _target("customer_id", ID, CUSTOMER_ID),
    ),
    "reviews": _kind(
        _target("review_id", ID, "id|评价ID|评论ID|comment id", required=True),
        *WHO,
        _target("sku", values.article, SKU),
        _target("order_id", ID, ORDER_ID),
        _target("rating", MONEY, "stars|score|评分|星级"),
        _target("text", TEXT, "review|comment|body|content|评价内容|评论|评论内容"),
        _target("written_at", DATE_TIME, "date|created at|评价时间|评论时间", required=True),
    ),
    "answers": _kind(
        _target("answer_id", ID, "id|response id|答卷编号", required=True),
        *WHO,
        _target("order_id", ID, ORDER_ID),
        _target("metric", lower, "survey|type|指标", required=True),
        _target("value", MONEY, "score|rating|answer|得分|分数", required=True),
        _target("comment", TEXT, "text|feedback|意见|评论"),
        _target("answered_at", DATE_TIME, "date|submitted at|created at|答题时间", required=True),
    ),
    "tickets": _kind(
        _target("ticket_id", ID, "id|ticket number|ticket|工单编号|工单号", required=True),
        *WHO,
        _target("order_id", ID, ORDER_ID),
        _target("subject", TEXT, "title|summary|主题|标题", required=True),
        _target("body", TEXT, "description|message|text|内容"),
        _target("state", lower, "status|状态"),
        _target("opened_at", DATE_TIME, "created at|created|date|创建时间", required=True),
        _target("closed_at", DATE_TIME, "solved at|resolved at|closed|关闭时间|解决时间"),
    ),
    "consents": _kind(
        *WHO,
        _target("channel", lower, "渠道", required=True),
        _target("topic", TEXT, "list|purpose|主题"),
        _target("action", consent, "consent|opt in|status|同意", required=True),
        _target("at", DATE_TIME, "date|timestamp|consent date|时间|同意时间", required=True),
        _target("evidence", TEXT, "source|form|ip|来源|证据"),
    ),
}
ORDERS_WITH_LINES = "orders_with_lines"
OF_LINES = ("line_id", "sku", "title", "category", "quantity", "unit_price", "amount", "unit_cost")
KINDS[ORDERS_WITH_LINES] = {
    **KINDS["orders"],
    **{name: KINDS["lines"][name] for name in OF_LINES},
    "line_id": replace(KINDS["lines"]["line_id"], is_required=False),
}
# Of these one must be mapped: a consent is somebody's.
ONE_OF = {"consents": ("customer_id", "email", "phone")}


def target(kind: str, name: str) -> Target | None:
    """Return a kind's column; customers also have attributes and ids that others gave out."""
    if found := KINDS.get(kind, {}).get(name):
        return found
    if kind == "customers" and name.startswith(ATTRIBUTE) and name != ATTRIBUTE:
        return Target(name, TEXT)
    if kind == "customers" and name.startswith(SCOPED) and name not in SCOPED:
        return Target(name, ID, is_key=True)
    return None


def required(kind: str) -> Iterable[str]:
    """Return the columns that a record of this kind cannot do without."""
    return (column.name for column in KINDS[kind].values() if column.is_required)
