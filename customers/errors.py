"""Refusals of the record."""

from crm.core.errors import DomainError, WrongStateError


class UnknownFormatError(DomainError):
    code = "unknown_format"


class UnrecognisedError(UnknownFormatError):
    """No format has this header: its columns can be mapped by hand."""


class UnreadableFileError(DomainError):
    code = "unreadable_file"


class InvalidMappingError(DomainError):
    code = "invalid_mapping"


class IdentityTakenError(DomainError):
    code = "identity_taken"
    status = 409


class InvalidIdentityError(DomainError):
    code = "invalid_identity"


class InvalidAttributeError(DomainError):
    code = "invalid_attribute"


class ConsentEvidenceError(DomainError):
    code = "consent_without_evidence"


class AttributeInUseError(WrongStateError):
    code = "attribute_in_use"


class ProfileClosedError(WrongStateError):
    """A merged or erased profile takes nothing new."""

    code = "profile_closed"


class InvalidNoteError(DomainError):
    code = "invalid_note"


class NotOwnNoteError(DomainError):
    code = "not_own_note"
    status = 403


class InvalidTaskError(DomainError):
    code = "invalid_task"


class MergeRefusedError(WrongStateError):
    code = "merge_refused"


class UnmergeRefusedError(WrongStateError):
    code = "unmerge_refused"


class InvalidTotalError(DomainError):
    code = "invalid_total"


class InvalidOptionsError(DomainError):
    code = "invalid_options"


class ImportStateError(WrongStateError):
    code = "import_state"


class PlaceError(DomainError):
    """A place files are fetched from does not give them; ``reason`` is stored and worded anew."""

    code = "place_failed"

    def __init__(self, message: str, reason: str, **parameters: str) -> None:
        super().__init__(message, reason=reason, **parameters)
        self.reason = reason
        self.parameters = parameters


class HeaderChangedError(DomainError):
    code = "header_changed"


class InvalidSavedImportError(DomainError):
    code = "invalid_saved_import"


class SavedImportStateError(WrongStateError):
    code = "saved_import_state"


class SimulationRefusedError(DomainError):
    code = "simulation_refused"


class SampleRefusedError(DomainError):
    code = "sample_refused"


class RemovalRefusedError(DomainError):
    code = "removal_refused"


class UndoRefusedError(WrongStateError):
    code = "undo_refused"


class UndoTooLateError(WrongStateError):
    code = "undo_too_late"


class ExportRefusedError(DomainError):
    """The list cannot become such a file; the message says what to choose instead."""

    code = "export_refused"


class SeveralSourcesError(ExportRefusedError):
    """A file is one source's: only it knows its ids again."""

    code = "several_sources"


class ExportStateError(WrongStateError):
    code = "export_state"


class ExportExpiredError(DomainError):
    code = "export_expired"
    status = 410


class TicketStateError(WrongStateError):
    code = "ticket_state"


class InvalidTicketError(DomainError):
    code = "invalid_ticket"


class AnswerRefusedError(DomainError):
    """Nobody would get the answer; ``reason`` is stored with one that waited, and worded anew."""

    code = "answer_refused"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason


class ReasonMissingError(DomainError):
    code = "reason_missing"


class NoContactError(DomainError):
    code = "no_contact"
    status = 404


class TagRefusedError(DomainError):
    code = "tag_refused"


class BulkRefusedError(WrongStateError):
    code = "bulk_refused"
