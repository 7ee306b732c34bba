"""What foreign currencies were worth, day by day."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Max, Min
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from crm.core.admin.base import ReadOnlyAdmin
from crm.core.errors import DomainError
from crm.core.services.audit import record_audit
from customers.models import ExchangeRate, Order
from customers.selectors.shop import shop_settings
from customers.services.shop import InvalidSettingsError, set_exchange_rate

MOST_MISSING = 20
MOST_DAYS = 366


class RateForm(forms.Form):
    """One currency's worth on one day."""

    currency = forms.CharField(label=_("Currency"), max_length=3, widget=UnfoldAdminTextInputWidget)
    day = forms.DateField(label=_("Day"), widget=UnfoldAdminSingleDateWidget)
    until = forms.DateField(
        label=_("Until"),
        required=False,
        help_text=_("For a span of days with one rate, such as a month's; at most a year."),
        widget=UnfoldAdminSingleDateWidget,
    )
    rate = forms.DecimalField(
        label=_("Rate"),
        max_digits=20,
        decimal_places=10,
        help_text=_("What one unit was worth in the shop's currency."),
        widget=UnfoldAdminDecimalFieldWidget,
    )


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ReadOnlyAdmin):
    list_display = ("currency", "day", "shown_rate", "shop_currency")
    list_filter = ("currency",)
    ordering = ("-day", "currency")
    list_before_template = "customers/rates_before.html"
    empty_words = _("Needed only for orders in another currency than the shop's.")

    @admin.display(description=_("rate"), ordering="rate")
    def shown_rate(self, row: ExchangeRate) -> str:
        return number_format(row.rate.normalize())

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return bool(request.user.has_perm("customers.add_exchangerate"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show above the list which days lack a rate, those with most orders first."""
        unrated = Order.objects.without_rate()
        missing = (
            unrated.values("currency", "placed_day")
            .annotate(orders=Count("pk"))
            .order_by("-orders", "placed_day")[: MOST_MISSING + 1]
        )
        spans = (
            unrated.values("currency")
            .annotate(orders=Count("pk"), first=Min("placed_day"), last=Max("placed_day"))
            .order_by("currency")
        )
        context = {
            "spans": [
                {**span, "until": min(span["last"], span["first"] + timedelta(days=MOST_DAYS - 1))}
                for span in spans
            ],
            "missing": list(missing[:MOST_MISSING]),
            "more_missing": len(missing) > MOST_MISSING,
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Take a rate, and convert that day's orders by it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        asked = {name: request.GET.get(name) for name in ("currency", "day", "until")}
        form = RateForm(request.POST or None, initial=asked)
        if request.method == "POST" and form.is_valid():
            try:
                return self._set(request, form.cleaned_data)
            except DomainError as error:
                form.add_error(None, error.message)
        context = {
            **self.admin_site.each_context(request),
            "title": _("What a currency was worth"),
            "heading": _("What a currency was worth"),
            "form": form,
            "opts": self.model._meta,
            "shop": shop_settings(),
        }
        return TemplateResponse(request, "customers/rate_add.html", context)

    def _set(self, request: HttpRequest, told: dict[str, Any]) -> HttpResponse:
        first = told["day"]
        last = told.pop("until") or first
        days = (last - first).days + 1
        if not 1 <= days <= MOST_DAYS:
            raise InvalidSettingsError(
                gettext("Choose an end that is no earlier than the first day, and within a year.")
            )
        with transaction.atomic():
            changed = sum(
                set_exchange_rate(
                    **{**told, "day": first + timedelta(days=day)}, now=timezone.now()
                )
                for day in range(days)
            )
        record_audit(
            actor_id=request.user.pk,
            action="exchange_rate.set",
            object_type="customers.exchangerate",
            object_id=f"{told['currency'].upper()} {first}",
            details={"rate": str(told["rate"]), "days": days},
        )
        messages.success(
            request,
            ngettext(
                "Taken down; %(count)d order was converted.",
                "Taken down; %(count)d orders were converted.",
                changed,
            )
            % {"count": changed},
        )
        return HttpResponseRedirect(reverse("admin:customers_exchangerate_changelist"))
