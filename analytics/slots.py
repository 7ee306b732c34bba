"""What scores put on the pages and resources of the apps below."""


def fill() -> None:
    """Register panels, columns, filters and handlers; called once, when the apps are ready."""
