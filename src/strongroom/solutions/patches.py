"""Patches and clones: small updates of a solution, and the whole with its patches rolled up (WA-405).

A patch is a solution of its own with `parentsolutionid`. While a solution has patches it is locked: what is added goes
into a patch. Cloning the solution makes the next version of it, into which all its patches have gone.
"""

import secrets

from strongroom.errors import InvalidRequest, NotFound
from strongroom.ids import Guid, Reference
from strongroom.records import NewRecord, Session, create, delete, require
from strongroom.records.update import write_changes
from strongroom.schema.model import Rights
from strongroom.solutions.contents import add_components, components_of, find_solution
from strongroom.solutions.versions import demand_clone, demand_patch, version_of
from strongroom.store.protocol import Row, Value

LOCKED = "0x8004f03a"
_PATCH = "_Patch_"


def clone_as_patch(session: Session, parent_name: str, title: str, version: str) -> Guid:
    """A new, empty patch of an unmanaged solution."""
    parent = _parent(session, parent_name)
    there = [parent, *patches_of(session, parent.id)]
    newest = max((row.values.get("version") for row in there), key=version_of)
    demand_patch(parent_name, newest, version)
    values: dict[str, Value] = {
        "uniquename": f"{parent_name}{_PATCH}{secrets.token_hex(4)}"[:65],
        "friendlyname": title,
        "version": version,
        "publisherid": parent.values.get("publisherid"),
        "description": parent.values.get("description"),
    }
    patch = create(session, parent.table, NewRecord(values))
    set_parent(session, patch, parent.id)
    return patch


def clone_as_solution(session: Session, parent_name: str, title: str, version: str) -> Guid:
    """The next version of an unmanaged solution: it takes in what its patches have, and they go."""
    parent = _parent(session, parent_name)
    demand_clone(parent_name, parent.values.get("version"), version)
    patches = patches_of(session, parent.id)
    for patch in patches:
        write_changes(session, patch, {"parentsolutionid": None})  # from here on the parent is open again
    for patch in patches:
        add_components(session, parent.id, components_of(session, patch.id))
    for patch in patches:
        delete(session, patch.table, patch.id)
    write_changes(session, parent, {"version": version, "friendlyname": title})
    return parent.id


def set_parent(session: Session, patch: Guid, parent: Guid) -> None:
    """Say whose patch a solution is; clients cannot."""
    row = session.transaction.row(session.table("solution"), patch)
    if row is not None:
        write_changes(session, row, {"parentsolutionid": Reference("solution", parent)})


def patches_of(session: Session, solution: Guid) -> list[Row]:
    """The patches of a solution, in the order in which they came."""
    return session.transaction.rows_where(session.table("solution"), {"parentsolutionid": solution})


def demand_unlocked(session: Session, solution: Row) -> None:
    """Raise when a solution has patches: what is added goes into one of them."""
    patches = patches_of(session, solution.id)
    if patches:
        names = ", ".join(str(row.values.get("uniquename")) for row in patches)
        raise InvalidRequest(
            f"The solution '{solution.values.get('uniquename')}' has patches ({names}) and is locked while it has: "
            "change a patch, or roll them up with CloneAsSolution.",
            code=LOCKED,
        )


def parent_of_import(session: Session, unique_name: str, version: str, *, is_managed: bool) -> Row | None:
    """The solution whose patch an import is, by its name `<parent>_Patch_<mark>`; None for what is no patch. Raises
    when the parent is not here, or is not the one that it was made for."""
    name, mark, _ = unique_name.partition(_PATCH)
    if not mark:
        return None
    parent = find_solution(session, name)
    if parent is None:
        raise InvalidRequest(
            f"'{unique_name}' is a patch of '{name}', which is not here. Import that first.", code=LOCKED
        )
    if (parent.values.get("ismanaged") is True) is not is_managed:
        raise InvalidRequest(
            f"The patch '{unique_name}' is {'managed' if is_managed else 'unmanaged'}, and '{name}' is not.",
            code=LOCKED,
        )
    demand_patch(name, parent.values.get("version"), version)
    return parent


def _parent(session: Session, name: str) -> Row:
    row = find_solution(session, name)
    if row is None:
        raise NotFound(f"There is no solution '{name[:100]}'.", code="0x8004f010")
    if row.values.get("ismanaged") is True:
        raise InvalidRequest(f"The solution '{name}' is managed: patches are made where it is not.")
    if row.values.get("parentsolutionid") is not None:
        raise InvalidRequest(f"The solution '{name}' is a patch itself; patch the solution that it belongs to.")
    require(session, row.table, row.id, Rights.WRITE)
    return row
