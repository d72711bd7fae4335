"""Signing in on another device (RFC 8628): a program without a browser shows a code, somebody types it at
`/sign-in/device`, sees which program asks, and says yes.

What a program polls with is 256 random bits; the code that people type has eight letters, which are worth something for
a quarter of an hour only, and wrong ones count as wrong passwords do. Whoever says yes is warned that nobody else may
have sent them the code.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from starlette.responses import Response

from strongroom.clock import iso
from strongroom.identity import guard, refresh
from strongroom.identity.directory import text
from strongroom.identity.once import Content, Purpose, issue, look, peek, redeem, rewrite
from strongroom.ids import Guid
from strongroom.signin.audience import of_scope
from strongroom.signin.pages import Handler, to_sign_in
from strongroom.signin.problems import OAuthProblem, wrong_grant
from strongroom.signin.templating import page
from strongroom.signin.texts import marked as _
from strongroom.signin.token_request import Answer, TokenRequest, for_person, id_token
from strongroom.signin.visitor import Visitor, required

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
LIFE = timedelta(minutes=15)
INTERVAL_S = 5
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants: no words come up, and none is taken for a digit (RFC 8628, section 6.1)."""

_LENGTH = 8


def begin(request: TokenRequest) -> Answer:
    """`/devicecode`: the two codes. Raises `OAuthProblem`."""
    client = request.client(may_be_public=True)
    audience = request.audience(needs_resource=False)
    shown = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    counted = (guard.Subject(f"device codes from {guard.network(request.place.address)}", 100),)
    with request.environments.directory.writing() as session:
        if guard.is_locked(session.transaction, counted, session.now):
            raise OAuthProblem("slow_down", 70016, "Too many codes were asked for from this network.", 429)
        guard.count_failure(session, counted)
        content: Content = {
            "client": client.id,
            "name": text(client.program, "name"),
            "scope": audience.scope,
            "session": None,
            "denied": False,
            "polled": None,
        }
        issue(session, Purpose.USER_CODE, content, LIFE, shown)
        code = issue(session, Purpose.DEVICE, {"user_code": shown}, LIFE)
    written = f"{shown[:4]}-{shown[4:]}"
    address = f"{request.own}/sign-in/device"
    return {
        "device_code": code,
        "user_code": written,
        "verification_uri": address,
        "verification_uri_complete": f"{address}?user_code={written}",
        "expires_in": int(LIFE.total_seconds()),
        "interval": INTERVAL_S,
        "message": f"To sign in, open {address} in a browser and enter the code {written}.",
    }


def token(request: TokenRequest) -> Answer:
    """The grant: not yet, no, or tokens. Raises `OAuthProblem`."""
    client = request.client(may_be_public=True)
    code = required(request.fields, "device_code")
    with request.environments.directory.writing() as session:
        held = peek(session, Purpose.DEVICE, code)
        shown = "" if held is None else str(held["user_code"])
        content = None if held is None else peek(session, Purpose.USER_CODE, shown)
        problem = _not_yet(content, client.id, session.clock.now())
        if content is not None and content["client"] == client.id and content["session"] is None:
            rewrite(session, Purpose.USER_CODE, shown, {**content, "polled": session.now})
        if problem is None:
            redeem(session, Purpose.DEVICE, code)
            redeem(session, Purpose.USER_CODE, shown)
    if problem is not None or content is None:
        raise problem or wrong_grant()
    live = request.environments.liveness.session_by_id(Guid(str(content["session"])))
    if live is None:
        raise wrong_grant()
    audience = of_scope(request.environments, str(content["scope"]), request.own, needs_resource=False)
    found = for_person(request, client, live, audience)
    if audience.wants_refresh:
        name = text(client.program, "name")
        with request.environments.directory.writing() as session:
            found["refresh_token"] = refresh.begin(
                session, live, client.id, name, audience.environment.name, audience.scope
            )
    if audience.wants_id:
        found["id_token"] = id_token(request, client, live, None)
    return found


def confirm(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/sign-in/device`: the code, then the program that asks, then yes or no."""
    given = (visitor.request.query_params if fields is None else fields).get("user_code", "")
    code = "".join(letter for letter in given.upper() if letter in _LETTERS)[:_LENGTH]
    live = visitor.session()
    if live is None:
        return to_sign_in(f"/sign-in/device?user_code={code}")
    directory, answer = visitor.environments.directory, "" if fields is None else fields.get("answer", "")
    counted = guard.subjects(live.person, visitor.address, is_known_place=True)
    with directory.reading() as transaction:
        now = iso(directory.now())
        is_locked = guard.is_locked(transaction, counted, now)
        content = None if is_locked else look(transaction, Purpose.USER_CODE, code, now)
    if fields is None:
        return _page(visitor, "device.html", code=given[:20], refusal="")
    if content is None or content["session"] is not None or content["denied"]:
        if not is_locked:
            with directory.writing() as session:
                guard.count_failure(session, counted)
        return _page(visitor, "device.html", 400, code="", refusal=_("This code is not known, or it has ended."))
    if answer not in ("yes", "no"):
        return _page(visitor, "device-confirm.html", code=code, name=str(content["name"]))
    with directory.writing() as session:
        current = peek(session, Purpose.USER_CODE, code)
        if current is not None and current["session"] is None:
            decided: Content = {"session": live.id} if answer == "yes" else {"denied": True}
            rewrite(session, Purpose.USER_CODE, code, {**current, **decided})
    words = _("You are signed in on the device.") if answer == "yes" else _("The device was not signed in.")
    return _page(visitor, "message.html", text=words)


PAGES: Mapping[str, Handler] = {"/sign-in/device": confirm}


def _not_yet(content: Content | None, client: Guid, now: datetime) -> OAuthProblem | None:
    """Why there is no token, None when there is one."""
    if content is None or content["client"] != client:
        return OAuthProblem("expired_token", 70020, "The device code has ended, or is not one of this client.")
    if content["denied"]:
        return OAuthProblem("authorization_declined", 70018, "The person said no.")
    if content["session"] is not None:
        return None
    polled = content["polled"]
    if isinstance(polled, str) and now - datetime.fromisoformat(polled) < timedelta(seconds=INTERVAL_S):
        return OAuthProblem("slow_down", 70016, f"Ask again in {INTERVAL_S} seconds, not sooner.")
    return OAuthProblem("authorization_pending", 70016, "Nobody has entered the code yet.")


def _page(visitor: Visitor, template: str, status: int = 200, **values: object) -> Response:
    shown = page(template, visitor, title=_("Sign in on a device"), **values)
    return Response(shown, status, media_type="text/html")
