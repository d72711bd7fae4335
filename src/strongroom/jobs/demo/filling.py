"""Storing the demo company: through the same verbs that clients use, as the environment's administrator.

Rows go in by the thousands, each thousand in a transaction of its own with its audit entries, so that no transaction
grows with the company. What is stored is what the rules allow: an error here is a fault of the generator.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Protocol, TypeVar

from strongroom.clock import iso
from strongroom.environment import Environment
from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid, Reference
from strongroom.jobs.demo.company import DEFAULT_ACCOUNTS, Batch, DemoCompany, DemoShare, company
from strongroom.jobs.demo.people import People, Persona, Row
from strongroom.jobs.demo.roles import DemoRole
from strongroom.records import (
    Born,
    NewRecord,
    RolePrivilege,
    Session,
    add_members,
    add_privileges,
    associate,
    create,
    create_multiple,
    grant_access,
    update,
    update_multiple,
)
from strongroom.schema.model import Table

PER_TRANSACTION = 5_000
_LATER = {"account": ("primarycontactid", "parentaccountid")}
"""Lookups to rows that are stored later, or with the same thousand: set when those are there."""

_T = TypeVar("_T")


class Progress(Protocol):
    """Called as work goes on: `done` of `total` rows of `what`."""

    def __call__(self, what: str, done: int, total: int) -> None: ...


def fill_demo(
    environment: Environment, born: Born, *, progress: Progress, accounts: int = DEFAULT_ACCOUNTS, seed: int = 1
) -> tuple[Persona, ...]:
    """Fill an environment that has only its first rows with the company made from `seed`; return its personas."""

    def work(act: Callable[[Session], None]) -> None:
        with environment.session_of(born.administrator, write=True) as session:
            act(session)

    made = company(seed, accounts, root_unit=born.root_unit, until=iso(environment.clock.now()))
    work(lambda session: _store_people(session, made.people))
    for batch in made.batches():
        _store_rows(batch, work, progress)
    for batch in made.batches():
        if batch.table in _LATER:
            _store_later(batch, work, progress)
    _store_shares(made, work, progress)
    return made.personas


def _store_people(session: Session, people: People) -> None:
    """Units, users with managers, teams and their members, roles with their holders."""
    for row in people.units:
        create(session, session.table("businessunit"), NewRecord(row))
    roles = {role: _store_role(session, row, role) for row, role in people.roles}
    managers: list[tuple[Guid, Reference]] = []
    for row in people.users:
        manager = row.get("parentsystemuserid")
        user = create(
            session, session.table("systemuser"), NewRecord({k: v for k, v in row.items() if v is not manager})
        )
        if isinstance(manager, Reference):
            managers.append((user, manager))
    for user, manager in managers:
        update(session, session.table("systemuser"), user, {"parentsystemuserid": manager})
    for row in people.teams:
        create(session, session.table("team"), NewRecord(row))
    for team in dict.fromkeys(team for team, _ in people.members):
        add_members(session, team, [user for member_of, user in people.members if member_of == team])
    _give_roles(session, "systemuser", "systemuserroles_association", people.user_roles, roles)
    _give_roles(session, "team", "teamroles_association", people.team_roles, roles)


def _store_role(session: Session, row: Row, role: DemoRole) -> Guid:
    role_id = create(session, session.table("role"), NewRecord(row))
    known = session.schema.privileges_by_name
    missing = [name for name in role.privileges if name not in known]
    if missing:
        raise IntegrityViolation(f"The role '{role.name}' names privileges that do not exist: {missing}.")
    add_privileges(session, role_id, [RolePrivilege(known[n].id, depth) for n, depth in role.privileges.items()])
    return role_id


def _give_roles(
    session: Session,
    table: str,
    association: str,
    held: Iterable[tuple[Guid, DemoRole]],
    roles: Mapping[DemoRole, Guid],
) -> None:
    """Each holder gets the copy of the role that is in the holder's business unit (SM-24)."""
    link = session.schema.many_to_many[association]
    copies: dict[tuple[Guid, Guid], Guid] = {}
    for copy in session.transaction.rows_where(session.table("role"), {}):
        root, unit = copy.values.get("parentrootroleid"), copy.values.get("businessunitid")
        if isinstance(root, Reference) and isinstance(unit, Reference):
            copies[root.id, unit.id] = copy.id
    holders = session.transaction.rows(session.table(table), [holder for holder, _ in held])
    for holder, role in held:
        unit = holders[holder].values.get("businessunitid")
        if not isinstance(unit, Reference):
            raise IntegrityViolation(f"The {table} {holder} has no business unit.")
        ends = Reference(table, holder), Reference("role", copies[roles[role], unit.id])
        associate(session, link, *(ends if link.table1 == table else ends[::-1]))


def _store_rows(batch: Batch, work: Callable[[Callable[[Session], None]], None], progress: Progress) -> None:
    later = _LATER.get(batch.table, ())
    done = 0
    progress(batch.table, done, batch.count)
    for part in _parts(batch.rows(), PER_TRANSACTION):
        records = [NewRecord({k: v for k, v in row.items() if k not in later} if later else row) for row in part]
        work(lambda session, records=records: _create_all(session, session.table(batch.table), records))
        done += len(part)
        progress(batch.table, done, batch.count)


def _create_all(session: Session, table: Table, records: list[NewRecord]) -> None:
    create_multiple(session, table, records)


def _store_later(batch: Batch, work: Callable[[Callable[[Session], None]], None], progress: Progress) -> None:
    what = f"{batch.table}, {', '.join(_LATER[batch.table])}"
    done = 0
    for part in _parts(batch.rows(), PER_TRANSACTION):
        work(lambda session, part=part: _set_later(session, session.table(batch.table), part))
        done += len(part)
        progress(what, done, batch.count)


def _set_later(session: Session, table: Table, rows: list[Row]) -> None:
    columns = _LATER[table.logical_name]
    changes = [
        (Guid(str(row[table.primary_id])), {column: row[column] for column in columns if row.get(column) is not None})
        for row in rows
    ]
    update_multiple(session, table, [(row_id, values) for row_id, values in changes if values])


def _store_shares(made: DemoCompany, work: Callable[[Callable[[Session], None]], None], progress: Progress) -> None:
    total = made.accounts // 20
    done = 0
    for part in _parts(made.shares(), PER_TRANSACTION):

        def act(session: Session, part: list[DemoShare] = part) -> None:
            for share in part:
                grant_access(session, share.row, share.principal, share.rights)

        work(act)
        done += len(part)
        progress("shares", done, total)


def _parts(rows: Iterator[_T], size: int) -> Iterator[list[_T]]:
    while part := list(islice(rows, size)):
        yield part
