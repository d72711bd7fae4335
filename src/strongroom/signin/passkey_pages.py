"""Passkeys at the door and in one's account (TS-706): the only pages with a script, because browsers give passkeys to
scripts alone. The policy of these two pages allows that one file."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from strongroom.errors import StrongroomError
from strongroom.identity import passkeys, people
from strongroom.identity.passkeys import Ceremony, Host
from strongroom.ids import parse_guid
from strongroom.signin.account import is_proven
from strongroom.signin.pages import Handler, entered, of_policy, to_sign_in
from strongroom.signin.templating import page
from strongroom.signin.texts import marked as _
from strongroom.signin.texts import told
from strongroom.signin.visitor import Visitor, local

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_REFUSED = _("This passkey opens nothing here. Try again, or sign in another way.")


def sign_in(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/sign-in/passkey`: in place of password and second factor."""
    directory, host = visitor.environments.directory, _host(visitor)
    if fields is None:
        return _ask(visitor, local(visitor.request.query_params.get("next", "")))
    following = local(fields.get("next", ""))
    with directory.writing() as session:
        answer, challenge = fields.get("answer", ""), fields.get("challenge", "")
        outcome = passkeys.finish_sign_in(session, answer, challenge, host, visitor.place())
    if outcome.token is None:
        return _ask(visitor, following, of_policy(visitor, outcome) or _REFUSED)
    return entered(visitor, outcome, following)


def add(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/account/new-passkey`: a passkey of one's own."""
    live = visitor.session()
    if live is None:
        return to_sign_in("/account")
    if not is_proven(visitor, live):
        return RedirectResponse("/account/prove", 303)
    refusal, host = "", _host(visitor)
    with visitor.environments.directory.writing() as session:
        person = people.person_by_id(session.transaction, live.person)
        if fields is not None:
            answer, challenge, name = (fields.get(each, "") for each in ("answer", "challenge", "name"))
            try:
                passkeys.finish_registration(session, person, answer, challenge, host, name)
            except StrongroomError as error:
                refusal = told(visitor.request, error)
            else:
                return RedirectResponse("/account", 303)
        ceremony = passkeys.begin_registration(session, person, host)
    return _page(visitor, ceremony, "create", "/account/new-passkey", "", refusal)


def remove(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/account/remove-passkey`."""
    live = visitor.session()
    if live is None or fields is None:
        return to_sign_in("/account")
    if not is_proven(visitor, live):
        return RedirectResponse("/account/prove", 303)
    wanted = parse_guid(fields.get("passkey", ""))
    with visitor.environments.directory.writing() as session:
        person = people.person_by_id(session.transaction, live.person)
        if wanted is not None:
            passkeys.remove(session, person, wanted)
    return RedirectResponse("/account", 303)


PAGES: Mapping[str, Handler] = {
    "/sign-in/passkey": sign_in,
    "/account/new-passkey": add,
    "/account/remove-passkey": remove,
}


def _ask(visitor: Visitor, following: str, refusal: str = "") -> Response:
    with visitor.environments.directory.writing() as session:
        ceremony = passkeys.begin_sign_in(session, _host(visitor))
    return _page(visitor, ceremony, "get", "/sign-in/passkey", following, refusal)


def _page(visitor: Visitor, ceremony: Ceremony, kind: str, action: str, following: str, refusal: str) -> Response:
    title = _("New passkey") if kind == "create" else _("Sign in with a passkey")
    values = {
        "kind": kind,
        "action": action,
        "options": ceremony.options,
        "challenge": ceremony.challenge,
        "next": following,
        "refusal": refusal,
    }
    text = page("passkey.html", visitor, title=title, **values)
    headers = {"Content-Security-Policy": POLICY}
    return Response(text, 400 if refusal else 200, headers, "text/html")


def _host(visitor: Visitor) -> Host:
    return Host(urlsplit(visitor.origin).hostname or "", visitor.origin)
