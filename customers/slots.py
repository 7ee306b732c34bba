"""What the record puts into the slots of the shared machinery."""


def fill() -> None:
    """Register this app's handlers and sources; called once, when the apps are ready."""
