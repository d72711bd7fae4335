"""From somebody whom the directory knows to a user of an environment, and to the token that lets them in."""

from datetime import timedelta

from strongroom.audit.activities import Activity, Actor, activity
from strongroom.clock import iso
from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import Unauthenticated
from strongroom.identity import TokenClaims, issue
from strongroom.identity.conditional.people import known_of
from strongroom.identity.directory import text
from strongroom.identity.groups import misfits
from strongroom.identity.liveness import LiveSession
from strongroom.identity.membership import make_user_of_platform
from strongroom.identity.people import user_of
from strongroom.identity.signinlog import Place
from strongroom.identity.tokens import Bearer
from strongroom.ids import Guid
from strongroom.records import Session
from strongroom.records.platform_user import platform_caller
from strongroom.signin.problems import not_a_user
from strongroom.store.protocol import Row

LONGEST_ACCESS = timedelta(minutes=60)
"""How long an access token lives at most (TS-713)."""

_OF_SESSION = "session"


def user_for_person(environment: Environment, person: Guid) -> Row | None:
    """The enabled user that a person is in an environment."""
    with environment.database.read() as transaction:
        return _enabled(user_of(transaction, person))


def enter_just_in_time(environments: Environments, environment: Environment, person: Guid) -> Row | None:
    """The user that a person is, made now where a group team of the environment names a group of theirs (TS-708,
    TS-726): what they may is what the team's roles say, and they join it with their first request."""
    found = user_for_person(environment, person)
    if found is not None:
        return found
    with environments.directory.reading() as transaction:
        row = transaction.row(transaction.schema.tables["directoryuser"], person)
        known = known_of(transaction, person)
    with environment.database.read() as transaction:
        if row is None or user_of(transaction, person) is not None:
            return None
        has_team = bool(misfits(transaction, person, known.groups, known.groups, is_guest=known.is_guest))
    if not has_team:
        return None
    with environment.database.write() as transaction:
        caller = platform_caller(transaction.schema)
        session = Session(transaction, caller, environment.clock, environment.rules)
        login, name = text(row, "userprincipalname"), text(row, "name")
        if session.transaction.row_by_key(session.table("systemuser"), {"domainname": login}) is not None:
            return None  # somebody of before has the name: an administrator ties the two
        made = make_user_of_platform(session, person, login, name)
    with environment.database.read() as transaction:
        return transaction.row(transaction.schema.tables["systemuser"], made)


def user_for_program(environment: Environment, client: Guid) -> Row | None:
    """The enabled application user of a program in an environment (TS-716)."""
    with environment.database.read() as transaction:
        table = transaction.schema.tables["systemuser"]
        found = transaction.rows_where(table, {"applicationid": client}, limit=2)
        return _enabled(found[0] if len(found) == 1 else None)


def access_token(
    environments: Environments, environment: Environment, user: Row | None, bearer: Bearer, place: Place
) -> str:
    """An access token for a user; the environment's activity log tells of it. Raises `OAuthProblem` access_denied when
    there is no user (WA-23)."""
    if user is None:
        raise not_a_user(environment.name)
    told = activity(
        Actor(
            iso(environments.clock.now()), user.reference(), address=place.address or None, client=place.device or None
        ),
        Activity.TOKEN_ISSUED,
        details={"application": place.application or None, "credential": bearer.credential, "session": bearer.session},
    )
    with environment.database.write() as transaction:
        transaction.append_activity((told,))
    return issue(environments.keys, environment.id, user.id, environments.clock, LONGEST_ACCESS, bearer)


def claims_of_session(
    environments: Environments, live: LiveSession, name: str | None
) -> tuple[Environment, TokenClaims]:
    """What a signed-in browser may do, in the environment `name` or in the first one that the person may enter, the
    default one before others. Raises `Unauthenticated` when the person is no user there."""
    names = [name] if name is not None else [environments.default().name, *sorted(environments.names)]
    for each in names:
        if each not in environments.names:
            break
        environment = environments.named(each)
        user = enter_just_in_time(environments, environment, live.person)
        if user is not None:
            claims = TokenClaims(
                user.id, environment.id, live.id, _OF_SESSION, live.proven_on, live.expires_on, live.id
            )
            return environment, claims
    raise Unauthenticated("The requested resource requires authentication.")


def _enabled(user: Row | None) -> Row | None:
    return None if user is None or user.values.get("isdisabled") else user
