"""The tags there are: renamed, made one, deleted."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.core.admin.base import EmptyAction, ListAdmin
from crm.core.errors import DomainError
from crm.core.tasks import queue_job
from customers.models import Tag
from customers.selectors.tags import with_customers
from customers.services import tags
from customers.services.tagging import LONGEST


@admin.register(Tag)
class TagAdmin(ListAdmin):
    list_display = ("name", "worn_by")
    search_fields = ("name",)
    search_help_text = gettext_lazy("A part of the tag")
    empty_words = gettext_lazy(
        "A tag is a word of your own for some customers, such as VIP. Tags come to be where they "
        "are put on somebody: on a customer's page, or on many from the list of customers."
    )
    empty_action = EmptyAction(
        gettext_lazy("Open the customers"),
        "admin:customers_customer_changelist",
        "customers.add_customertag",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let tags come to be where they are put on somebody."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        return with_customers(super().get_queryset(request))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Let tags go one by one: each asks first how many wear it."""
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return dict(found)

    @admin.display(description=gettext_lazy("customers"), ordering="customers")
    def worn_by(self, tag: Any) -> str:
        return format_html(
            '<a href="{}">{}</a>', _list_of(tag), number_format(tag.customers, force_grouping=True)
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Rename a tag; ask before it becomes one with another of that name."""
        tag = self._tag(request, object_id)
        name = " ".join(request.POST.get("name", tag.name).split())
        context: dict[str, Any] = {"name": name}
        if request.method == "POST":
            if not self.has_change_permission(request, tag):
                raise PermissionDenied
            other = with_customers(Tag.objects.exclude(pk=tag.pk)).filter(name__iexact=name).first()
            if other is not None and "merge" not in request.POST:
                context["other"] = other
                context["other_words"] = _worn_words(other)
            else:
                try:
                    return self._renamed(request, tag, name, other)
                except DomainError as error:
                    context["refusal"] = error.message
        return self._page(request, "customers/tag.html", tag, title=tag.name, **context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Say how many customers wear a tag, then take it off all of them."""
        tag = self._tag(request, object_id)
        if not self.has_delete_permission(request, tag):
            raise PermissionDenied
        if request.method == "POST":
            with transaction.atomic():
                end = tags.delete_tag(tag_id=tag.pk, user_id=request.user.pk or 0)
                if end.job is not None:
                    queue_job(end.job.pk)
            return _ended(request, end, _("The tag “%(tag)s” is deleted.") % {"tag": tag.name})
        title = _("Delete the tag %(name)s") % {"name": tag.name}
        return self._page(request, "customers/tag_delete.html", tag, title=title)

    def _tag(self, request: HttpRequest, object_id: str) -> Any:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        pk = int(object_id) if object_id.isdecimal() and len(object_id) < 19 else 0
        return get_object_or_404(with_customers(Tag.objects.all()), pk=pk)

    def _renamed(
        self, request: HttpRequest, tag: Tag, name: str, other: Tag | None
    ) -> HttpResponse:
        user_id = request.user.pk or 0
        if other is None:
            renamed = tags.rename_tag(tag_id=tag.pk, name=name, user_id=user_id)
            words = _("The tag is called “%(tag)s” now.") % {"tag": renamed.name}
            messages.success(request, words)
            return HttpResponseRedirect(reverse("admin:customers_tag_changelist"))
        if not self.has_delete_permission(request, tag):
            raise PermissionDenied
        with transaction.atomic():
            end = tags.merge_tags(tag_id=tag.pk, into_id=other.pk, user_id=user_id)
            if end.job is not None:
                queue_job(end.job.pk)
        words = _("“%(tag)s” and “%(other)s” are one tag now.")
        return _ended(request, end, words % {"tag": tag.name, "other": other.name})

    def _page(self, request: HttpRequest, template: str, tag: Any, **context: Any) -> HttpResponse:
        whole = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "tag": tag,
            "worn_words": _worn_words(tag),
            "list_url": _list_of(tag),
            "longest": LONGEST,
            "may_change": self.has_change_permission(request, tag),
            "may_delete": self.has_delete_permission(request, tag),
            "heading": context["title"],
            **context,
        }
        return TemplateResponse(request, template, whole)


def _ended(request: HttpRequest, end: tags.TagEnd, words: str) -> HttpResponse:
    """Lead to the job that is at it, or back to the list."""
    if end.job is not None:
        messages.success(request, _("A worker does this now."))
        return HttpResponseRedirect(reverse("admin:core_job_change", args=[end.job.pk]))
    messages.success(request, words)
    return HttpResponseRedirect(reverse("admin:customers_tag_changelist"))


def _worn_words(tag: Any) -> str:
    words = ngettext(
        "%(people)s customer has this tag.", "%(people)s customers have this tag.", tag.customers
    )
    return words % {"people": number_format(tag.customers, force_grouping=True)}


def _list_of(tag: Tag) -> str:
    return f"{reverse('admin:customers_customer_changelist')}?tag={tag.public_id}"
