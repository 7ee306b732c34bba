"""Tables of the shared machinery."""

from crm.core.models.access import ApiKey, AuditEntry, IdempotencyRecord
from crm.core.models.alert import Alert
from crm.core.models.base import TimeStampedModel
from crm.core.models.job import Job, JobLog
from crm.core.models.role import Role
from crm.core.models.sign_in import SignIn

__all__ = [
    "Alert",
    "ApiKey",
    "AuditEntry",
    "IdempotencyRecord",
    "Job",
    "JobLog",
    "Role",
    "SignIn",
    "TimeStampedModel",
]
