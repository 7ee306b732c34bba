"""What the record puts into the slots of the shared machinery."""


def fill() -> None:
    """Register this app's handlers and sources; called once, when the apps are ready."""
    _fill_facts()


def _fill_facts() -> None:
    """Register the slow work on facts."""
    from django.utils import timezone
    from django.utils.translation import gettext_lazy as _

    from crm.core.registry import JobHandler, registry
    from customers.services import facts, shop

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
        )
    )
