"""The rules by which a file's cells are read: shown on the mapping screen, kept with it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

DATE_ORDERS = ("", "dmy", "mdy")
DECIMAL_MARKS = (".", ",")
YES = ("1", "true", "yes", "y", "on", "是", "有", "ja", "oui", "si", "sí", "subscribed")
NO = ("0", "false", "no", "n", "off", "否", "无", "nein", "non", "unsubscribed")
EMPTY = (
    "-",
    "--",
    "—",
    "——",
    "–",
    "/",
    "null",
    "none",
    "nil",
    "n/a",
    "#n/a",
    "nan",
    "undefined",
    "无",
    "空",
    # Columns of refunds, where there is none.
    "无退款申请",
    "没有申请退款",
    "无退款",
)
# In words of the platforms, lower case, without blanks and punctuation (see words.folded).
STATUSES = {
    # Taobao, Tmall
    "等待买家付款": "pending",
    "买家已付款等待卖家发货": "paid",
    "卖家部分发货": "paid",
    "卖家已发货等待买家确认": "shipped",
    "卖家已发货等待买家确认收货": "shipped",
    "等待买家确认收货": "shipped",
    "卖家已发货": "shipped",
    "买家已签收": "shipped",
    "交易成功": "completed",
    "交易关闭": "cancelled",
    "订单关闭": "cancelled",
    # Youzan
    "待付款": "pending",
    "待支付": "pending",
    "待接单": "paid",
    "待成团": "paid",
    "待发货": "paid",
    "部分发货": "paid",
    "已发货": "shipped",
    "待收货": "shipped",
    "交易完成": "completed",
    "已完成": "completed",
    "已关闭": "cancelled",
    "已取消": "cancelled",
    # Shopify
    "authorized": "pending",
    "partiallypaid": "pending",
    "partiallyrefunded": "paid",
    "refunded": "paid",
    "voided": "cancelled",
    "expired": "cancelled",
    # WooCommerce
    "pendingpayment": "pending",
    "onhold": "pending",
    "processing": "paid",
    "failed": "cancelled",
    "draft": "pending",
    "checkoutdraft": "pending",
    # common words
    "open": "pending",
    "unpaid": "pending",
    "pending": "pending",
    "new": "pending",
    "paid": "paid",
    "shipped": "shipped",
    "fulfilled": "shipped",
    "dispatched": "shipped",
    "delivered": "completed",
    "complete": "completed",
    "completed": "completed",
    "done": "completed",
    "closed": "completed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    # German, French, Spanish
    "offen": "pending",
    "bezahlt": "paid",
    "versandt": "shipped",
    "versendet": "shipped",
    "abgeschlossen": "completed",
    "zugestellt": "completed",
    "storniert": "cancelled",
    "payé": "paid",
    "payée": "paid",
    "expédiée": "shipped",
    "terminée": "completed",
    "annulée": "cancelled",
    "pagado": "paid",
    "enviado": "shipped",
    "completado": "completed",
    "cancelado": "cancelled",
}


@dataclass(frozen=True)
class Rules:
    """How dates, amounts, phones and words of a file are meant.

    ``date_order`` settles 03/04/2026 and is empty while nobody has said; ``zone`` holds for times
    without an offset; ``region`` (``CN``) for phones without ``+``; ``statuses`` comes before the
    words known anyway.
    """

    date_order: str = ""
    decimal_mark: str = "."
    zone: str = "UTC"
    currency: str = ""
    region: str = ""
    yes: tuple[str, ...] = YES
    no: tuple[str, ...] = NO
    empty: tuple[str, ...] = EMPTY
    statuses: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.date_order not in DATE_ORDERS or self.decimal_mark not in DECIMAL_MARKS:
            raise ValueError("no such date order or decimal mark")
        if self.zone not in available_timezones():
            raise ValueError("no such time zone")

    def as_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads; only what differs from the defaults."""
        plain, held = asdict(Rules()), asdict(self)
        return {
            name: dict(value) if name == "statuses" else value
            for name, value in held.items()
            if value != plain[name]
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "Rules":
        """Return the rules of a saved mapping; raises ValueError for a name or value unknown."""
        names = {field.name for field in fields(cls)}
        if unknown := sorted(set(given) - names):
            raise ValueError(f"unknown rules: {', '.join(unknown)}")
        values = dict(given)
        for name in ("yes", "no", "empty"):
            if name in values:
                values[name] = tuple(str(word) for word in values[name])
        if "statuses" in values:
            values["statuses"] = tuple(sorted(dict(values["statuses"]).items()))
        return cls(**values)

    def zone_info(self) -> ZoneInfo:
        """Return the zone of times that name no offset."""
        return ZoneInfo(self.zone)
