"""The token endpoint: one function for each grant (TS-714, WA-25 to WA-29).

`client_credentials` and token exchange give a program the rights of its application user; `authorization_code`,
`refresh_token` and the device code give a program what the person may who signed in. The password grant is not offered
(WA-26).
"""

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256

from strongroom.identity import refresh
from strongroom.identity.assertions import ASSERTION_TYPE
from strongroom.identity.directory import reference, text
from strongroom.identity.once import Content, Purpose, redeem, used_content
from strongroom.identity.signinlog import Result, record
from strongroom.identity.tokens import Bearer
from strongroom.ids import Guid
from strongroom.signin import device, metadata
from strongroom.signin.audience import of_scope
from strongroom.signin.clients import Client
from strongroom.signin.entering import user_for_program
from strongroom.signin.problems import OAuthProblem, wrong_grant
from strongroom.signin.token_request import Answer, TokenRequest, for_person, given, id_token, told
from strongroom.signin.visitor import required


def answer(request: TokenRequest) -> Answer:
    """The answer to a token request. Raises `OAuthProblem`."""
    grant = required(request.fields, "grant_type")
    act = _GRANTS.get(grant)
    if act is None:
        offered = ", ".join(_GRANTS)
        raise OAuthProblem("unsupported_grant_type", 70003, f"This grant is not offered; there are {offered}.")
    return act(request)


def _client_credentials(request: TokenRequest) -> Answer:
    client = request.client(may_be_public=False)
    audience = request.audience(needs_resource=True)
    user = user_for_program(audience.environment, client.id)
    credential = client.credential.id if client.credential is not None else None
    bearer = Bearer(client.program.id, client.id, credential=credential)
    token = given(request, audience.environment, user, bearer)
    with request.environments.directory.writing() as session:
        record(session, request.place, Result.SUCCESS, login=request.place.application, factors=("client",))
    return told(request, token, audience)


def _authorization_code(request: TokenRequest) -> Answer:
    client = request.client(may_be_public=True)
    code, verifier = required(request.fields, "code"), required(request.fields, "code_verifier")
    with request.environments.directory.writing() as session:
        content = redeem(session, Purpose.CODE, code)
        if content is None:
            replayed = used_content(session, Purpose.CODE, code)
            if replayed is not None and replayed["client"] == client.id:
                refresh.revoke_of(session, Guid(str(replayed["session"])), client.id)
    if content is None or not _fits(content, client, request.fields.get("redirect_uri", ""), verifier):
        raise wrong_grant()
    live = request.environments.liveness.session_by_id(Guid(str(content["session"])))
    if live is None:
        raise wrong_grant()
    audience = of_scope(request.environments, str(content["scope"]), request.own, needs_resource=False)
    found = for_person(request, client, live, audience)
    if audience.wants_refresh:
        with request.environments.directory.writing() as session:
            found["refresh_token"] = refresh.begin(
                session, live, client.id, text(client.program, "name"), audience.environment.name, audience.scope
            )
    if audience.wants_id:
        found["id_token"] = id_token(request, client, live, content.get("nonce"))
    return found


def _refresh_token(request: TokenRequest) -> Answer:
    client = request.client(may_be_public=True)
    shown = required(request.fields, "refresh_token")
    environments = request.environments
    with environments.directory.writing() as session:
        family = refresh.family_of(session, shown, client.id)
        following = None if family is None else refresh.rotate(session, family)
    if family is None or following is None:
        raise wrong_grant(70000)
    live = environments.liveness.session_by_id(reference(family, "signinsessionid").id)
    if live is None:
        raise wrong_grant(70000)
    if "resource" in request.fields:
        audience = request.audience(needs_resource=True)
    else:
        audience = of_scope(
            environments, _with_resource(request, text(family, "scope")), request.own, needs_resource=False
        )
    found = for_person(request, client, live, audience)
    found["refresh_token"] = following
    if audience.wants_id:
        found["id_token"] = id_token(request, client, live, None)
    return found


def _with_resource(request: TokenRequest, kept: str) -> str:
    """The scope of a refresh: what is asked now, for the environment of before where it names none."""
    asked = request.fields.get("scope", "")
    if not asked:
        return kept
    has_resource = any("/" in word for word in asked.split())
    return asked if has_resource else " ".join([*asked.split(), *(word for word in kept.split() if "/" in word)])


_SUBJECT_TYPES = frozenset(f"urn:ietf:params:oauth:token-type:{kind}" for kind in ("jwt", "id_token", "access_token"))


def _token_exchange(request: TokenRequest) -> Answer:
    """A token of a workload for one of ours (RFC 8693): what a federated credential says, in another form."""
    subject, kind = required(request.fields, "subject_token"), required(request.fields, "subject_token_type")
    if kind not in _SUBJECT_TYPES or "actor_token" in request.fields:
        raise OAuthProblem("invalid_request", 900144, "The subject_token must be a JWT, without an actor_token.")
    proof = {"client_assertion": subject, "client_assertion_type": ASSERTION_TYPE}
    answer = _client_credentials(replace(request, fields={**request.fields, **proof}))
    return {**answer, "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}


_GRANTS: Mapping[str, Callable[[TokenRequest], Answer]] = {
    "client_credentials": _client_credentials,
    "authorization_code": _authorization_code,
    "refresh_token": _refresh_token,
    device.GRANT: device.token,
    metadata.TOKEN_EXCHANGE: _token_exchange,
}


def _fits(content: Content, client: Client, redirect: str, verifier: str) -> bool:
    """Whether a code was given to this program, for this address, and by the one that asked for it (PKCE)."""
    challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return (
        content["client"] == client.id
        and content["redirect"] == redirect
        and hmac.compare_digest(str(content["challenge"]), challenge)
    )
