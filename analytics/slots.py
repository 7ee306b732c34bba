"""What scores put on the pages and resources of the apps below."""


def fill() -> None:
    """Register jobs and handlers; called once, when the apps are ready."""
    from django.utils.translation import gettext_lazy as _

    from analytics.services import references, scoring
    from crm.core.registry import JobHandler, registry

    registry.job_handlers.register(
        JobHandler(
            key=scoring.KIND,
            label=_("Scoring run"),
            run_chunk=scoring.run_chunk,
            on_end=scoring.on_end,
        )
    )
    for handler in references.handlers():
        registry.reference_handlers.register(handler)
