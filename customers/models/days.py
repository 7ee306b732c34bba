"""What happened to each customer, by day."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


def _numbers(base: models.Field) -> ArrayField:
    return ArrayField(base, default=list)


class CustomerDays(models.Model):
    """One row per active customer: what scores are computed from, kept up to date with the facts.

    Days count from 1970-01-01 in the shop's zone, money is in shop currency. Arrays of one kind
    are parallel. The table is HASH-partitioned by customer, so that workers who share a run read
    each a part of it and nothing twice.

    Attributes
    ----------
    bought_on, bought_known_on, bought : purchase days as they were made, the day from which each
        may be seen (later than the day itself only where an order was paid later and cancelled
        since), and what they came to
    back_of, back_known_on, back : what came back, the purchase day it belongs to, and the day on
        which that was known
    costed_on, costed_known_on, revenue, cost : purchase days of orders whose costs are all known,
        the day from which each may be seen, what they brought in and what they cost, before
        anything came back; costs are converted as for the margin of the facts
    answered_on, answered, answer_kind : answers on 0–1; kinds as in ``ANSWER_KINDS``
    delivered_on, delay : deliveries and how many days they came after the promise
    done_on, placed, returned, opened : orders placed, orders from which something came back for
        the first time, and tickets opened on a day
    """

    customer = models.OneToOneField(
        "customers.Customer",
        models.DO_NOTHING,
        primary_key=True,
        related_name="+",
        db_constraint=False,
    )
    bought_on = _numbers(models.IntegerField())
    bought_known_on = _numbers(models.IntegerField())
    bought = _numbers(models.FloatField())
    back_of = _numbers(models.IntegerField())
    back_known_on = _numbers(models.IntegerField())
    back = _numbers(models.FloatField())
    costed_on = _numbers(models.IntegerField())
    costed_known_on = _numbers(models.IntegerField())
    revenue = _numbers(models.FloatField())
    cost = _numbers(models.FloatField())
    answered_on = _numbers(models.IntegerField())
    answered = _numbers(models.FloatField())
    answer_kind = _numbers(models.SmallIntegerField())
    delivered_on = _numbers(models.IntegerField())
    delay = _numbers(models.FloatField())
    done_on = _numbers(models.IntegerField())
    placed = _numbers(models.IntegerField())
    returned = _numbers(models.IntegerField())
    opened = _numbers(models.IntegerField())

    class Meta:
        managed = False
        db_table = "customers_customerdays"
        verbose_name = _("customer days")
        verbose_name_plural = _("customer days")

    def __str__(self) -> str:
        return str(self.customer_id)
