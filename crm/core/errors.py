"""Refusals every app shares."""

from typing import Any


class DomainError(Exception):
    """A rule said no.

    ``code`` is stable and machine-readable, ``status`` is the HTTP answer it maps to (404 not
    found, 409 wrong state, 422 rule broken), and the message says what to do.
    """

    code = "rule_broken"
    status = 422

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class NotFoundError(DomainError):
    code = "not_found"
    status = 404


class WrongStateError(DomainError):
    code = "wrong_state"
    status = 409


class JobLostError(DomainError):
    """Another worker has taken this job over; the caller must stop without writing."""

    code = "job_lost"
    status = 409


class TooSlowError(DomainError):
    """An answer would take longer than whoever asks should wait."""

    code = "too_slow"
    status = 503
