"""Masking rules, and the secured columns that they are tied to (SM-137)."""

from strongroom.access.masking import Mask, check_mask
from strongroom.errors import InvalidRequest
from strongroom.records.rules import Event, Rules
from strongroom.records.session import Session
from strongroom.store.protocol import Row, Value


def register(rules: Rules) -> None:
    """Hang the rules of masks in the verbs."""
    for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE):
        rules.on(event, "maskingrule", _check_rule, name="masking rules: safe expressions")
        rules.on(event, "attributemaskingrule", _check_tie, name="masking rules: one for a secured text column")


def _check_rule(_: Session, row: Row, values: dict[str, Value]) -> None:
    def text(column: str) -> str:
        value = values.get(column, row.values.get(column))
        return value if isinstance(value, str) else ""

    check_mask(Mask(text("regularexpression"), text("maskedcharacter")))


def _check_tie(session: Session, row: Row, values: dict[str, Value]) -> None:
    """A secured text column that has no other rule."""
    table_name = str(values.get("entityname", row.values.get("entityname")))
    column_name = str(values.get("attributelogicalname", row.values.get("attributelogicalname")))
    table = session.schema.tables.get(table_name)
    column = None if table is None else table.columns.get(column_name)
    if column is None:
        raise InvalidRequest(f"There is no column '{column_name}' in '{table_name}'.")
    if not column.is_secured:
        raise InvalidRequest(
            f"The column '{column_name}' of '{table_name}' is not secured: it cannot be masked.", code="0x8004f508"
        )
    if not column.type.is_text:
        raise InvalidRequest(f"The column '{column_name}' of '{table_name}' holds no text: it cannot be masked.")
    same = {"entityname": table_name, "attributelogicalname": column_name}
    if any(other.id != row.id for other in session.transaction.rows_where(row.table, same)):
        raise InvalidRequest(f"The column '{column_name}' of '{table_name}' has a masking rule already.")
