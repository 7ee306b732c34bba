"""What staff have promised to do about a customer."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from customers.querysets import TaskQuerySet


class Task(models.Model):
    """Something a colleague is to do about a customer until a day; open until that ends."""

    public_id = PublicIdField("tsk", unique=True)
    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, related_name="+", verbose_name=_("customer")
    )
    title = models.CharField(_("what is to be done"), max_length=200)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("who does it"),
    )
    due_day = models.DateField(_("due day"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("given by"),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now())
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("done by"),
    )
    # Ended without being done: then ``done_at`` and ``done_by`` say when, and by whom.
    is_cancelled = models.BooleanField(_("cancelled"), default=False, db_default=False)

    objects = TaskQuerySet.as_manager()

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        ordering = ["due_day", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="task_says_what"),
        ]
        indexes = [
            # A customer's timeline.
            models.Index(fields=["customer", "-created_at"], name="task_by_customer"),
            # "My tasks" and their number in the side bar, and what is overdue.
            models.Index(
                fields=["assignee", "due_day"], condition=Q(done_at=None), name="task_open_of"
            ),
            models.Index(fields=["due_day"], condition=Q(done_at=None), name="task_open_by_day"),
        ]

    def __str__(self) -> str:
        return self.title
