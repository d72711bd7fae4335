"""Importing a solution: the plan carried out in one transaction, by the verbs that everybody uses.

Every row goes through create and update as the caller, so that an import gives nobody more than they may give: roles
take the caller's own privileges (SM-29), tables the customization privileges.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.access.resolve import require_privilege, require_usable
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records import (
    NewRecord,
    RolePrivilege,
    Session,
    add_privileges,
    change_schema,
    create,
    replace_privileges,
    role_privileges,
    update,
)
from strongroom.schema.model import Depth
from strongroom.solutions.archive import Archive
from strongroom.solutions.contents import (
    COMPONENT_TYPES,
    Component,
    keep_archive,
    metadata_components,
    record_components,
)
from strongroom.solutions.model import Part, Solution, SolutionProfile
from strongroom.solutions.planning import Planned, Step, Verdict, plan
from strongroom.store.protocol import Row, Value

IMPORT_PRIVILEGE = "prvImportCustomization"
_VERBS = {Verdict.CREATE: "Create", Verdict.CHANGE: "Write"}
_NOUNS = {
    "choice": "OptionSet",
    "table": "Entity",
    "column": "Attribute",
    "lookup": "Relationship",
    "relationship": "Relationship",
    "key": "Attribute",
}
"""The customization privileges that steps need, by their kinds."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What was done: the solution's row and every step."""

    solution: Guid
    steps: tuple[Step, ...]

    @property
    def waiting(self) -> tuple[Step, ...]:
        """What the environment does not have yet."""
        return tuple(step for step in self.steps if step.verdict is Verdict.WAIT)


def plan_import(session: Session, solution: Solution) -> Planned:
    """What `import_solution` would do now. Raises `InvalidRequest` for a version older than what is there."""
    require_usable(session.caller)
    require_privilege(session.caller, IMPORT_PRIVILEGE)
    installed = find_solution(session, solution.unique_name)
    if installed is not None:
        _demand_newer(installed, solution)
    roles = {
        role.id: held_privileges(session, role.id)
        for role in solution.roles
        if _row(session, "role", role.id) is not None
    }

    def compare(table: str, row_id: Guid | None, part: Part | None) -> Verdict:
        if part is None:
            return Verdict.CREATE if row_id is None or _row(session, table, row_id) is None else Verdict.SAME
        row = _existing(session, part)
        if row is None:
            return Verdict.CREATE
        return Verdict.CHANGE if _changed(row, part.values) and not part.stays else Verdict.SAME

    return plan(solution, session.schema, compare, roles)


def import_solution(session: Session, solution: Solution, archive: Archive) -> Imported:
    """Import a solution, whole or not at all."""
    planned = plan_import(session, solution)
    before = {component.id for component in metadata_components(session.schema, solution)}
    _demand_metadata_privileges(session, planned)
    if planned.schema is not session.schema:
        change_schema(session, planned.schema)
        session.renew_caller()
    publisher = _publisher(session, solution)
    solution_id = _solution(session, solution, publisher)
    rows: list[Reference] = []
    for role in solution.roles:
        if _role(session, role.id, role.name, planned.role_privileges[role.id]):
            before.add(role.id)
        rows.append(Reference("role", role.id))
    for profile in solution.profiles:
        if _profile(session, profile):
            before.add(profile.id)
        rows.append(Reference("fieldsecurityprofile", profile.id))
    for part in planned.parts:
        existing = _existing(session, part)
        if existing is not None:
            before.add(existing.id)
        rows.append(_part(session, part, existing))
    wanted = metadata_components(session.schema, solution)
    wanted += [Component(COMPONENT_TYPES[row.table], row.id) for row in rows]
    record_components(session, solution_id, wanted, before, is_managed=solution.is_managed)
    keep_archive(session, solution_id, solution, archive)
    return Imported(solution_id, planned.steps)


def find_solution(session: Session, unique_name: str) -> Row | None:
    """The row of an imported solution."""
    found = session.transaction.rows_where(session.table("solution"), {"uniquename": unique_name}, limit=1)
    return found[0] if found else None


def version_of(text: object) -> tuple[int, ...]:
    """A version as numbers that can be compared."""
    return tuple(int(part) if part.isdigit() else 0 for part in str(text or "0").split("."))


def _demand_metadata_privileges(session: Session, planned: Planned) -> None:
    """A solution changes metadata with the privileges that the same change needs by itself: otherwise one that calls
    a column no longer secured would open it."""
    for step in planned.steps:
        verb, noun = _VERBS.get(step.verdict), _NOUNS.get(step.kind)
        if verb is not None and noun is not None:
            require_privilege(session.caller, f"prv{verb}{noun}")


def _demand_newer(installed: Row, solution: Solution) -> None:
    there = installed.values.get("version")
    if version_of(solution.version) < version_of(there):
        raise InvalidRequest(
            f"The solution '{solution.unique_name}' is here in version {there}, and {solution.version} is older. "
            "Import a newer version, or remove the solution first.",
            code="0x80048031",
        )
    if installed.values.get("ismanaged") is False and solution.is_managed:
        raise InvalidRequest(
            f"The solution '{solution.unique_name}' is here unmanaged; a managed version cannot be put over it.",
            code="0x80048029",
        )


# --- rows ----------------------------------------------------------------------------------------------------------


def _row(session: Session, table: str, row_id: Guid) -> Row | None:
    return session.transaction.row(session.table(table), row_id)


def _existing(session: Session, part: Part) -> Row | None:
    table = session.schema.tables[part.table]
    if part.id is not None:
        found = session.transaction.row(table, part.id)
        if found is not None:
            return found
    if part.key is None:
        return None
    rows = session.transaction.rows_where(table, {part.key: part.values[part.key]}, limit=1)
    return rows[0] if rows else None


def _put(session: Session, table_name: str, row: Row | None, row_id: Guid | None, values: Mapping[str, Value]) -> Guid:
    """Write a row: changed where it is there, created where not."""
    table = session.table(table_name)
    if row is None:
        given: dict[str, Value] = {table.primary_id: row_id} if row_id is not None else {}
        writable = {
            name: value for name, value in values.items() if value is not None and table.columns[name].valid_for_create
        }
        return create(session, table, NewRecord({**given, **writable}))
    changed = _changed(row, values)
    if changed:
        update(session, table, row.id, changed)
    return row.id


def _changed(row: Row, values: Mapping[str, Value]) -> dict[str, Value]:
    """The values that a row does not have yet, of columns that can be changed."""
    columns = row.table.columns
    return {
        name: value
        for name, value in values.items()
        if columns[name].valid_for_update and row.values.get(name) != value and name != row.table.primary_id
    }


def _publisher(session: Session, solution: Solution) -> Guid:
    table = session.table("publisher")
    publisher = solution.publisher
    found = session.transaction.rows_where(table, {"uniquename": publisher.unique_name}, limit=1)
    values: dict[str, Value] = {
        "uniquename": publisher.unique_name,
        "friendlyname": publisher.friendly_name,
        "customizationprefix": publisher.prefix,
        "customizationoptionvalueprefix": publisher.option_prefix,
    }
    return _put(session, "publisher", found[0] if found else None, None, values)


def _solution(session: Session, solution: Solution, publisher: Guid) -> Guid:
    values: dict[str, Value] = {
        "uniquename": solution.unique_name,
        "friendlyname": solution.friendly_name,
        "description": solution.description or None,
        "version": solution.version,
        "publisherid": Reference("publisher", publisher),
        "enabledforsourcecontrolintegration": False,
        "sourcecontrolsyncstatus": 0,
    }
    return _put(session, "solution", find_solution(session, solution.unique_name), None, values)


def held_privileges(session: Session, role: Guid) -> dict[str, str]:
    """The privileges of a role, by name, with their depths."""
    by_id = session.schema.privileges_by_id
    return {
        by_id[each.privilege].name: each.depth.wire_name
        for each in role_privileges(session, role)
        if each.privilege in by_id
    }


def _role(session: Session, role_id: Guid, name: str, privileges: Mapping[str, str]) -> bool:
    """A role of the root business unit with these privileges. Whether it was there."""
    row = _row(session, "role", role_id)
    wanted = [
        RolePrivilege(session.schema.privileges_by_name[privilege].id, depth)
        for privilege, level in privileges.items()
        for depth in Depth
        if depth.wire_name == level
    ]
    if row is None:
        units = session.transaction.rows_where(session.table("businessunit"), {"parentbusinessunitid": None}, limit=1)
        root: Value = Reference("businessunit", units[0].id)
        create(session, session.table("role"), NewRecord({"roleid": role_id, "name": name, "businessunitid": root}))
        add_privileges(session, role_id, wanted)
    elif held_privileges(session, role_id) != privileges:
        replace_privileges(session, role_id, wanted)
    return row is not None


def _profile(session: Session, profile: SolutionProfile) -> bool:
    """A column security profile with the permissions of columns that are here. Whether it was there.

    Permissions that the profile has here and the solution does not name stay: they are about columns of others.
    """
    row = _row(session, "fieldsecurityprofile", profile.id)
    _put(
        session,
        "fieldsecurityprofile",
        row,
        profile.id,
        {"name": profile.name, "description": profile.description or None},
    )
    table = session.table("fieldpermission")
    there = {
        (row.values.get("entityname"), row.values.get("attributelogicalname")): row
        for row in session.transaction.rows_where(table, {"fieldsecurityprofileid": profile.id})
    }
    for entity, column, can_read, can_update, can_create in profile.permissions:
        known = session.schema.tables.get(entity)
        if known is None or column not in known.columns:
            continue
        values: dict[str, Value] = {
            "entityname": entity,
            "attributelogicalname": column,
            "canread": can_read,
            "canupdate": can_update,
            "cancreate": can_create,
            "fieldsecurityprofileid": Reference("fieldsecurityprofile", profile.id),
        }
        _put(session, "fieldpermission", there.get((entity, column)), None, values)
    return row is not None


def _part(session: Session, part: Part, existing: Row | None) -> Reference:
    values = dict(part.values)
    for column, (table, row_id) in part.needs.items():
        if session.transaction.row(session.table(table), row_id) is not None:
            values[column] = Reference(table, row_id)
    for column, (table, key, value) in part.named.items():
        found = session.transaction.rows_where(session.table(table), {key: value}, limit=1)
        if found:
            values[column] = found[0].reference()
    if existing is not None and part.stays:
        return existing.reference()
    return Reference(part.table, _put(session, part.table, existing, part.id, values))
