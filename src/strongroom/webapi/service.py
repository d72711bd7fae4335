"""From a request to its answer: the head checks, then the resource (WA-55)."""

from dataclasses import replace

from strongroom.environment import Environment, Identity
from strongroom.errors import StrongroomError
from strongroom.identity import TokenClaims
from strongroom.identity.conditional.gate import Verdict
from strongroom.webapi import batch, resources
from strongroom.webapi.errors import error_response, unexpected_response
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import check_accept, check_version, read_preferences
from strongroom.webapi.http import Request, Response
from strongroom.webapi.paths import split_path
from strongroom.webapi.refused import tell


def respond(environment: Environment, request: Request, claims: TokenClaims, verdict: Verdict) -> Response:
    """Answer one request whose bearer token has been verified and which may come in. Never raises."""
    response = _respond(environment, request, claims, verdict)
    return response if request.path.startswith("$batch") else tell(environment, request, response)


def _respond(environment: Environment, request: Request, claims: TokenClaims, verdict: Verdict) -> Response:
    try:
        check_version(request)
        identity = Identity.of_request(claims.user, request.header)
        if verdict.read_only:
            identity = replace(identity, read_only=True)
        exchange = Exchange.begin(environment, request, identity, lacks_proof=verdict.lacks_proof)
        segments = split_path(request.path)
        if len(segments) == 1 and segments[0].name == "$batch":
            return batch.respond(exchange)
        check_accept(request)
        return resources.respond(exchange, segments)
    except StrongroomError as error:
        preferences = read_preferences(request.header("prefer"))
        return error_response(error, preferences, request.root, request.request_id)
    except Exception as error:  # noqa: BLE001 - the boundary: what is not one of ours becomes 500 with an id
        return unexpected_response(error, request.request_id)
