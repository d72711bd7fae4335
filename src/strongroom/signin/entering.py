"""From somebody whom the directory knows to a user of an environment, and to the token that lets them in."""

from datetime import timedelta

from strongroom.audit.activities import Activity, Actor, activity
from strongroom.clock import iso
from strongroom.environment import Environment, Environments
from strongroom.errors import Unauthenticated
from strongroom.identity import TokenClaims, issue
from strongroom.identity.liveness import LiveSession
from strongroom.identity.people import user_of
from strongroom.identity.signinlog import Place
from strongroom.identity.tokens import Bearer
from strongroom.ids import Guid
from strongroom.signin.problems import not_a_user
from strongroom.store.protocol import Row

LONGEST_ACCESS = timedelta(minutes=60)
"""How long an access token lives at most (TS-713)."""

_OF_SESSION = "session"


def user_for_person(environment: Environment, person: Guid) -> Row | None:
    """The enabled user that a person is in an environment."""
    with environment.database.read() as transaction:
        return _enabled(user_of(transaction, person))


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
        user = user_for_person(environment, live.person)
        if user is not None:
            claims = TokenClaims(
                user.id, environment.id, live.id, _OF_SESSION, live.proven_on, live.expires_on, live.id
            )
            return environment, claims
    raise Unauthenticated("The requested resource requires authentication.")


def _enabled(user: Row | None) -> Row | None:
    return None if user is None or user.values.get("isdisabled") else user
