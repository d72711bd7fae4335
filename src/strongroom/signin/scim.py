"""`/scim/v2`: provisioning by another system, with a token of its own (TS-731)."""

import orjson
from scim2_models import SCIMException, UnauthorizedException
from scim2_server.errors import MethodNotAllowedException
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from starlette.responses import Response

from strongroom.clock import iso
from strongroom.errors import StrongroomError
from strongroom.identity import guard
from strongroom.identity.provisioning.endpoint import Caller, caller_of
from strongroom.identity.provisioning.service import service
from strongroom.identity.provisioning.storage import DirectoryStorage
from strongroom.identity.signinlog import Result, record
from strongroom.signin.visitor import Visitor

PREFIX = "/scim/v2"
_READS = ("GET", "HEAD")


def respond(visitor: Visitor, body: bytes) -> Response:
    """The answer to one SCIM request."""
    request = visitor.request
    asked = ScimRequest(
        method=request.method,
        base_url=f"{visitor.origin}{PREFIX}",
        path=request.url.path.removeprefix(PREFIX) or "/",
        query=dict(request.query_params.items()),
        headers=request.headers.items(),
        body=body,
    )
    try:
        answer = _answer(visitor, asked)
    except (SCIMException, MethodNotAllowedException) as error:
        answer = service().error_response(error)
    content = b"" if answer.body is None else orjson.dumps(answer.body)
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-type"}
    if int(answer.status) == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="scim"')
    return Response(content, int(answer.status), {**headers, "Cache-Control": "no-store"}, "application/scim+json")


def _answer(visitor: Visitor, asked: ScimRequest) -> ScimResponse:
    caller = _caller(visitor, asked)
    is_search = asked.method == "POST" and asked.path.rstrip("/").endswith("/.search")
    storage = DirectoryStorage(
        visitor.environments.directory, caller, writes=asked.method not in _READS and not is_search
    )
    return ScimHandler(service(), storage).handle(asked)


def _caller(visitor: Visitor, asked: ScimRequest) -> Caller:
    directory = visitor.environments.directory
    scheme, _, token = (asked.header("authorization") or "").partition(" ")
    counted = guard.of_programs(visitor.address)
    now = iso(directory.now())
    with directory.reading() as transaction:
        is_locked = guard.is_locked(transaction, counted, now)
        caller = caller_of(transaction, token.strip(), now) if scheme.lower() == "bearer" else None
    if caller is not None and not is_locked:
        return caller
    try:
        with directory.writing() as session:
            if not is_locked:
                guard.count_failure(session, counted)
            record(session, visitor.place(application="SCIM"), Result.FAILURE, login="", reason="wrong-scim-token")
    except StrongroomError:
        pass  # a busy store costs the log a line, not the refusal
    raise UnauthorizedException(detail="A token of this endpoint is needed.")
