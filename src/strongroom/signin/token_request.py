"""What a request to the token endpoint is, and how it is answered once a grant has said for whom (TS-713, TS-714).

Policies are asked before a token is given, as they are with every request that brings it (TS-723); what they would have
done where they only report stands in the log.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import jwt
import orjson

from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.identity import TokenClaims
from strongroom.identity.conditional.model import ClientKind
from strongroom.identity.directory import text
from strongroom.identity.liveness import LiveSession
from strongroom.identity.signinlog import Place, Result, record
from strongroom.identity.tokens import Bearer
from strongroom.ids import Guid, Reference
from strongroom.signin import metadata
from strongroom.signin.audience import Audience, of_resource, of_scope
from strongroom.signin.clients import Client, client_of
from strongroom.signin.entering import LONGEST_ACCESS, access_token, enter_just_in_time
from strongroom.signin.problems import kept_out, missing, needs_more
from strongroom.signin.provider_client import ProviderClient
from strongroom.signin.visitor import required
from strongroom.store.protocol import Row
from strongroom.webapi.entrance import Entrance

_TOKEN = "token"  # noqa: S105 - what stands in place of the id of a key


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request to the token endpoint. `is_old` is the form with `resource` in place of `scope`."""

    environments: Environments
    fields: Mapping[str, str]
    authorization: str | None
    own: str
    tenant: str
    place: Place
    entrance: Entrance
    providers: ProviderClient
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
            self.providers,
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


def for_person(request: TokenRequest, client: Client, live: LiveSession, audience: Audience) -> Answer:
    """An access token for a person in a session. Raises `OAuthProblem`."""
    user = enter_just_in_time(request.environments, audience.environment, live.person)
    credential = None if client.credential is None else client.credential.id
    bearer = Bearer(live.person, client.id, live.id, credential, live.factors)
    return told(request, given(request, audience.environment, user, bearer), audience, live)


def given(request: TokenRequest, environment: Environment, user: Row | None, bearer: Bearer) -> str:
    """An access token, once policies let it be given. Raises `OAuthProblem`."""
    if user is not None:
        _judge(request, environment, user.id, bearer)
    return access_token(request.environments, environment, user, bearer, request.place)


def _judge(request: TokenRequest, environment: Environment, user: Guid, bearer: Bearer) -> None:
    now = request.environments.clock.now()
    claims = TokenClaims(user, environment.id, user, _TOKEN, now, now, bearer.session, bearer.credential, bearer.client)
    entering = request.entrance.entering(environment, claims, request.place.address, ClientKind.API)
    decision = request.entrance.gate().decision(entering)
    reported = decision.reported()
    if decision.is_granted and not reported:
        return
    person = None if bearer.session is None else Reference("directoryuser", bearer.object_id)
    reason = "" if decision.is_granted else "blocked-by-policy" if decision.blocked else "controls-missing"
    with request.environments.directory.writing() as session:
        record(
            session,
            request.place,
            Result.SUCCESS if decision.is_granted else Result.INTERRUPTED,
            login=request.place.application,
            person=person,
            factors=bearer.factors or ("client",),
            reason=reason or "token-issued",
            policies="; ".join(part for part in (decision.deciding(), reported) if part),
        )
    if decision.blocked:
        raise kept_out()
    if decision.required:
        raise needs_more(decision.required)


def told(request: TokenRequest, token: str, audience: Audience, live: LiveSession | None = None) -> Answer:
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


def id_token(request: TokenRequest, client: Client, live: LiveSession, nonce: object) -> str:
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
