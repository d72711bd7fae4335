"""Making, changing and removing tables."""

from dataclasses import replace

from strongroom.errors import InvalidRequest
from strongroom.schema.activities import POINTER
from strongroom.schema.build import ids_for_next_version, next_version, with_relationships
from strongroom.schema.changes.activities import activity_columns, activity_relationships, check_activity, with_parties
from strongroom.schema.changes.column_rules import new_column
from strongroom.schema.changes.columns import existing_table, with_columns, with_new_columns
from strongroom.schema.changes.options import DEFAULT_OPTION_PREFIX
from strongroom.schema.changes.relationships import next_type_code, without_target
from strongroom.schema.changes.requests import NewTable, TableChange
from strongroom.schema.model import (
    Cascade,
    Column,
    ColumnType,
    ManyToMany,
    Ownership,
    Relationship,
    RequiredLevel,
    Schema,
    Table,
)
from strongroom.schema.naming import checked_custom_name, checked_identifier, pluralized
from strongroom.schema.privileges import table_privileges
from strongroom.schema.system_columns import (
    IdMaker,
    bookkeeping_columns,
    import_columns,
    owner_columns,
    state_columns,
    system_relationships,
)

_PARENTAL = Cascade(assign="Cascade", share="Cascade", unshare="Cascade", reparent="Cascade", delete="Cascade")
_OWNED_BY_NOBODY = Cascade(delete="Cascade")


def create_table(schema: Schema, new: NewTable, *, option_prefix: int = DEFAULT_OPTION_PREFIX) -> Schema:
    """`schema` with a new table: its columns, system columns (WA-441), privileges (WA-342) and relationships."""
    if new.ownership not in (Ownership.USER, Ownership.ORGANIZATION):
        raise InvalidRequest(
            f"The OwnershipType {new.ownership.value} cannot be chosen; use UserOwned or OrganizationOwned."
        )
    schema_name = checked_custom_name(new.schema_name, "table")
    name = schema_name.lower()
    entity_set = checked_identifier(new.entity_set_name or pluralized(name), "entity set")
    if name in schema.tables:
        raise InvalidRequest(f"A table with the name '{schema_name}' already exists.", code="0x80047010")
    if entity_set in schema.entity_sets:
        raise InvalidRequest(f"An entity set with the name '{entity_set}' already exists.", code="0x80047010")
    if new.is_activity:
        check_activity(new)
    new_id = ids_for_next_version(schema)
    blank = Table(
        logical_name=name,
        schema_name=schema_name,
        entity_set_name=entity_set,
        object_type_code=next_type_code(schema),
        metadata_id=new_id("table", name),
        ownership=new.ownership,
        label=new.label or schema_name,
        collection_label=new.collection_label or pluralized(new.label or schema_name),
        description=new.description or "",
        primary_id="activityid" if new.is_activity else f"{name}id",
        primary_name=new.primary_name.schema_name.lower(),
        privileges=(
            schema.tables[POINTER].privileges
            if new.is_activity
            else table_privileges(name, schema_name, new.ownership, schema.version + 1)
        ),
        is_activity=new.is_activity,
        has_notes=new.has_notes,
        has_activities=new.has_activities,
        is_custom=True,
        is_audited=new.is_audited,
        is_retrieve_audited=new.is_retrieve_audited,
        is_retrieve_multiple_audited=new.is_retrieve_multiple_audited,
        change_tracking=new.change_tracking,
        is_hierarchy_security_enabled=new.is_hierarchy_security_enabled,
    )
    if new.is_activity:
        table = with_columns(blank, activity_columns(schema, name, new.primary_name, new_id))
    else:
        table = with_columns(blank, [_id_column(blank, new_id), *_system_columns(blank, new_id)])
        table = _with_primary_name(schema, table, new, new_id)
    table, relationships = with_new_columns(schema, table, new.columns, new_id, option_prefix=option_prefix)
    lookups = frozenset(column.logical_name for column in table.columns.values() if column.type.is_lookup)
    relationships += system_relationships(name, lookups, new_id)
    if new.is_activity:
        relationships += activity_relationships(schema, table, new_id)
        schema = with_parties(schema, name)
    return _with_companies(schema, table, relationships, new_id)


def replace_table(schema: Schema, table_name: str, change: TableChange) -> Schema:
    """`schema` with another description of the table (WA-344). Notes and activities can be added, not taken away."""
    table = existing_table(schema, table_name)
    for what, wanted, present in (
        ("HasNotes", change.has_notes, table.has_notes),
        ("HasActivities", change.has_activities, table.has_activities),
    ):
        if present and wanted is False:
            raise InvalidRequest(f"{what} of table '{table_name}' cannot be switched off again.")
    changed = replace(
        table,
        label=change.label or table.label,
        collection_label=change.collection_label or table.collection_label,
        description=table.description if change.description is None else change.description,
        has_notes=table.has_notes or bool(change.has_notes),
        has_activities=table.has_activities or bool(change.has_activities),
        is_audited=_either(change.is_audited, table.is_audited),
        is_retrieve_audited=_either(change.is_retrieve_audited, table.is_retrieve_audited),
        is_retrieve_multiple_audited=_either(change.is_retrieve_multiple_audited, table.is_retrieve_multiple_audited),
        change_tracking=_either(change.change_tracking, table.change_tracking),
        is_hierarchy_security_enabled=_either(
            change.is_hierarchy_security_enabled, table.is_hierarchy_security_enabled
        ),
    )
    return _with_companies(schema, changed, [], ids_for_next_version(schema))


def delete_table(schema: Schema, table_name: str) -> Schema:
    """`schema` without the table, its relationships and privileges, and what other tables had only for it (WA-345)."""
    table = existing_table(schema, table_name)
    if not table.is_custom:
        raise InvalidRequest(f"The table '{table_name}' belongs to the platform and cannot be deleted.")
    if table.is_intersect:
        raise InvalidRequest(f"The table '{table_name}' goes with its many-to-many relationship: delete that.")
    tables = dict(schema.tables)
    del tables[table_name]
    associations: dict[str, ManyToMany] = {}
    for name, association in schema.many_to_many.items():
        if table_name in (association.table1, association.table2):
            tables.pop(association.intersect, None)
        else:
            associations[name] = association
    relationships: dict[str, Relationship] = {}
    for name, relationship in schema.relationships.items():
        if table_name not in (relationship.referenced_table, relationship.referencing_table):
            relationships[name] = relationship
        elif relationship.referencing_table in tables:
            child = tables[relationship.referencing_table]
            tables[child.logical_name] = without_target(child, relationship)
    return next_version(schema, tables=tables, relationships=relationships, many_to_many=associations)


def _either(wanted: bool | None, present: bool) -> bool:
    return present if wanted is None else wanted


def _id_column(table: Table, new_id: IdMaker) -> Column:
    return Column(
        table.primary_id,
        f"{table.schema_name}Id",
        ColumnType.UNIQUEIDENTIFIER,
        new_id("column", f"{table.logical_name}.{table.primary_id}"),
        table.label,
        required=RequiredLevel.SYSTEM_REQUIRED,
        valid_for_update=False,
        is_audited=False,
    )


def _system_columns(table: Table, new_id: IdMaker) -> list[Column]:
    name = table.logical_name
    columns = bookkeeping_columns(name, table.ownership, new_id)
    if table.ownership is Ownership.USER:
        columns += owner_columns(name, new_id)
    return [*columns, *state_columns(name, new_id), *import_columns(name, new_id)]


def _with_primary_name(schema: Schema, table: Table, new: NewTable, new_id: IdMaker) -> Table:
    wanted = new.primary_name
    name = checked_custom_name(wanted.schema_name, "column")
    if name.lower() in table.columns or any(c.schema_name.lower() == name.lower() for c in new.columns):
        raise InvalidRequest(f"A column with the name '{name}' occurs twice.", code="0x80047013")
    if wanted.is_secured:
        raise InvalidRequest(f"The primary name column '{name}' cannot be secured.", code="0x8004f501")
    column = new_column(schema, table.logical_name, wanted, new_id, is_primary_name=True)
    return with_columns(table, (column,))


# --- what other tables get for a new one -------------------------------------------------------------------------


def _with_companies(schema: Schema, table: Table, relationships: list[Relationship], new_id: IdMaker) -> Schema:
    """The next schema, with `table` and the places in other tables that point to its rows: shares of column values
    (SM-134), notes and activities."""
    cascade = _PARENTAL if table.ownership is Ownership.USER else _OWNED_BY_NOBODY
    name = table.logical_name
    tables = {**schema.tables, name: table}
    pointing = [
        ("principalobjectattributeaccess", "objectid", f"{name}_PrincipalObjectAttributeAccesses", f"objectid_{name}")
    ]
    if table.has_notes:
        pointing.append(("annotation", "objectid", f"{name}_Annotations", f"objectid_{name}"))
    if table.has_activities:
        for activity in schema.tables.values():
            if activity.is_activity and "regardingobjectid" in activity.columns:
                plural = pluralized(activity.schema_name)
                suffix = "" if activity.logical_name == "activitypointer" else f"_{activity.logical_name}"
                nav = f"regardingobjectid_{name}{suffix}"
                pointing.append((activity.logical_name, "regardingobjectid", f"{name}_{plural}", nav))
    for child_name, column_name, schema_name, nav in pointing:
        child = tables[child_name]
        column = child.columns[column_name]
        if name in column.targets:
            continue
        wider = replace(column, targets=(*column.targets, name))
        tables[child_name] = replace(child, columns={**child.columns, column_name: wider})
        relationships.append(
            Relationship(
                schema_name=schema_name,
                metadata_id=new_id("relationship", schema_name),
                referenced_table=name,
                referenced_column=table.primary_id,
                referencing_table=child_name,
                referencing_column=column_name,
                lookup_nav=nav,
                collection_nav=schema_name,
                cascade=_OWNED_BY_NOBODY if child_name == "principalobjectattributeaccess" else cascade,
            )
        )
    return next_version(schema, tables=tables, relationships=with_relationships(schema, relationships))
