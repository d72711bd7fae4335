"""One's own account: sessions, password, second factor (TS-705, TS-707, TS-712).

What changes how somebody gets in asks for the password again when it was last given more than ten minutes ago
(step-up).
"""

from collections.abc import Mapping

from starlette.responses import RedirectResponse, Response

from strongroom.errors import InvalidRequest, StrongroomError
from strongroom.identity import factors, people, sessions, signin
from strongroom.identity.conditional.gate import PROOF_LASTS
from strongroom.identity.directory import Directory, get, text
from strongroom.identity.liveness import LiveSession
from strongroom.identity.passkeys import passkeys_of
from strongroom.identity.tables import RECOVERY_CODES, TOTP
from strongroom.ids import Reference, parse_guid
from strongroom.signin.pages import Handler, to_sign_in
from strongroom.signin.templating import page
from strongroom.signin.texts import marked as _
from strongroom.signin.texts import told
from strongroom.signin.visitor import Visitor, local

_SHOWN = 50


def overview(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/account`: what there is."""
    live = visitor.session()
    if live is None:
        return to_sign_in("/account")
    return _account(visitor, live) if fields is None else RedirectResponse("/account", 303)


def end_session(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/account/end-session`: end one of one's sessions, or all others."""
    live = visitor.session()
    if live is None or fields is None:
        return to_sign_in("/account")
    wanted = parse_guid(fields.get("session", ""))
    with _directory(visitor).writing() as session:
        person = people.person_by_id(session.transaction, live.person)
        if wanted is None:
            sessions.end_all(session, person, but=live.id)
        else:
            own = {row.id: row for row in sessions.of_person(session.transaction, person)}
            if wanted not in own:
                raise InvalidRequest(_("This is no session of yours."))
            sessions.end(session, own[wanted])
    return RedirectResponse("/account", 303)


def prove(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/account/prove`: the password again, with the code of one's app, then on to where it was asked for."""
    live = visitor.session()
    following = local((visitor.request.query_params if fields is None else fields).get("next", "")) or "/account"
    if live is None:
        return to_sign_in(following)
    refusal = ""
    if fields is not None:
        password, code = fields.get("password", ""), fields.get("code", "")[:100]
        if signin.prove_again(_directory(visitor), live.id, password, code, visitor.place()):
            return RedirectResponse(following, 303)
        refusal = _("The password or the code is not right, or too many attempts were made.")
    with _directory(visitor).reading() as transaction:
        person = people.person_by_id(transaction, live.person)
        values: dict[str, object] = {
            "next": following,
            "refusal": refusal,
            "has_password": people.password_of(transaction, person) is not None,
            "has_app": factors.has_second_factor(transaction, person),
            "provider": live.provider,
        }
    return _html(page("prove.html", visitor, title=_("Show that it is you"), **values), 400 if refusal else 200)


def change_password(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/account/password`: a new password; all other sessions end."""
    live = visitor.session()
    if live is None or fields is None:
        return to_sign_in("/account")
    if not is_proven(visitor, live):
        return RedirectResponse("/account/prove", 303)
    password, directory = fields.get("password", ""), _directory(visitor)
    try:
        if password != fields.get("again", ""):
            raise InvalidRequest(_("The two passwords are not the same."))
        with directory.reading() as transaction:
            person = people.person_by_id(transaction, live.person)
            people.demand_password(transaction, person, password)
    except StrongroomError as refusal:
        return _account(visitor, live, refusal=told(visitor.request, refusal))
    hashed = people.hashed(password)
    with directory.writing() as session:
        person = people.person_by_id(session.transaction, live.person)
        people.set_password(session, person, hashed, keep=live.id)
    return _account(visitor, live, notice=_("Your new password is in place, and all your other sessions have ended."))


def new_app(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/account/new-app`: set up an authenticator app."""
    live = visitor.session()
    if live is None:
        return to_sign_in("/account")
    if not is_proven(visitor, live):
        return RedirectResponse("/account/prove", 303)
    directory, refusal, secret = _directory(visitor), "", factors.new_totp_secret()
    if fields is not None and fields.get("code"):
        secret = fields.get("secret", "")
        try:
            with directory.writing() as session:
                person = people.person_by_id(session.transaction, live.person)
                codes = factors.add_totp(session, person, secret, fields["code"])
        except StrongroomError as error:
            refusal = told(visitor.request, error)
            secret = secret if factors.made_here(secret) else factors.new_totp_secret()
        else:
            return _codes(visitor, codes)
    with directory.reading() as transaction:
        login = text(people.person_by_id(transaction, live.person), "userprincipalname")
    values = {
        "step": "",
        "next": "",
        "secret": secret,
        "address": factors.totp_address(secret, login),
        "action": "/account/new-app",
        "refusal": refusal,
    }
    return _html(page("new-app.html", visitor, title=_("Set up a second factor"), **values), 400 if refusal else 200)


def remove_app(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/account/remove-app`: without a second factor from now on."""
    live = visitor.session()
    if live is None or fields is None:
        return to_sign_in("/account")
    if not is_proven(visitor, live):
        return RedirectResponse("/account/prove", 303)
    try:
        with _directory(visitor).writing() as session:
            factors.remove_totp(session, people.person_by_id(session.transaction, live.person))
    except StrongroomError as refusal:
        return _account(visitor, live, refusal=told(visitor.request, refusal))
    return RedirectResponse("/account", 303)


def new_codes(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/account/codes`: ten new recovery codes; the old ones are void."""
    live = visitor.session()
    if live is None or fields is None:
        return to_sign_in("/account")
    if not is_proven(visitor, live):
        return RedirectResponse("/account/prove", 303)
    with _directory(visitor).writing() as session:
        person = people.person_by_id(session.transaction, live.person)
        if not factors.has_second_factor(session.transaction, person):
            raise InvalidRequest(_("Recovery codes stand in for an authenticator app; set one up first."))
        codes = factors.new_recovery_codes(session, person)
    return _codes(visitor, codes)


PAGES: Mapping[str, Handler] = {
    "/account": overview,
    "/account/end-session": end_session,
    "/account/prove": prove,
    "/account/password": change_password,
    "/account/new-app": new_app,
    "/account/remove-app": remove_app,
    "/account/codes": new_codes,
}


def _directory(visitor: Visitor) -> Directory:
    return visitor.environments.directory


def is_proven(visitor: Visitor, live: LiveSession) -> bool:
    """Whether the person has shown who they are within the last ten minutes."""
    return visitor.environments.clock.now() - live.proven_on < PROOF_LASTS


def _account(visitor: Visitor, live: LiveSession, *, refusal: str = "", notice: str = "") -> Response:
    now = visitor.environments.clock.now()
    with _directory(visitor).reading() as transaction:
        person = get(transaction, Reference("directoryuser", live.person))
        app = people.method_of(transaction, person, TOTP)
        codes = people.method_of(transaction, person, RECOVERY_CODES)
        own = [row for row in sessions.of_person(transaction, person)[:_SHOWN] if sessions.is_live(row, now)]
        listed = [
            {
                "id": row.id,
                "device": text(row, "name"),
                "address": text(row, "address"),
                "began": text(row, "createdon"),
                "used": text(row, "lastusedon"),
                "factors": text(row, "factors"),
                "is_this": row.id == live.id,
            }
            for row in own
        ]
        values: dict[str, object] = {
            "login": text(person, "userprincipalname"),
            "name": text(person, "name"),
            "sessions": listed,
            "has_app": app is not None,
            "passkeys": [
                {"id": row.id, "name": text(row, "name"), "used": text(row, "lastusedon")}
                for row in passkeys_of(transaction, person)
            ],
            "codes_left": 0 if codes is None else codes.values.get("remaining"),
            "refusal": refusal,
            "notice": notice,
        }
    return _html(page("account.html", visitor, title=_("Your account"), **values), 400 if refusal else 200)


def _codes(visitor: Visitor, codes: list[str]) -> Response:
    shown = [factors.shown(code) for code in codes]
    return _html(page("codes.html", visitor, title=_("Your recovery codes"), codes=shown, next="/account"))


def _html(text_: str, status: int = 200) -> Response:
    return Response(text_, status, media_type="text/html")
