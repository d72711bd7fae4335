"""The authorization endpoint: a code for a program, once the person has signed in (TS-708, TS-714; RFC 6749, 7636,
9207).

Codes only, with PKCE S256 from every client. An unknown client or redirect address is told to the person and never
redirected to; every other refusal goes back to the program. The answer names the issuer, so that a client of several
authorities cannot mix them up. Programs are registered by the administrator, so nobody is asked for consent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson

from strongroom.environments import Environments
from strongroom.identity.applications import is_usable, redirects_of
from strongroom.identity.conditional.model import Control
from strongroom.identity.directory import find, text
from strongroom.identity.liveness import LiveSession
from strongroom.identity.once import Purpose, issue
from strongroom.ids import Guid, parse_guid
from strongroom.signin import metadata
from strongroom.signin.audience import of_scope
from strongroom.signin.entering import enter_just_in_time
from strongroom.signin.problems import OAuthProblem, missing, not_a_user
from strongroom.store.protocol import Row

CODE_LIFE = timedelta(minutes=2)
_JUST_NOW = timedelta(minutes=1)
_CHALLENGE = 43
_LONGEST_STATE = 4_000


class NeedsSignIn(Exception):
    """The person has to sign in first; then the same request is made again."""


class NotForUs(Exception):
    """A request that must not be answered by a redirect: client or address are not registered. The text is for
    people."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request whose client and redirect address are right."""

    program: Row
    redirect: str
    fields: Mapping[str, str]

    @property
    def client(self) -> Guid:
        """The client id."""
        return Guid(text(self.program, "clientid"))

    def back(self, own: str, tenant: str, answer: Mapping[str, str]) -> str:
        """The redirect address with an answer, which has the client's `state` and names us."""
        told = {**answer, "iss": metadata.issuer(own, tenant)}
        if "state" in self.fields:
            told["state"] = self.fields["state"]
        parts = urlsplit(self.redirect)
        if self.fields.get("response_mode") == "fragment":
            return urlunsplit((*parts[:4], urlencode(told)))
        return urlunsplit((*parts[:3], urlencode([*parse_qsl(parts.query), *told.items()]), ""))


def asked(environments: Environments, fields: Mapping[str, str]) -> Asked:
    """What is asked for. Raises `NotForUs`."""
    client = parse_guid(fields.get("client_id", ""))
    with environments.directory.reading() as transaction:
        program = None if client is None else find(transaction, "applicationregistration", clientid=client)
    if program is None or not is_usable(program):
        raise NotForUs("The program that sent you here is not registered.")
    wanted = fields.get("redirect_uri", "")
    if not any(_is_same(wanted, registered) for registered in redirects_of(program)):
        raise NotForUs("The program that sent you here wants the answer at an address that is not registered for it.")
    return Asked(program, wanted, fields)


def code(environments: Environments, request: Asked, own: str, live: LiveSession | None) -> str:
    """A code. Raises `OAuthProblem` for what goes back to the program, `NeedsSignIn` when somebody has to sign in."""
    fields = request.fields
    if fields.get("response_type") != "code":
        raise OAuthProblem("unsupported_response_type", 700054, "The response_type must be code.")
    if fields.get("response_mode", "query") not in ("query", "fragment"):
        raise OAuthProblem("invalid_request", 900144, "The response_mode must be query or fragment.")
    if not fields.get("code_challenge"):
        raise missing("code_challenge")
    if fields.get("code_challenge_method") != "S256" or len(fields["code_challenge"]) != _CHALLENGE:
        raise OAuthProblem("invalid_request", 501481, "The code_challenge must be one of the method S256.")
    if len(fields.get("state", "")) > _LONGEST_STATE:
        raise OAuthProblem("invalid_request", 900144, "The state is too long.")
    audience = of_scope(environments, fields.get("scope", ""), own, needs_resource=False)
    prompt = fields.get("prompt", "").split()
    if live is None or _asks_again(fields, prompt, live, environments.clock.now()):
        if "none" in prompt:
            raise OAuthProblem("login_required", 50058, "Nobody is signed in.")
        raise NeedsSignIn
    if enter_just_in_time(environments, audience.environment, live.person) is None:
        raise not_a_user(audience.environment.name)
    content: dict[str, object] = {
        "client": request.client,
        "redirect": request.redirect,
        "challenge": fields["code_challenge"],
        "session": live.id,
        "scope": audience.scope,
        "nonce": fields.get("nonce"),
    }
    with environments.directory.writing() as session:
        return issue(session, Purpose.CODE, content, CODE_LIFE)


def _asks_again(fields: Mapping[str, str], prompt: list[str], live: LiveSession, now: datetime) -> bool:
    """Whether the program wants a newer sign-in, or a stronger one: `prompt=login`, `max_age`, or the claims of a
    challenge that the Web API gave it (TS-723)."""
    age, wanted = now - live.proven_on, _challenged(fields.get("claims", ""))
    longest = fields.get("max_age", "")
    is_too_old = longest.isdigit() and age > max(_JUST_NOW, timedelta(seconds=int(longest[:9])))
    wants_new = "login" in prompt or Control.RECENT_SIGN_IN in wanted
    lacks_factor = Control.MFA in wanted and "mfa" not in live.factors
    return is_too_old or ((wants_new or lacks_factor) and age > _JUST_NOW)


def _challenged(claims: str) -> frozenset[str]:
    """The words of a claims challenge in a request; none in whatever else it holds."""
    try:
        found: object = orjson.loads(claims[:_LONGEST_STATE]) if claims else {}
    except orjson.JSONDecodeError:
        return frozenset()
    for name in ("access_token", "acrs", "values"):
        found = cast("dict[str, object]", found).get(name) if isinstance(found, dict) else None
    return frozenset(str(each) for each in cast("list[object]", found)) if isinstance(found, list) else frozenset()


def _is_same(wanted: str, registered: str) -> bool:
    """Whether an address is the registered one, letter by letter; on this machine the port may differ (RFC 8252)."""
    if wanted == registered:
        return True
    one, other = urlsplit(wanted), urlsplit(registered)
    is_local = other.scheme == "http" and other.hostname in ("localhost", "127.0.0.1", "::1")
    return (
        is_local
        and one.scheme == "http"
        and one.hostname == other.hostname
        and one.username is None
        and one[2:] == other[2:]
    )
