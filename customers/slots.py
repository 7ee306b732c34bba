"""What the record puts into the slots of the shared machinery."""

from typing import Any

from django.utils.translation import gettext


def fill() -> None:
    """Register this app's handlers and sources; called once, when the apps are ready."""
    _fill_jobs()
    _fill_exports()
    _fill_guards()
    _fill_alerts()
    _fill_audit()
    _fill_references()
    _fill_timeline()
    _fill_tags()
    _fill_pages()
    _fill_panels()
    _fill_reach()


def _fill_panels() -> None:
    """Put revenue and orders first on the dashboard."""
    from django.utils.translation import gettext_lazy as _

    from crm.core.registry import Panel, registry
    from customers.admin import panels

    registry.panels.register(
        Panel(
            key="revenue",
            page="dashboard",
            title=_("Revenue and orders by week"),
            template="customers/dashboard_figure.html",
            context=panels.revenue,
            order=0,
            permission="customers.view_order",
            width="whole",
            is_late=True,
            obeys=frozenset({"period", "source"}),
        )
    )


def _fill_reach() -> None:
    """Say what is there for whose roles are limited to sources, and let owners limit them."""
    from crm.core.registry import OpenRoute, Reach, ReachRule, RoleField, registry
    from customers.admin.roles import sources_field
    from customers.selectors import reach
    from customers.services.roles import limit_role

    registry.reach.register(Reach("sources", reach.sources_of))
    rules = {
        **dict.fromkeys(reach.WITHIN, reach.within),
        "export": reach.own_exports,
        "source": reach.own_sources,
        "orderline": reach.lines,
        "tag": reach.tags,
        "bulkaction": reach.started,
        "attribute": reach.everything,
    }
    for name, rule in rules.items():
        registry.reach_rules.register(ReachRule(f"customers.{name}", rule))
    for key, rows in reach.ROUTES.items():
        registry.open_routes.register(OpenRoute(key, rows))
    registry.role_fields.register(
        RoleField(
            "sources",
            sources_field,
            reach.limits_of_role,
            lambda *, group_id, value, user_id: limit_role(
                group_id=group_id, sources=value, user_id=user_id
            ),
        )
    )


def _fill_jobs() -> None:
    """Register the slow work on files and facts."""
    from django.urls import reverse
    from django.utils import timezone
    from django.utils.translation import gettext_lazy as _

    from crm.core.registry import JobHandler, registry
    from customers.selectors.contacts import MAY_SEE
    from customers.services import demo, facts, importing, saved_imports, shop
    from customers.services.importing import undo

    registry.job_handlers.register(
        JobHandler(
            key=importing.KIND,
            label=_("Import"),
            run_chunk=importing.run_chunk,
            on_end=_import_ended,
            title=_import_title,
            page=_import_page,
            errors_permission=MAY_SEE,
        )
    )
    registry.job_handlers.register(
        JobHandler(
            key=undo.KIND,
            label=_("Undo of an import"),
            run_chunk=lambda run: undo.run_chunk(run, now=timezone.now()),
            page=lambda job: reverse(
                "admin:customers_importbatch_change", args=[job.parameters["batch"]]
            ),
        )
    )
    registry.job_handlers.register(
        JobHandler(
            key="customers.rebuild_facts",
            label=_("Rebuild of the customer facts"),
            run_chunk=lambda run: facts.rebuild_chunk(run, now=timezone.now()),
        )
    )
    registry.job_handlers.register(
        JobHandler(
            key=shop.KIND,
            label=_("New zone or currency"),
            run_chunk=lambda run: shop.recount_chunk(run, now=timezone.now()),
            title=_recount_title,
        )
    )
    registry.job_handlers.register(
        JobHandler(
            key=saved_imports.KIND,
            label=_("Fetch for a saved import"),
            run_chunk=lambda run: saved_imports.run_chunk(run, now=timezone.now()),
            on_end=lambda job: saved_imports.on_end(job, now=timezone.now()),
            title=_fetch_title,
            page=lambda job: reverse(
                "admin:customers_savedimport_change", args=[job.parameters["saved"]]
            ),
        )
    )
    registry.job_handlers.register(
        JobHandler(
            key="customers.simulate",
            label=_("Simulated shop"),
            run_chunk=_simulate,
            page=lambda job: reverse("admin:customers_customer_changelist"),
        )
    )
    registry.job_handlers.register(
        JobHandler(
            key=demo.KIND,
            label=_("Orders of another shop, to look around with"),
            run_chunk=lambda run: demo.run_chunk(run, now=timezone.now()),
            on_end=lambda job: demo.on_end(job, now=timezone.now()),
            page=lambda job: reverse("admin:index") if job.is_final else "",
        )
    )


def _fill_guards() -> None:
    """Mask contacts in what jobs say, for who may not see them."""
    from crm.core.registry import TextGuard, registry
    from customers.selectors.contacts import hides_search, show_text

    registry.text_guards.register(TextGuard("contacts", show_text, hides_search))


def _fill_alerts() -> None:
    """Register how this app's alerts read."""
    from crm.core.registry import AlertWording, registry
    from customers.selectors.alert_words import WORDINGS

    for code, words in WORDINGS.items():
        registry.alert_wordings.register(AlertWording(key=code, words=words))


def _fill_audit() -> None:
    """Register how this app's entries in the audit log read."""
    from crm.core.selectors.audit import register_sentences
    from customers.selectors.audit_words import SENTENCES

    register_sentences(SENTENCES)


def _simulate(run: Any) -> bool:
    """Write the next blocks of a simulated shop."""
    from django.utils import timezone

    from customers.services import simulation

    return simulation.run_chunk(run, now=timezone.now())


def _import_page(job: Any) -> str:
    """Return where an import shows what became of it; after a dry run, where it goes on."""
    from django.urls import reverse

    tried = job.parameters.get("dry_run") and job.state == "succeeded"
    name = "check" if tried else "change"
    return reverse(f"admin:customers_importbatch_{name}", args=[job.parameters["batch"]])


def _fill_exports() -> None:
    """Register the work that takes lists out."""
    from django.urls import reverse
    from django.utils import timezone
    from django.utils.translation import gettext_lazy as _

    from crm.core.registry import JobHandler, registry
    from customers.services import exporting

    registry.job_handlers.register(
        JobHandler(
            key=exporting.KIND,
            label=_("Export"),
            run_chunk=lambda run: exporting.run_chunk(run, select=_listed_rows, now=timezone.now()),
            on_end=exporting.on_end,
            title=_export_title,
            page=lambda job: reverse(
                "admin:customers_export_change", args=[job.parameters["export"]]
            ),
        )
    )


def _import_title(job: Any) -> str:
    """Name the file a job brings in."""
    if "file" not in job.parameters:
        return str(job.title)
    is_dry = job.parameters.get("dry_run")
    words = gettext("Dry run of %(file)s") if is_dry else gettext("Import of %(file)s")
    return words % job.parameters


def _import_ended(job: Any) -> None:
    """Close the import, alert when it failed, and let a saved import's next file in."""
    from django.utils import timezone

    from customers.services import importing, saved_imports

    importing.on_end(job)
    saved_imports.import_ended(job=job, now=timezone.now())


def _fetch_title(job: Any) -> str:
    """Name the saved import that files are fetched for."""
    return gettext("Fetch files for “%(name)s”") % job.parameters


def _fill_tags() -> None:
    """Register the tags of a customer's page and of the list, and what is done to many."""
    from django.urls import reverse
    from django.utils.translation import gettext_lazy as _

    from crm.core.registry import JobHandler, Panel, registry
    from customers.selectors.tags import tag_end_words, tags_panel
    from customers.services import tagging, tags

    registry.job_handlers.register(
        JobHandler(
            key=tagging.KIND,
            label=_("Tagging of many customers"),
            run_chunk=tagging.run_chunk,
            on_end=tagging.on_end,
            title=_bulk_title,
            page=_tagged_page,
        )
    )
    registry.job_handlers.register(
        JobHandler(
            key=tags.KIND,
            label=_("End of a tag"),
            run_chunk=tags.run_chunk,
            title=lambda job: tag_end_words(job.parameters),
            page=lambda job: reverse("admin:customers_tag_changelist"),
        )
    )
    registry.panels.register(
        Panel(
            key="tags",
            page="customer_head",
            title=_("Tags"),
            template="customers/tags_panel.html",
            context=tags_panel,
            order=10,
            permission="customers.view_customertag",
            keeps_reach=True,
        )
    )


def _tagged_page(job: Any) -> str:
    """Return the list of those who have the tag now."""
    from django.urls import reverse

    return f"{reverse('admin:customers_customer_changelist')}?tag={job.parameters['tag_id']}"


def _bulk_title(job: Any) -> str:
    """Name how many customers a job tags, and how."""
    from customers.selectors.tags import bulk_words

    known = {"kind", "people", "tag"} <= job.parameters.keys()
    return bulk_words(**{k: job.parameters[k] for k in ("kind", "people", "tag")}) if known else ""


def _listed_rows(export: Any) -> Any:
    """Make an export's list again, as REST or the web admin shows it to who asked for it."""
    from customers.enums import ListOf

    if export.filtered_by == ListOf.ADMIN:
        from customers.admin.lists import listed_rows
    else:
        from customers.api.lists import listed_rows
    return listed_rows(kind=export.kind, filters=export.filters, user=export.created_by)


def _export_title(job: Any) -> str:
    """Name what a job takes out."""
    from customers.enums import ExportKind, FileFormat

    if not {"kind", "format"} <= job.parameters.keys():
        return str(job.title)
    return gettext("Export of %(kind)s as %(format)s") % {
        "kind": ExportKind(job.parameters["kind"]).label,
        "format": FileFormat(job.parameters["format"]).label,
    }


def _recount_title(job: Any) -> str:
    """Name the zone and the currency a job counts in."""
    words = gettext("Days and amounts in %(zone)s and %(currency)s")
    return words % job.parameters if "zone" in job.parameters else str(job.title)


def _fill_references() -> None:
    """Say what happens to rows about customers at a merge, at an erasure and when they go."""
    from crm.core.registry import registry
    from customers.services import references

    for handler in references.handlers():
        registry.reference_handlers.register(handler)
    for computed in references.computed():
        registry.computed_rows.register(computed)


def _fill_timeline() -> None:
    """Register what a customer's timeline is made of."""
    from django.utils.translation import gettext_lazy as _

    from crm.core.registry import registry
    from customers.selectors import staff_entries, timeline

    for order, (key, label) in enumerate(
        [
            ("order", _("Orders")),
            ("refund", _("Refunds")),
            ("review", _("Reviews")),
            ("survey", _("Answers")),
            ("ticket", _("Tickets")),
            ("consent", _("Consent")),
        ]
    ):
        model, field, entry = timeline.TABLES[key]
        registry.timeline_sources.register(
            timeline.source_of(
                key=key, label=label, model=model, field=field, entry=entry, order=order
            )
        )
    for source in staff_entries.sources():
        registry.timeline_sources.register(source)


def _fill_pages() -> None:
    """Put what staff write and decide on the customer's page, among the panels of upper apps."""
    from django.utils.translation import gettext_lazy as _

    from crm.core.registry import Panel, registry
    from customers.admin import customer_panels as panels

    boxes = [
        ("tasks", _("Tasks"), panels.tasks, 20, "customers.view_task"),
        ("notes", _("Notes"), panels.notes, 30, "customers.view_interaction"),
        ("attributes", _("Custom attributes"), panels.attributes, 110, "customers.view_customer"),
        ("duplicates", _("Likely duplicates"), panels.duplicates, 120, "customers.view_customer"),
    ]
    for key, title, context, order, permission in boxes:
        template = f"customers/customer_{key}.html"
        registry.panels.register(
            Panel(key, "customer", title, template, context, order, permission, keeps_reach=True)
        )
