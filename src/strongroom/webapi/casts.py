"""Type cast segments in paths: `accounts(…)/ownerid/Microsoft.Dynamics.CRM.systemuser` (WA-80, WA-135).

A cast names a type, and what follows it is of that type. A cast to the type that is there anyway, or to one that it
derives from, changes nothing. A cast to a derived type is of a row that may be something else, which is then not
there: an owner that is a team is no `systemuser`, and an activity that is a task no `email`.
"""

from strongroom.errors import ResourceNotFound
from strongroom.schema.model import Schema, Table
from strongroom.webapi.csdl_entities import PRINCIPALS
from strongroom.webapi.paths import NAMESPACE, Segment, unknown_segment

ACTIVITY = "activitypointer"
_EVERY = "crmbaseentity"
_PRINCIPAL = "principal"


def type_named(schema: Schema, segment: Segment) -> str | None:
    """The type that a cast segment names; None for every other segment, those of bound operations included."""
    if segment.key is not None or not segment.name.startswith(NAMESPACE):
        return None
    name = segment.name[len(NAMESPACE) :]
    return name if name in schema.tables or name in (_EVERY, _PRINCIPAL) else None


def is_a(table: Table, kind: str) -> bool:
    """Whether rows of a table are of a type: its own, or one that it derives from."""
    if kind in (table.logical_name, _EVERY):
        return True
    return (kind == _PRINCIPAL and table.logical_name in PRINCIPALS) or (kind == ACTIVITY and table.is_activity)


def demand(table: Table, kind: str) -> None:
    """404 where a row is of another type than a cast says."""
    if not is_a(table, kind):
        raise ResourceNotFound(f"The row is of the type '{NAMESPACE}{table.logical_name}', not '{NAMESPACE}{kind}'.")


def derived(schema: Schema, table: Table, kind: str) -> Table:
    """The table of those rows of `table` that are of a type. 404 where none can be."""
    if is_a(table, kind):
        return table
    found = schema.tables.get(kind)
    if table.logical_name == ACTIVITY and found is not None and found.is_activity:
        return found  # a row of any activity table is an activity with the same id
    raise unknown_segment(f"{NAMESPACE}{kind}", (f"{NAMESPACE}{table.logical_name}",))
