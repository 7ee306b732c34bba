"""The roles a shop starts with: Django groups, and what each may do by permission.

A pattern ``app.*`` or ``app.view_*`` takes in what later migrations add. ``but`` takes out.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class RoleGrant:
    """A role: the name of its group, the permissions it is given, and those it is not."""

    key: str
    name: str
    gives: tuple[str, ...]
    but: tuple[str, ...] = ()


SAID_AND_BOUGHT = (
    "customer", "identity", "order", "orderline", "product", "category", "refund", "review",
    "surveyresponse", "ticket", "ticketmessage", "consent", "interaction", "task", "tag",
    "customertag",
)  # fmt: skip
ROLES = (
    RoleGrant("owner", "Owner", ("*.*",)),
    RoleGrant(
        "manager",
        "CRM manager",
        (
            "customers.*", "analytics.*", "campaigns.*", "core.*_job", "core.*_joblog",
            "core.*_alert",
        ),
        # What everything else is counted by belongs to the owner.
        but=("customers.change_shopsettings",),
    ),
    RoleGrant(
        "analyst",
        "Analyst",
        (
            "customers.view_*", "customers.add_export", "analytics.*", "campaigns.view_*",
            "core.view_job", "core.change_job", "core.view_joblog", "core.view_alert",
        ),
        but=("customers.view_contact",),
    ),
    RoleGrant(
        "support",
        "Support",
        (
            *(f"customers.view_{name}" for name in SAID_AND_BOUGHT),
            "customers.unmask_contact", "customers.*_ticket", "customers.*_interaction",
            "customers.add_task", "customers.change_task",
            "customers.add_customertag", "customers.delete_customertag",
            "analytics.view_currentscore", "analytics.view_scoresnapshot",
        ),
    ),
    RoleGrant("auditor", "Auditor", ("*.view_*",), but=("customers.view_contact",)),
)  # fmt: skip
