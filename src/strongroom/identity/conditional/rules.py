"""What hangs in the verbs of policies and what they name (TS-725): mistakes are refused, and so is a change after which
the one who makes it, or every administrator, would be locked out."""

from dataclasses import replace

from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE
from strongroom.errors import Conflict, InvalidRequest
from strongroom.identity.conditional.model import ClientKind, Device, Policy, Signals, State, decide
from strongroom.identity.conditional.people import known_of
from strongroom.identity.conditional.policies import load
from strongroom.identity.conditional.reading import Reader, networks_of, words
from strongroom.identity.conditional.tables import GROUP, LOCATION, POLICY
from strongroom.ids import Guid, Reference
from strongroom.records import Event, Rules, Session
from strongroom.records.platform_user import SYSTEM_USER
from strongroom.store.layout import fold
from strongroom.store.protocol import Row, Value

_MOST_EMERGENCY = 2
_ROLES = "systemuserroles_association"
_USERS = ("includeusers", "excludeusers")


def register(rules: Rules) -> None:
    """Hang all of them."""
    rules.on(Event.BEFORE_CREATE, POLICY, _check_new, name="conditional access: policies that make sense (TS-725)")
    rules.on(Event.BEFORE_UPDATE, POLICY, _check, name="conditional access: policies that make sense (TS-725)")
    rules.on(Event.BEFORE_CREATE, LOCATION, _check_location, name="conditional access: networks are networks")
    rules.on(Event.BEFORE_UPDATE, LOCATION, _check_location, name="conditional access: networks are networks")
    rules.on(Event.BEFORE_UPDATE, "directoryuser", _limit_emergency, name="conditional access: two emergency accounts")
    for table in (LOCATION, GROUP):
        rules.on(Event.BEFORE_DELETE, table, _refuse_named, name="conditional access: what policies name stays")
    for event in (Event.AFTER_CREATE, Event.AFTER_UPDATE, Event.AFTER_DELETE):
        for table in (POLICY, LOCATION):
            rules.on(event, table, _keep_a_way_in, name="conditional access: nobody locks out unawares (TS-725)")


def _check_new(session: Session, row: Row, values: dict[str, Value]) -> None:
    if values.get("state") is None:
        values["state"] = row.values["state"] = State.OFF.value
    _check(session, replace(row, values={}), values)


def _check(session: Session, row: Row, changes: dict[str, Value]) -> None:
    reader = Reader(session.transaction)
    reader.policy(row.id, {**row.values, **changes})
    for column in _USERS:
        if changes.get(column) is not None:
            changes[column] = reader.lasting(column, changes[column])


def _check_location(session: Session, row: Row, values: dict[str, Value]) -> None:
    if "name" in values and values["name"] != row.values.get("name"):
        _refuse_named(session, row, values)
    after = replace(row, values={**row.values, **values})
    if not networks_of(after):
        raise InvalidRequest(
            "A named location has at least one network, such as 192.0.2.0/24.",
            details={"reason": "bad-cidr", "rule": "TS-725", "target": "networks"},
        )


def _limit_emergency(session: Session, row: Row, changes: dict[str, Value]) -> None:
    if changes.get("emergencyaccess") is not True:
        return
    others = session.transaction.rows_where(session.table("directoryuser"), {"emergencyaccess": True})
    if sum(other.id != row.id for other in others) >= _MOST_EMERGENCY:
        raise Conflict(
            f"There are {_MOST_EMERGENCY} emergency accounts already: "
            + ", ".join(str(other.values.get("userprincipalname")) for other in others),
            details={"reason": "too-many-emergency-accounts", "rule": "TS-725", "target": "emergencyaccess"},
        )


def _refuse_named(session: Session, row: Row, _: dict[str, Value]) -> None:
    demand_unnamed(session, row)


def demand_unnamed(session: Session, row: Row) -> None:
    """Raise `Conflict` when a policy names a group or location: with it gone, the policy would not know whom it
    means."""
    names = {f"group:{row.id}", str(row.values.get("name"))}
    columns = _USERS if row.table.logical_name == GROUP else ("includenetworks", "excludenetworks")
    for policy in session.transaction.rows_where(session.table(POLICY), {}):
        if any(not names.isdisjoint(words(policy.values.get(column))) for column in columns):
            raise Conflict(
                f"The policy '{policy.values.get('name')}' names it; change the policy first.",
                details={"reason": "named-by-policy", "rule": "TS-725", "target": row.table.logical_name},
            )


# --- no lock-out -------------------------------------------------------------------------------------------------


def _keep_a_way_in(session: Session, _: Row, __: dict[str, Value]) -> None:
    session.transaction.bump_security_epoch()
    policies = tuple(policy for policy in load(session.transaction) if policy.state is State.ON)
    if not policies:
        return
    own = session.caller.facts.directory_object_id
    administrators = _administrators(session)
    locked = {name for name, person in administrators.items() if not _gets_in(session, policies, person)}
    me = next((name for name, person in administrators.items() if person == own), None)
    if me in locked or (administrators and len(locked) == len(administrators)):
        raise Conflict(
            "With this change these administrators would not get in any more: "
            + ", ".join(sorted(locked))
            + ". Exclude one of them, mark an emergency account, or try the policy in report-only mode first.",
            details={"reason": "would-lock-out", "rule": "TS-725", "target": "state"},
        )


def _administrators(session: Session) -> dict[str, Guid]:
    """People who administer the control environment, by sign-in name: their ids in the directory."""
    transaction = session.transaction
    template = Reference("roletemplate", SYSTEM_ADMINISTRATOR_TEMPLATE)
    association = session.schema.many_to_many[_ROLES]
    found: dict[str, Guid] = {}
    for role in transaction.rows_where(session.table("role"), {"roletemplateid": template}):
        for user_id in transaction.linked(association, role.id, from_first=association.table1 == "role"):
            user = transaction.row(session.table("systemuser"), user_id)
            person = None if user is None else user.values.get("azureactivedirectoryobjectid")
            if user is None or user.id == SYSTEM_USER or user.values.get("isdisabled") or not isinstance(person, str):
                continue
            account = transaction.row(session.table("directoryuser"), Guid(person))
            if account is not None and account.values.get("accountenabled") is True:
                found[str(account.values.get("userprincipalname"))] = Guid(person)
    return found


def _places(session: Session, policies: tuple[Policy, ...], person: Guid) -> list[tuple[str, Device | None]]:
    """Where a person comes from: this request for the one who makes it, sessions for the others."""
    here = (session.request.address or "", None)
    if person == session.caller.facts.directory_object_id:
        return [here]
    table = session.table("signinsession")
    rows = session.transaction.rows_where(table, {"directoryuserid": Reference("directoryuser", person)})
    kept = [(str(row.values.get("address") or ""), _device(row)) for row in rows[-20:]]
    return kept or [(address, None) for address in _somewhere(policies)]


def _somewhere(policies: tuple[Policy, ...]) -> list[str]:
    """Addresses to try for somebody who never came: those that policies leave out, and some that nobody has."""
    left_out = [str(network[0]) for policy in policies for network in policy.excluded_networks]
    return [*left_out, "192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1"]


def _device(row: Row) -> Device | None:
    value = row.values.get("devicestate")
    return Device(value) if isinstance(value, int) else None


def _gets_in(session: Session, policies: tuple[Policy, ...], person: Guid) -> bool:
    """Whether there is a way: with every factor, from one of the places, in the browser or by a program."""
    known = known_of(session.transaction, person)
    signals = Signals(
        now=session.clock.now(),
        person=person,
        is_guest=known.is_guest,
        is_emergency=known.is_emergency,
        groups=known.groups,
        roles=frozenset({fold("System Administrator")}),
        environment="control",
        factors=frozenset({"mfa", "hwk"}),
        user_risk=known.risk,
    )
    return any(
        decide(policies, replace(signals, address=address, device=device, kind=kind)).is_granted
        for address, device in _places(session, policies, person)
        for kind in ClientKind
    )
