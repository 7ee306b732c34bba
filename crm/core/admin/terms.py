"""The page that says what the words mean."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from crm.core.selectors.terms import SECTIONS

TITLE = _("What the words mean")


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """List every word with its meaning, each under an anchor of its own."""
    context = {**admin.site.each_context(request), "title": TITLE, "sections": SECTIONS}
    return TemplateResponse(request, "core/terms.html", context)
