"""The token endpoint: one function for each grant (TS-714, WA-25 to WA-29).

`client_credentials` gives a program the rights of its application user; `authorization_code` and `refresh_token` give a
program what the person may who signed in. The password grant is not offered (WA-26).
"""

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

import jwt
import orjson

from strongroom.environment import Environments
from strongroom.identity import refresh
from strongroom.identity.directory import reference, text
from strongroom.identity.liveness import LiveSession
from strongroom.identity.once import Content, Purpose, redeem, used_content
from strongroom.identity.signinlog import Place, Result, record
from strongroom.identity.tokens import Bearer
from strongroom.ids import Guid
from strongroom.signin import metadata
from strongroom.signin.audience import Audience, of_resource, of_scope
from strongroom.signin.clients import Client, client_of
from strongroom.signin.entering import LONGEST_ACCESS, access_token, user_for_person, user_for_program
from strongroom.signin.problems import OAuthProblem, missing, wrong_grant
from strongroom.signin.visitor import required


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request to the token endpoint. `is_old` is the form with `resource` in place of `scope`."""

    environments: Environments
    fields: Mapping[str, str]
    authorization: str | None
    own: str
    tenant: str
    place: Place
    is_old: bool = False

    @property
    def lifetime_s(self) -> int:
        """Seconds that the access token lives."""
        return int(LONGEST_ACCESS.total_seconds())

    def client(self, *, may_be_public: bool) -> Client:
        """The program that asks, proved."""
        own, tenant = self.own, self.tenant
        audiences = (
            metadata.token_endpoint(own, tenant),
            metadata.issuer(own, tenant),
            f"{own}/{tenant}/oauth2/token",
        )
        return client_of(
            self.environments.directory,
            self.fields,
            self.authorization,
            audiences,
            self.place,
            may_be_public=may_be_public,
        )

    def audience(self, *, needs_resource: bool) -> Audience:
        """The environment that is asked for."""
        if "resource" in self.fields:
            return of_resource(self.environments, self.fields["resource"], self.own)
        if self.is_old:
            raise missing("resource")
        scope = self.fields.get("scope", "") if not needs_resource else required(self.fields, "scope")
        return of_scope(self.environments, scope, self.own, needs_resource=needs_resource)


Answer = dict[str, object]


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
    token = access_token(request.environments, audience.environment, user, bearer, request.place)
    with request.environments.directory.writing() as session:
        record(session, request.place, Result.SUCCESS, login=request.place.application, factors=("client",))
    return _told(request, token, audience)


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
    found = _for_person(request, client, live, audience)
    if audience.wants_refresh:
        with request.environments.directory.writing() as session:
            found["refresh_token"] = refresh.begin(
                session, live, client.id, text(client.program, "name"), audience.environment.name, audience.scope
            )
    if audience.wants_id:
        found["id_token"] = _id_token(request, client, live, content.get("nonce"))
    return found


def _refresh_token(request: TokenRequest) -> Answer:
    client = request.client(may_be_public=True)
    given = required(request.fields, "refresh_token")
    environments = request.environments
    with environments.directory.writing() as session:
        family = refresh.family_of(session, given, client.id)
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
    found = _for_person(request, client, live, audience)
    found["refresh_token"] = following
    if audience.wants_id:
        found["id_token"] = _id_token(request, client, live, None)
    return found


def _with_resource(request: TokenRequest, kept: str) -> str:
    """The scope of a refresh: what is asked now, for the environment of before where it names none."""
    asked = request.fields.get("scope", "")
    if not asked:
        return kept
    has_resource = any("/" in word for word in asked.split())
    return asked if has_resource else " ".join([*asked.split(), *(word for word in kept.split() if "/" in word)])


_GRANTS: Mapping[str, Callable[[TokenRequest], Answer]] = {
    "client_credentials": _client_credentials,
    "authorization_code": _authorization_code,
    "refresh_token": _refresh_token,
}


def _fits(content: Content, client: Client, redirect: str, verifier: str) -> bool:
    """Whether a code was given to this program, for this address, and by the one that asked for it (PKCE)."""
    challenge = base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return (
        content["client"] == client.id
        and content["redirect"] == redirect
        and hmac.compare_digest(str(content["challenge"]), challenge)
    )


def _for_person(request: TokenRequest, client: Client, live: LiveSession, audience: Audience) -> Answer:
    user = user_for_person(audience.environment, live.person)
    credential = None if client.credential is None else client.credential.id
    bearer = Bearer(live.person, client.id, live.id, credential, live.factors)
    return _told(
        request, access_token(request.environments, audience.environment, user, bearer, request.place), audience, live
    )


def _told(request: TokenRequest, token: str, audience: Audience, live: LiveSession | None = None) -> Answer:
    found: Answer = {
        "token_type": "Bearer",
        "scope": audience.scope,
        # The older form has these as text, as its published service does.
        "expires_in": str(request.lifetime_s) if request.is_old else request.lifetime_s,
        "ext_expires_in": str(request.lifetime_s) if request.is_old else request.lifetime_s,
        "access_token": token,
    }
    if request.is_old:
        begins = int(request.environments.clock.now().timestamp())
        found |= {
            "resource": request.fields.get("resource", ""),
            "not_before": str(begins),
            "expires_on": str(begins + request.lifetime_s),
        }
    if live is not None:
        about = {"uid": live.person, "utid": request.environments.keys.home}
        found["client_info"] = base64.urlsafe_b64encode(orjson.dumps(about)).rstrip(b"=").decode()
    return found


def _id_token(request: TokenRequest, client: Client, live: LiveSession, nonce: object) -> str:
    """Who signed in, for the program only (OpenID Connect): no door of ours takes it, its `aud` is the client id."""
    environments = request.environments
    with environments.directory.reading() as transaction:
        row = transaction.row(transaction.schema.tables["directoryuser"], live.person)
        login = "" if row is None else text(row, "userprincipalname")
    key_id, private = environments.keys.signing_key()
    now = int(environments.clock.now().timestamp())
    claims: dict[str, object] = {
        "iss": metadata.issuer(request.own, request.tenant),
        "aud": client.id,
        "sub": live.person,
        "oid": live.person,
        "tid": environments.keys.home,
        "name": live.name,
        "preferred_username": login,
        "auth_time": int(live.proven_on.timestamp()),
        "amr": list(live.factors),
        "sid": live.id,
        "iat": now,
        "nbf": now,
        "exp": now + request.lifetime_s,
        "ver": "2.0",
        "nonce": nonce,
    }
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, private, algorithm=metadata.ID_TOKEN_ALGORITHM, headers={"kid": key_id})
