"""Team templates: rights that exist, on a table that can be shared (SM-57)."""

from strongroom.access.rights import SHAREABLE
from strongroom.errors import InvalidRequest
from strongroom.records.rules import Event, Rules
from strongroom.records.session import Session
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row, Value


def register(rules: Rules) -> None:
    """Hang the rules of team templates in the verbs."""
    for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE):
        rules.on(event, "teamtemplate", _demand_sensible, name="team templates: a shareable table and its rights")


def _demand_sensible(session: Session, row: Row, values: dict[str, Value]) -> None:
    code = values.get("objecttypecode", row.values.get("objecttypecode"))
    table = next((t for t in session.schema.tables.values() if t.object_type_code == code), None)
    if table is None or not table.has_owner:
        raise InvalidRequest(f"'objecttypecode' names a table whose rows have owners; {code} does not.")
    mask = values.get("defaultaccessrightsmask", row.values.get("defaultaccessrightsmask"))
    if not isinstance(mask, int) or not mask or mask & ~int(SHAREABLE | Rights.CREATE):
        raise InvalidRequest(
            "'defaultaccessrightsmask' is a sum of 1 (read), 2 (write), 4 (append), 16 (append to), 65536 (delete), "
            "262144 (share) and 524288 (assign)."
        )
