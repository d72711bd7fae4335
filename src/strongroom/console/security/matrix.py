"""A role as a matrix of tables and rights, and changes of it as they come out of the form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strongroom.access.rights import RIGHT_NAMES
from strongroom.console.api import Json, objects, text
from strongroom.console.visit import Visit
from strongroom.schema.model import Depth, Privilege, Rights, Table

RIGHTS = (
    Rights.CREATE,
    Rights.READ,
    Rights.WRITE,
    Rights.DELETE,
    Rights.APPEND,
    Rights.APPEND_TO,
    Rights.ASSIGN,
    Rights.SHARE,
)
"""The rights in the order in which Dynamics shows them."""

SYMBOLS = {"": "○", "Basic": "◔", "Local": "◑", "Deep": "◕", "Global": "●"}
NOTHING = ""
"""The depth of a privilege that a role does not have, as the form has it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One privilege in a role: `depth` is a wire name or `NOTHING`, `depths` those that it may have."""

    privilege: str
    right: str
    depth: str
    depths: Sequence[str]
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One table of the matrix; a right that the table does not know is None."""

    table: Table
    cells: Sequence[Cell | None]


@dataclass(frozen=True, slots=True)
class RoleChange:
    """What somebody wants to change: privilege names with their new depth, `NOTHING` to take them away."""

    depths: Mapping[str, str]

    def proposal(self, role_id: str) -> Json:
        """The change as `sr_PreviewChange` takes it."""
        return {
            "Kind": "RolePrivileges",
            "Role": {"@odata.id": f"roles({role_id})"},
            "Set": [{"Privilege": name, "Depth": depth} for name, depth in self.depths.items() if depth],
            "Remove": [name for name, depth in self.depths.items() if not depth],
        }


async def held_depths(visit: Visit, role_id: str) -> Mapping[str, str]:
    """The privileges of a role by name, with their depths."""
    found = await visit.api.get(f"RetrieveRolePrivilegesRole(RoleId={role_id})")
    return {text(each["PrivilegeName"]): text(each["Depth"]) for each in objects(found.get("RolePrivileges"))}


def lines_of(
    visit: Visit, held: Mapping[str, str], change: RoleChange, wanted: str, *, only_held: bool
) -> Sequence[Line]:
    """The tables of the matrix whose names hold `wanted`; with `only_held` those of which the role has something."""
    found: list[Line] = []
    for table in sorted(visit.schema.tables.values(), key=lambda t: (t.label or t.logical_name).casefold()):
        if not table.privileges or wanted.casefold() not in f"{table.label} {table.logical_name}".casefold():
            continue
        cells = [_cell(table.privileges.get(right), right, held, change) for right in RIGHTS]
        if any(cell and (cell.depth or cell.is_changed) for cell in cells) or not only_held:
            found.append(Line(table, cells))
    return found


def other_privileges(
    visit: Visit, held: Mapping[str, str], change: RoleChange, wanted: str, *, only_held: bool
) -> Sequence[Cell]:
    """The privileges without a table."""
    found: list[Cell] = []
    for name in sorted(visit.schema.extra_privileges):
        cell = _cell(visit.schema.extra_privileges[name], Rights.NONE, held, change)
        if cell and wanted.casefold() in name.casefold() and (cell.depth or cell.is_changed or not only_held):
            found.append(cell)
    return found


def change_in(visit: Visit, sent: Mapping[str, str], held: Mapping[str, str]) -> RoleChange:
    """What differs from `held` in a form whose fields are called `p~` and a privilege's name."""
    known = {depth.wire_name for depth in Depth}
    changed: dict[str, str] = {}
    for field, depth in sent.items():
        name = field.removeprefix("p~")
        if field == name or name not in visit.schema.privileges_by_name or (depth and depth not in known):
            continue
        if depth != held.get(name, NOTHING):
            changed[name] = depth
    return RoleChange(changed)


def _cell(privilege: Privilege | None, right: Rights, held: Mapping[str, str], change: RoleChange) -> Cell | None:
    if privilege is None:
        return None
    depths = [depth.wire_name for depth in Depth if depth in privilege.depths]
    saved = held.get(privilege.name, NOTHING)
    depth = change.depths.get(privilege.name, saved)
    shown = RIGHT_NAMES[right].removesuffix("Access") if right else privilege.name.removeprefix("prv")
    return Cell(privilege.name, shown, depth, depths, depth != saved)
