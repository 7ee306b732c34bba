"""The pages staff see, by name."""

from urllib.parse import urlencode

from analytics.models import CurrentScore, ScoringRun
from crm.core.models import Job
from customers.models import ImportBatch, Order, Product, Refund

LISTS = {
    "customers": "/admin/customers/customer/",
    "orders": "/admin/customers/order/",
    "products": "/admin/customers/product/",
    "imports": "/admin/customers/importbatch/",
    "exports": "/admin/customers/export/",
    "runs": "/admin/analytics/scoringrun/",
    "jobs": "/admin/core/job/",
    "keys": "/admin/core/apikey/",
    "sources": "/admin/customers/source/",
    "audit": "/admin/core/auditentry/",
}
FORMS = {
    "dashboard": "/admin/",
    "nobody": "/admin/customers/customer/?" + urlencode({"q": "nobody is called this"}),
    "champions": "/admin/customers/customer/?rfm_group=champions",
    "upload": "/admin/customers/importbatch/add/",
    "export": "/admin/customers/export/add/?_list=customers&language=en",
    "score": "/admin/analytics/scoringrun/add/",
    "key": "/admin/core/apikey/add/",
    "settings": "/admin/customers/shopsettings/1/change/",
    "password": "/admin/password_change/",
}
DETAILS = ("customer", "order", "product", "import", "run", "job")
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
    rows = {"product": Product, "import": ImportBatch, "run": ScoringRun, "job": Job}[name]
    pk = rows._default_manager.earliest("pk").pk
    return f"{LISTS[f'{name}s']}{pk}/change/"


def telling_customer() -> int:
    """Return the customer whose value is most at risk: there is much to read on that page."""
    score = CurrentScore.objects.by_value_at_risk().first()
    assert score is not None
    return score.customer_id


def newest_order() -> Order:
    """Return the newest order of a known customer."""
    return Order.objects.filter(customer__isnull=False).latest("placed_at")
