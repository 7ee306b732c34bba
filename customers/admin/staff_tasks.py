"""Tasks for colleagues: given on a customer's page, listed for everybody."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from crm.core.admin.base import ReadOnlyAdmin
from crm.core.errors import DomainError
from customers.admin.small_pages import customer_for, form_page, name_of, page_of
from customers.models import Task
from customers.selectors.contacts import is_contact, mask_text, may_see_contacts
from customers.selectors.people import colleagues, person_name
from customers.selectors.staff_tasks import MOST_COUNTED, due_words, is_overdue, open_count
from customers.services import staff_tasks


class Colleague(forms.ModelChoiceField):
    """Somebody who may sign in, by name."""

    def label_from_instance(self, obj: Any) -> str:
        return person_name(obj)


class TaskForm(forms.Form):
    """What is to be done, by whom, until when."""

    title = forms.CharField(
        label=gettext_lazy("What is to be done"),
        max_length=staff_tasks.LONGEST,
        widget=UnfoldAdminTextInputWidget,
    )
    assignee = Colleague(
        colleagues(), label=gettext_lazy("Who does it"), widget=UnfoldAdminSelectWidget
    )
    due_day = forms.DateField(
        label=gettext_lazy("Due day"), widget=UnfoldAdminTextInputWidget(attrs={"type": "date"})
    )


def task_urls(wrap: Callable[[Any], Any]) -> list[URLPattern]:
    """Return the addresses below those of the customers."""
    return [path("<int:pk>/tasks/add/", wrap(add), name="customers_task_give")]


def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a task and go back to the customer; what does not do is said beside its field."""
    customer = customer_for(request, pk, "customers.add_task")
    form = TaskForm(
        request.POST if request.method == "POST" else None, initial={"assignee": request.user.pk}
    )
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            staff_tasks.add_task(
                customer_id=pk,
                title=told["title"],
                assignee_id=told["assignee"].pk,
                due_day=told["due_day"],
                user_id=int(request.user.pk or 0),
                today=timezone.localdate(),
                now=timezone.now(),
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            name = person_name(told["assignee"])
            messages.success(request, _("%(name)s finds it under Tasks.") % {"name": name})
            return HttpResponseRedirect(page_of(pk, "panel-tasks"))
    return form_page(
        request, customer, title=_("Give a task"), form=form, submit=_("Give the task")
    )


class TaskChangeForm(TaskForm):
    """A task that is there; its words only for who may read all of them."""

    field_order = ("title", "assignee", "due_day")

    def __init__(self, *args: Any, task: Task, reads: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        self.initial = {
            "title": task.title,
            "assignee": task.assignee_id,
            "due_day": task.due_day,
        }
        if not reads and is_contact(task.title):
            # A mask must not be stored over what it hides.
            del self.fields["title"]


class StandingFilter(admin.SimpleListFilter):
    """Whose tasks, and which: my open ones unless somebody asks for others."""

    title = gettext_lazy("shown")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer what stands above the list as well."""
        return SHOWN

    def choices(self, changelist: Any) -> Any:
        """Leave out “all”: without a choice the list is mine."""
        chosen = self.value() or "mine"
        for key, label in self.lookup_choices:
            yield {
                "selected": chosen == key,
                "query_string": changelist.get_query_string({self.parameter_name: key}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what was asked for; an unknown word keeps nobody's."""
        today = timezone.localdate()
        rows: Any = queryset
        kept = {
            "mine": lambda: rows.open().filter(assignee=request.user),
            "overdue": lambda: rows.overdue(today),
            "open": rows.open,
            "done": rows.done,
        }
        keep = kept.get(self.value() or "mine")
        return keep() if keep else queryset.none()


SHOWN: list[tuple[str, Any]] = [
    ("mine", gettext_lazy("My open tasks")),
    ("overdue", gettext_lazy("Overdue")),
    ("open", gettext_lazy("All open")),
    ("done", gettext_lazy("Done or cancelled")),
]


@admin.display(description=gettext_lazy("what is to be done"), ordering="title")
def masked_title(task: Task) -> str:
    """Tell what is to be done, the contacts in it masked."""
    return mask_text(task.title)


# For addresses it is the column that others see in its place.
masked_title.__name__ = "title"


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    list_display = ("title", "about", "who", "due", "author_name")
    list_filter = (StandingFilter,)
    list_select_related = ("customer", "assignee", "author", "done_by")
    search_fields = ("title",)
    search_help_text = gettext_lazy("A part of what is to be done")
    ordering = ("due_day", "pk")
    readonly_fields = ("who", "author_name", "finished_by")
    empty_words = gettext_lazy(
        "Nothing to do. Tasks are given on a customer's page, to oneself or to a colleague."
    )
    list_before_template = "customers/tasks_before.html"
    change_form_outer_before_template = "customers/task_before.html"
    actions = ("mark_done",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show tasks to those who may see whom they are about."""
        return super().has_view_permission(request, obj) and bool(
            request.user.has_perm("customers.view_customer")
        )

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Mask contacts in what is to be done for who may not see them."""
        first = "title" if may_see_contacts(request.user) else masked_title
        return [first, *self.list_display[1:]]

    def get_search_fields(self, request: HttpRequest) -> Any:
        """Let nobody find a contact by asking who may not see it."""
        return super().get_search_fields(request) if may_see_contacts(request.user) else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Leave out what an open task has nothing to say about."""
        ended = ("done_at", "finished_by") if obj is not None and obj.done_at else ()
        return ("who", "due_day", "author_name", "created_at", *ended)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Let those tick off tasks who may change them."""
        found = super().get_actions(request)
        if not _may_change(request):
            found.pop("mark_done", None)
        return dict(found)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Offer the few ways to look at it above the list."""
        context = {"shown": SHOWN, "show": request.GET.get("show") or "mine"}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Say above the fields how the task stands."""
        context: dict[str, Any] = {}
        if object_id.isdecimal() and self.has_view_permission(request):
            rows = Task.objects.select_related("done_by", "customer")
            task = get_object_or_404(rows, pk=object_id)
            context = {
                "task": task,
                "customer_name": name_of(task.customer),
                "due": due_words(task, timezone.localdate()),
                "is_overdue": is_overdue(task, timezone.localdate()),
                "may_change": _may_change(request),
            }
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def get_urls(self) -> list[URLPattern]:
        """Add what is done with one: tick off, open again."""
        acts: dict[str, Any] = {"done": self.done, "reopen": self.reopen, "cancel": self.cancel}
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(require_POST(view)),
                name=f"customers_task_{name}",
            )
            for name, view in acts.items()
        ]
        edit = self.admin_site.admin_view(self.edit)
        own.append(path("<int:pk>/edit/", edit, name="customers_task_edit"))
        return own + super().get_urls()

    def edit(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change who does a task, until when, and what it says."""
        if not self.has_view_permission(request) or not _may_change(request):
            raise PermissionDenied
        rows = Task.objects.select_related("customer__source", "customer__merged_into", "assignee")
        task = get_object_or_404(rows, pk=pk)
        form = TaskChangeForm(
            request.POST if request.method == "POST" else None,
            task=task,
            reads=may_see_contacts(request.user),
        )
        if request.method == "POST" and form.is_valid():
            told = form.cleaned_data
            try:
                staff_tasks.change_task(
                    task_id=pk,
                    title=told.get("title"),
                    assignee_id=told["assignee"].pk,
                    due_day=told["due_day"],
                    user_id=int(request.user.pk or 0),
                    today=timezone.localdate(),
                )
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, _("The task was changed."))
                return HttpResponseRedirect(reverse("admin:customers_task_change", args=[pk]))
        return form_page(
            request,
            task.customer,
            title=_("Change the task"),
            form=form,
            submit=_("Keep the changes"),
            back_url=reverse("admin:customers_task_change", args=[pk]),
        )

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End a task that nobody is to do any more."""
        if not _may_change(request):
            raise PermissionDenied
        get_object_or_404(Task, pk=pk)
        staff_tasks.cancel_task(task_id=pk, user_id=int(request.user.pk or 0), now=timezone.now())
        messages.success(request, _("The task is cancelled."))
        return _back(request, pk)

    def done(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Tick a task off."""
        if not _may_change(request):
            raise PermissionDenied
        get_object_or_404(Task, pk=pk)
        staff_tasks.finish_task(task_id=pk, user_id=int(request.user.pk or 0), now=timezone.now())
        messages.success(request, _("Done."))
        return _back(request, pk)

    def reopen(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Open a task again."""
        if not _may_change(request):
            raise PermissionDenied
        get_object_or_404(Task, pk=pk)
        staff_tasks.reopen_task(task_id=pk, user_id=int(request.user.pk or 0))
        messages.success(request, _("The task is open again."))
        return _back(request, pk)

    @admin.action(description=gettext_lazy("Mark as done"))
    def mark_done(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        """Tick off the chosen ones."""
        chosen = list(queryset.values_list("pk", flat=True))
        for pk in chosen:
            staff_tasks.finish_task(
                task_id=pk, user_id=int(request.user.pk or 0), now=timezone.now()
            )
        words = ngettext("%(count)d task is done.", "%(count)d tasks are done.", len(chosen))
        messages.success(request, words % {"count": len(chosen)})

    @admin.display(description=gettext_lazy("customer"), ordering="customer__name")
    def about(self, task: Task) -> str:
        if not task.customer_id:
            return "–"
        return format_html('<a href="{}">{}</a>', page_of(task.customer_id), name_of(task.customer))

    @admin.display(description=gettext_lazy("who does it"), ordering="assignee__username")
    def who(self, task: Task) -> str:
        return person_name(task.assignee)

    @admin.display(description=gettext_lazy("given by"), ordering="author__username")
    def author_name(self, task: Task) -> str:
        return person_name(task.author)

    @admin.display(description=gettext_lazy("ended by"))
    def finished_by(self, task: Task) -> str:
        return person_name(task.done_by)

    @admin.display(description=gettext_lazy("due day"), ordering="due_day")
    def due(self, task: Task) -> str:
        words = due_words(task, timezone.localdate())
        if not is_overdue(task, timezone.localdate()):
            return words
        return format_html('<strong class="huike-late">{}</strong>', words)


def open_badge(request: HttpRequest) -> str:
    """Return how many tasks wait for the reader; nothing where none does."""
    count = open_count(request.user)
    if not count:
        return ""
    return f"{MOST_COUNTED}+" if count > MOST_COUNTED else number_format(count)


def _may_change(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("customers.change_task"))


def _back(request: HttpRequest, pk: int) -> HttpResponse:
    """Go back to where the button stood: the customer's page, or the task's."""
    customer = request.POST.get("customer", "")
    if customer.isdecimal():
        return HttpResponseRedirect(page_of(int(customer), "panel-tasks"))
    return HttpResponseRedirect(reverse("admin:customers_task_change", args=[pk]))
