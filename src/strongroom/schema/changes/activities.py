"""Tables of activities that customers make (`IsActivity`, WA-340).

They have the columns of `activitypointer`, its key `activityid` and primary name `subject`, its privileges, parties of
their own in `activityparty`, and a regarding row of any table that has activities. Their rows appear in
`activitypointer` like those of the standard ones (`schema.activities`).
"""

from dataclasses import replace

from strongroom.errors import InvalidRequest
from strongroom.schema.activities import PARTIES, POINTER, REGARDING
from strongroom.schema.build import with_tables
from strongroom.schema.changes.requests import NewColumn, NewTable
from strongroom.schema.model import Cascade, Column, ColumnType, Ownership, Relationship, Schema, SourceType, Table
from strongroom.schema.naming import pluralized
from strongroom.schema.system_columns import PLATFORM_KEPT, IdMaker

SUBJECT = "subject"
_USUAL_LENGTH = 200
_PARENTAL = Cascade(
    assign="Cascade", share="Cascade", unshare="Cascade", reparent="Cascade", delete="Cascade", merge="Cascade"
)
_LEFT_OUT = frozenset({ColumnType.PARTYLIST, ColumnType.FILE, ColumnType.IMAGE})


def check_activity(new: NewTable) -> None:
    """400 for what an activity table cannot be."""
    if new.ownership is not Ownership.USER:
        raise InvalidRequest(f"The activity table '{new.schema_name}' must be UserOwned, not {new.ownership.value}.")
    if new.has_activities:
        raise InvalidRequest(f"The activity table '{new.schema_name}' cannot have activities of its own.")
    name = new.primary_name.schema_name
    if name.lower() != SUBJECT or new.primary_name.type is not ColumnType.STRING:
        raise InvalidRequest(f"The primary name of the activity table '{new.schema_name}' is 'Subject', not '{name}'.")


def activity_columns(schema: Schema, name: str, subject: NewColumn, new_id: IdMaker) -> list[Column]:
    """The columns of a new activity table, with a subject as asked for."""
    columns: list[Column] = []
    for column in schema.tables[POINTER].columns.values():
        if column.type in _LEFT_OUT or column.is_custom or column.source_type is not SourceType.SIMPLE:
            continue
        made = replace(column, metadata_id=new_id("column", f"{name}.{column.logical_name}"), is_secured=False)
        if column.logical_name == SUBJECT:
            made = replace(
                made,
                label=subject.label or column.label,
                description=subject.description or "",
                max_length=min(subject.max_length or _USUAL_LENGTH, column.max_length or _USUAL_LENGTH),
                required=subject.required or column.required,
            )
        columns.append(made)
    return columns


def activity_relationships(schema: Schema, table: Table, new_id: IdMaker) -> list[Relationship]:
    """The relationships of a new activity table: its regarding row of any table, its parties, and what else the
    lookups of `activitypointer` lead to. Those of the bookkeeping columns are made as for any table."""
    name, plural = table.logical_name, pluralized(table.schema_name)
    made: list[Relationship] = []
    for base in schema.parents_of(POINTER):
        column, target = base.referencing_column, base.referenced_table
        if column == REGARDING:
            made.append(_renamed(base, table, f"{target}_{plural}", f"{REGARDING}_{target}_{name}", new_id, _PARENTAL))
        elif column in table.columns and column not in PLATFORM_KEPT:
            made.append(_renamed(base, table, f"{name}_{target}_{column}", f"{column}_{name}", new_id, base.cascade))
    list_name = f"{name}_activity_parties"
    made.append(
        Relationship(
            schema_name=list_name,
            metadata_id=new_id("relationship", list_name),
            referenced_table=name,
            referenced_column=table.primary_id,
            referencing_table=PARTIES,
            referencing_column="activityid",
            lookup_nav=f"activityid_{name}",
            collection_nav=list_name,
            cascade=Cascade(delete="Cascade"),
        )
    )
    return made


def with_parties(schema: Schema, name: str) -> Schema:
    """`schema`, not yet the next one, whose parties may be those of the activity table `name`."""
    parties = schema.tables[PARTIES]
    column = parties.columns["activityid"]
    wider = replace(column, targets=(*column.targets, name))
    changed = replace(parties, columns={**parties.columns, column.logical_name: wider})
    return replace(schema, tables=with_tables(schema, (changed,)))


def _renamed(base: Relationship, table: Table, name: str, nav: str, new_id: IdMaker, cascade: Cascade) -> Relationship:
    """What a relationship of `activitypointer` is for another activity table."""
    return replace(
        base,
        schema_name=name,
        metadata_id=new_id("relationship", name),
        referencing_table=table.logical_name,
        lookup_nav=nav,
        collection_nav=name,
        cascade=cascade,
        is_custom=False,
    )
