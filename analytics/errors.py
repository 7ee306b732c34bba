"""Refusals of the scores."""

from crm.core.errors import DomainError


class FutureDayError(DomainError):
    code = "future_day"


class NoScoresError(DomainError):
    code = "no_scores"
    status = 404


class DigestRefusedError(DomainError):
    code = "digest_refused"
