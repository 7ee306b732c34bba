"""A month's total of the back office beside the record's, and what explains the difference."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from crm.core.admin.base import ReadOnlyAdmin
from crm.core.errors import DomainError
from crm.core.selectors.reach import reached
from customers.models import Reconciliation, Source
from customers.selectors.reconciliation import explain
from customers.selectors.shop import shop_day, shop_settings
from customers.services.reconciliation import state_total


class MonthField(forms.DateField):
    """A month, as browsers send it or as people write it."""

    input_formats = ("%Y-%m", "%Y-%m-%d")
    widget = UnfoldAdminTextInputWidget(attrs={"type": "month", "placeholder": "2026-03"})


class TotalForm(forms.Form):
    """What the back office says."""

    source = forms.ModelChoiceField(
        Source.objects.all(), label=gettext_lazy("Source"), widget=UnfoldAdminSelectWidget
    )
    month = MonthField(label=gettext_lazy("Month"))
    stated = forms.DecimalField(
        label=gettext_lazy("Total of the back office"),
        min_value=0,
        max_digits=16,
        decimal_places=4,
        help_text=gettext_lazy("The month's sales as the shop platform or the books show them."),
        widget=UnfoldAdminDecimalFieldWidget,
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"), max_length=3, widget=UnfoldAdminTextInputWidget
    )
    zone = forms.CharField(
        label=gettext_lazy("Time zone of the back office"),
        max_length=64,
        help_text=gettext_lazy("Where its months begin, such as Asia/Shanghai."),
        widget=UnfoldAdminTextInputWidget,
    )


@admin.register(Reconciliation)
class ReconciliationAdmin(ReadOnlyAdmin):
    list_display = ("source", "month", "stated", "currency", "entered_by")
    list_select_related = ("source", "entered_by")
    fields = ("source", "zone", "entered_by", "public_id")
    add_words = gettext_lazy("Enter a month's total")
    empty_words = gettext_lazy(
        "Enter what the shop platform or the books say a source sold in a month: the difference to "
        "the record is explained to the cent."
    )
    change_form_before_template = "customers/reconciliation_before.html"

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return bool(request.user.has_perm("customers.add_reconciliation"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Take a month's total down and show what explains it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = TotalForm(request.POST or None, initial=_initial(request))
        source: Any = form.fields["source"]
        source.queryset = reached(Source.objects.all(), request.user)
        if request.method == "POST" and form.is_valid():
            try:
                told = {**form.cleaned_data, "source_id": form.cleaned_data["source"].pk}
                del told["source"]
                row = state_total(**told, user_id=request.user.pk)
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, _("Taken down."))
                return HttpResponseRedirect(
                    reverse("admin:customers_reconciliation_change", args=[row.pk])
                )
        context = {
            **self.admin_site.each_context(request),
            "title": _("Hold a month against the back office"),
            "heading": _("Hold a month against the back office"),
            "form": form,
            "opts": self.model._meta,
        }
        return TemplateResponse(request, "customers/reconciliation_add.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Explain the difference above the fields."""
        context: dict[str, Any] = {}
        if object_id.isdigit() and self.has_view_permission(request):
            rows = Reconciliation.objects.select_related("source")
            row = get_object_or_404(rows, pk=object_id)
            context = {"row": row, "explained": explain(row)}
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )


def _initial(request: HttpRequest) -> dict[str, Any]:
    """Suggest last month of the source that was asked for, counted as the shop counts."""
    shop = shop_settings()
    today = shop_day(timezone.now())
    last = today.replace(day=1) - timedelta(days=1)
    source = request.GET.get("source", "")
    return {
        "source": source if source.isdigit() else None,
        "month": f"{last:%Y-%m}",
        "currency": shop.currency,
        "zone": shop.zone,
    }
