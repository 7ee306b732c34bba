"""Addresses of the record's resources."""

from rest_framework.routers import BaseRouter

from customers.api.exports import ExportViewSet
from customers.api.imports import ImportViewSet
from customers.api.saved_imports import SavedImportViewSet
from customers.api.views import CustomerViewSet, OrderViewSet, ProductViewSet


def register(router: BaseRouter) -> None:
    """Add the record's resources to the API."""
    router.register("customers", CustomerViewSet, "customer")
    router.register("orders", OrderViewSet, "order")
    router.register("products", ProductViewSet, "product")
    router.register("imports", ImportViewSet, "import")
    router.register("saved-imports", SavedImportViewSet, "saved-import")
    router.register("exports", ExportViewSet, "export")
