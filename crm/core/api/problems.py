"""Every refusal as a problem document (RFC 9457)."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from crm.core.errors import DomainError

CONTENT_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:huike:problem:"


class BadQueryError(exceptions.ValidationError):
    """A parameter of the query string is wrong; names the parameter, not a field of the body."""


class PayloadTooLargeError(exceptions.APIException):
    status_code = 413
    default_code = "payload_too_large"


class ProblemResponse(Response):
    """A problem document: JSON, whatever the caller asked for or the view would render."""

    @property
    def rendered_content(self) -> str:
        """Render as JSON under the content type of problems."""
        self["Content-Type"] = CONTENT_TYPE
        return str(JSONRenderer().render(self.data), "utf-8")


def problem_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """Answer any exception of a REST view with a problem document."""
    set_rollback()
    if isinstance(error, DomainError):
        return problem(
            status=error.status, code=error.code, detail=error.message, details=error.details
        )
    known = _as_api_exception(error)
    if known is None:
        return _unexpected(error, context)
    headers = {}
    auth_header = getattr(known, "auth_header", None)
    if auth_header:
        headers["WWW-Authenticate"] = str(auth_header)
    if isinstance(known, exceptions.ValidationError):
        prefix = "?" if isinstance(known, BadQueryError) else "/"
        return problem(
            status=known.status_code,
            code="invalid",
            detail=_("Correct what “errors” names and send the request again."),
            errors=list(_validation_errors(known.detail, prefix)),
        )
    return problem(
        status=known.status_code,
        code=_code(known),
        detail=_advice(known, context),
        headers=headers,
    )


def problem(
    *,
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    details: Mapping[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Build a problem document."""
    body: dict[str, Any] = {
        "type": f"{TYPE_PREFIX}{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": str(detail),
        "request_id": request_id(),
    }
    if errors is not None:
        body["errors"] = errors
    if details:
        body["details"] = dict(details)
    return ProblemResponse(body, status=status, headers=headers)


def request_id() -> str:
    """Return the id under which this request is found in the logs."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def _as_api_exception(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, exceptions.APIException):
        return error
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return PayloadTooLargeError(_("The form's fields are too large. Send less at once."))
    if isinstance(error, SuspiciousOperation | BadRequest):
        return exceptions.ParseError()
    return None


def _code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else str(error.default_code)


def _advice(error: exceptions.APIException, context: Mapping[str, Any]) -> str:
    """Return what the caller can do about it."""
    if isinstance(error, exceptions.NotAuthenticated):
        return _("Send an API key in the header “Authorization: Bearer hk_…”.")
    if isinstance(error, exceptions.NotFound) and error.detail == error.default_detail:
        return _(
            "There is nothing at this address. Check the id; addresses end with a slash, "
            "and /api/v1/schema/ lists them all."
        )
    if isinstance(error, exceptions.MethodNotAllowed):
        allowed = getattr(context.get("view"), "allowed_methods", [])
        return _("%(method)s does not work here. Use one of: %(allowed)s.") % {
            "method": context["request"].method,
            "allowed": ", ".join(sorted(allowed)),
        }
    if isinstance(error, exceptions.UnsupportedMediaType):
        return _(
            "This address does not read that content type. Send application/json, "
            "or multipart/form-data where a file is uploaded."
        )
    if isinstance(error, exceptions.NotAcceptable):
        return _("Answers are JSON. Ask for “Accept: application/json”, or leave the header out.")
    return str(error.detail)


def _validation_errors(detail: Any, prefix: str, path: str = "") -> Iterator[dict[str, str]]:
    """Flatten DRF's nested errors into one line per mistake."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = path if name in ("non_field_errors", "__all__") else f"{path}/{name}"
            yield from _validation_errors(inner, prefix, own)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _validation_errors(inner, prefix, f"{path}/{index}" if nested else path)
    else:
        yield {
            "pointer": prefix + path.removeprefix("/") if path else "",
            "code": str(getattr(detail, "code", "invalid")),
            "detail": str(detail),
        }


def _unexpected(error: Exception, context: Mapping[str, Any]) -> Response:
    """Report an error of ours, which logs it, and tell the caller nothing about its inside."""
    view = context.get("view")
    request = context.get("request")
    got_request_exception.send(sender=type(view), request=getattr(request, "_request", None))
    return problem(
        status=500,
        code="internal_error",
        detail=_("Something broke on our side. Try again later, and quote the request id."),
    )
