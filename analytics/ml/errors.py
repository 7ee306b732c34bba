"""Name the refusals of the computations."""


class DegenerateFitError(ValueError):
    """A fit ended in parameters that do not describe the customers; the message says which."""
