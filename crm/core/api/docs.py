"""The OpenAPI document and the page that shows it."""

from typing import Any

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.authentication import SessionAuthentication

from crm.core.api.authentication import ApiKeyAuthentication
from crm.core.api.permissions import SignedInPermission


class SchemaView(SpectacularAPIView):
    """The OpenAPI document, for every key and for staff."""

    authentication_classes: Any = [ApiKeyAuthentication, SessionAuthentication]
    permission_classes: Any = [SignedInPermission]


class DocsView(SpectacularSwaggerSplitView):
    """A page to read and try the API, for staff; everything it loads is our own."""

    url_name = "api:schema"
    authentication_classes: Any = [SessionAuthentication]
    permission_classes: Any = [SignedInPermission]
