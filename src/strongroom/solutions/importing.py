"""Importing a solution: the plan carried out in one transaction, by the verbs that everybody uses.

An import happens as the caller: tables need the customization privileges, rows whatever their verbs ask for. A managed
solution makes layers (`layers`); what was customized here stays on top of them.
"""

from dataclasses import dataclass, replace

from strongroom.access.resolve import require_privilege, require_usable
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records import Session, change_schema
from strongroom.records.update import write_changes
from strongroom.solutions.archive import Archive
from strongroom.solutions.component_rows import differing as different_values
from strongroom.solutions.component_rows import (
    existing,
    held_privileges,
    put,
    put_part,
    put_profile,
    put_role,
    row_of,
    settled,
)
from strongroom.solutions.contents import (
    COMPONENT_TYPES,
    Component,
    components_of,
    find_solution,
    installing,
    keep_archive,
    metadata_components,
    record_components,
)
from strongroom.solutions.layering import Layering
from strongroom.solutions.layers import all_layers, layers_of, show_active, write_layers
from strongroom.solutions.model import Part, Solution
from strongroom.solutions.patches import parent_of_import, set_parent
from strongroom.solutions.planning import Planned, Step, Verdict, plan
from strongroom.solutions.publishers import demand_same_publisher
from strongroom.solutions.versions import demand_update, demand_upgrade, version_of
from strongroom.solutions.waiting import as_text, waiting_after
from strongroom.store.protocol import Row, Value

IMPORT_PRIVILEGE = "prvImportCustomization"
HOLDING = "_Upgrade"
"""What the name of a solution ends in while its upgrade waits to take its place."""

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
class ImportOptions:
    """How a managed solution comes in. `overwrites`: what was customized here gives way. `is_holding`: beside the
    version that is here, until `promote` puts it into its place."""

    overwrites: bool = False
    is_holding: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What was done: the solution's row and every step."""

    solution: Guid
    steps: tuple[Step, ...]

    @property
    def waiting(self) -> tuple[Step, ...]:
        """What the environment does not have yet."""
        return tuple(step for step in self.steps if step.verdict is Verdict.WAIT)


_ORDINARY = ImportOptions()


def plan_import(session: Session, solution: Solution, options: ImportOptions = _ORDINARY) -> Planned:
    """What `import_solution` would do now. Raises `InvalidRequest` for what may not come over what is there."""
    return _plan(session, solution, options)[0]


def import_solution(
    session: Session, solution: Solution, archive: Archive, options: ImportOptions = _ORDINARY
) -> Imported:
    """Import a solution, whole or not at all."""
    planned, layering = _plan(session, solution, options)
    if options.is_holding:
        solution = replace(solution, unique_name=solution.unique_name + HOLDING)
    parent = parent_of_import(session, solution.unique_name, solution.version, is_managed=solution.is_managed)
    before = {component.id for component in metadata_components(session.schema, solution)}
    _demand_metadata_privileges(session, planned)
    with installing(session):
        if planned.schema is not session.schema:
            change_schema(session, planned.schema)
            session.renew_caller()
        publisher = _publisher(session, solution)
        solution_id = _solution(session, solution, publisher)
        if parent is not None:
            set_parent(session, solution_id, parent.id)
        rows = _write_rows(session, solution, planned, layering, before)
        wanted = metadata_components(session.schema, solution)
        wanted += [Component(COMPONENT_TYPES[row.table], row.id) for row in rows]
        record_components(session, solution_id, wanted, before, is_managed=solution.is_managed)
        _record_layers(session, solution_id, solution, layering)
        keep_archive(session, solution_id, solution, archive, as_text(waiting_after(solution, planned)))
    return Imported(solution_id, planned.steps)


# --- planning ------------------------------------------------------------------------------------------------------


def _plan(session: Session, solution: Solution, options: ImportOptions) -> tuple[Planned, Layering]:
    require_usable(session.caller)
    require_privilege(session.caller, IMPORT_PRIVILEGE)
    version_of(solution.version)
    installed = find_solution(session, solution.unique_name)
    _demand_fits(session, installed, solution, options)
    demand_same_publisher(session, solution.publisher)
    layering = _layering(session, None if options.is_holding else installed, solution, options)
    roles = {
        role.id: held_privileges(session, role.id)
        for role in solution.roles
        if row_of(session, "role", role.id) is not None
    }

    def compare(table: str, row_id: Guid | None, part: Part | None) -> tuple[Verdict, str]:
        if part is None:
            is_new = row_id is None or row_of(session, table, row_id) is None
            return (Verdict.CREATE if is_new else Verdict.SAME), ""
        row = existing(session, part)
        if row is None:
            return Verdict.CREATE, ""
        values, note = settled(layering, part, row)
        is_other = different_values(row, values) and not part.stays
        return (Verdict.CHANGE if is_other else Verdict.SAME), note

    return plan(solution, session.schema, compare, roles, layering), layering


def _demand_fits(session: Session, installed: Row | None, solution: Solution, options: ImportOptions) -> None:
    name = solution.unique_name
    is_managed = installed is not None and installed.values.get("ismanaged") is True
    if options.is_holding and not (is_managed and solution.is_managed):
        raise InvalidRequest(
            f"Only a managed solution that is here already can be upgraded; '{name}' is "
            f"{'not here' if installed is None else 'not managed'}. Import it without an upgrade.",
            code="0x80048029",
        )
    if find_solution(session, name + HOLDING) is not None:
        raise InvalidRequest(
            f"An upgrade of '{name}' is staged already. Finish it with DeleteAndPromote, or delete the solution "
            f"'{name}{HOLDING}' first.",
            code="0x80048036",
        )
    parent_of_import(session, name, solution.version, is_managed=solution.is_managed)
    if installed is None:
        return
    check = demand_upgrade if options.is_holding else demand_update
    check(name, installed.values.get("version"), solution.version)
    if installed.values.get("ismanaged") is False and solution.is_managed:
        raise InvalidRequest(
            f"The solution '{name}' is here unmanaged; a managed version cannot be put over it.", code="0x80048029"
        )
    if installed.values.get("ismanaged") is True and not solution.is_managed:
        raise InvalidRequest(
            f"The solution '{name}' is here managed; an unmanaged version cannot be put over it. Remove it first.",
            code="0x80048029",
        )


def _layering(session: Session, installed: Row | None, solution: Solution, options: ImportOptions) -> Layering:
    publishers = session.transaction.rows_where(session.table("solution"), {})
    found = session.transaction.rows_where(
        session.table("publisher"), {"uniquename": solution.publisher.unique_name}, limit=1
    )
    held = [] if installed is None else components_of(session, installed.id)
    return Layering(
        layers=all_layers(session),
        is_managed=solution.is_managed,
        solution=None if installed is None else installed.id,
        maker=found[0].id if found else None,
        makers={
            row.id: publisher.id
            for row in publishers
            if isinstance(publisher := row.values.get("publisherid"), Reference)
        },
        held=frozenset((each.type, each.id) for each in held),
        overwrites=options.overwrites,
    )


def _demand_metadata_privileges(session: Session, planned: Planned) -> None:
    """A solution changes metadata with the privileges that the same change needs by itself: otherwise one that calls
    a column no longer secured would open it."""
    for step in planned.steps:
        verb, noun = _VERBS.get(step.verdict), _NOUNS.get(step.kind)
        if verb is not None and noun is not None:
            require_privilege(session.caller, f"prv{verb}{noun}")


# --- rows and layers -----------------------------------------------------------------------------------------------


def _write_rows(
    session: Session, solution: Solution, planned: Planned, layering: Layering, before: set[Guid]
) -> list[Reference]:
    """Write roles, profiles and all other rows; what was there already is added to `before`."""
    rows: list[Reference] = []
    for role in solution.roles:
        if put_role(session, role, planned.role_privileges[role.id]):
            before.add(role.id)
        rows.append(Reference("role", role.id))
    for profile in solution.profiles:
        if put_profile(session, profile, layering):
            before.add(profile.id)
        rows.append(Reference("fieldsecurityprofile", profile.id))
    for part in planned.parts:
        row = existing(session, part)
        if row is not None:
            before.add(row.id)
        rows.append(put_part(session, part, row, layering))
    return rows


def _record_layers(session: Session, solution_id: Guid, solution: Solution, layering: Layering) -> None:
    row = row_of(session, "solution", solution_id)
    if row is None:
        return
    if solution.is_managed:
        maker = solution.publisher.friendly_name
        write_layers(session, row, maker, layering.brought.values(), layering.layers)
    for component, live in layering.met.items():
        if solution.is_managed or component in layering.layers:
            layers = layers_of(session, component)
            show_active(session, layers[-1], live)


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
    return put(session, "publisher", found[0] if found else None, None, values)


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
    solution_id = put(session, "solution", find_solution(session, solution.unique_name), None, values)
    row = row_of(session, "solution", solution_id)
    if row is not None and solution.is_managed:
        write_changes(session, row, {"installedon": session.now})
    return solution_id
