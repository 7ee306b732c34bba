"""Between upload and import: what the file is, which column is which, what people agreed to."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from crm.core.errors import DomainError
from crm.core.services.audit import record_audit
from crm.core.tasks import queue_job
from customers.enums import ImportFormat, OrderStatus
from customers.models import ImportBatch
from customers.selectors.audit import KIND_LABELS, describe_trial
from customers.selectors.column_words import COLUMNS
from customers.selectors.contacts import (
    is_contact,
    mask_text,
    may_see_contacts,
    show_cell,
    show_text,
    show_trial,
)
from customers.selectors.import_review import Review, review_import
from customers.services import importing
from customers.services.importing.options import CONSENT_CHANNELS, KEEPABLE

COLUMN = "column-"
DATE_ORDERS = (
    ("", gettext_lazy("year first, or clear from the dates")),
    ("dmy", gettext_lazy("day first: 31/03/2026")),
    ("mdy", gettext_lazy("month first: 03/31/2026")),
)
DECIMAL_MARKS = ((".", gettext_lazy("1,234.50")), (",", gettext_lazy("1.234,50")))
BASES = (
    ("", "–"),
    ("opt-in", gettext_lazy("They opted in")),
    ("double opt-in", gettext_lazy("They opted in and confirmed")),
    ("existing customer", gettext_lazy("Existing customers, similar goods")),
    ("contract", gettext_lazy("Agreed to in a contract")),
)


class RulesForm(forms.Form):
    """How the file's cells are read."""

    date_order = forms.ChoiceField(
        label=gettext_lazy("Dates"),
        choices=DATE_ORDERS,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    decimal_mark = forms.ChoiceField(
        label=gettext_lazy("Amounts"), choices=DECIMAL_MARKS, widget=UnfoldAdminSelectWidget
    )
    zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Of times that name no offset, such as Asia/Shanghai."),
        widget=UnfoldAdminTextInputWidget,
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        max_length=3,
        required=False,
        help_text=gettext_lazy("Of amounts that name none."),
        widget=UnfoldAdminTextInputWidget,
    )
    region = forms.CharField(
        label=gettext_lazy("Phones of"),
        max_length=2,
        required=False,
        help_text=gettext_lazy("The country of phone numbers without +, such as CN."),
        widget=UnfoldAdminTextInputWidget,
    )

    def rules(self, held: dict[str, Any]) -> dict[str, Any]:
        """Return the rules with what was chosen; what the form does not show stays."""
        return {**held, **self.cleaned_data}


class OptionsForm(forms.Form):
    """How rows meet what is held, and what people agreed to."""

    keep = forms.MultipleChoiceField(
        label=gettext_lazy("Do not overwrite"),
        choices=[(name, COLUMNS[name]) for name in KEEPABLE],
        required=False,
        help_text=gettext_lazy("Where a value is held already, the file's is left aside."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channels = []
        for channel in CONSENT_CHANNELS:
            names = [f"{channel}_{part}" for part in ("given", "at", "basis", "evidence")]
            self.fields[names[0]] = forms.BooleanField(
                label=_("Everybody in this file agreed to marketing by %(channel)s")
                % {"channel": channel.label},
                required=False,
                widget=UnfoldBooleanSwitchWidget,
            )
            self.fields[names[1]] = forms.DateField(
                label=_("Since"), required=False, widget=UnfoldAdminSingleDateWidget
            )
            self.fields[names[2]] = forms.ChoiceField(
                label=_("Legal basis"),
                choices=BASES,
                required=False,
                widget=UnfoldAdminSelectWidget,
            )
            self.fields[names[3]] = forms.CharField(
                label=_("Evidence"),
                required=False,
                max_length=700,
                help_text=_("Where and how they said so, such as “checkout box since 2024”."),
                widget=UnfoldAdminTextInputWidget,
            )
            self.channels.append([self[name] for name in names])

    def options(self, held: dict[str, Any]) -> dict[str, Any]:
        """Return what the services read as options; a mask that came back is what is held."""
        consent = {}
        for channel in CONSENT_CHANNELS:
            told = {part: self.cleaned_data[f"{channel}_{part}"] for part in ("basis", "evidence")}
            before = held.get("consent", {}).get(str(channel), {}).get("evidence", "")
            if told["evidence"] == mask_text(before):
                told["evidence"] = before
            at = self.cleaned_data[f"{channel}_at"]
            if self.cleaned_data[f"{channel}_given"]:
                consent[str(channel)] = {**told, "at": at.isoformat() if at else ""}
        return {"keep": self.cleaned_data["keep"], "consent": consent}


def check_view(model_admin: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """Show a waiting file, take what staff say about it, try it out or bring it in."""
    if not model_admin.has_add_permission(request):
        raise PermissionDenied
    batch = get_object_or_404(ImportBatch.objects.select_related("source", "job"), pk=pk)
    if batch.job is not None and not batch.job.is_final:
        return HttpResponseRedirect(reverse("admin:core_job_change", args=[batch.job_id]))
    if batch.state not in importing.WAITING or not batch.file:
        return HttpResponseRedirect(reverse("admin:customers_importbatch_change", args=[pk]))
    kind = request.POST.get("kind") or request.GET.get("kind", "")
    try:
        review = review_import(batch, kind=kind)
    except DomainError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(reverse("admin:customers_importbatch_change", args=[pk]))
    forms_shown = _forms(request, batch, review)
    if request.method == "POST" and all(form.is_valid() for form in forms_shown):
        try:
            return _take(request, batch, review, *forms_shown)
        except DomainError as error:
            messages.error(request, error.message)
    return TemplateResponse(
        request,
        "customers/import_check.html",
        _context(model_admin, request, batch, review, forms_shown),
    )


def _forms(
    request: HttpRequest, batch: ImportBatch, review: Review
) -> tuple[RulesForm, OptionsForm]:
    """Return the two forms, filled with what was posted or is held."""
    rules = {name: getattr(review.rules, name) for name in RulesForm.base_fields}
    options: dict[str, Any] = {"keep": batch.options.get("keep", [])}
    for channel, told in batch.options.get("consent", {}).items():
        shown = {**told, "evidence": show_text(told.get("evidence", ""), request.user)}
        options |= {f"{channel}_{part}": value for part, value in shown.items()}
        options |= {f"{channel}_given": True, f"{channel}_at": told["at"][:10]}
    given = request.POST if request.method == "POST" else None
    return RulesForm(given, initial=rules), OptionsForm(given, initial=options)


def _take(
    request: HttpRequest,
    batch: ImportBatch,
    review: Review,
    rules_form: RulesForm,
    options_form: OptionsForm,
) -> HttpResponse:
    """Store what was said, then start what was asked for; both or neither."""
    options = options_form.options(batch.options)
    mapping = None
    if review.targets:
        chosen = {
            target.name: request.POST.get(COLUMN + target.name, "") for target in review.targets
        }
        rules = rules_form.rules(review.mapping["rules"])
        rules["statuses"] = {**rules.get("statuses", {}), **_statuses(request)}
        mapping = {
            "kind": review.mapping["kind"],
            "columns": {ours: theirs for ours, theirs in chosen.items() if theirs},
            "rules": rules,
        }
    else:
        options["rules"] = rules_form.rules(batch.options.get("rules", {}))
    is_dry = request.POST.get("action") == "dry_run"
    with transaction.atomic():
        unchanged = batch.trial and _says_nothing_new(batch, mapping, options)
        if not unchanged:
            importing.describe_import(batch_id=batch.pk, mapping=mapping, options=options)
        job = importing.begin_import(batch_id=batch.pk, user_id=request.user.pk, dry_run=is_dry)
        note_import(request, batch, "import.tried" if is_dry else "import.started")
        queue_job(job.pk)
    if is_dry:
        messages.success(request, _("A worker tries the file out; nothing will be changed."))
    else:
        messages.success(request, _("A worker brings the file in."))
    return HttpResponseRedirect(reverse("admin:core_job_change", args=[job.pk]))


def note_import(request: HttpRequest, batch: ImportBatch, what: str) -> None:
    """Write into the audit log what somebody did with a file."""
    record_audit(
        actor_id=request.user.pk,
        action=what,
        object_type="customers.importbatch",
        object_id=batch.public_id,
        details={"filename": batch.filename, "size": batch.size, "source": batch.source.key},
    )


def _statuses(request: HttpRequest) -> dict[str, str]:
    """Return what was said of words for an order's state: word by word, in two rows of fields."""
    words, meant = request.POST.getlist("status-word"), request.POST.getlist("status-meaning")
    return {word: ours for word, ours in zip(words, meant, strict=False) if ours}


def _says_nothing_new(
    batch: ImportBatch, mapping: dict[str, Any] | None, options: dict[str, Any]
) -> bool:
    """Tell whether a dry run still holds: the file is to be read as it was tried."""
    told = importing.Options.from_json(options).as_json()
    held = importing.Options.from_json(batch.options).as_json()
    if mapping is None:
        return told == held
    return importing.same_mapping(mapping, batch.mapping) and told == held


def _context(
    model_admin: Any,
    request: HttpRequest,
    batch: ImportBatch,
    review: Review,
    forms_shown: tuple[RulesForm, OptionsForm],
) -> dict[str, Any]:
    posted = request.POST if request.method == "POST" else {}
    shown, masked = show_trial(batch.trial, request.user), not may_see_contacts(request.user)
    return {
        **model_admin.admin_site.each_context(request),
        "title": _("Check the file"),
        "heading": _("Check the file"),
        "opts": model_admin.model._meta,
        "batch": batch,
        "review": review,
        "cells": [[show_cell(cell, request.user) for cell in row] for row in review.cells],
        "trial": describe_trial(shown, batch.header) if batch.trial else None,
        "targets": [
            {
                "row": target,
                "sample": show_cell(target.sample, request.user),
                "field": COLUMN + target.name,
                "chosen": posted.get(COLUMN + target.name, target.chosen),
            }
            for target in review.targets
        ],
        "masked": masked,
        # Such a word is sent back with the form as it is, so that it cannot be masked.
        "strange": [word for word in review.strange_statuses if not (masked and is_contact(word))],
        "statuses": OrderStatus.choices,
        "kinds": [(name, _(label)) for name, label in KIND_LABELS.items()],
        "by_hand": batch.format == ImportFormat.MAPPED or not batch.format,
        "rules_form": forms_shown[0],
        "options_form": forms_shown[1],
    }
