"""Column security profiles: a permission opens a column that is secured (SM-131)."""

from strongroom.errors import InvalidRequest
from strongroom.records.rules import Event, Rules
from strongroom.records.session import Session
from strongroom.store.protocol import Row, Value


def register(rules: Rules) -> None:
    """Hang the rules of column permissions in the verbs."""
    for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE):
        rules.on(event, "fieldpermission", _demand_secured, name="column permissions: only on secured columns")


def _demand_secured(session: Session, row: Row, values: dict[str, Value]) -> None:
    def named(column: str) -> str:
        return str(values.get(column, row.values.get(column)))

    table = session.schema.tables.get(named("entityname"))
    column = table.columns.get(named("attributelogicalname")) if table is not None else None
    if column is None:
        raise InvalidRequest(f"There is no column '{named('attributelogicalname')}' in '{named('entityname')}'.")
    if not column.is_secured:
        raise InvalidRequest(
            f"The column '{column.logical_name}' of '{named('entityname')}' is not secured: no profile opens it.",
            code="0x8004f508",
        )
