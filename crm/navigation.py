"""The side bar of the web admin: what is there, and for whom."""

from typing import Any

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _link(title: Any, icon: str, url_name: str, permission: str) -> dict[str, object]:
    """Describe one entry of the side bar, shown only to those who may open it."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(url_name),
        "permission": lambda request: (
            request.user.has_perm(permission) and _may_open(request, url_name)
        ),
    }


def _may_open(request: Any, url_name: str) -> bool:
    """Tell whether an address is there for who reads; asked when a page is drawn."""
    from crm.core.selectors.reach import may_open

    return may_open(request.user, url_name)


NAVIGATION: list[dict[str, Any]] = [
    {
        "title": _("Shop"),
        "items": [
            {
                "title": _("Dashboard"),
                "icon": "space_dashboard",
                "link": reverse_lazy("admin:index"),
            },
            _link(
                _("Customers"),
                "group",
                "admin:customers_customer_changelist",
                "customers.view_customer",
            ),
            _link(_("Tags"), "sell", "admin:customers_tag_changelist", "customers.view_tag"),
            {
                **_link(
                    _("Tasks"),
                    "task_alt",
                    "admin:customers_task_changelist",
                    "customers.view_task",
                ),
                "permission": lambda request: request.user.has_perms(
                    ("customers.view_task", "customers.view_customer")
                ),
                "badge": "customers.admin.staff_tasks.open_badge",
                "badge_label": _("my open tasks"),
            },
            _link(
                _("Orders"),
                "receipt_long",
                "admin:customers_order_changelist",
                "customers.view_order",
            ),
            _link(
                _("Products"),
                "inventory_2",
                "admin:customers_product_changelist",
                "customers.view_product",
            ),
            _link(
                _("Tickets"),
                "support_agent",
                "admin:customers_ticket_changelist",
                "customers.view_ticket",
            ),
        ],
    },
    {
        "title": _("Data"),
        "separator": True,
        "items": [
            _link(
                _("Imports"),
                "upload_file",
                "admin:customers_importbatch_changelist",
                "customers.view_importbatch",
            ),
            _link(
                _("Saved imports"),
                "event_repeat",
                "admin:customers_savedimport_changelist",
                "customers.view_savedimport",
            ),
            _link(
                _("Exports"),
                "download",
                "admin:customers_export_changelist",
                "customers.view_export",
            ),
            _link(
                _("Back office totals"),
                "account_balance",
                "admin:customers_reconciliation_changelist",
                "customers.view_reconciliation",
            ),
            _link(
                _("Exchange rates"),
                "currency_exchange",
                "admin:customers_exchangerate_changelist",
                "customers.view_exchangerate",
            ),
            _link(
                _("Scoring runs"),
                "insights",
                "admin:analytics_scoringrun_changelist",
                "analytics.view_scoringrun",
            ),
            _link(_("Jobs"), "pending_actions", "admin:core_job_changelist", "core.view_job"),
            _link(_("Alerts"), "warning", "admin:core_alert_changelist", "core.view_alert"),
            _link(_("API keys"), "key", "admin:core_apikey_changelist", "core.view_apikey"),
            _link(
                _("Custom attributes"),
                "label",
                "admin:customers_attribute_changelist",
                "customers.view_attribute",
            ),
            _link(
                _("Audit log"),
                "policy",
                "admin:core_auditentry_changelist",
                "core.view_auditentry",
            ),
            _link(_("People"), "badge", "admin:auth_user_changelist", "auth.view_user"),
            _link(_("Roles"), "shield_person", "admin:auth_group_changelist", "auth.view_group"),
            _link(
                _("Locked sign-ins"),
                "lock",
                "admin:axes_accessattempt_changelist",
                "axes.view_accessattempt",
            ),
            _link(
                _("Shop settings"),
                "tune",
                "admin:customers_shopsettings_changelist",
                "customers.view_shopsettings",
            ),
        ],
    },
    {
        "title": _("Help"),
        "separator": True,
        "items": [
            {
                "title": _("What the words mean"),
                "icon": "dictionary",
                "link": reverse_lazy("terms"),
            },
        ],
    },
]

ACCOUNT: list[dict[str, Any]] = [
    {"title": title, "link": reverse_lazy(page), "page": page}
    for title, page in (
        (_("My settings"), "my_settings:page"),
        (_("Where you are signed in"), "admin:core_signin_changelist"),
        (_("Change password"), "admin:password_change"),
    )
]
"""What a person finds under their own name."""


def account_links(request: Any) -> list[dict[str, Any]]:
    """Return of it what is there for who reads."""
    return [entry for entry in ACCOUNT if _may_open(request, entry["page"])]
