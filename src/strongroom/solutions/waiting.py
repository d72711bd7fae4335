"""What an import could not bring, remembered so that an export still has it.

What waits for another solution is not here, and yet belongs to its own. The kept archive says what it is, and the list
beside it which parts waited: others that are no longer here were removed here, and stay away.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from strongroom.errors import StrongroomError
from strongroom.ids import Guid
from strongroom.schema.changes import NewColumn, replace_column
from strongroom.schema.model import Schema
from strongroom.solutions.contents import COMPONENT_TYPES
from strongroom.solutions.definitions import CHOICE, COLUMN, RELATIONSHIP, TABLE
from strongroom.solutions.model import (
    Part,
    RootComponent,
    Solution,
    SolutionProfile,
    SolutionRelationship,
    SolutionRole,
    SolutionTable,
)
from strongroom.solutions.planning import Planned, Verdict

_ROW_TYPES = frozenset(COMPONENT_TYPES.values())
_KNOWN_TYPES = _ROW_TYPES | {TABLE, COLUMN, CHOICE, RELATIONSHIP}


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits, by kind and name. Privileges and permissions are named with the role or profile that has them."""

    names: frozenset[tuple[str, str]]

    def has(self, name: str, *kinds: str) -> bool:
        """Whether something of this name waits; of one of these kinds, if any are given."""
        return any((kind, name) in self.names for kind in kinds)


def waiting_after(solution: Solution, planned: Planned) -> Waiting:
    """What an import by this plan leaves waiting."""
    found = {(step.kind, step.name) for step in planned.steps if step.verdict is Verdict.WAIT}
    for role in solution.roles:
        known = {name.lower() for name in planned.role_privileges[role.id]}
        found |= {("privilege", f"{role.id} {name}") for name in role.privileges if name.lower() not in known}
    for profile in solution.profiles:
        for table, column, *_ in profile.permissions:
            if table not in planned.schema.tables or column not in planned.schema.tables[table].columns:
                found.add(("permission", f"{profile.id} {table}.{column}"))
    return Waiting(frozenset(found))


def as_text(waiting: Waiting) -> str:
    """As a column holds it."""
    return json.dumps(sorted(waiting.names))


def from_text(text: object) -> Waiting:
    """The reverse of `as_text`; nothing waits where nobody wrote it down."""
    pairs = cast("list[list[str]]", json.loads(text)) if isinstance(text, str) and text else []
    return Waiting(frozenset((kind, name) for kind, name in pairs))


def completed(now: Solution, before: Solution, waiting: Waiting, schema: Schema) -> Solution:
    """What holds now, with what the archive says besides: what waits, and what has no place here."""
    choices, many = {each.name for each in now.choices}, {each.schema_name for each in now.associations}
    return replace(
        now,
        components=tuple(_components(now, before, waiting)),
        dependencies=before.dependencies,
        choices=(
            *now.choices,
            *(each for each in before.choices if each.name not in choices and waiting.has(each.name, "choice")),
        ),
        tables=tuple(_tables(now, before, waiting, schema)),
        relationships=tuple(_relationships(now, before, waiting, schema)),
        associations=(
            *now.associations,
            *(
                each
                for each in before.associations
                if each.schema_name not in many and waiting.has(each.schema_name, "relationship")
            ),
        ),
        roles=tuple(_role(role, before, waiting) for role in now.roles),
        profiles=tuple(_profile(profile, before, waiting) for profile in now.profiles),
        parts=tuple(_parts(now, before, waiting, schema)),
        withheld={**before.withheld, **now.withheld},
    )


# --- the manifest --------------------------------------------------------------------------------------------------


def _components(now: Solution, before: Solution, waiting: Waiting) -> Iterator[RootComponent]:
    """Those of the manifest that are still here, as it names them; then what came since. Those that nobody here knows,
    and those that wait, stay. What came inside of a table is not named by itself."""
    live = {_live_key(each): each for each in now.components}
    parts = {key: part for part in before.parts for key in _part_keys(part)}
    for each in before.components:
        part = parts.get(_key_in(each, parts))
        found = live.pop(_live_key(each), None)
        for key in () if part is None else _part_keys(part):
            found = live.pop(key, None) or found
        if found is not None:
            is_same = (found.behavior == 0) == (each.behavior == 0)
            yield each if is_same else replace(each, behavior=found.behavior)
        elif each.type not in _KNOWN_TYPES or waiting.has(each.schema_name.lower(), "table", "choice"):
            yield each
        elif each.type == TABLE and each.behavior != 0:
            yield each  # only named: a table of another solution
        elif part is None and each.type in _ROW_TYPES:
            yield each  # nobody here took it apart
        elif part is not None and any(name == part.name for _, name in waiting.names):
            yield each
    yield from (each for key, each in live.items() if key not in parts)


_RootKey = tuple[int, str]


def _live_key(root: RootComponent) -> _RootKey:
    return root.type, root.schema_name.lower() or str(root.id)


def _part_keys(part: Part) -> Iterator[_RootKey]:
    """How a manifest may name a row: by its id or its name."""
    kind = COMPONENT_TYPES[part.table]
    yield kind, part.name.lower()
    if part.id is not None:
        yield kind, str(part.id)


def _key_in(root: RootComponent, parts: Mapping[_RootKey, Part]) -> _RootKey:
    """A plug-in assembly goes by its full name: `Name, Version=1.0.0.0, …`."""
    key = _live_key(root)
    return key if key in parts else (root.type, key[1].partition(",")[0])


# --- metadata ------------------------------------------------------------------------------------------------------


def _tables(now: Solution, before: Solution, waiting: Waiting, schema: Schema) -> Iterator[SolutionTable]:
    earlier = {table.logical_name: table for table in before.tables}
    for table in now.tables:
        known = earlier.pop(table.logical_name, None)
        if known is None:
            yield table
            continue
        here = {column.schema_name.lower() for column in table.columns}
        columns = [each for each in known.columns if each.schema_name.lower() not in here]
        kept = tuple(each for each in columns if _column_waits(known, each, waiting))
        keys = tuple(each for each in known.keys if waiting.has(f"{known.logical_name}: {each.schema_name}", *_KEYS))
        facts = table if table.primary_name is not None else known
        earlier_columns = {each.schema_name.lower(): each for each in known.columns}
        columns_now = (_as_written(schema, table, each, earlier_columns) for each in table.columns)
        yield replace(facts, columns=(*columns_now, *kept), keys=(*table.keys, *keys))
    for table in earlier.values():
        columns = tuple(each for each in table.columns if _column_waits(table, each, waiting))
        if waiting.has(table.logical_name, "table"):
            yield table
        elif columns or not table.columns:
            yield replace(table, columns=columns)


_KEYS = ("key", "relationship")
_LOOKUPS = ("relationship", "lookup", "column")


def _as_written(schema: Schema, table: SolutionTable, column: NewColumn, earlier: Mapping[str, NewColumn]) -> NewColumn:
    """A column as the archive writes it, where that still says what holds: what an archive leaves out is a default."""
    name = column.schema_name.lower()
    written = earlier.get(name)
    if written is None:
        return column
    try:
        made = replace_column(schema, table.logical_name, name, written)
    except StrongroomError:
        return column
    is_same = made.tables[table.logical_name].columns[name] == schema.tables[table.logical_name].columns[name]
    return written if is_same else column


def _column_waits(table: SolutionTable, column: NewColumn, waiting: Waiting) -> bool:
    return waiting.has(f"{table.logical_name}.{column.schema_name.lower()}", *_LOOKUPS)


def _relationships(now: Solution, before: Solution, waiting: Waiting, schema: Schema) -> Iterator[SolutionRelationship]:
    """Those of now, and those that came: without the ones whose custom lookup was removed here."""
    here = {each.relationship.schema_name for each in now.relationships}
    custom = {
        f"{table.logical_name}.{column.schema_name.lower()}" for table in before.tables for column in table.columns
    }
    own = {table.logical_name for table in before.tables if table.primary_name is not None}
    yield from now.relationships
    for each in before.relationships:
        table, lookup = each.relationship.referencing_table, each.lookup.lower()
        if each.relationship.schema_name in here:
            continue
        known = schema.tables.get(table)
        is_gone = table in own if known is None else f"{table}.{lookup}" in custom and lookup not in known.columns
        if not is_gone or waiting.has(f"{table}.{lookup}", *_LOOKUPS) or waiting.has(table, "table"):
            yield each


# --- security and rows ---------------------------------------------------------------------------------------------


def _role(role: SolutionRole, before: Solution, waiting: Waiting) -> SolutionRole:
    known = next((each for each in before.roles if each.id == role.id), None)
    if known is None:
        return role
    kept = {name: level for name, level in known.privileges.items() if waiting.has(f"{role.id} {name}", "privilege")}
    return replace(role, privileges={**kept, **_named_as(known.privileges, role.privileges)}, withheld=known.withheld)


def _named_as(before: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """The privileges with the names that the archive writes them by."""
    written = {name.lower(): name for name in before}
    return {written.get(name.lower(), name): level for name, level in now.items()}


def _profile(profile: SolutionProfile, before: Solution, waiting: Waiting) -> SolutionProfile:
    known = next((each for each in before.profiles if each.id == profile.id), None)
    if known is None:
        return profile
    kept = tuple(each for each in known.permissions if waiting.has(f"{profile.id} {each[0]}.{each[1]}", "permission"))
    return replace(profile, permissions=(*profile.permissions, *kept))


def _parts(now: Solution, before: Solution, waiting: Waiting, schema: Schema) -> Iterator[Part]:
    earlier = {_part_key(part): part for part in before.parts}
    for part in now.parts:
        known = earlier.pop(_part_key(part), None) or earlier.pop((part.table, part.name), None)
        yield part if known is None else replace(part, withheld=known.withheld)
    for part in earlier.values():
        label = schema.tables[part.table].label.lower()
        if waiting.has(part.name, label):
            yield part


def _part_key(part: Part) -> tuple[str, Guid | str]:
    return part.table, part.id or part.name
