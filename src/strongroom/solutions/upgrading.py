"""Upgrades of managed solutions: the new version takes the place of the old one, and what only the old one had goes.

An upgrade has two steps, so that data can be moved in between. The new version is imported beside the old one, as
`<name>_Upgrade`, with its layers above (`ImportOptions.is_holding`); then it is *promoted*: the old version and its
patches are removed, and the new one takes the name. Both are one transaction each; an upgrade in one go is one.
"""

from strongroom.access.resolve import require_privilege
from strongroom.errors import NotFound
from strongroom.ids import Guid
from strongroom.records import Session, delete
from strongroom.records.update import write_changes
from strongroom.solutions.archive import Archive
from strongroom.solutions.component_rows import existing
from strongroom.solutions.contents import find_solution, installing, metadata_components
from strongroom.solutions.importing import (
    HOLDING,
    IMPORT_PRIVILEGE,
    Imported,
    ImportOptions,
    import_solution,
    plan_import,
)
from strongroom.solutions.layers import LAYERS
from strongroom.solutions.model import Solution
from strongroom.solutions.patches import patches_of
from strongroom.solutions.planning import Planned
from strongroom.solutions.removing import Removed, plan_removal
from strongroom.store.protocol import Row


def stage_and_upgrade(
    session: Session, solution: Solution, archive: Archive, *, overwrites: bool = False
) -> tuple[Imported, tuple[Removed, ...]]:
    """Upgrade in one go; gives what was imported and what went. A solution that is not here yet is imported."""
    if find_solution(session, solution.unique_name) is None:
        return import_solution(session, solution, archive, ImportOptions(overwrites)), ()
    imported = import_solution(session, solution, archive, ImportOptions(overwrites, is_holding=True))
    _, removed = promote(session, solution.unique_name)
    return imported, removed


def plan_upgrade(session: Session, solution: Solution) -> tuple[Planned, tuple[Removed, ...]]:
    """What `stage_and_upgrade` would do now: the steps of the import, and what would go."""
    installed = find_solution(session, solution.unique_name)
    if installed is None:
        return plan_import(session, solution), ()
    planned = plan_import(session, solution, ImportOptions(is_holding=True))
    kept = {component.id for component in metadata_components(planned.schema, solution)}
    kept |= {each.id for each in (*solution.roles, *solution.profiles)}
    kept |= {row.id for part in planned.parts if (row := existing(session, part)) is not None}
    return planned, plan_removal(session, installed, kept)


def promote(session: Session, unique_name: str) -> tuple[Guid, tuple[Removed, ...]]:
    """Put a staged upgrade into the place of the solution `unique_name` and of its patches: `DeleteAndPromote`."""
    require_privilege(session.caller, IMPORT_PRIVILEGE)
    name = unique_name.removesuffix(HOLDING)
    staged = find_solution(session, name + HOLDING)
    if staged is None:
        raise NotFound(
            f"No upgrade of '{name[:100]}' is staged. Import its new version with HoldingSolution first.",
            code="0x8004f010",
        )
    removed: list[Removed] = []
    before = find_solution(session, name)
    if before is not None:
        for row in (*patches_of(session, before.id), before):
            removed += plan_removal(session, row)
            delete(session, row.table, row.id)
    with installing(session):
        write_changes(session, staged, {"uniquename": name})
        _rename_layers(session, staged, name)
    return staged.id, tuple(removed)


def _rename_layers(session: Session, solution: Row, name: str) -> None:
    for row in session.transaction.rows_where(session.table(LAYERS), {"solutionid": solution.id}):
        session.transaction.update(row, {"msdyn_solutionname": name})
