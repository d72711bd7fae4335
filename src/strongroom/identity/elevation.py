"""Roles for a time: who may take which role, taking it, and giving it back by itself (TS-730).

A row of `roleeligibility` says that a user may take a role, for how long at most, and who has to agree, if anybody.
Whoever gives such a row away must hold what the role gives, like for giving the role itself (SM-29). Taking it is an
act with a reason, which asks for a fresh proof of identity where the caller is in a session; it is a row of
`adminactivation`, which nobody changes. The role is held like any other while it lasts, so running sessions have it
with the next request, and lose it with the next one after its end.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import NoReturn

from strongroom.access.resolve import require_usable
from strongroom.audit.entries import Action
from strongroom.clock import Clock, iso
from strongroom.errors import AccessDenied, Conflict, InvalidRequest, NotFound
from strongroom.identity.step_up import demand_proof
from strongroom.ids import Guid, Key, Reference
from strongroom.records import Event, Rules, Session
from strongroom.records.create import store_new
from strongroom.records.platform_user import platform_caller
from strongroom.records.security_rules.administrators import demand_other_administrator
from strongroom.records.security_rules.handing_out import demand_coverage
from strongroom.records.security_rules.roles import is_system_administrator
from strongroom.records.trail import record_act
from strongroom.records.update import write_changes
from strongroom.schema.model import ColumnType, Table
from strongroom.schema.platform_tables import Given, platform_table
from strongroom.store.protocol import Database, Row, Transaction, Value

ELIGIBILITY, ACTIVATION = "roleeligibility", "adminactivation"
MOST_MINUTES = 480
WAITING, ACTIVE, ENDED, DENIED = 1, 2, 3, 4
"""`adminactivation.activationstate`."""

STATES: Mapping[int, str] = {WAITING: "Waiting", ACTIVE: "Active", ENDED: "Ended", DENIED: "Denied"}

_ROLES = "systemuserroles_association"


@cache
def elevation_tables() -> tuple[Table, ...]:
    """The two tables, which every environment has."""
    text, when, lookup = ColumnType.STRING, ColumnType.DATETIME, ColumnType.LOOKUP
    return (
        platform_table(
            ELIGIBILITY,
            "Role Eligibility",
            10771,
            (
                Given("name", text, "Name", written=True),
                Given("systemuserid", lookup, "User", target="systemuser", written=True),
                Given("roleid", lookup, "Role", target="role", written=True),
                Given("maxminutes", ColumnType.INTEGER, "Minutes at Most", written=True),
                Given("approverid", lookup, "Approver", target="systemuser", written=True),
                Given("expireson", when, "Ends", written=True),
            ),
            description="A role that a user may take for a time.",
            plural="roleeligibilities",
        ),
        platform_table(
            ACTIVATION,
            "Role Activation",
            10772,
            (
                Given("name", text, "Role"),
                Given("roleeligibilityid", ColumnType.UNIQUEIDENTIFIER, "Eligibility"),
                Given("systemuserid", lookup, "User", target="systemuser"),
                Given("roleid", lookup, "Role", target="role"),
                Given("approverid", lookup, "Decided By", target="systemuser"),
                Given("reason", text, "Reason", length=1000),
                Given("ticket", text, "Ticket"),
                Given("minutes", ColumnType.INTEGER, "Minutes"),
                Given(
                    "activationstate",
                    ColumnType.PICKLIST,
                    "State",
                    options=("Waiting", "Active", "Ended", "Denied"),
                    indexed=True,
                ),
                Given("startedon", when, "Started"),
                Given("endson", when, "Ends"),
                Given("endedon", when, "Ended"),
            ),
            description="A role that was taken for a time: by whom, why, until when.",
        ),
    )


def register(rules: Rules) -> None:
    """Hang the checks in the verbs."""
    rules.on(Event.BEFORE_CREATE, ELIGIBILITY, _check_new, name="elevation: nobody offers more than they hold (TS-730)")
    rules.on(Event.BEFORE_UPDATE, ELIGIBILITY, _check_change, name="elevation: who and what stay (TS-730)")
    rules.on(Event.BEFORE_DELETE, ELIGIBILITY, _check_removal, name="elevation: step-up (TS-723)")
    for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE, Event.BEFORE_DELETE):
        rules.on(event, ACTIVATION, _refuse, name="elevation: activations are a ledger (TS-003)")


def activate(session: Session, role: Guid, minutes: int, reason: str, ticket: str = "") -> Row:
    """Take a role that the caller may take; it ends by itself. Where somebody has to agree, it waits for them.

    Raises `AccessDenied` without an eligibility, `InvalidRequest` for more minutes than it allows or no reason, and
    `Conflict` when the caller has the role already.
    """
    require_usable(session.caller)
    demand_proof(session)
    eligibility = _eligibility(session, role)
    allowed = eligibility.values.get("maxminutes")
    most = min(allowed, MOST_MINUTES) if isinstance(allowed, int) else MOST_MINUTES
    if not 1 <= minutes <= most:
        raise _wrong(f"The role can be taken for 1 to {most} minutes.", "Minutes")
    if not reason.strip() or len(reason) > 1000:
        raise _wrong("A reason of 1 to 1,000 characters is needed.", "Reason")
    if _holds(session, session.caller.id, role):
        raise Conflict("You hold this role already.")
    if any(row.values.get("roleid") == Reference("role", role) for row in _open_of(session, session.user)):
        raise Conflict("You have asked for this role already, or taken it.")
    found = session.transaction.row(session.table("role"), role)
    values: dict[str, Value] = {
        "name": str(found.values.get("name")) if found else "",
        "roleeligibilityid": eligibility.id,
        "systemuserid": session.user,
        "roleid": Reference("role", role),
        "reason": reason,
        "ticket": ticket or None,
        "minutes": minutes,
        "activationstate": WAITING,
    }
    made = store_new(session, session.table(ACTIVATION), values)
    if eligibility.values.get("approverid") is None:
        _begin(session, made)
    return made


def decide(session: Session, activation: Guid, *, agrees: bool) -> Row:
    """What the approver says to a role that somebody asked for. Raises `AccessDenied` for everybody else."""
    require_usable(session.caller)
    demand_proof(session)
    row = _activation(session, activation)
    eligibility = session.transaction.row(session.table(ELIGIBILITY), Guid(str(row.values["roleeligibilityid"])))
    approver = eligibility.values.get("approverid") if eligibility else None
    if approver != session.user or row.values.get("systemuserid") == session.user:
        raise AccessDenied("Only the approver of this role decides.", details={"rule": "TS-730"})
    if row.values.get("activationstate") != WAITING:
        raise Conflict("This was decided already.")
    write_changes(session, row, {"approverid": session.user})
    if agrees:
        _begin(session, row)
    else:
        write_changes(session, row, {"activationstate": DENIED, "endedon": session.now})
    return row


def end(session: Session, activation: Guid) -> Row:
    """Give a role back before its time: by who took it, or by an administrator."""
    require_usable(session.caller)
    row = _activation(session, activation)
    if row.values.get("systemuserid") != session.user and not session.caller.is_system_administrator:
        raise AccessDenied("A role is given back by whoever took it, or by an administrator.")
    if row.values.get("activationstate") not in (WAITING, ACTIVE):
        raise Conflict("This has ended already.")
    _end(session, row)
    return row


def end_due(database: Database, rules: Rules, clock: Clock) -> int:
    """Take back the roles whose time is over, or whose eligibility is gone, in the platform's name; how many."""
    with database.read() as transaction:
        if ACTIVATION not in transaction.schema.tables or not _due(transaction, iso(clock.now())):
            return 0
    with database.write() as transaction:
        session = Session(transaction, platform_caller(transaction.schema), clock, rules)
        due = _due(transaction, session.now)
        for row in due:
            _end(session, row)
    return len(due)


# --- pieces ---------------------------------------------------------------------------------------------------------


def _due(transaction: Transaction, now: str) -> list[Row]:
    tables = transaction.schema.tables
    running = [
        row
        for state in (WAITING, ACTIVE)
        for row in transaction.rows_where(tables[ACTIVATION], {"activationstate": state})
    ]
    if not running:
        return []
    eligible = transaction.rows(tables[ELIGIBILITY], [Guid(str(row.values["roleeligibilityid"])) for row in running])
    return [
        row
        for row in running
        if Guid(str(row.values["roleeligibilityid"])) not in eligible
        or (isinstance(ends := row.values.get("endson"), str) and ends <= now)
    ]


def _begin(session: Session, row: Row) -> None:
    minutes = int(str(row.values["minutes"]))
    ends = iso(session.clock.now() + timedelta(minutes=minutes))
    write_changes(session, row, {"activationstate": ACTIVE, "startedon": session.now, "endson": ends})
    _tie(session, row, tied=True)


def _end(session: Session, row: Row) -> None:
    if row.values.get("activationstate") == ACTIVE:
        role = row.values.get("roleid")
        found = session.transaction.row(session.table("role"), role.id) if isinstance(role, Reference) else None
        holder = row.values.get("systemuserid")
        if found is not None and is_system_administrator(found) and isinstance(holder, Reference):
            demand_other_administrator(session, holder.id, code="0x80041d30")
        _tie(session, row, tied=False)
    write_changes(session, row, {"activationstate": ENDED, "endedon": session.now})


def _tie(session: Session, row: Row, *, tied: bool) -> None:
    """Give the role to the user, or take it, with the entry that such acts have in the trail."""
    association, user, role = session.schema.many_to_many[_ROLES], row.values["systemuserid"], row.values["roleid"]
    if not isinstance(user, Reference) or not isinstance(role, Reference):
        return
    act = session.transaction.link if tied else session.transaction.unlink
    holder = session.transaction.row(session.table("systemuser"), user.id)
    if act(association, user.id, role.id) and holder is not None:
        action = Action.ASSIGN_ROLE_TO_USER if tied else Action.REMOVE_ROLE_FROM_USER
        record_act(session, holder, action, {_ROLES: (None, role) if tied else (role, None)})


def _eligibility(session: Session, role: Guid) -> Row:
    asked: dict[str, Value] = {"systemuserid": session.user, "roleid": Reference("role", role), "statecode": 0}
    for row in session.transaction.rows_where(session.table(ELIGIBILITY), asked):
        ends = row.values.get("expireson")
        if not isinstance(ends, str) or ends > session.now:
            return row
    raise AccessDenied(
        "You may not take this role: no eligibility of yours is for it.",
        details={"reason": "not-eligible", "rule": "TS-730"},
    )


def _activation(session: Session, activation: Guid) -> Row:
    row = session.transaction.row(session.table(ACTIVATION), activation)
    if row is None:
        raise NotFound("There is no such activation.")
    return row


def _open_of(session: Session, user: Reference) -> list[Row]:
    rows = session.transaction.rows_where(session.table(ACTIVATION), {"systemuserid": user})
    return [row for row in rows if row.values.get("activationstate") in (WAITING, ACTIVE)]


def _holds(session: Session, user: Guid, role: Guid) -> bool:
    return role in session.transaction.linked(session.schema.many_to_many[_ROLES], user, from_first=True)


def _check_new(session: Session, row: Row, values: dict[str, Value]) -> None:
    del row
    demand_proof(session)
    role, user = (
        _existing(session, values, name, table) for name, table in (("roleid", "role"), ("systemuserid", "systemuser"))
    )
    if role.unit != user.unit and not session.transaction.settings().matrix_access:
        raise _wrong("The role belongs to another business unit than the user; take its copy of that unit.", "roleid")
    if values.get("approverid") == user.reference():
        raise _wrong("Nobody agrees to what they ask for themselves.", "approverid")
    minutes = values.get("maxminutes")
    if minutes is not None and not (isinstance(minutes, int) and 1 <= minutes <= MOST_MINUTES):
        raise _wrong(f"'maxminutes' is 1 to {MOST_MINUTES}.", "maxminutes")
    demand_coverage(session, [(role, role.unit or Key(0))])


def _check_change(session: Session, row: Row, changes: dict[str, Value]) -> None:
    demand_proof(session)
    for name in ("systemuserid", "roleid"):
        if name in changes and changes[name] != row.values.get(name):
            raise _wrong(f"'{name}' stays what it is: make another eligibility.", name)
    _check_new(session, row, {**row.values, **changes})


def _check_removal(session: Session, _: Row, __: dict[str, Value]) -> None:
    demand_proof(session)


def _existing(session: Session, values: Mapping[str, Value], name: str, table: str) -> Row:
    reference = values.get(name)
    row = session.transaction.row(session.table(table), reference.id) if isinstance(reference, Reference) else None
    if row is None:
        raise _wrong(f"'{name}' must name a row of '{table}'.", name)
    return row


def _refuse(_: Session, row: Row, __: dict[str, Value]) -> NoReturn:
    raise AccessDenied(
        f"Rows of {row.table.logical_name} are evidence: nobody adds, changes or removes them by hand.",
        code="0x80048306",
        details={"reason": "ledger-table", "rule": "TS-003"},
    )


def _wrong(message: str, target: str) -> InvalidRequest:
    return InvalidRequest(message, details={"reason": "elevation-invalid", "rule": "TS-730", "target": target})
