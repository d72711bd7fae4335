"""Signing in, second steps and recovery, as pages without scripts (TS-702 to TS-707).

A sign-in that ends at a program's address goes there over a page of its own: browsers apply the policy for forms to
redirects that follow one, and programs live elsewhere.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from strongroom.errors import InvalidRequest
from strongroom.identity import people, sessions, signin
from strongroom.identity.directory import get, text
from strongroom.identity.factors import made_here, new_totp_secret, shown, totp_address
from strongroom.identity.federation import providers
from strongroom.identity.signinlog import Result, record
from strongroom.ids import Reference
from strongroom.signin.templating import page
from strongroom.signin.texts import marked as _
from strongroom.signin.texts import texts_of, told
from strongroom.signin.visitor import Visitor, local

Handler = Callable[[Visitor, Mapping[str, str] | None], Response]
"""A page: the fields are None unless a form was sent."""

_REFUSED = _("The sign-in name or the password is not right, or too many attempts were made. Try again in a while.")
_AFTER = "/account"


def to_sign_in(following: str) -> Response:
    """To the door, and from there on to `following`."""
    return RedirectResponse(f"/sign-in?{urlencode({'next': following})}", 303)


def sign_in(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/sign-in`: name and password."""
    if fields is None:
        following = local(visitor.request.query_params.get("next", ""))
        return _door(visitor, following)
    following, login = local(fields.get("next", "")), fields.get("login", "")[:320]
    directory = visitor.environments.directory
    outcome = signin.with_password(directory, login, fields.get("password", ""), visitor.place())
    if outcome.must_enrol and outcome.step:
        return _enrolment(visitor, outcome.step, following, login)
    if outcome.step:
        return _second_step(visitor, outcome.step, following)
    if outcome.token is None:
        return _door(visitor, following, login=login, refusal=of_policy(visitor, outcome) or _REFUSED)
    return entered(visitor, outcome, following)


def second_step(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/sign-in/code`: the code of an app, or a recovery code."""
    if fields is None:
        return RedirectResponse("/sign-in", 303)
    step, following = fields.get("step", ""), local(fields.get("next", ""))
    outcome = signin.with_code(visitor.environments.directory, step, fields.get("code", "")[:100], visitor.place())
    if outcome.step:
        return _second_step(visitor, step, following, refusal=_("This code does not fit. Each code works once."))
    if outcome.token is None:
        return _door(visitor, following, refusal=of_policy(visitor, outcome) or _("This step has ended. Begin again."))
    return entered(visitor, outcome, following)


def enrol(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/sign-in/new-app`: setting up the second factor that the account must have."""
    if fields is None:
        return RedirectResponse("/sign-in", 303)
    step, following, secret = fields.get("step", ""), local(fields.get("next", "")), fields.get("secret", "")
    directory = visitor.environments.directory
    try:
        outcome = signin.with_new_app(directory, step, secret, fields.get("code", ""), visitor.place())
    except InvalidRequest as refusal:
        return _enrolment(visitor, step, following, "", secret=secret, refusal=told(visitor.request, refusal))
    if outcome.token is None:
        return _door(visitor, following, refusal=of_policy(visitor, outcome) or _("This step has ended. Begin again."))
    return entered(visitor, outcome, following)


def sign_out_page(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/sign-out`: asks first, because a link from elsewhere can lead here."""
    if fields is None:
        return _html(page("sign-out.html", visitor, title=_("Sign out")))
    live = visitor.session()
    if live is not None:
        with visitor.environments.directory.writing() as session:
            sessions.end(session, get(session.transaction, Reference("signinsession", live.id)))
    with visitor.environments.directory.reading() as transaction:
        came_from = None if live is None or live.provider is None else providers.by_id(transaction, live.provider)
    there = came_from.id if came_from is not None and came_from.ends_there else ""
    response = _html(page("signed-out.html", visitor, title=_("Signed out"), there=there))
    visitor.forget_session(response)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def forgotten(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/sign-in/forgotten`: the same answer whoever it is about (TS-704)."""
    if fields is None:
        return _html(page("forgotten.html", visitor, title=_("Forgotten password")))
    login = fields.get("login", "")[:320]
    with visitor.environments.directory.writing() as session:
        person = people.find_person(session.transaction, login) if login.strip() else None
        reference = None if person is None else person.reference()
        record(session, visitor.place(), Result.INTERRUPTED, login=login, person=reference, reason="password-forgotten")
    words = _(
        "If there is such an account, its administrator sees your request and can give you a link to a new password."
    )
    return _html(page("message.html", visitor, title=_("Asked"), text=words))


def reset(visitor: Visitor, fields: Mapping[str, str] | None) -> Response:
    """`/sign-in/new-password`: a one-time link. It never signs in by itself (TS-704)."""
    token = (visitor.request.query_params if fields is None else fields).get("token", "")
    directory = visitor.environments.directory
    with directory.reading() as transaction:
        person = people.person_of_link(transaction, token, directory.clock)
    if person is None:
        ended = _("This link was used already, or it has ended. Ask for a new one.")
        return _html(page("message.html", visitor, title=_("This link has ended"), text=ended), 400)
    if fields is None:
        return _new_password(visitor, token)
    password = fields.get("password", "")
    try:
        if password != fields.get("again", ""):
            raise InvalidRequest(_("The two passwords are not the same."))
        with directory.reading() as transaction:
            people.demand_password(transaction, person, password)
    except InvalidRequest as refusal:
        return _new_password(visitor, token, told(visitor.request, refusal))
    hashed = people.hashed(password)
    with directory.writing() as session:
        person = people.use_link(session, token)
        if person is not None:
            people.set_password(session, person, hashed)
            login = text(person, "userprincipalname")
            reason = "password-reset"
            record(session, visitor.place(), Result.INTERRUPTED, login=login, person=person.reference(), reason=reason)
    return _door(visitor, "", notice=_("Your new password is in place. Sign in with it."))


PAGES: Mapping[str, Handler] = {
    "/sign-in": sign_in,
    "/sign-in/code": second_step,
    "/sign-in/new-app": enrol,
    "/sign-in/forgotten": forgotten,
    "/sign-in/new-password": reset,
    "/sign-out": sign_out_page,
}


def of_policy(visitor: Visitor, outcome: signin.Outcome) -> str:
    """What is told to somebody who has shown who they are and whom a policy keeps out (TS-723)."""
    if not outcome.refusal:
        return ""
    if outcome.refusal == "blocked":
        return _("A policy of your organization keeps this sign-in out. Ask its administrator.")
    words = texts_of(visitor.request)
    return words("A policy of your organization asks for more than this sign-in shows: %(what)s.", what=outcome.refusal)


def _door(visitor: Visitor, following: str, *, login: str = "", refusal: str = "", notice: str = "") -> Response:
    with visitor.environments.directory.reading() as transaction:
        listed = [{"id": each.id, "name": each.name} for each in providers.enabled(transaction)]
    values: dict[str, object] = {
        "next": following,
        "login": login,
        "refusal": refusal,
        "notice": notice,
        "providers": listed,
    }
    return _html(page("sign-in.html", visitor, title=_("Sign in"), **values), 400 if refusal else 200)


def _second_step(visitor: Visitor, step: str, following: str, refusal: str = "") -> Response:
    values = {"step": step, "next": following, "refusal": refusal}
    return _html(page("second-step.html", visitor, title=_("One more step"), **values), 400 if refusal else 200)


def _enrolment(
    visitor: Visitor, step: str, following: str, login: str, *, secret: str = "", refusal: str = ""
) -> Response:
    secret = secret if made_here(secret) else new_totp_secret()
    person = signin.person_of_step(visitor.environments.directory, step)
    name = login if person is None else text(person, "userprincipalname")
    values = {
        "step": step,
        "next": following,
        "secret": secret,
        "address": totp_address(secret, name),
        "action": "/sign-in/new-app",
        "refusal": refusal,
    }
    return _html(page("new-app.html", visitor, title=_("Set up a second factor"), **values), 400 if refusal else 200)


def _new_password(visitor: Visitor, token: str, refusal: str = "") -> Response:
    values = {"token": token, "refusal": refusal}
    return _html(page("new-password.html", visitor, title=_("New password"), **values), 400 if refusal else 200)


def entered(visitor: Visitor, outcome: signin.Outcome, following: str) -> Response:
    """On to where somebody wanted to go. A session that the browser had before is ended: nobody can plant one."""
    target = following or _AFTER
    if outcome.recovery_codes:
        codes = [shown(code) for code in outcome.recovery_codes]
        response = _html(page("codes.html", visitor, title=_("Your recovery codes"), codes=codes, next=target))
    elif "/oauth2/" in target:
        response = _html(page("go-on.html", visitor, title=_("You are signed in"), next=target))
    else:
        response = RedirectResponse(target, 303)
    before = visitor.session()
    if before is not None:
        with visitor.environments.directory.writing() as session:
            sessions.end(session, get(session.transaction, Reference("signinsession", before.id)))
    if outcome.token is not None:
        visitor.remember_session(response, outcome.token)
    return response


def _html(text_: str, status: int = 200) -> Response:
    return Response(text_, status, media_type="text/html")
