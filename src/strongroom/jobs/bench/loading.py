"""The benchmark's data set, loaded through the verbs: what a customer's own import would cost, audit included.

People come first, in waves (a row waits for the rows that it points to), then the accounts, 10,000 rows to a
transaction, and their shares. A home that holds the data set already is used as it is: its file says so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from time import perf_counter

from strongroom.environment import Environment
from strongroom.ids import Guid, Reference
from strongroom.jobs.demo import BenchCompany, DemoRole, People, Row
from strongroom.records import (
    NewRecord,
    RequestFacts,
    RolePrivilege,
    Session,
    add_members,
    add_privileges,
    associate,
    create,
    create_multiple,
    grant_access,
    update,
)
from strongroom.store.protocol import Transaction

ROWS_PER_TRANSACTION = 10_000
_SHARES_PER_TRANSACTION = 5_000

Progress = Callable[[str, int, int], None]
"""(what, done, total)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How fast the accounts went in."""

    rows: int
    seconds: float

    @property
    def rate(self) -> float:
        """Accounts a second, each with its audit entry."""
        return self.rows / self.seconds


def load(environment: Environment, company: BenchCompany, progress: Progress) -> Loaded:
    """Fill an environment that has its first rows only."""
    _load_people(environment, company, progress)
    done, seconds = 0, 0.0
    rows = company.account_rows()
    while part := list(islice(rows, ROWS_PER_TRANSACTION)):
        records = [NewRecord(row) for row in part]
        started = perf_counter()
        with environment.session_of("admin", write=True) as session:
            create_multiple(session, session.table("account"), records)
        seconds += perf_counter() - started
        done += len(records)
        progress("accounts", done, company.accounts)
    _load_shares(environment, company, progress)
    return Loaded(done, seconds)


def _load_people(environment: Environment, company: BenchCompany, progress: Progress) -> None:
    people = company.people
    copies: dict[tuple[Guid, Guid], Guid]
    with environment.session_of("admin", write=True) as session:
        _create(session, "businessunit", people.units, progress)
        _create(session, "systemuser", people.users, progress)
        _create(session, "team", people.teams, progress)
        originals = {role.name: _make_role(session, row, role) for row, role in people.roles}
        copies = _copies(session.transaction, originals.values())
    _load_members(environment, people, progress)
    _give_roles(environment, people, originals, copies, progress)
    with environment.session_of("admin", write=True) as session:
        # Last, because with the hierarchy on every act above would look at the managers of all users again.
        table = session.table("organization")
        for organization in session.transaction.rows_where(table, {}, limit=1):
            update(session, table, organization.id, company.settings)


def _create(session: Session, table: str, rows: Iterable[Row], progress: Progress) -> None:
    """Rows that may point to each other: as many at a time as point to stored ones only."""
    waiting = {Guid(str(row[f"{table}id"])): row for row in rows}
    total = len(waiting)
    while waiting:
        ready = [row for row in waiting.values() if _targets(row, table).isdisjoint(waiting)]
        for row in ready:
            del waiting[Guid(str(row[f"{table}id"]))]
        create_multiple(session, session.table(table), [NewRecord(row) for row in ready])
        progress(table, total - len(waiting), total)


def _targets(row: Row, table: str) -> set[Guid]:
    return {value.id for value in row.values() if isinstance(value, Reference) and value.table == table}


def _make_role(session: Session, row: Row, role: DemoRole) -> Guid:
    made = create(session, session.table("role"), NewRecord(row))
    known = session.schema.privileges_by_name
    held = [RolePrivilege(known[name].id, depth) for name, depth in role.privileges.items()]
    add_privileges(session, made, held)
    return made


def _copies(transaction: Transaction, originals: Iterable[Guid]) -> dict[tuple[Guid, Guid], Guid]:
    """(original, business unit) → the role there."""
    table = transaction.schema.tables["role"]
    found: dict[tuple[Guid, Guid], Guid] = {}
    for original in originals:
        for copy in transaction.rows_where(table, {"parentrootroleid": original}):
            unit = copy.values["businessunitid"]
            if isinstance(unit, Reference):
                found[original, unit.id] = copy.id
    return found


def _load_members(environment: Environment, people: People, progress: Progress) -> None:
    members: dict[Guid, list[Guid]] = {}
    for team, user in people.members:
        members.setdefault(team, []).append(user)
    with environment.session_of("admin", write=True) as session:
        for done, (team, users) in enumerate(members.items(), 1):
            add_members(session, team, users)
            progress("members of teams", done, len(members))


def _give_roles(
    environment: Environment,
    people: People,
    originals: Mapping[str, Guid],
    copies: Mapping[tuple[Guid, Guid], Guid],
    progress: Progress,
) -> None:
    """Every holder gets the copy of the role that is in its own unit (SM-24)."""
    units = {row["systemuserid"]: row["businessunitid"] for row in people.users}
    units |= {row["teamid"]: row["businessunitid"] for row in people.teams}
    held = [("systemuser", user, role) for user, role in people.user_roles]
    held += [("team", team, role) for team, role in people.team_roles]
    with environment.session_of("admin", write=True) as session:
        for done, (table, holder, role) in enumerate(held, 1):
            unit = units[holder]
            name = "teamroles_association" if table == "team" else "systemuserroles_association"
            if isinstance(unit, Reference):
                copy = Reference("role", copies[originals[role.name], unit.id])
                associate(session, session.schema.many_to_many[name], Reference(table, holder), copy)
            progress("roles", done, len(held))


def _load_shares(environment: Environment, company: BenchCompany, progress: Progress) -> None:
    shares = company.shares()
    total, done = company.accounts // 20, 0
    while part := list(islice(shares, _SHARES_PER_TRANSACTION)):
        with environment.session_of("admin", write=True) as session:
            for share in part:
                row = session.transaction.row(session.table("account"), share.row.id)
                if row is None or session.transaction.principal_key(share.principal) != row.owner:
                    grant_access(session, share.row, share.principal, share.rights)
        done += len(part)
        progress("shares", done, total)


__all__ = ["Iterator", "Loaded", "Progress", "RequestFacts", "load"]
