"""The pages staff see, by name."""

from decimal import Decimal
from urllib.parse import urlencode

from django.core.files.base import ContentFile
from django.utils import timezone

from analytics.models import CurrentScore, ScoringRun
from crm.core.models import Job
from customers.models import ImportBatch, Order, Product, Reconciliation, Refund
from customers.services import importing
from customers.services.reconciliation import state_total

LISTS = {
    "customers": "/admin/customers/customer/",
    "tags": "/admin/customers/tag/",
    "orders": "/admin/customers/order/",
    "products": "/admin/customers/product/",
    "imports": "/admin/customers/importbatch/",
    "exports": "/admin/customers/export/",
    "runs": "/admin/analytics/scoringrun/",
    "jobs": "/admin/core/job/",
    "keys": "/admin/core/apikey/",
    "totals": "/admin/customers/reconciliation/",
    "rates": "/admin/customers/exchangerate/",
    "alerts": "/admin/core/alert/",
    "sources": "/admin/customers/source/",
    "audit": "/admin/core/auditentry/",
    "people": "/admin/auth/user/",
    "roles": "/admin/auth/group/",
    "locked": "/admin/axes/accessattempt/",
    "sign-ins": "/admin/core/signin/",
}
FORMS = {
    "dashboard": "/admin/",
    "nobody": "/admin/customers/customer/?" + urlencode({"q": "nobody is called this"}),
    "champions": "/admin/customers/customer/?rfm_group=champions",
    "upload": "/admin/customers/importbatch/add/",
    "total": "/admin/customers/reconciliation/add/",
    "rate": "/admin/customers/exchangerate/add/",
    "export": "/admin/customers/export/add/?_list=customers&language=en",
    "score": "/admin/analytics/scoringrun/add/",
    "key": "/admin/core/apikey/add/",
    "person": "/admin/auth/user/add/",
    "role": "/admin/auth/group/add/",
    "settings": "/admin/customers/shopsettings/1/change/",
    "password": "/admin/password_change/",
    "mine": "/admin/my-settings/",
    "letter": "/admin/my-settings/preview/",
    "panel": "/admin/dashboard/retention/?weeks=52",
    "terms": "/admin/terms/",
}
DETAILS = (
    "customer", "order", "product", "import", "run", "job", "check", "mapping", "undo", "explained",
)  # fmt: skip
NAMES = (*FORMS, *LISTS, *DETAILS)


def address_of(name: str) -> str:
    """Return a page's address; a detail page shows a row with something to tell."""
    if name in LISTS or name in FORMS:
        return {**LISTS, **FORMS}[name]
    if name == "customer":
        return f"{LISTS['customers']}{telling_customer()}/change/"
    if name == "order":
        row = Refund.objects.filter(order__isnull=False).latest("pk").order
        assert row is not None
        return f"{LISTS['orders']}{row.pk}/change/"
    if name in ("check", "mapping"):
        return f"{LISTS['imports']}{waiting_file(name).pk}/check/"
    if name == "undo":
        return f"{LISTS['imports']}{ImportBatch.objects.earliest('pk').pk}/undo/"
    if name == "explained":
        return f"{LISTS['totals']}{a_month().pk}/change/"
    rows = {"product": Product, "import": ImportBatch, "run": ScoringRun, "job": Job}[name]
    pk = rows._default_manager.earliest("pk").pk
    return f"{LISTS[f'{name}s']}{pk}/change/"


def waiting_file(name: str) -> ImportBatch:
    """Return a file that waits to be looked at: one that is known, or one to be mapped."""
    texts = {
        "check": "order_id,placed_at,total,email\nW1,2026-01-02 10:00,12.50,ann@example.com\n",
        "mapping": "Bestellung;Datum;Summe;Stand\nW2;13.02.2026;1.234,50;gepackt\n",
    }
    held = ImportBatch.objects.filter(filename=f"{name}.csv").first()
    return held or importing.receive_file(
        file=ContentFile(texts[name].encode()),
        filename=f"{name}.csv",
        source_key="waiting",
        user_id=None,
        now=timezone.now(),
    )


def a_month() -> Reconciliation:
    """Return a month of the shop held against what a back office might say."""
    order = newest_order()
    return state_total(
        source_id=order.source_id,
        month=order.placed_day,
        currency=order.currency,
        stated=Decimal("12345.67"),
        zone="Asia/Shanghai",
        user_id=None,
    )


def telling_customer() -> int:
    """Return the customer whose value is most at risk: there is much to read on that page."""
    score = CurrentScore.objects.by_value_at_risk().first()
    assert score is not None
    return score.customer_id


def newest_order() -> Order:
    """Return the newest order of a known customer."""
    return Order.objects.filter(customer__isnull=False).latest("placed_at")
