"""Signing in by another authority, and signing out there and from there (TS-708, TS-709).

What was asked is kept in a cookie of the browser that asks, signed by the home: which provider, `state`, `nonce`, the
PKCE verifier, and where to go afterwards. So a request that nobody answers leaves nothing here, an answer counts only
in the browser that asked (CSRF, code injection), only at the address of the provider that was asked (mix-up), and once.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

import jwt
from authlib.oauth2 import rfc7636
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from strongroom.clock import iso
from strongroom.identity import sessions, signin
from strongroom.identity.directory import find_all, text
from strongroom.identity.federation import persons, providers
from strongroom.identity.federation.providers import Provider
from strongroom.identity.federation.tokens import Claims, Expected, TokenRefused, UnknownKey, id_token, logout_token
from strongroom.identity.hashing import new_token
from strongroom.identity.once import Purpose, is_first_use, look
from strongroom.identity.signinlog import Result, record
from strongroom.ids import Guid, Reference, parse_guid
from strongroom.signin.pages import entered, of_policy
from strongroom.signin.provider_client import ProviderClient, ProviderUnreachable
from strongroom.signin.templating import page
from strongroom.signin.texts import marked as _
from strongroom.signin.visitor import Visitor, local
from strongroom.store.protocol import Row, Transaction, Value

_COOKIE = "strongroom-federation"
_LASTS = timedelta(minutes=10)
_ALGORITHM, _TYPE = "EdDSA", "federation"
_REFUSED = _("The sign-in at the other side did not hold, or nobody here is known by it. Begin again.")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a browser asked a provider."""

    provider: Guid
    state: str
    nonce: str
    verifier: str
    following: str
    invited: Guid | None = None


def start(visitor: Visitor, client: ProviderClient) -> Response:
    """`/sign-in/with/PROVIDER`: to the provider."""
    provider = _provider(visitor)
    query = visitor.request.query_params
    asked = _Asked(
        provider.id,
        new_token(),
        new_token(),
        new_token() + new_token(),
        local(query.get("next", "")),
        _invited(visitor, query.get("invitation", "")),
    )
    try:
        metadata = client.metadata(provider)
    except ProviderUnreachable as error:
        return _failed(visitor, provider, f"provider-unreachable: {error}")
    fields = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": _redirect(visitor, provider),
        "scope": provider.scopes,
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": _challenge(asked.verifier),
        "code_challenge_method": "S256",
    }
    if query.get("again"):
        fields |= {"prompt": "login", "max_age": "0"}
    glue = "&" if "?" in metadata.authorization_endpoint else "?"
    response = RedirectResponse(f"{metadata.authorization_endpoint}{glue}{urlencode(fields)}", 303)
    _remember(visitor, response, asked)
    return response


def back(visitor: Visitor, client: ProviderClient) -> Response:
    """`/sign-in/back/PROVIDER`: what the provider answers."""
    provider, asked, query = _provider(visitor), _asked(visitor), visitor.request.query_params
    is_ours = asked is not None and hmac.compare_digest(asked.state, query.get("state", ""))
    if asked is None or not is_ours or asked.provider != provider.id:
        return _failed(visitor, provider, "wrong-state")
    try:
        metadata = client.metadata(provider)
        named = query.get("iss")
        if (named is None and metadata.names_itself) or (named is not None and named != provider.issuer):
            return _failed(visitor, provider, "mixed-up-issuer")
        if "code" not in query:
            return _failed(visitor, provider, f"provider-refused: {query.get('error', '')[:60]}")
        tokens = client.redeem(provider, query["code"], asked.verifier, _redirect(visitor, provider))
        claims = _claims(visitor, client, provider, tokens, asked.nonce)
    except ProviderUnreachable as error:
        return _failed(visitor, provider, f"provider-unreachable: {error}")
    except TokenRefused as error:
        return _failed(visitor, provider, str(error))
    return _enter(visitor, provider, asked, claims)


def back_channel(visitor: Visitor, client: ProviderClient, form: Mapping[str, str]) -> Response:
    """`/sign-in/back-channel/PROVIDER`: the provider tells that somebody signed out there."""
    provider = _provider(visitor)
    environments = visitor.environments
    expected = Expected(provider.issuer, provider.client_id, environments.clock.now())
    token = form.get("logout_token", "")
    try:
        try:
            claims = logout_token(token, client.keys(provider), expected)
        except UnknownKey:
            claims = logout_token(token, client.keys(provider, anew=True), expected)
    except (TokenRefused, ProviderUnreachable):
        return Response(b'{"error":"invalid_request"}', 400, {"Cache-Control": "no-store"}, "application/json")
    with environments.directory.writing() as session:
        name = f"{provider.id}:{claims['jti']}"
        if is_first_use(session, Purpose.LOGOUT, name, _LASTS):
            ended = _sessions_of(session.transaction, provider, claims)
            for row in ended:
                sessions.end(session, row)
    return Response(b"", 200, {"Cache-Control": "no-store"})


def front_channel(visitor: Visitor) -> Response:
    """`/sign-in/front-channel/PROVIDER`: the provider's page tells, in a frame, that somebody signed out there (OpenID
    Connect Front-Channel Logout 1.0). `iss` and `sid` must both be given: no cookie comes along into a frame of another
    site, and a logout that names no session would be anybody's. What is not known is answered in the same way."""
    provider, query = _provider(visitor), visitor.request.query_params
    if query.get("iss") == provider.issuer and query.get("sid"):
        with visitor.environments.directory.writing() as session:
            for row in _sessions_of(session.transaction, provider, {"sid": query["sid"]}):
                sessions.end(session, row)
    return Response(b"", 200, {"Cache-Control": "no-store"})


def leave(visitor: Visitor, client: ProviderClient) -> Response:
    """`/sign-in/out/PROVIDER`: to where somebody signs out of the provider too (RP-initiated logout)."""
    provider = _provider(visitor)
    endpoint = None
    if provider.ends_there:
        try:
            endpoint = client.metadata(provider).end_session_endpoint
        except ProviderUnreachable:
            endpoint = None
    if endpoint is None:
        return RedirectResponse("/sign-in", 303)
    back_to = {"client_id": provider.client_id, "post_logout_redirect_uri": f"{visitor.origin}/sign-in"}
    return RedirectResponse(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(back_to)}", 303)


def invitation(visitor: Visitor) -> Response:
    """`/sign-in/invitation`: the providers by which an invited guest may come (TS-728)."""
    token = visitor.request.query_params.get("token", "")
    if _invited(visitor, token) is None:
        return _message(visitor, _("This invitation was used already, or it has ended. Ask for a new one."))
    with visitor.environments.directory.reading() as transaction:
        listed = [{"id": each.id, "name": each.name} for each in providers.enabled(transaction)]
    shown = page("invitation.html", visitor, title=_("You are invited"), providers=listed, token=token)
    return Response(shown, media_type="text/html")


def _enter(visitor: Visitor, provider: Provider, asked: _Asked, claims: Claims) -> Response:
    place = visitor.place(application=provider.name)
    with visitor.environments.directory.writing() as session:
        trust = providers.trust_in(session.transaction, provider)
        if trust is None:
            record(session, place, Result.FAILURE, login="", reason="cross-tenant-blocked")
            return _message(visitor, _("People of this organization may not sign in here."), 403)
        if not is_first_use(session, Purpose.FEDERATION, asked.state, _LASTS):
            record(session, place, Result.FAILURE, login="", reason="replayed")
            return _message(visitor, _REFUSED)
        found = persons.admit(session, provider, claims, asked.invited)
        if found.person is None or found.reason:
            reference = None if found.person is None else found.person.reference()
            login = "" if found.person is None else text(found.person, "userprincipalname")
            record(session, place, Result.FAILURE, login=login, person=reference, reason=found.reason)
            return _message(visitor, _REFUSED)
        device = persons.device(claims, trust)
        origin = sessions.Origin(
            Reference("identityprovider", provider.id),
            str(claims["sid"])[:500] if claims.get("sid") else None,
            None if device is None else device.value,
        )
        outcome = signin.enter(session, found.person, place, persons.factors(claims, trust), origin)
    if outcome.token is None:
        return _message(visitor, of_policy(visitor, outcome), 403)
    response = entered(visitor, outcome, asked.following)
    _forget(visitor, response)
    return response


def _claims(
    visitor: Visitor, client: ProviderClient, provider: Provider, tokens: Mapping[str, object], nonce: str
) -> Claims:
    given, access = tokens.get("id_token"), tokens.get("access_token")
    if not isinstance(given, str):
        raise TokenRefused("no-id-token")
    expected = Expected(provider.issuer, provider.client_id, visitor.environments.clock.now())
    told = access if isinstance(access, str) else ""
    try:
        return id_token(given, client.keys(provider), expected, nonce=nonce, access_token=told)
    except UnknownKey:
        return id_token(given, client.keys(provider, anew=True), expected, nonce=nonce, access_token=told)


def _provider(visitor: Visitor) -> Provider:
    wanted = parse_guid(str(visitor.request.path_params.get("provider", "")))
    with visitor.environments.directory.reading() as transaction:
        found = None if wanted is None else providers.by_id(transaction, wanted)
    if found is None:
        raise HTTPException(404)
    return found


def _redirect(visitor: Visitor, provider: Provider) -> str:
    """The address for answers: one for each provider, so that none can answer in another's place."""
    return f"{visitor.origin}/sign-in/back/{provider.id}"


def _sessions_of(transaction: Transaction, provider: Provider, claims: Claims) -> list[Row]:
    """The open sessions that a logout token means: one by its id at the provider, or all of a person."""
    reference = Reference("identityprovider", provider.id)
    if claims.get("sid"):
        asked: dict[str, Value] = {"providersession": str(claims["sid"]), "identityproviderid": reference}
    else:
        person = persons.person_of(transaction, provider, str(claims["sub"]))
        if person is None:
            return []
        asked = {"directoryuserid": person.reference(), "identityproviderid": reference}
    return [row for row in find_all(transaction, "signinsession", **asked) if row.values.get("endedon") is None]


def _invited(visitor: Visitor, token: str) -> Guid | None:
    if not token:
        return None
    now = visitor.environments.clock.now()
    with visitor.environments.directory.reading() as transaction:
        content = look(transaction, Purpose.INVITATION, token, iso(now))
    return None if content is None else Guid(str(content["person"]))


def _challenge(verifier: str) -> str:
    return str(cast(Any, rfc7636).create_s256_code_challenge(verifier))  # the library has no types


# --- the cookie --------------------------------------------------------------------------------------------------


def _remember(visitor: Visitor, response: Response, asked: _Asked) -> None:
    environments = visitor.environments
    key_id, private = environments.keys.signing_key()
    body = {
        "iss": environments.keys.home,
        "aud": _TYPE,
        "exp": int((environments.clock.now() + _LASTS).timestamp()),
        "provider": asked.provider,
        "state": asked.state,
        "nonce": asked.nonce,
        "verifier": asked.verifier,
        "next": asked.following,
        "invited": asked.invited,
    }
    value = jwt.encode(body, private, algorithm=_ALGORITHM, headers={"kid": key_id, "typ": _TYPE})
    visitor.remember(response, _COOKIE, value)


def _asked(visitor: Visitor) -> _Asked | None:
    """What this browser asked, as the home has signed it; None when it asked nothing, or long ago."""
    environments = visitor.environments
    value, now = visitor.cookie(_COOKIE), environments.clock.now()
    try:
        header = jwt.get_unverified_header(value)
        key = environments.keys.verifying_key(str(header.get("kid")), now)
        if key is None or header.get("typ") != _TYPE:
            return None
        body = jwt.decode(
            value,
            key,
            algorithms=[_ALGORITHM],
            audience=_TYPE,
            issuer=environments.keys.home,
            options={"verify_exp": False, "require": ["exp"]},
        )
    except (jwt.PyJWTError, RecursionError):
        return None
    provider = parse_guid(str(body["provider"]))
    if provider is None or int(body["exp"]) <= now.timestamp():
        return None
    invited = parse_guid(str(body["invited"])) if body.get("invited") else None
    return _Asked(
        provider, str(body["state"]), str(body["nonce"]), str(body["verifier"]), local(str(body["next"])), invited
    )


def _forget(visitor: Visitor, response: Response) -> None:
    visitor.forget(response, _COOKIE)


def _failed(visitor: Visitor, provider: Provider, reason: str) -> Response:
    with visitor.environments.directory.writing() as session:
        record(session, visitor.place(application=provider.name), Result.FAILURE, login="", reason=reason[:190])
    response = _message(visitor, _REFUSED)
    _forget(visitor, response)
    return response


def _message(visitor: Visitor, words: str, status: int = 400) -> Response:
    shown = page("message.html", visitor, title=_("This did not work"), text=words)
    return Response(shown, status, media_type="text/html")
