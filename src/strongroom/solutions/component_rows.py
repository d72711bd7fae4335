"""Components that are rows: finding them, writing them, and what they say as definitions.

Every row goes through create and update as the caller, so that a solution gives nobody more than they may give: roles
take the caller's own privileges (SM-29).
"""

from collections.abc import Iterable, Mapping
from typing import cast

from strongroom.ids import Guid, Reference
from strongroom.records import (
    NewRecord,
    RolePrivilege,
    Session,
    add_privileges,
    create,
    delete,
    replace_privileges,
    role_privileges,
    update,
)
from strongroom.schema.model import Depth
from strongroom.solutions.contents import COMPONENT_TYPES
from strongroom.solutions.definitions import Definition, by_id, definition_of
from strongroom.solutions.layering import Layering
from strongroom.solutions.layers import ComponentKey
from strongroom.solutions.model import Part, SolutionProfile, SolutionRole
from strongroom.store.protocol import Row, Value

PROFILE = COMPONENT_TYPES["fieldsecurityprofile"]
_RIGHTS = ("canread", "canupdate", "cancreate")


def row_of(session: Session, table: str, row_id: Guid) -> Row | None:
    """A row by its id."""
    return session.transaction.row(session.table(table), row_id)


def existing(session: Session, part: Part) -> Row | None:
    """The row that a part is, if it is there: by its id, else by its name."""
    table = session.schema.tables[part.table]
    if part.id is not None:
        found = session.transaction.row(table, part.id)
        if found is not None:
            return found
    if part.key is None:
        return None
    rows = session.transaction.rows_where(table, {part.key: part.values[part.key]}, limit=1)
    return rows[0] if rows else None


def put(session: Session, table_name: str, row: Row | None, row_id: Guid | None, values: Mapping[str, Value]) -> Guid:
    """Write a row: changed where it is there, created where not."""
    table = session.table(table_name)
    if row is None:
        given: dict[str, Value] = {table.primary_id: row_id} if row_id is not None else {}
        writable = {
            name: value for name, value in values.items() if value is not None and table.columns[name].valid_for_create
        }
        return create(session, table, NewRecord({**given, **writable}))
    different = differing(row, values)
    if different:
        update(session, table, row.id, different)
    return row.id


def differing(row: Row, values: Mapping[str, Value]) -> dict[str, Value]:
    """The values that a row does not have yet, of columns that can be changed."""
    columns = row.table.columns
    return {
        name: value
        for name, value in values.items()
        if columns[name].valid_for_update and row.values.get(name) != value and name != row.table.primary_id
    }


def settled(layering: Layering, part: Part, row: Row) -> tuple[Mapping[str, Value], str]:
    """The values that a part gets where it is there already, and a note for people."""
    if part.stays:
        return part.values, ""
    mine: Definition = {name: row.values.get(name) for name in part.values}
    component = (COMPONENT_TYPES[part.table], row.id)
    return layering.settle(component, part.name, mine, dict(part.values), part.withheld)


def put_part(session: Session, part: Part, row: Row | None, layering: Layering) -> Reference:
    """Write the row of a part, with what it points to as far as that is here."""
    if row is not None and part.stays:
        return row.reference()
    values = dict(part.values if row is None else settled(layering, part, row)[0])
    for column, (table, row_id) in part.needs.items():
        if session.transaction.row(session.table(table), row_id) is not None:
            values[column] = Reference(table, row_id)
    for column, (table, key, value) in part.named.items():
        found = session.transaction.rows_where(session.table(table), {key: value}, limit=1)
        if found:
            values[column] = found[0].reference()
    row_id = put(session, part.table, row, part.id, values)
    if row is None and not part.stays:
        layering.bring((COMPONENT_TYPES[part.table], row_id), part.name, dict(part.values), part.withheld)
    return Reference(part.table, row_id)


# --- roles ---------------------------------------------------------------------------------------------------------


def held_privileges(session: Session, role: Guid) -> dict[str, str]:
    """The privileges of a role, by name, with their depths."""
    by_id = session.schema.privileges_by_id
    return {
        by_id[each.privilege].name: each.depth.wire_name
        for each in role_privileges(session, role)
        if each.privilege in by_id
    }


def put_role(session: Session, role: SolutionRole, privileges: Mapping[str, str]) -> bool:
    """A role of the root business unit with these privileges. Whether it was there."""
    row = row_of(session, "role", role.id)
    if row is None:
        units = session.transaction.rows_where(session.table("businessunit"), {"parentbusinessunitid": None}, limit=1)
        root: Value = Reference("businessunit", units[0].id)
        values = {"roleid": role.id, "name": role.name, "businessunitid": root}
        create(session, session.table("role"), NewRecord(values))
        add_privileges(session, role.id, list(_entries(session, privileges)))
    elif held_privileges(session, role.id) != privileges:
        replace_privileges(session, role.id, list(_entries(session, privileges)))
    return row is not None


def _entries(session: Session, privileges: Mapping[str, str]) -> Iterable[RolePrivilege]:
    known = session.schema.privileges_by_name
    by_name = {depth.wire_name: depth for depth in Depth}
    return (RolePrivilege(known[name].id, by_name[level]) for name, level in privileges.items() if name in known)


# --- column security profiles --------------------------------------------------------------------------------------


def put_profile(session: Session, profile: SolutionProfile, layering: Layering) -> bool:
    """A column security profile with the permissions of columns that are here. Whether it was there.

    Permissions that the profile has here and the solution does not name stay: they are about columns of others.
    """
    row = row_of(session, "fieldsecurityprofile", profile.id)
    theirs: Definition = {
        "name": profile.name,
        "description": profile.description or None,
        "permissions": {
            f"{table}.{column}": list(rights)
            for table, column, *rights in profile.permissions
            if table in session.schema.tables and column in session.schema.tables[table].columns
        },
    }
    component = (PROFILE, profile.id)
    if row is None:
        wanted = theirs
        layering.bring(component, profile.name, theirs)
    else:
        wanted, _ = layering.settle(component, profile.name, profile_definition(session, row), theirs)
    _write_profile(session, profile.id, row, wanted, removes=layering.is_managed)
    return row is not None


def profile_definition(session: Session, row: Row) -> Definition:
    """What a profile says: its name, and read, update and create by column."""
    held = {
        f"{each.values.get('entityname')}.{each.values.get('attributelogicalname')}": [
            each.values.get(right) for right in _RIGHTS
        ]
        for each in _permissions(session, row.id)
    }
    return {
        "name": row.values.get("name"),
        "description": row.values.get("description"),
        "permissions": dict(sorted(held.items())),
    }


def _write_profile(session: Session, ident: Guid, row: Row | None, wanted: Definition, *, removes: bool) -> None:
    put(session, "fieldsecurityprofile", row, ident, {name: wanted.get(name) for name in ("name", "description")})
    there = {
        f"{each.values.get('entityname')}.{each.values.get('attributelogicalname')}": each
        for each in _permissions(session, ident)
    }
    permissions = cast("Mapping[str, list[int]]", wanted["permissions"])
    for place, rights in permissions.items():
        table, _, column = place.rpartition(".")
        values: dict[str, Value] = {
            "entityname": table,
            "attributelogicalname": column,
            **dict(zip(_RIGHTS, rights, strict=True)),
            "fieldsecurityprofileid": Reference("fieldsecurityprofile", ident),
        }
        put(session, "fieldpermission", there.get(place), None, values)
    if removes:
        for place in there.keys() - permissions.keys():
            delete(session, session.table("fieldpermission"), there[place].id)


def _permissions(session: Session, profile: Guid) -> list[Row]:
    return session.transaction.rows_where(session.table("fieldpermission"), {"fieldsecurityprofileid": profile})


# --- any row -------------------------------------------------------------------------------------------------------


def row_definition(session: Session, row: Row, properties: Iterable[str]) -> Definition:
    """What a component says of these properties now."""
    match row.table.logical_name:
        case "role":
            return {"privileges": held_privileges(session, row.id)}
        case "fieldsecurityprofile":
            return profile_definition(session, row)
        case _:
            return {name: row.values.get(name) for name in properties}


def live_definition(session: Session, component: ComponentKey, properties: Iterable[str]) -> Definition:
    """What any component says of these properties now: a part of the metadata, or a row. Empty when it is not there."""
    table = next((name for name, number in COMPONENT_TYPES.items() if number == component[0]), None)
    if table is None:
        found = by_id(session.schema).get(component[1])
        return {} if found is None else definition_of(found.part)
    row = row_of(session, table, component[1])
    return {} if row is None else row_definition(session, row, properties)


def put_definition(session: Session, row: Row, definition: Definition) -> None:
    """Make a component say this."""
    match row.table.logical_name:
        case "role":
            wanted = cast("Mapping[str, str]", definition["privileges"])
            if held_privileges(session, row.id) != wanted:
                replace_privileges(session, row.id, list(_entries(session, wanted)))
        case "fieldsecurityprofile":
            _write_profile(session, row.id, row, definition, removes=True)
        case name:
            put(session, name, row, row.id, definition)
