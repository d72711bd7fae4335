"""What a solution holds, typed. Nothing is checked against an environment yet.

Names are as the export writes them; logical names are in lower case. Rows that an import writes into tables as they are
(views, forms, web resources …) are `Part`s: the table, the id, and the values of its columns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from strongroom.ids import Guid
from strongroom.schema.changes import NewAssociation, NewChoice, NewColumn, NewKey, NewRelationship
from strongroom.schema.model import Ownership
from strongroom.store.protocol import Value


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who made a solution."""

    unique_name: str
    friendly_name: str
    prefix: str
    option_prefix: int


@dataclass(frozen=True, slots=True)
class SolutionTable:
    """A table, or what a solution adds to a table of somebody else.

    `primary_name` is None when the solution does not carry it: then it cannot make the table. Lookups are among
    `columns` with the type Lookup and get their targets from the relationships.
    """

    logical_name: str
    schema_name: str
    ownership: Ownership
    entity_set_name: str | None
    label: str
    collection_label: str
    description: str
    primary_name: NewColumn | None
    columns: tuple[NewColumn, ...] = ()
    keys: tuple[NewKey, ...] = ()
    is_audited: bool = True
    is_activity: bool = False
    has_notes: bool = False
    change_tracking: bool = True


@dataclass(frozen=True, slots=True)
class SolutionRelationship:
    """A 1:N relationship and the schema name of the lookup that it hangs on."""

    relationship: NewRelationship
    lookup: str


@dataclass(frozen=True, slots=True)
class SolutionRole:
    """A security role: privilege names with their depths (`Basic` to `Global`)."""

    id: Guid
    name: str
    privileges: Mapping[str, str]
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SolutionProfile:
    """A column security profile: (table, column, read, update, create), each right 0 or 4."""

    id: Guid
    name: str
    description: str
    permissions: tuple[tuple[str, str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A row of a platform table that the solution brings. `key` names the column and value by which it is found when
    its export gives it no id; `about` is the table that it belongs to, `needs` are rows that it points to by id, and
    `named` those that it points to by (table, column, value). A row that `stays` is the environment's own once it is
    there: no later import changes it. `withheld` are the managed properties that its maker switched off."""

    table: str
    id: Guid | None
    name: str
    values: Mapping[str, Value]
    key: str | None = None
    about: str | None = None
    needs: Mapping[str, tuple[str, Guid]] = field(default_factory=dict[str, tuple[str, Guid]])
    named: Mapping[str, tuple[str, str, str]] = field(default_factory=dict[str, tuple[str, str, str]])
    stays: bool = False
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A component that is kept in the archive and not taken apart. `why` says it in a few words."""

    kind: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class RootComponent:
    """A line of the manifest: component type, id or schema name, and how much of it the solution carries."""

    type: int
    id: Guid | None
    schema_name: str
    behavior: int


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something that the exporting environment had and this solution needs."""

    kind: str
    name: str
    solution: str


@dataclass(frozen=True, slots=True)
class Solution:
    """A whole solution."""

    unique_name: str
    friendly_name: str
    description: str
    version: str
    is_managed: bool
    publisher: Publisher
    components: tuple[RootComponent, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    choices: tuple[NewChoice, ...] = ()
    tables: tuple[SolutionTable, ...] = ()
    relationships: tuple[SolutionRelationship, ...] = ()
    associations: tuple[NewAssociation, ...] = ()
    roles: tuple[SolutionRole, ...] = ()
    profiles: tuple[SolutionProfile, ...] = ()
    parts: tuple[Part, ...] = ()
    kept: tuple[Kept, ...] = ()
    withheld: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict[tuple[str, str], tuple[str, ...]])
    """Managed properties that are off, by the kind and name of a part of the metadata: ("column", "account.new_a")."""
