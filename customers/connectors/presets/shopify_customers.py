"""Shopify's exports of customers, old and new."""

from django.utils.translation import gettext_noop

from customers.connectors import values
from customers.connectors.presets.base import (
    CONSENTS,
    CUSTOMERS,
    EMAIL,
    EMPTY,
    PHONE,
    Cells,
    Field,
    Reading,
    Record,
    RejectError,
    Sheet,
)
from customers.connectors.presets.columns import ColumnsPreset

CHANNELS = (
    ("email", ("Accepts Email Marketing", "Accepts Marketing")),
    ("sms", ("Accepts SMS Marketing",)),
)


class ShopifyCustomers(ColumnsPreset):
    """A row per customer; what they allow comes as consents without ``at``, unknown here."""

    key = "shopify_customers"
    label = gettext_noop("Shopify customers")
    kinds = (CUSTOMERS, CONSENTS)
    customer_key = gettext_noop(
        "Shopify's customer id, which never changes; old files without it: the e-mail address, "
        "else the phone."
    )
    needed = (
        ("First Name",),
        ("Last Name",),
        ("Email",),
        ("Accepts Email Marketing", "Accepts Marketing"),
        ("Total Spent",),
    )
    fields = (
        Field("customer_id", values.key, ("Customer ID",)),
        Field("email", EMAIL, ("Email",)),
        Field("phone", PHONE, ("Phone", "Default Address Phone")),
        Field("country", values.text, ("Default Address Country Code", "Country Code", "Country")),
        Field("city", values.text, ("Default Address City", "City")),
    )
    more = ("First Name", "Last Name", *(name for _channel, names in CHANNELS for name in names))

    def repair(self, cells: Cells, reading: Reading, sheet: Sheet) -> Cells:
        """Return the customer with a name, known by the id or what stands in for it."""
        names = (reading.text(sheet.find(name)) for name in ("First Name", "Last Name"))
        cells["name"] = " ".join(filter(None, names))
        own = cells.get("customer_id") or cells.get("email") or cells.get("phone")
        if not own:
            raise RejectError(f"customer_id: {EMPTY}")
        return {**cells, "customer_id": own}

    def beside(self, cells: Cells, reading: Reading, sheet: Sheet) -> list[Record]:
        """Return what the customer allows; nothing where the file says nothing."""
        found = []
        for channel, names in CHANNELS:
            column = next(iter(sheet.find_all(*names)), "")
            said = Field("action", values.flag, (column,) if column else ())
            if answer := reading.read(said):
                consent = {
                    "customer_id": cells["customer_id"],
                    "channel": channel,
                    "action": "given" if answer == "true" else "withdrawn",
                    "evidence": f"Shopify: {column} = {reading.text(column)}",
                }
                found.append(Record(CONSENTS, consent))
        return found
