"""Small worlds for tests: an environment with its first rows, and short ways to say who is in it.

world = World(database)
north = world.unit("North")
seller = world.role("Seller", account={READ: Depth.LOCAL}, unit=north)
ann = world.user("Ann", north, seller)
with world.acting(ann) as session: …
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tests.engines import START

from strongroom.access.resolve import resolve
from strongroom.clock import Clock, TestClock
from strongroom.ids import Guid, Reference
from strongroom.query.ast import Field, Output, Predicate, Select, Source
from strongroom.records import (
    Birth,
    Born,
    NewRecord,
    Record,
    RequestFacts,
    RolePrivilege,
    Rules,
    Session,
    add_members,
    add_privileges,
    associate,
    change_schema,
    create,
    delete,
    genesis,
    grant_access,
    retrieve,
    retrieve_page,
    standard_rules,
    update,
)
from strongroom.schema.changes import (
    NewAssociation,
    NewColumn,
    NewRelationship,
    NewTable,
    create_association,
    create_column,
    create_lookup,
    create_table,
)
from strongroom.schema.model import (
    Cascade,
    ColumnType,
    Depth,
    ManyToMany,
    Ownership,
    Relationship,
    Rights,
    Schema,
    Table,
)
from strongroom.store.protocol import Database, Row, Value

ALL_RIGHTS = (
    Rights.READ,
    Rights.WRITE,
    Rights.APPEND,
    Rights.APPEND_TO,
    Rights.CREATE,
    Rights.DELETE,
    Rights.SHARE,
    Rights.ASSIGN,
)
ROLES_OF_USERS = "systemuserroles_association"
ROLES_OF_TEAMS = "teamroles_association"


def user(user_id: Guid) -> Reference:
    """A user as a lookup holds it."""
    return Reference("systemuser", user_id)


def team(team_id: Guid) -> Reference:
    """A team as a lookup holds it."""
    return Reference("team", team_id)


def depths(depth: Depth, rights: Sequence[Rights] = ALL_RIGHTS) -> dict[Rights, Depth]:
    """The same depth for many rights."""
    return dict.fromkeys(rights, depth)


@dataclass
class World:
    """One environment and the people in it. Everything is made by its administrator."""

    database: Database
    clock: Clock = field(default_factory=lambda: TestClock(START))
    rules: Rules = field(default_factory=standard_rules)

    def __post_init__(self) -> None:
        with self.database.write() as transaction:
            self.born: Born = genesis(transaction, self.clock, Birth("Test", "admin@test"))
        self.admin = self.born.administrator
        self.root = self.born.root_unit
        self._numbers = 0

    # --- sessions ---

    @contextmanager
    def acting(self, who: Guid, *, behind: Guid | None = None, tag: str | None = None) -> Generator[Session]:
        """A unit of work of the user `who`; `behind` is the real user of an impersonation."""
        with self.database.write() as transaction:
            epoch, schema = transaction.stamp.security_epoch, transaction.schema
            real = transaction.facts(user(behind)) if behind is not None else None
            facts = transaction.facts(user(who))
            assert facts is not None
            caller = resolve(facts, schema, epoch, None if real is None else resolve(real, schema, epoch))
            yield Session(transaction, caller, self.clock, self.rules, RequestFacts(tag=tag))

    @contextmanager
    def administrating(self) -> Generator[Session]:
        """A unit of work of the administrator."""
        with self.acting(self.admin) as session:
            yield session

    # --- people ---

    def unit(self, name: str, parent: Guid | None = None) -> Guid:
        """A business unit, below the root unless told."""
        return self.create(
            "businessunit", name=name, parentbusinessunitid=Reference("businessunit", parent or self.root)
        )

    def role(
        self,
        name: str,
        privileges: Mapping[str, Mapping[Rights, Depth]] | None = None,
        *,
        unit: Guid | None = None,
        team_only: bool = False,
        by_name: Mapping[str, Depth] | None = None,
    ) -> Guid:
        """A role; `privileges` by table and right, `by_name` by the names of privileges."""
        with self.administrating() as session:
            values: dict[str, Value] = {
                "name": name,
                "businessunitid": Reference("businessunit", unit or self.root),
                "isinherited": 0 if team_only else 1,
            }
            role = create(session, session.table("role"), NewRecord(values))
            entries = [
                RolePrivilege(session.table(table).privileges[right].id, depth)
                for table, rights in (privileges or {}).items()
                for right, depth in rights.items()
            ]
            known = session.schema.privileges_by_name
            entries += [RolePrivilege(known[each].id, depth) for each, depth in (by_name or {}).items()]
            add_privileges(session, role, entries)
        return role

    def user(self, name: str, unit: Guid | None = None, *roles: Guid, **values: Value) -> Guid:
        """An enabled user with the copies of `roles` in its unit."""
        sign_in = f"{name.lower()}@test"
        row: dict[str, Value] = {
            "firstname": name,
            "lastname": "Test",
            "domainname": sign_in,
            "internalemailaddress": sign_in,
            "businessunitid": Reference("businessunit", unit or self.root),
            **values,
        }
        made = self.make("systemuser", row)
        for role in roles:
            self.give_role(role, user(made))
        return made

    def team(
        self, name: str, unit: Guid | None = None, *roles: Guid, members: Sequence[Guid] = (), kind: int = 0
    ) -> Guid:
        """A team with its members and the copies of `roles` in its unit."""
        made = self.create(
            "team",
            name=name,
            teamtype=kind,
            businessunitid=Reference("businessunit", unit or self.root),
            administratorid=user(self.admin),
        )
        with self.administrating() as session:
            add_members(session, made, members)
        for role in roles:
            self.give_role(role, team(made))
        return made

    def give_role(self, role: Guid, holder: Reference, *, unit: Guid | None = None) -> None:
        """Give a user or team the copy of `role` in its own unit, or in `unit`."""
        copy = self.copy_of(role, unit or self.unit_of(holder))
        with self.administrating() as session:
            name = ROLES_OF_TEAMS if holder.table == "team" else ROLES_OF_USERS
            associate(session, session.schema.many_to_many[name], holder, Reference("role", copy))

    def copy_of(self, role: Guid, unit: Guid) -> Guid:
        """The copy of a role in a business unit."""
        found = self.rows(
            "role", parentrootroleid=Reference("role", role), businessunitid=Reference("businessunit", unit)
        )
        return found[0].id

    def default_team(self, unit: Guid) -> Row:
        """The default team of a business unit."""
        return self.rows("team", businessunitid=Reference("businessunit", unit), isdefault=True)[0]

    def unit_of(self, principal: Reference) -> Guid:
        """The business unit of a user or team."""
        unit = self.row(principal.table, principal.id).values["businessunitid"]
        assert isinstance(unit, Reference)
        return unit.id

    # --- rows, seen by nobody's eyes ---

    def table(self, name: str) -> Table:
        """A table of the environment as it is now."""
        return self.schema.tables[name]

    @property
    def schema(self) -> Schema:
        with self.database.read() as transaction:
            return transaction.schema

    def row(self, table: str, row_id: Guid) -> Row:
        """A row that must be there."""
        found = self.find(table, row_id)
        assert found is not None, f"{table} {row_id} is not there"
        return found

    def find(self, table: str, row_id: Guid) -> Row | None:
        """A row, or None."""
        with self.database.read() as transaction:
            return transaction.row(transaction.schema.tables[table], row_id)

    def rows(self, table: str, **values: Value) -> list[Row]:
        """Rows with these values."""
        with self.database.read() as transaction:
            return transaction.rows_where(transaction.schema.tables[table], values)

    def owner(self, table: str, row_id: Guid) -> Reference:
        """Who owns a row."""
        row = self.row(table, row_id)
        assert row.owner is not None
        with self.database.read() as transaction:
            return transaction.principal(row.owner)

    def owning_unit(self, table: str, row_id: Guid) -> Guid:
        """Which business unit owns a row."""
        row = self.row(table, row_id)
        assert row.unit is not None
        with self.database.read() as transaction:
            return transaction.unit_tree().units[row.unit].id

    # --- acts ---

    def create(self, table: str, by: Guid | None = None, **values: Value) -> Guid:
        """Create a row as `by`, or as the administrator."""
        return self.make(table, values, by)

    def make(self, table: str, values: Mapping[str, Value], by: Guid | None = None) -> Guid:
        """`create` for values that are in a mapping."""
        with self.acting(by or self.admin) as session:
            return create(session, session.table(table), NewRecord(values))

    def update(self, table: str, row_id: Guid, by: Guid | None = None, **changes: Value) -> None:
        """Change a row as `by`, or as the administrator."""
        self.change(table, row_id, changes, by)

    def change(self, table: str, row_id: Guid, changes: Mapping[str, Value], by: Guid | None = None) -> None:
        """`update` for changes that are in a mapping."""
        with self.acting(by or self.admin) as session:
            update(session, session.table(table), row_id, changes)

    def delete(self, table: str, row_id: Guid, by: Guid | None = None) -> None:
        """Delete a row as `by`, or as the administrator."""
        with self.acting(by or self.admin) as session:
            delete(session, session.table(table), row_id)

    def share(self, target: Reference, principal: Reference, rights: Rights, by: Guid | None = None) -> None:
        """Share a row as `by`, or as the administrator."""
        with self.acting(by or self.admin) as session:
            grant_access(session, target, principal, rights)

    def read(self, table: str, row_id: Guid, *columns: str, by: Guid | None = None) -> Record:
        """One row as `by` sees it."""
        with self.acting(by or self.admin) as session:
            return retrieve(session, select(session.table(table), *columns), row_id)

    def visible(self, table: str, by: Guid, where: Predicate | None = None) -> set[Guid]:
        """The ids of the rows of a table that `by` sees in a list."""
        with self.acting(by) as session:
            page = retrieve_page(session, select(session.table(table), where=where))
            return {record.id for record in page.rows if record.id is not None}

    # --- metadata ---

    def new_table(
        self, name: str, *columns: NewColumn, ownership: Ownership = Ownership.USER, hierarchy: bool = True
    ) -> str:
        """A table of its own, `new_<name>`, with the primary name `new_name`."""
        asked = NewTable(
            f"new_{name}",
            ownership,
            NewColumn("new_name", ColumnType.STRING),
            columns=columns,
            is_hierarchy_security_enabled=hierarchy,
        )
        with self.administrating() as session:
            change_schema(session, create_table(session.schema, asked))
        return f"new_{name}"

    def new_column(self, table: str, column: NewColumn) -> None:
        """One more column."""
        with self.administrating() as session:
            change_schema(session, create_column(session.schema, table, column))

    def new_relationship(
        self, name: str, parent: str, child: str, lookup: str, cascade: Cascade | None = None
    ) -> Relationship:
        """A lookup `new_<lookup>` on `child` to `parent`."""
        asked = NewRelationship(f"new_{name}", parent, child, cascade or Cascade())
        if parent == child:
            asked = replace(asked, lookup_nav=f"new_{name}_one", collection_nav=f"new_{name}_many")
        with self.administrating() as session:
            change_schema(
                session, create_lookup(session.schema, NewColumn(f"new_{lookup}", ColumnType.LOOKUP), [asked])
            )
        return self.schema.relationships[f"new_{name}"]

    def new_association(self, name: str, table1: str, table2: str) -> ManyToMany:
        """An N:N relationship."""
        with self.administrating() as session:
            change_schema(session, create_association(session.schema, NewAssociation(f"new_{name}", table1, table2)))
        return self.schema.many_to_many[f"new_{name}"]


def select(table: Table, *columns: str, where: Predicate | None = None) -> Select:
    """A plain select of columns; of the id alone when none are named."""
    names = columns or (table.primary_id,)
    return Select(Source(table), tuple(Output(name, Field("", table.columns[name])) for name in names), where=where)


PARENTAL = Cascade("Cascade", "Cascade", "Cascade", "Cascade", "Cascade")
