"""Named values of the scores."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RunState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    PUBLISHED = "published", _("Published")
    REPLACED = "replaced", _("Replaced by a newer run")
    ABSTAINED = "abstained", _("Abstained")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class RunTrigger(models.TextChoices):
    NIGHTLY = "nightly", _("Nightly")
    MANUAL = "manual", _("On demand")


class RfmGroup(models.TextChoices):
    CHAMPIONS = "champions", _("Champions")
    LOYAL = "loyal", _("Loyal")
    POTENTIAL_LOYALIST = "potential_loyalist", _("Potential loyalists")
    NEW_CUSTOMERS = "new_customers", _("New customers")
    PROMISING = "promising", _("Promising")
    NEEDS_ATTENTION = "needs_attention", _("Needs attention")
    ABOUT_TO_SLEEP = "about_to_sleep", _("About to sleep")
    AT_RISK = "at_risk", _("At risk")
    CANNOT_LOSE_THEM = "cannot_lose_them", _("Cannot lose them")
    HIBERNATING = "hibernating", _("Hibernating")
    LOST = "lost", _("Lost")


class ChurnBand(models.TextChoices):
    """How likely it is that a customer does not order within the horizon."""

    LOW = "low", _("Low (below 40 %)")
    MEDIUM = "medium", _("Medium (40–70 %)")
    HIGH = "high", _("High (70 % and more)")

    @property
    def bounds(self) -> tuple[float, float | None]:
        """Return the lower end, which belongs to the band, and the upper, which does not."""
        return CHURN_BOUNDS[self]


CHURN_BOUNDS: dict[str, tuple[float, float | None]] = {
    ChurnBand.LOW: (0.0, 0.4),
    ChurnBand.MEDIUM: (0.4, 0.7),
    ChurnBand.HIGH: (0.7, None),
}


class Step(models.TextChoices):
    """How long the spans are that buyers are counted in."""

    WEEK = "week", _("Week")
    MONTH = "month", _("Month")


class DigestState(models.TextChoices):
    """What became of one person's mail of one week."""

    CLAIMED = "claimed", _("Being sent")
    SENT = "sent", _("Sent")
    REFUSED = "refused", _("Refused by the mail server")
    UNKNOWN = "unknown", _("Unknown: begun, and no end was seen")
