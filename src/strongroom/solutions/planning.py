"""What an import would do to the metadata and rows of an environment, before it does anything.

A pure function of the solution and the environment's state: the import uses the schema that the plan made, so it cannot
do anything else. What a solution needs and the environment does not have *waits*: it is left out, named, and comes with
the next import after the missing part has come.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import cast

from strongroom.errors import StrongroomError
from strongroom.ids import Guid
from strongroom.schema.activities import POINTER, REGARDING
from strongroom.schema.changes import (
    NewColumn,
    NewTable,
    TableChange,
    create_association,
    create_choice,
    create_column,
    create_key,
    create_lookup,
    create_table,
    replace_choice,
    replace_column,
    replace_relationship,
    replace_table,
)
from strongroom.schema.model import Choice, Column, ColumnType, Depth, Relationship, Schema, Table
from strongroom.solutions.definitions import (
    CHOICE,
    COLUMN,
    RELATIONSHIP,
    TABLE,
    Found,
    definition_of,
    with_definitions,
)
from strongroom.solutions.layering import Layering
from strongroom.solutions.marking import marked
from strongroom.solutions.model import Part, Solution, SolutionRelationship, SolutionRole, SolutionTable

ROLE = 20
"""The component type of roles."""

_Part = Table | Column | Choice | Relationship


class Verdict(StrEnum):
    """What happens to a component."""

    CREATE = "create"
    CHANGE = "change"
    SAME = "same"
    KEEP = "keep"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Step:
    """One component and what happens to it. `note` says why it waits, or what is kept of it."""

    kind: str
    name: str
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """The steps, the metadata as it will be, and what can be written of roles and rows."""

    steps: tuple[Step, ...]
    schema: Schema
    role_privileges: Mapping[Guid, Mapping[str, str]]
    """For each role by id: the privileges that exist here, with a depth that they can have."""
    parts: tuple[Part, ...]


Compare = Callable[[str, Guid | None, Part | None], tuple[Verdict, str]]
"""What writing a row would be, given its table and id, or the part: CREATE, CHANGE or SAME, and a note."""


def plan(
    solution: Solution,
    schema: Schema,
    compare: Compare,
    roles: Mapping[Guid, Mapping[str, str]],
    layering: Layering,
) -> Planned:
    """The plan. `roles` are the privileges of the environment's roles by their ids."""
    builder = _Builder(solution, schema, layering)
    builder.choices()
    builder.tables()
    builder.relationships()
    builder.keys()
    if solution.is_managed:
        builder.schema = marked(builder.schema, solution, layering)
    privileges = {role.id: _known(builder, role, roles.get(role.id)) for role in solution.roles}
    parts = tuple(part for part in solution.parts if _step_of(builder, part, compare))
    _profiles(builder, solution, compare)
    builder.steps += [Step(kept.kind, kept.name, Verdict.KEEP, kept.why) for kept in solution.kept]
    return Planned(tuple(builder.steps), builder.schema, privileges, parts)


@dataclass(slots=True)
class _Builder:
    """The schema as it grows, and the steps taken."""

    solution: Solution
    schema: Schema
    layering: Layering
    steps: list[Step] = field(default_factory=list[Step])

    @property
    def prefix(self) -> int:
        return self.solution.publisher.option_prefix

    def choices(self) -> None:
        """Shared choices."""
        for new in self.solution.choices:
            known = self.schema.choices.get(new.name)
            if known is None:
                self._try(
                    "choice", new.name, Verdict.CREATE, lambda s, n=new: create_choice(s, n, option_prefix=self.prefix)
                )
            else:
                self._change(
                    Found(CHOICE, known),
                    lambda s, n=new: replace_choice(s, n.name, n, option_prefix=self.prefix),
                    lambda s, n=new: s.choices[n.name],
                )

    def tables(self) -> None:
        """Tables with their columns; lookups come with the relationships."""
        for table in self.solution.tables:
            if table.logical_name in self.schema.tables:
                self._changed_table(table)
                if table.primary_name is not None:
                    self._column(table, table.primary_name)
            elif table.primary_name is None:
                self.steps.append(
                    Step("table", table.logical_name, Verdict.WAIT, "belongs to a solution that is not here")
                )
                continue
            else:
                self._new_table(table)
            if table.logical_name in self.schema.tables:
                for column in table.columns:
                    if not column.type.is_lookup:
                        self._column(table, column)

    def _new_table(self, table: SolutionTable) -> None:
        assert table.primary_name is not None  # noqa: S101 - told apart by the caller
        new = NewTable(
            schema_name=table.schema_name,
            ownership=table.ownership,
            primary_name=table.primary_name,
            label=table.label,
            collection_label=table.collection_label or None,
            description=table.description,
            entity_set_name=table.entity_set_name.lower() if table.entity_set_name else None,
            has_notes=table.has_notes,
            has_activities=self._has_activities(table),
            is_activity=table.is_activity,
            is_audited=table.is_audited,
            change_tracking=table.change_tracking,
        )
        self._try(
            "table", table.logical_name, Verdict.CREATE, lambda s: create_table(s, new, option_prefix=self.prefix)
        )

    def _has_activities(self, table: SolutionTable) -> bool:
        """Whether activities may be about rows of the table: a relationship to `activitypointer` says so."""
        return not table.is_activity and any(
            each.relationship.referencing_table == POINTER
            and each.relationship.referenced_table == table.logical_name
            and each.lookup.lower() == REGARDING
            for each in self.solution.relationships
        )

    def _changed_table(self, table: SolutionTable) -> None:
        known = self.schema.tables[table.logical_name]
        if known.is_custom and table.primary_name is not None and known.is_activity is not table.is_activity:
            kinds = ("an ordinary table", "an activity")
            here, there = kinds[known.is_activity], kinds[table.is_activity]
            why = f"{here} here, {there} in the solution: a table cannot become the other; remove it, and import again"
            self.steps.append(Step("table", table.logical_name, Verdict.WAIT, why))
            return
        if not known.is_custom or table.primary_name is None:
            self.steps.append(Step("table", table.logical_name, Verdict.SAME))
            return
        change = TableChange(
            label=table.label, collection_label=table.collection_label or None, description=table.description
        )
        self._change(
            Found(TABLE, known),
            lambda s: replace_table(s, table.logical_name, change),
            lambda s: s.tables[table.logical_name],
        )

    def _column(self, table: SolutionTable, new: NewColumn) -> None:
        name = f"{table.logical_name}.{new.schema_name.lower()}"
        known = self.schema.tables[table.logical_name].columns.get(new.schema_name.lower())
        if new.global_choice is not None and new.global_choice not in self.schema.choices:
            self.steps.append(Step("column", name, Verdict.WAIT, f"the choice '{new.global_choice}' is not here"))
        elif known is None:
            self._try(
                "column",
                name,
                Verdict.CREATE,
                lambda s: create_column(s, table.logical_name, new, option_prefix=self.prefix),
            )
        elif not known.is_custom:
            self.steps.append(Step("column", name, Verdict.SAME))
        else:
            self._change(
                Found(COLUMN, known, table.logical_name),
                lambda s: replace_column(s, table.logical_name, known.logical_name, new, option_prefix=self.prefix),
                lambda s: s.tables[table.logical_name].columns[known.logical_name],
            )

    def relationships(self) -> None:
        """Lookups with all their targets, cascades of those that are there, and N:N relationships."""
        by_lookup: dict[tuple[str, str], list[SolutionRelationship]] = {}
        for found in self.solution.relationships:
            by_lookup.setdefault((found.relationship.referencing_table, found.lookup.lower()), []).append(found)
        for (table_name, lookup), several in by_lookup.items():
            self._lookup(table_name, lookup, several)
        for association in self.solution.associations:
            if association.schema_name in self.schema.many_to_many:
                self.steps.append(Step("relationship", association.schema_name, Verdict.SAME))
            elif missing := {association.table1, association.table2} - self.schema.tables.keys():
                self._wait_for_tables(association.schema_name, missing)
            else:
                self._try(
                    "relationship",
                    association.schema_name,
                    Verdict.CREATE,
                    lambda s, a=association: create_association(s, a),
                )

    def _lookup(self, table_name: str, lookup: str, several: Sequence[SolutionRelationship]) -> None:
        table = self.schema.tables.get(table_name)
        shown = f"{table_name}.{lookup}"
        if table is None:
            self._wait_for_tables(shown, {table_name})
            return
        if lookup in table.columns:
            for each in several:
                self._cascade(each)
            return
        known = [each for each in several if each.relationship.referenced_table in self.schema.tables]
        missing = {each.relationship.referenced_table for each in several} - self.schema.tables.keys()
        if missing:
            self._wait_for_tables(shown, missing)
        column = self._lookup_column(table_name, lookup, known)
        if known and column is not None:
            relationships = tuple(each.relationship for each in known)
            self._try("lookup", shown, Verdict.CREATE, lambda s: create_lookup(s, column, relationships))

    def _lookup_column(self, table: str, lookup: str, known: Sequence[SolutionRelationship]) -> NewColumn | None:
        """The definition of a lookup: the solution's, or a plain one for a lookup that only its relationship tells."""
        for each in self.solution.tables:
            if each.logical_name == table:
                for column in each.columns:
                    if column.schema_name.lower() == lookup:
                        return column
        return NewColumn(known[0].lookup, ColumnType.LOOKUP) if known and "_" in lookup else None

    def _cascade(self, found: SolutionRelationship) -> None:
        wanted = found.relationship
        known = self.schema.relationships.get(wanted.schema_name)
        if known is None or not known.is_custom:
            return
        cascade = replace(wanted.cascade, merge=known.cascade.merge)
        self._change(
            Found(RELATIONSHIP, known),
            lambda s: replace_relationship(s, wanted.schema_name, cascade, is_hierarchical=wanted.is_hierarchical),
            lambda s: s.relationships[wanted.schema_name],
        )

    def keys(self) -> None:
        """Alternate keys."""
        for table in self.solution.tables:
            known = self.schema.tables.get(table.logical_name)
            for key in table.keys:
                name = f"{table.logical_name}: {key.schema_name}"
                if known is None:
                    self._wait_for_tables(name, {table.logical_name})
                elif any(each.logical_name == key.schema_name.lower() for each in known.keys):
                    self.steps.append(Step("key", name, Verdict.SAME))
                else:
                    self._try("key", name, Verdict.CREATE, lambda s, t=table, k=key: create_key(s, t.logical_name, k))

    def _wait_for_tables(self, name: str, missing: set[str]) -> None:
        names = ", ".join(sorted(missing))
        self.steps.append(Step("relationship", name, Verdict.WAIT, f"the table {names} is not here"))

    def _try(
        self,
        kind: str,
        name: str,
        verdict: Verdict,
        change: Callable[[Schema], Schema],
        note: str = "",
    ) -> None:
        """Change the schema; what its rules refuse waits, and says why."""
        try:
            self.schema = change(self.schema)
        except StrongroomError as error:
            self.steps.append(Step(kind, name, Verdict.WAIT, error.message))
            return
        self.steps.append(Step(kind, name, verdict, note))

    def _change(self, known: Found, change: Callable[[Schema], Schema], part: Callable[[Schema], _Part]) -> None:
        """Change a part that is there, as its layers let it."""
        try:
            changed = change(self.schema)
        except StrongroomError as error:
            self.steps.append(Step(known.kind, known.name, Verdict.WAIT, error.message))
            return
        component = (known.type, known.part.metadata_id)
        mine, theirs = definition_of(known.part), definition_of(part(changed))
        withheld = self.solution.withheld.get((known.kind, known.name), ())
        result, note = self.layering.settle(component, known.name, mine, theirs, withheld)
        if result == mine:
            self.steps.append(Step(known.kind, known.name, Verdict.SAME, note))
            return
        self.schema = changed if result == theirs else with_definitions(changed, {component[1]: result})
        self.steps.append(Step(known.kind, known.name, Verdict.CHANGE, note))


def _known(builder: _Builder, role: SolutionRole, held: Mapping[str, str] | None) -> Mapping[str, str]:
    """The privileges of a role that exist here. Others wait, told by the table that they are about."""
    schema = builder.schema
    by_lower = {name.lower(): privilege for name, privilege in schema.privileges_by_name.items()}
    found: dict[str, str] = {}
    missing: list[str] = []
    for name, level in role.privileges.items():
        privilege = by_lower.get(name.lower())
        depth = next((each for each in Depth if each.wire_name == level), None)
        if privilege is None or depth not in privilege.depths:
            missing.append(name)
            continue
        found[privilege.name] = level
    note = f"{len(found)} of {len(role.privileges)} privileges"
    if held is None:
        builder.steps.append(Step("role", role.name, Verdict.CREATE, note))
        builder.layering.bring((ROLE, role.id), role.name, {"privileges": dict(found)}, role.withheld)
    else:
        settled, kept = builder.layering.settle(
            (ROLE, role.id), role.name, {"privileges": dict(held)}, {"privileges": dict(found)}, role.withheld
        )
        found = cast("dict[str, str]", settled["privileges"])
        verdict = Verdict.SAME if held == found else Verdict.CHANGE
        builder.steps.append(Step("role", role.name, verdict, "; ".join(part for part in (note, kept) if part)))
    if missing:
        shown = ", ".join(sorted(missing)[:5]) + (" …" if len(missing) > 5 else "")
        builder.steps.append(Step("privileges", role.name, Verdict.WAIT, f"{len(missing)} are not known here: {shown}"))
    return found


def _step_of(builder: _Builder, part: Part, compare: Compare) -> bool:
    """Tell what happens to a row; whether it can be written."""
    kind = builder.schema.tables[part.table].label.lower()
    if part.about is not None and part.about not in builder.schema.tables:
        builder.steps.append(Step(kind, part.name, Verdict.WAIT, f"the table {part.about} is not here"))
        return False
    verdict, note = compare(part.table, part.id, part)
    builder.steps.append(Step(kind, part.name, verdict, note))
    return True


def _profiles(builder: _Builder, solution: Solution, compare: Compare) -> None:
    for profile in solution.profiles:
        known = [
            p
            for p in profile.permissions
            if p[0] in builder.schema.tables and p[1] in builder.schema.tables[p[0]].columns
        ]
        note = f"{len(known)} of {len(profile.permissions)} columns"
        verdict, _ = compare("fieldsecurityprofile", profile.id, None)
        builder.steps.append(Step("column security profile", profile.name, verdict, note))
