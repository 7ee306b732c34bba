"""How many customers bought when, counted ahead of those who ask."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from analytics.enums import Step


class ActivityCount(models.Model):
    """Customers of one source who bought in a week or month, by when they bought first.

    ``began_on`` is the first day of the month of the first purchase; of weeks it is the week itself
    for those who bought for the first time, and null for all who had bought before.
    """

    step = models.CharField(max_length=8, choices=Step)
    source = models.ForeignKey("customers.Source", models.CASCADE, related_name="+")
    began_on = models.DateField(null=True)
    starts_on = models.DateField()
    customers = models.IntegerField()

    class Meta:
        verbose_name = _("count of buyers")
        verbose_name_plural = _("counts of buyers")
        constraints = [
            models.UniqueConstraint(
                fields=["step", "source", "began_on", "starts_on"],
                nulls_distinct=False,
                name="activity_count_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step} {self.starts_on}"


class ActivityMark(models.Model):
    """When the buyers were counted, up to which day, and how long that took."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    counted_at = models.DateTimeField()
    until_day = models.DateField()
    zone = models.CharField(max_length=64)
    seconds = models.FloatField()

    class Meta:
        verbose_name = _("last count of buyers")
        verbose_name_plural = _("last count of buyers")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="activity_mark_one_row")]

    def __str__(self) -> str:
        return str(self.counted_at)
