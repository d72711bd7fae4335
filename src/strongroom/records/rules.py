"""The places where rules hang in the verbs: the security tables' own, and those of higher rooms (a legal hold).

Rules are registered once, at the composition root, and run in the order of registration. A rule refuses by raising
one of `strongroom.errors`; the whole unit of work is then undone (SM-6).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from strongroom.ids import Guid, Reference
from strongroom.records.prepared import PreparedQueries
from strongroom.schema.model import ManyToMany, Schema
from strongroom.store.protocol import Row, Value

if TYPE_CHECKING:
    from strongroom.keys import Secret
    from strongroom.records.session import Session


class Event(Enum):
    """When a rule runs. *Before* rules run after authorization and before anything is stored."""

    BEFORE_CREATE = "before create"
    AFTER_CREATE = "after create"
    BEFORE_UPDATE = "before update"
    AFTER_UPDATE = "after update"
    BEFORE_DELETE = "before delete"
    AFTER_DELETE = "after delete"
    BEFORE_LINK = "before link"
    AFTER_LINK = "after link"
    BEFORE_UNLINK = "before unlink"
    AFTER_UNLINK = "after unlink"
    BEFORE_PRIVILEGES = "before the privileges of a role change"
    AFTER_PRIVILEGES = "after the privileges of a role changed"
    BEFORE_SCHEMA = "before a change of metadata"


RowRule = Callable[["Session", Row, dict[str, Value]], None]
"""(session, row, values). Create: the row as it will be; `values` are its values. Update: `row` is the row before the
change (after it, for AFTER_UPDATE), `values` the changes, which a before-rule may add to. Delete: values are empty.
Privileges: `row` is the role, `values` are the names of the depths that it will hold, by privilege."""

SchemaRule = Callable[["Session", Schema, Schema], None]
"""(session, metadata as it is, metadata as it will be)."""

LinkRule = Callable[["Session", ManyToMany, Guid, Guid], None]
"""(session, association, id in table1, id in table2)."""


@dataclass(frozen=True, slots=True)
class Registered:
    """One rule with the words that name it in `strongroom check`."""

    name: str
    event: Event
    subject: str | None
    run: RowRule | LinkRule | SchemaRule


@dataclass(frozen=True, slots=True)
class EnvironmentFacts:
    """What is fixed at the birth of an environment."""

    organization: Guid
    base_currency: Reference | None


@dataclass
class Rules:
    """All registered rules of one environment, in order, and what never changes in it."""

    environment: EnvironmentFacts | None = None
    """Read when first needed; see `environment_facts`."""

    prepared: PreparedQueries = field(default_factory=PreparedQueries)

    reach: object | None = None
    """In the control environment: what services of higher rooms reach other environments by (`lockbox.reach`)."""

    vault_key: "Callable[[], Secret] | None" = None
    """In the control environment: the key under which values in vaults are sealed."""

    seal_secret: "Callable[[str, Secret], None] | None" = None
    """In the control environment: what keeps a secret of the home in the key ring; no operation reads it."""

    secret_of: "Callable[[str, str], str] | None" = None
    """What gives a user (a sign-in name) the value behind a reference into a vault, at run time (TS-604)."""

    registered: list[Registered] = field(default_factory=list[Registered])
    _rows: dict[tuple[Event, str | None], list[RowRule]] = field(
        default_factory=dict[tuple[Event, str | None], list[RowRule]]
    )
    _links: dict[tuple[Event, str], list[LinkRule]] = field(default_factory=dict[tuple[Event, str], list[LinkRule]])
    _schema: list[SchemaRule] = field(default_factory=list[SchemaRule])
    _governed: set[str] = field(default_factory=set[str])

    def on(self, event: Event, table: str | None, rule: RowRule, *, name: str) -> None:
        """Run `rule` at `event` of rows of `table`, or of every table when it is None."""
        self.registered.append(Registered(name, event, table, rule))
        self._rows.setdefault((event, table), []).append(rule)

    def on_link(
        self, event: Event, association: str, rule: LinkRule, *, name: str, replaces_append: bool = False
    ) -> None:
        """Run `rule` when rows are linked or unlinked by the N:N relationship `association`.

        `replaces_append`: rules of this association say who may, in place of Append on both rows (SM-113).
        """
        self.registered.append(Registered(name, event, association, rule))
        if replaces_append:
            self._governed.add(association)
        self._links.setdefault((event, association), []).append(rule)

    def on_schema(self, rule: SchemaRule, *, name: str) -> None:
        """Run `rule` before metadata changes by the hand of a caller; it refuses by raising."""
        self.registered.append(Registered(name, Event.BEFORE_SCHEMA, None, rule))
        self._schema.append(rule)

    def has(self, event: Event, table: str) -> bool:
        """Whether any rule would run; bulk work skips the calls otherwise."""
        return (event, table) in self._rows or (event, None) in self._rows

    def run(self, event: Event, session: "Session", row: Row, values: dict[str, Value]) -> None:
        """Run the rules for rows of the row's table."""
        for rule in self._rows.get((event, None), ()):
            rule(session, row, values)
        for rule in self._rows.get((event, row.table.logical_name), ()):
            rule(session, row, values)

    def run_link(self, event: Event, session: "Session", association: ManyToMany, first: Guid, second: Guid) -> None:
        """Run the rules for links of `association`."""
        for rule in self._links.get((event, association.schema_name), ()):
            rule(session, association, first, second)

    def run_schema(self, session: "Session", before: Schema, after: Schema) -> None:
        """Run the rules for a change of metadata."""
        for rule in self._schema:
            rule(session, before, after)

    def governs(self, association: ManyToMany) -> bool:
        """Whether rules of its own say who may tie rows by `association`, in place of Append on both (SM-113)."""
        return association.schema_name in self._governed
