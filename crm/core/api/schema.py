"""How the OpenAPI document is made from the views."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from crm.core.api.idempotency import HEADER
from crm.core.api.problems import CONTENT_TYPE
from crm.core.api.serializers import ProblemSerializer


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """Describes the API key."""

    target_class = "crm.core.api.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the security scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "hk_<prefix>_<secret>",
            "description": "An API key, made in the web admin or by “manage.py create_api_key”.",
        }


class ResourceSchema(AutoSchema):
    """Adds what every resource has: problems, ``expand`` and ``Idempotency-Key``."""

    def get_override_parameters(self) -> list[OpenApiParameter]:
        """Describe the parameters that come from the view's declarations."""
        parameters: list[OpenApiParameter] = []
        if getattr(self.view, "is_expandable", False):
            names = ", ".join(self.view.expansion_names())
            parameters.append(
                OpenApiParameter(
                    "expand",
                    description=f"What to show besides, separated by commas: {names}.",
                )
            )
        if getattr(self.view, "action", None) in getattr(self.view, "idempotent_actions", ()):
            parameters.append(
                OpenApiParameter(
                    HEADER,
                    location=OpenApiParameter.HEADER,
                    description="Any text unique to this call. Sending the same call again within "
                    "a day gets the first answer and starts nothing.",
                )
            )
        return parameters

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Add the problem document as the answer of everything that is not a success."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            operation["responses"]["default"] = self._get_response_for_code(
                ProblemSerializer, "default", media_types=[CONTENT_TYPE]
            )
        return operation

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        """Leave what is there only when asked for out of the required properties."""
        shape = super()._map_basic_serializer(serializer, direction)
        names = getattr(serializer, "optional_names", lambda: ())()
        if names and "required" in shape:
            shape["required"] = [name for name in shape["required"] if name not in names]
        return shape
