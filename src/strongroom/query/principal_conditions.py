"""The conditions that relate a row to the caller or to a hierarchy (WA-204, WA-206), for OData and FetchXML alike.

A condition of a hierarchy stands on a primary key: `accountid under X` holds for rows whose chain of
`parentaccountid` reaches X. On a lookup it speaks of the row that the lookup points to.
"""

from collections.abc import Callable
from dataclasses import dataclass

from strongroom.errors import InvalidRequest
from strongroom.query.ast import (
    FALSE,
    And,
    Comparison,
    Exists,
    Field,
    Hierarchy,
    InList,
    IsNull,
    Link,
    Literal,
    Operator,
    Or,
    Predicate,
    ReadContext,
    Source,
)
from strongroom.schema.model import ColumnType, Relationship, Schema, Table

_MEMBERSHIP = "teammembership_association"
_MANAGERS = "user_parent_user"

CallerMaker = Callable[[Field, ReadContext, Schema, str], Predicate]
"""field, caller, schema, and an alias that is free in the query."""


@dataclass(frozen=True, slots=True)
class CallerCondition:
    """A condition without values about the caller, under its two names."""

    odata: str
    fetchxml: str
    make: CallerMaker


@dataclass(frozen=True, slots=True)
class HierarchyCondition:
    """A condition with one row id, under its two names."""

    odata: str
    fetchxml: str
    below: bool
    include_root: bool
    negated: bool = False


def hierarchy(condition: HierarchyCondition, field: Field, root: str, schema: Schema, alias: str) -> Predicate:
    """`field`'s row stands to the row `root` as `condition` says."""
    return _in_hierarchy(
        field,
        root,
        schema,
        alias,
        below=condition.below,
        include_root=condition.include_root,
        negated=condition.negated,
    )


def hierarchy_of(table: Table, schema: Schema) -> Relationship | None:
    """The relationship that makes rows of `table` a tree: the declared one, else `parent<table>id` on itself."""
    own = [r for r in schema.parents_of(table.logical_name) if r.referenced_table == table.logical_name]
    declared = next((r for r in own if r.is_hierarchical), None)
    usual = f"parent{table.logical_name}id"
    return declared or next((r for r in own if r.referencing_column == usual), None)


def _in_hierarchy(
    field: Field, root: str, schema: Schema, alias: str, *, below: bool, include_root: bool, negated: bool
) -> Predicate:
    column = field.column
    owner = _table_of_key(field, schema)
    own_tree = hierarchy_of(owner, schema) if owner is not None else None
    if own_tree is not None:
        return Hierarchy(field.alias, own_tree, root, below=below, include_root=include_root, negated=negated)
    for target in column.targets:
        table = schema.tables.get(target)
        tree = hierarchy_of(table, schema) if table is not None else None
        if table is not None and tree is not None:
            inner = Hierarchy(alias, tree, root, below=below, include_root=include_root)
            link = Link(field.alias, column.logical_name, table.primary_id)
            found = Exists(link, Source(table, alias), inner, negated=negated)
            return And((IsNull(field, negated=True), found)) if negated else found
    raise InvalidRequest(f"The column '{column.logical_name}' does not belong to a hierarchy.")


def _table_of_key(field: Field, schema: Schema) -> Table | None:
    """The table whose primary key the column is, told by the identity of the column's metadata."""
    if field.column.type is not ColumnType.UNIQUEIDENTIFIER:
        return None
    for table in schema.tables.values():
        key = table.columns.get(table.primary_id)
        if key is not None and key.metadata_id == field.column.metadata_id:
            return table
    return None


# --- the caller --------------------------------------------------------------------------------------------------


def _equals(field: Field, value: str) -> Predicate:
    return Comparison(Operator.EQUAL, field, Literal(value, field.column.type))


def _one_of(field: Field, ids: tuple[str, ...]) -> Predicate:
    values = tuple(Literal(value, field.column.type) for value in dict.fromkeys(ids))
    return InList(field, values) if values else FALSE


def _user(field: Field, context: ReadContext, _schema: Schema, _alias: str) -> Predicate:
    return _equals(field, context.user_id)


def _not_user(field: Field, context: ReadContext, _schema: Schema, _alias: str) -> Predicate:
    return Comparison(Operator.NOT_EQUAL, field, Literal(context.user_id, field.column.type))


def _unit(field: Field, context: ReadContext, _schema: Schema, _alias: str) -> Predicate:
    return _equals(field, context.business_unit_id)


def _not_unit(field: Field, context: ReadContext, _schema: Schema, _alias: str) -> Predicate:
    return Comparison(Operator.NOT_EQUAL, field, Literal(context.business_unit_id, field.column.type))


def _teams(field: Field, context: ReadContext, _schema: Schema, _alias: str) -> Predicate:
    return _one_of(field, context.team_ids)


def _user_or_teams(field: Field, context: ReadContext, _schema: Schema, _alias: str) -> Predicate:
    return _one_of(field, (context.user_id, *context.team_ids))


def _user_or_subordinates(field: Field, context: ReadContext, schema: Schema, alias: str) -> Predicate:
    return _in_hierarchy(field, context.user_id, schema, alias, below=True, include_root=True, negated=False)


def _user_teams_or_subordinates(field: Field, context: ReadContext, schema: Schema, alias: str) -> Predicate:
    """The teams of subordinates are reached through the members of the owning team."""
    users, teams = schema.tables["systemuser"], schema.tables["team"]
    members, managers = schema.many_to_many[_MEMBERSHIP], schema.relationships[_MANAGERS]
    ends = {members.table1: members.column1, members.table2: members.column2}
    member_alias, team_alias = f"{alias}.member", f"{alias}.team"
    below = Hierarchy(member_alias, managers, context.user_id, below=True, include_root=True)
    member = Exists(Link(team_alias, ends["team"], ends["systemuser"], members), Source(users, member_alias), below)
    owner = Link(field.alias, field.column.logical_name, teams.primary_id)
    parts = (
        _one_of(field, context.team_ids),
        _user_or_subordinates(field, context, schema, alias),
        Exists(owner, Source(teams, team_alias), member),
    )
    return Or(tuple(part for part in parts if part != FALSE))


def _language(field: Field, context: ReadContext, _schema: Schema, _alias: str) -> Predicate:
    if field.column.type not in (ColumnType.INTEGER, ColumnType.PICKLIST, ColumnType.BIGINT):
        raise InvalidRequest(f"The column '{field.column.logical_name}' does not hold the number of a language.")
    return Comparison(Operator.EQUAL, field, Literal(context.language, field.column.type))


CALLER_CONDITIONS = (
    CallerCondition("EqualUserId", "eq-userid", _user),
    CallerCondition("NotEqualUserId", "ne-userid", _not_user),
    CallerCondition("EqualBusinessId", "eq-businessid", _unit),
    CallerCondition("NotEqualBusinessId", "ne-businessid", _not_unit),
    CallerCondition("EqualUserTeams", "eq-userteams", _teams),
    CallerCondition("EqualUserOrUserTeams", "eq-useroruserteams", _user_or_teams),
    CallerCondition("EqualUserOrUserHierarchy", "eq-useroruserhierarchy", _user_or_subordinates),
    CallerCondition("EqualUserOrUserHierarchyAndTeams", "eq-useroruserhierarchyandteams", _user_teams_or_subordinates),
    CallerCondition("EqualUserLanguage", "eq-userlanguage", _language),
)

HIERARCHY_CONDITIONS = (
    HierarchyCondition("Under", "under", below=True, include_root=False),
    HierarchyCondition("UnderOrEqual", "eq-or-under", below=True, include_root=True),
    HierarchyCondition("NotUnder", "not-under", below=True, include_root=False, negated=True),
    HierarchyCondition("Above", "above", below=False, include_root=False),
    HierarchyCondition("AboveOrEqual", "eq-or-above", below=False, include_root=True),
)
