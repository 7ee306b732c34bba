"""Tables of the shared machinery."""

from crm.core.models.access import ApiKey, AuditEntry, IdempotencyRecord
from crm.core.models.alert import Alert
from crm.core.models.base import TimeStampedModel
from crm.core.models.job import Job, JobLog
from crm.core.models.person import PersonLanguage
from crm.core.models.policy import SignInPolicy
from crm.core.models.role import Role
from crm.core.models.sign_in import SignIn
from crm.core.models.view import DefaultView, SavedView

__all__ = [
    "Alert",
    "ApiKey",
    "AuditEntry",
    "DefaultView",
    "IdempotencyRecord",
    "Job",
    "JobLog",
    "PersonLanguage",
    "Role",
    "SavedView",
    "SignIn",
    "SignInPolicy",
    "TimeStampedModel",
]
