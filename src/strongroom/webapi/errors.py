"""The one place where errors become HTTP (WA-50)."""

import base64
import logging
from collections.abc import Sequence

import orjson

from strongroom.errors import (
    AccessDenied,
    EnvironmentClosed,
    IntegrityViolation,
    MethodNotAllowed,
    RangeNotSatisfiable,
    StepUpRequired,
    StrongroomError,
    Throttled,
    Unauthenticated,
)
from strongroom.webapi.headers import Preferences
from strongroom.webapi.http import Response, json_response

logger = logging.getLogger("strongroom.webapi")

_DETAILS = "Microsoft.PowerApps.CDS."
_DETAIL_NAMES = f"@{_DETAILS}"
_EXPLAIN = "Strongroom.Explain"


def error_response(error: StrongroomError, preferences: Preferences, root: str, request_id: str) -> Response:
    """`error` as status, headers and body."""
    if isinstance(error, IntegrityViolation):
        return unexpected_response(error, request_id)
    body: dict[str, object] = {"code": error.code, "message": _message(error)}
    if preferences.wants(_DETAILS + "ErrorDetails.OperationStatus"):
        body[_DETAIL_NAMES + "ErrorDetails.OperationStatus"] = "0"
        body[_DETAIL_NAMES + "ErrorDetails.SubErrorCode"] = error.code
        body[_DETAIL_NAMES + "HelpLink"] = ""
        body[_DETAIL_NAMES + "TraceText"] = f"request {request_id}"
        body[_DETAIL_NAMES + "InnerError.Message"] = body["message"]
    explained = _explanation(error)
    if explained is not None and preferences.wants(_EXPLAIN):
        body[f"@{_EXPLAIN}"] = explained
    if "rule" in error.details:  # refusals of the trust services say which rule, in a form that programs read (TS-005)
        told = ("reason", "rule", "target")
        body["innererror"] = {name: error.details[name] for name in told if name in error.details}
    extra: list[tuple[str, str]] = []
    match error:
        case StepUpRequired():
            extra.append(("WWW-Authenticate", f"{challenge(root)}, {claims_challenge(error.required)}"))
        case Unauthenticated():
            extra.append(("WWW-Authenticate", challenge(root)))
        case MethodNotAllowed():
            extra.append(("Allow", str(error.details.get("allow", "GET"))))
        case RangeNotSatisfiable():
            extra.append(("Content-Range", f"bytes */{error.details.get('size', 0)}"))
        case Throttled() | EnvironmentClosed():
            extra.append(("Retry-After", str(max(1, error.retry_after_s))))
        case _:
            pass
    return json_response(error.status, orjson.dumps({"error": body}), *extra)


def _explanation(error: StrongroomError) -> str | None:
    """Where the caller is told why (WA-52): a call relative to the service root, about the caller itself, which
    everybody may ask for. Refusals of a row name its table, its id and the right."""
    details = error.details
    target, right, caller = details.get("entity_set"), details.get("right"), details.get("caller")
    if not isinstance(error, AccessDenied) or not target or not right or not caller:
        return None
    values = {"p": f"systemusers({caller})", "t": f"{target}({details.get('id')})"}
    aliases = "&".join(f"@{name}={{'@odata.id':'{value}'}}" for name, value in values.items())
    return f"sr_ExplainAccess(Principal=@p,Target=@t,Right='{right}')?{aliases}"


def _message(error: StrongroomError) -> str:
    """The message, with the position that the parser knows unless it says it already (WA-195)."""
    message = error.message or "The request failed."
    position = error.details.get("position")
    if not isinstance(position, int) or "at position" in message:
        return message
    first, *rest = message.split("\n", 1)
    return "\n".join([f"{first.rstrip()} It stands at position {position}.", *rest])


def unexpected_response(error: BaseException, request_id: str) -> Response:
    """500: logged with the id, shown without details (WA-54)."""
    logger.error("unexpected error", exc_info=error, extra={"request_id": request_id})
    message = f"An unexpected error occurred. Request id: {request_id}"
    return json_response(500, orjson.dumps({"error": {"code": "0x80040216", "message": message}}))


def challenge(root: str) -> str:
    """The `WWW-Authenticate` value that clients parse by splitting on `, ` and `=` (WA-21)."""
    origin = root.split("/api/data/", 1)[0]
    origin = origin.split("/e/", 1)[0]
    return f"Bearer authorization_uri={origin}/common/oauth2/authorize, resource_id={origin}/"


def claims_challenge(required: Sequence[str]) -> str:
    """What a client hands to the authority with its next authorization request, in the form of the published service
    (TS-723): base64url without padding, because clients part the header at `=`."""
    wanted = {"access_token": {"acrs": {"essential": True, "values": list(required)}}}
    claims = base64.urlsafe_b64encode(orjson.dumps(wanted)).rstrip(b"=").decode()
    return f"error=insufficient_claims, claims={claims}"
