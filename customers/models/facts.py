"""What is computed about every customer from the record."""

from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.order import Money


class CustomerFacts(models.Model):
    """One wide row per active customer, made from what happened before ``as_of_day`` (exclusive).

    The live rows are computed as of tomorrow in the shop, so that today's orders are in. A row
    stays true, unwritten, until the day before ``ages_on``: then a window moves past an order.

    Counted orders are paid for, not cancelled, not tests, with a known exchange rate; numbers of
    orders and first and last order look at those with a positive net amount. Money is in shop
    currency: spend = gross − refunds, where refunds that found no order are taken off the
    customer's spend and off no order. Days are the shop's.
    """

    customer = models.OneToOneField(
        "customers.Customer", models.CASCADE, primary_key=True, related_name="facts"
    )
    as_of_day = models.DateField(_("as of"))
    ages_on = models.DateField(
        null=True,
        blank=True,
        editable=False,
        help_text=_("The first day as of which the values differ though nothing happened."),
    )
    computed_at = models.DateTimeField(db_default=Now())
    order_count = models.IntegerField(_("orders"), default=0)
    occasion_count = models.IntegerField(_("days with an order"), default=0)
    cancelled_count = models.IntegerField(_("cancelled orders"), default=0)
    unscored_count = models.IntegerField(_("orders without exchange rate"), default=0)
    item_count = models.IntegerField(_("items"), default=0)
    product_count = models.IntegerField(_("different products"), default=0)
    gross_spend = Money(_("gross spend"), default=0)
    refund_total = Money(_("refunds"), default=0)
    refund_count = models.IntegerField(_("number of refunds"), default=0)
    total_spend = Money(_("lifetime spend"), default=0)
    provisional_spend = Money(_("still returnable"), default=0)
    margin = Money(_("margin"), null=True, blank=True)
    first_order_at = models.DateTimeField(_("first order"), null=True, blank=True)
    last_order_at = models.DateTimeField(_("last order"), null=True, blank=True)
    first_order_day = models.DateField(_("first order day"), null=True, blank=True)
    last_order_day = models.DateField(_("last order day"), null=True, blank=True)
    orders_30d = models.IntegerField(_("orders in 30 days"), default=0)
    orders_90d = models.IntegerField(_("orders in 90 days"), default=0)
    orders_365d = models.IntegerField(_("orders in 365 days"), default=0)
    spend_30d = Money(_("spend in 30 days"), default=0)
    spend_90d = Money(_("spend in 90 days"), default=0)
    spend_365d = Money(_("spend in 365 days"), default=0)
    late_delivery_count = models.IntegerField(_("late deliveries"), default=0)
    delivery_delay_days = models.FloatField(_("mean delivery delay"), null=True, blank=True)
    review_count = models.IntegerField(_("reviews"), default=0)
    rating_mean = models.FloatField(_("mean rating"), null=True, blank=True)
    survey_count = models.IntegerField(_("survey answers"), default=0)
    ticket_count = models.IntegerField(_("tickets"), default=0)
    open_ticket_count = models.IntegerField(_("open tickets"), default=0)

    class Meta:
        verbose_name = _("customer facts")
        verbose_name_plural = _("customer facts")
        indexes = [
            # The customers' list by these columns, read from either end; see ``ranked_by``.
            models.Index(
                F("last_order_day").desc(nulls_last=True),
                F("customer").desc(),
                name="facts_rank_last_order",
            ),
            models.Index(
                F("total_spend").desc(nulls_last=True),
                F("customer").desc(),
                name="facts_rank_spend",
            ),
            models.Index(
                F("order_count").desc(nulls_last=True),
                F("customer").desc(),
                name="facts_rank_orders",
            ),
            # The daily pass over rows whose windows move on.
            models.Index(fields=["ages_on"], name="facts_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.as_of_day}"


class FactsMark(models.Model):
    """ "This customer's facts are out of date." Append-only; a refresh deletes what it read."""

    customer_id = models.BigIntegerField()
    marked_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("facts mark")
        verbose_name_plural = _("facts marks")
        indexes = [models.Index(fields=["customer_id"], name="facts_mark_by_customer")]

    def __str__(self) -> str:
        return str(self.customer_id)
