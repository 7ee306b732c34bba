"""Refusals of the scores."""

from crm.core.errors import DomainError, WrongStateError


class RunNotPublishableError(WrongStateError):
    code = "run_not_publishable"


class NoScoresError(DomainError):
    code = "no_scores"
    status = 404
