"""What customers said: reviews, answers, tickets."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.core.fields import PublicIdField
from crm.core.models import TimeStampedModel
from customers.enums import DeliveryState, MessageKind, SurveyMetric, TicketState
from customers.querysets import SourcedQuerySet, TicketMessageQuerySet, TicketQuerySet


class Review(TimeStampedModel):
    """A public opinion on a product or an order. Counts only from its own time on."""

    public_id = PublicIdField("rev", unique=True)
    source = models.ForeignKey("customers.Source", models.PROTECT, related_name="+")
    external_id = models.CharField(_("external id"), max_length=120)
    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, null=True, blank=True, related_name="reviews"
    )
    product = models.ForeignKey(
        "customers.Product", models.PROTECT, null=True, blank=True, related_name="+"
    )
    order = models.ForeignKey(
        "customers.Order", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    rating = models.PositiveSmallIntegerField(_("rating"), null=True, blank=True)
    text = models.TextField(_("text"), blank=True, default="", db_default="")
    written_at = models.DateTimeField(_("written"))
    is_simulated = models.BooleanField(default=False, db_default=False, editable=False)

    objects = SourcedQuerySet.as_manager()

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["-written_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="review_once"),
            models.CheckConstraint(
                condition=Q(rating__isnull=True) | Q(rating__gte=1, rating__lte=5),
                name="review_rating_1_to_5",
            ),
        ]
        indexes = [models.Index(fields=["customer", "-written_at"], name="review_by_customer")]

    def __str__(self) -> str:
        return self.external_id


class SurveyResponse(TimeStampedModel):
    """One answer to a survey, kept as it was given; scores are derived."""

    public_id = PublicIdField("ans", unique=True)
    source = models.ForeignKey("customers.Source", models.PROTECT, related_name="+")
    external_id = models.CharField(_("external id"), max_length=120)
    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="survey_responses",
    )
    order = models.ForeignKey(
        "customers.Order", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    metric = models.CharField(_("question"), max_length=8, choices=SurveyMetric)
    value = models.PositiveSmallIntegerField(_("answer"))
    comment = models.TextField(_("comment"), blank=True, default="", db_default="")
    answered_at = models.DateTimeField(_("answered"))
    is_simulated = models.BooleanField(default=False, db_default=False, editable=False)

    objects = SourcedQuerySet.as_manager()

    class Meta:
        verbose_name = _("survey answer")
        verbose_name_plural = _("survey answers")
        ordering = ["-answered_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="survey_response_once"),
            models.CheckConstraint(
                condition=Q(metric=SurveyMetric.CSAT, value__gte=1, value__lte=5)
                | Q(metric=SurveyMetric.NPS, value__gte=0, value__lte=10)
                | Q(metric=SurveyMetric.CES, value__gte=1, value__lte=7),
                name="survey_response_in_range",
            ),
        ]
        indexes = [models.Index(fields=["customer", "-answered_at"], name="survey_by_customer")]

    def __str__(self) -> str:
        return f"{self.metric} {self.value}"


class Ticket(TimeStampedModel):
    """A request for help, from a file or written down by staff.

    ``assignee`` and ``due_at`` belong to whoever works on it: no import says or changes them. Both
    may be null for good: what imports keep of a row's former state does not know them.
    """

    public_id = PublicIdField("tkt", unique=True)
    source = models.ForeignKey("customers.Source", models.PROTECT, related_name="+")
    external_id = models.CharField(_("external id"), max_length=120)
    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, null=True, blank=True, related_name="tickets"
    )
    order = models.ForeignKey(
        "customers.Order", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    subject = models.CharField(_("subject"), max_length=300)
    body = models.TextField(_("text"), blank=True, default="", db_default="")
    state = models.CharField(
        _("state"),
        max_length=8,
        choices=TicketState,
        default=TicketState.OPEN,
        db_default=TicketState.OPEN,
    )
    opened_at = models.DateTimeField(_("opened"))
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    is_simulated = models.BooleanField(default=False, db_default=False, editable=False)
    # No index: building one locks a table that imports write, and few tickets are not closed.
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("assignee"),
    )
    due_at = models.DateTimeField(_("due by"), null=True, blank=True)

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="ticket_once"),
            models.CheckConstraint(
                condition=~Q(state=TicketState.CLOSED) | Q(closed_at__isnull=False),
                name="ticket_closed_has_time",
            ),
        ]
        indexes = [models.Index(fields=["customer", "-opened_at"], name="ticket_by_customer")]

    def __str__(self) -> str:
        return self.external_id


class TicketMessage(TimeStampedModel):
    """One thing said in a ticket: between staff, to the customer, or by the customer.

    An answer is also the outbox row of its e-mail: ``begun_at`` is set before it is handed over,
    and ``attempts`` numbers the hand-overs, so that each records the outcome of its own.
    """

    public_id = PublicIdField("tms", unique=True)
    ticket = models.ForeignKey("customers.Ticket", models.CASCADE, related_name="messages")
    kind = models.CharField(_("kind"), max_length=8, choices=MessageKind)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("author"),
    )
    at = models.DateTimeField(_("when"))
    text = models.TextField(_("text"))
    delivery = models.CharField(
        _("delivery"), max_length=8, choices=DeliveryState, blank=True, default="", db_default=""
    )
    message_id = models.CharField(max_length=200, blank=True, default="", db_default="")
    queued_at = models.DateTimeField(null=True, blank=True)
    begun_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    error = models.CharField(
        max_length=80,
        blank=True,
        default="",
        db_default="",
        help_text=_("Why it was not sent, as a code; never an address."),
    )

    objects = TicketMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message of a ticket")
        verbose_name_plural = _("messages of tickets")
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=MessageKind.ANSWER) & ~Q(delivery="") & ~Q(message_id="")
                | ~Q(kind=MessageKind.ANSWER) & Q(delivery=""),
                name="ticket_message_answers_are_sent",
            ),
            models.CheckConstraint(
                condition=~Q(delivery=DeliveryState.SENT) | Q(sent_at__isnull=False),
                name="ticket_message_sent_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(delivery__in=[DeliveryState.SENDING, DeliveryState.UNKNOWN])
                | Q(begun_at__isnull=False),
                name="ticket_message_begun_has_time",
            ),
            models.UniqueConstraint(
                fields=["message_id"], condition=~Q(message_id=""), name="ticket_message_id_once"
            ),
        ]
        indexes = [
            models.Index(fields=["ticket", "at"], name="ticket_message_by_ticket"),
            # What waits for a worker, and what a worker may have been lost over.
            models.Index(
                fields=["id"],
                condition=Q(delivery__in=[DeliveryState.QUEUED, DeliveryState.SENDING]),
                name="ticket_message_unsent",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
