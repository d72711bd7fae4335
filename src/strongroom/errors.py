"""Every error that a caller can meet, each with its HTTP status and the published Dataverse error code.

Clients branch on the codes, so the narrowest class with the right code is raised where the fact is known, and only
the edges translate: `webapi` to a JSON body (WA-50), `cli` to a line and exit status 2. Messages name tables, columns
and rules; they never hold SQL, paths, keys, or values that the caller may not read (WA-54).
"""

from typing import ClassVar


class StrongroomError(Exception):
    """Base of all errors that are told to the caller."""

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "0x80040203"

    def __init__(self, message: str, *, code: str | None = None, details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code if code is not None else self.default_code
        self.details = details or {}


class InvalidRequest(StrongroomError):
    """400: the request is malformed or asks for something that has no meaning. Default code InvalidArgument."""


class QueryError(InvalidRequest):
    """400: bad OData query syntax or an unknown name in it (WA-56, 0x80060888). `position` counts from 0."""

    default_code = "0x80060888"

    def __init__(self, message: str, *, position: int | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code, details={} if position is None else {"position": position})


class FetchXmlError(InvalidRequest):
    """400: FetchXML is not well-formed or breaks its schema (WA-257)."""

    default_code = "0x80040201"


class PayloadError(InvalidRequest):
    """400: the body of a write does not fit the table (0x80048d19)."""

    default_code = "0x80048d19"


class ValueOutOfRange(InvalidRequest):
    """400: a value is too long, too large or too small for its column (0x80044331)."""

    default_code = "0x80044331"


class Unauthenticated(StrongroomError):
    """401: no caller (WA-21). The message never says which cause applied."""

    status = 401
    default_code = "0x80072561"


class StepUpRequired(Unauthenticated):
    """401: the caller is known and has to show more, or to show it again, before this is done (TS-723). `required` are
    the words of what is missing; the answer carries them as a claims challenge."""

    default_code = "0x80048307"

    def __init__(self, required: tuple[str, ...]) -> None:
        super().__init__(
            "The sign-in does not suffice for this: it takes " + ", ".join(required) + ".",
            details={"reason": "step-up-required", "rule": "TS-723", "target": ",".join(required)},
        )
        self.required = required


class AccessDenied(StrongroomError):
    """403: the security model says no. The codes are those of SM-156."""

    status = 403
    default_code = "0x80048405"


class NotFound(StrongroomError):
    """404: the row or resource does not exist, or may not be known to exist (SM-152)."""

    status = 404
    default_code = "0x80040217"


class ResourceNotFound(NotFound):
    """404: a segment of the URL names nothing (0x8006088a)."""

    default_code = "0x8006088a"


class MethodNotAllowed(StrongroomError):
    """405: the resource is there, the method is not (WA-9). `details["allow"]` lists the methods that are."""

    status = 405
    default_code = "0x80060800"


class DeleteRestricted(StrongroomError):
    """405: a Restrict relationship stops the delete (SM-101, WA-123)."""

    status = 405
    default_code = "0x80040227"


class NotAcceptable(StrongroomError):
    """406: the client accepts nothing that the resource can be sent as (WA-31)."""

    status = 406
    default_code = "0x80060801"


class Conflict(StrongroomError):
    """409: the state of something does not allow the operation."""

    status = 409
    default_code = "0x80040203"


class PreconditionFailed(StrongroomError):
    """412: the version differs (0x80060882), or the key exists already (0x80040237, 0x80060892)."""

    status = 412
    default_code = "0x80060882"


class TooLarge(StrongroomError):
    """413: the body exceeds the limit (WA-13)."""

    status = 413
    default_code = "0x80040216"


class UriTooLong(StrongroomError):
    """414: the URL exceeds the limit (WA-12)."""

    status = 414
    default_code = "0x80060888"


class UnsupportedMediaType(StrongroomError):
    """415: the body has a type that the resource does not take (WA-32)."""

    status = 415
    default_code = "0x80060801"


class RangeNotSatisfiable(StrongroomError):
    """416: the range lies outside of the file. `details["size"]` is the number of bytes that there are."""

    status = 416


class Throttled(StrongroomError):
    """429: a service protection limit is reached; `retry_after_s` is the header's value."""

    status = 429
    default_code = "0x80072322"

    def __init__(self, message: str, *, retry_after_s: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after_s = retry_after_s


class NotOffered(StrongroomError):
    """501: a documented name of Dataverse that Strongroom does not implement; the message names it (WA-59)."""

    status = 501
    default_code = "0x80060802"


class Unavailable(StrongroomError):
    """503: the environment is starting, locked or restoring, or its audit trail cannot be written."""

    status = 503
    default_code = "0x80060803"


class EnvironmentClosed(Unavailable):
    """503: an environment that is not open to anybody now: suspended, being restored, or locked (TS-410, TS-412).
    `retry_after_s` is the header's value."""

    def __init__(self, message: str, *, reason: str, rule: str, retry_after_s: int = 30) -> None:
        super().__init__(message, details={"reason": reason, "rule": rule})
        self.retry_after_s = retry_after_s


class EnvironmentLocked(EnvironmentClosed):
    """503: a key that the customer holds is revoked or cannot be reached, so nothing of the environment opens (TS-507).
    `key` is its name, which is told to operators and not to callers."""

    def __init__(self, key: str) -> None:
        super().__init__(
            "The environment is locked: a key that its customer holds was revoked or cannot be reached. Nothing is "
            "lost; it opens again when access to the key is restored.",
            reason="environment-locked",
            rule="TS-507",
            retry_after_s=60,
        )
        self.key = key


class BackupDamaged(StrongroomError):
    """422: a back-up or an export is not what it was: cut off, altered, or under another key (TS-409, TS-2106)."""

    status = 422

    def __init__(self, message: str) -> None:
        super().__init__(message, details={"reason": "backup-damaged", "rule": "TS-409"})


class IntegrityViolation(StrongroomError):
    """500: an invariant of ours is broken. Never repaired silently, never explained to the caller."""

    status = 500
    default_code = "0x80040216"


class TimeLimitExceeded(StrongroomError):
    """500: a unit of work took longer than it may and was undone (WA-433)."""

    status = 500
    default_code = "0x80044151"

    def __init__(self, limit_s: float) -> None:
        limit = "1 second" if limit_s == 1 else f"{limit_s:g} seconds"
        super().__init__(
            f"The request took longer than {limit} and was ended; nothing of it was done. "
            "The limit is the setting server.request_timeout_s. Ask for less at once, for example by a filter.",
            details={"reason": "query-timeout"},
        )


class Abandoned(StrongroomError):
    """499: the client left before its answer was there, so that the work was ended and undone."""

    status = 499
    default_code = "0x80060804"

    def __init__(self) -> None:
        super().__init__(
            "The client closed its side of the connection while the request was worked at, so that it was ended;"
            " nothing of it was done. Keep the connection open until the answer is there.",
            details={"reason": "client-left"},
        )


class HomeError(StrongroomError):
    """A home, a key or a database that is missing, damaged or does not fit: exit status 2 on the command line."""

    status = 503
    default_code = "0x80060803"
