"""The rules that the directory's tables hang in the verbs of the control environment."""

from strongroom.errors import Conflict
from strongroom.identity import sessions, signinlog
from strongroom.identity.conditional import rules as conditional
from strongroom.identity.federation import providers
from strongroom.records import Event, Rules, Session
from strongroom.store.protocol import Row, Value

_DECIDING = (
    "directoryuser",
    "applicationregistration",
    "applicationcredential",
    "signinsession",
    "refreshtokenfamily",
    "organization",
    "directorygroup",
    "directorygroupmember",
    "riskevent",
    "identityprovider",
    "tenantaccessrule",
)
"""Tables whose rows decide who is let in: a change is in force for the next request, in every process (TS-712)."""


def register_rules(rules: Rules) -> None:
    """Hang all of them, in this order."""
    signinlog.register(rules)
    sessions.register(rules)
    conditional.register(rules)
    providers.register(rules)
    rules.on(Event.BEFORE_DELETE, "directoryuser", _keep, name="identity: accounts are disabled, not deleted")
    for table in _DECIDING:
        for event in (Event.AFTER_UPDATE, Event.AFTER_DELETE):
            rules.on(event, table, _renew, name="identity: changes hold at once (TS-712)")


def _keep(_: Session, row: Row, __: dict[str, Value]) -> None:
    raise Conflict(
        f"The account '{row.values.get('userprincipalname')}' is not deleted, because sign-ins name it: set "
        "accountenabled to false."
    )


def _renew(session: Session, _: Row, __: dict[str, Value]) -> None:
    session.transaction.bump_security_epoch()
