"""Fields of a form: what a column looks like as an input, and what its text means as a value of the Web API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strongroom.console.api import LOOKUP_TABLE, ApiError, Json, formatted, text
from strongroom.console.data.columns import is_required, label
from strongroom.console.data.lookups import find_row
from strongroom.console.days import local_time, moment_in, zone_of
from strongroom.console.visit import Visit
from strongroom.schema.model import Column, ColumnType, Table

_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.BIGINT, ColumnType.DECIMAL, ColumnType.DOUBLE, ColumnType.MONEY})
_LONGEST_LINE = 400


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `kind` names its macro in the template; `options` are (value, name); `problem` says what is wrong."""

    name: str
    label: str
    kind: str
    value: str
    hint: str = ""
    options: Sequence[tuple[str, str]] = ()
    is_required: bool = False
    max_length: int | None = None
    targets: Sequence[str] = ()
    problem: str = ""
    before: str = ""


def field_of(visit: Visit, column: Column, row: Json, problem: str = "") -> Field:
    """A column as a field that holds the row's value."""
    value = row.get(column.property_name)
    options: Sequence[tuple[str, str]] = ()
    hint = column.description
    shown = text(value)
    match column.type:
        case ColumnType.BOOLEAN:
            kind = "choice"
            names = {option.value: option.label for option in column.options}
            options = [("true", names.get(1, visit.texts("Yes"))), ("false", names.get(0, visit.texts("No")))]
            shown = shown.lower()
        case ColumnType.PICKLIST | ColumnType.STATUS | ColumnType.STATE:
            kind = "choice"
            options = [(str(option.value), option.label) for option in column.options]
        case ColumnType.MULTISELECT:
            kind = "choices"
            options = [(str(option.value), option.label) for option in column.options]
        case ColumnType.DATETIME if column.is_date_only:
            kind, shown = "date", shown[:10]
        case ColumnType.DATETIME:
            zone = zone_of(visit, column)
            kind, shown = "moment", local_time(shown, zone)
            hint = f"{hint} {zone.key}".strip()
        case ColumnType.LOOKUP | ColumnType.CUSTOMER:
            kind, shown = "lookup", formatted(row, column.property_name)
        case each if each in _NUMBERS:
            kind = "number"
        case _:
            is_long = column.type is ColumnType.MEMO or (column.max_length or 0) > _LONGEST_LINE
            kind = "text" if is_long else "line"
    return Field(
        column.logical_name,
        label(column),
        kind,
        shown,
        hint[:160],
        options,
        is_required(column),
        column.max_length,
        column.targets,
        problem,
        shown,
    )


BEFORE = "was~"
"""Before the name of a hidden field that holds what the form began with."""


def typed(column: Column, sent: Mapping[str, str]) -> str | None:
    """What somebody typed into a field, None when they left it as it was."""
    given = sent.get(column.logical_name)
    if given is None:
        return None
    given = given.strip().replace("\r\n", "\n")
    before = sent.get(BEFORE + column.logical_name, "").strip().replace("\r\n", "\n")
    return None if given == before else given


async def body_of(visit: Visit, table: Table, columns: Sequence[Column], sent: Mapping[str, str], row: Json) -> Json:
    """The body of a write: what was typed. Raises `FieldProblem` for what cannot be read."""
    body: dict[str, object] = {}
    for column in columns:
        given = typed(column, sent)
        if given is None:
            continue
        if column.type.is_lookup:
            body |= await _bound(visit, table, column, given, row)
        else:
            body[column.logical_name] = _value(visit, column, given)
    return body


class FieldProblem(Exception):
    """A field holds something that cannot be sent. `name` is the field's."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


def _value(visit: Visit, column: Column, given: str) -> object:
    if not given:
        return None
    match column.type:
        case ColumnType.BOOLEAN:
            return given == "true"
        case ColumnType.PICKLIST | ColumnType.STATUS | ColumnType.STATE | ColumnType.INTEGER:
            return _whole(visit, column, given)
        case ColumnType.DATETIME if column.is_date_only:
            return given
        case ColumnType.DATETIME:
            moment = moment_in(given, zone_of(visit, column))
            if moment is None:
                raise FieldProblem(column.logical_name, visit.texts("This is no date and time."))
            return moment
        case ColumnType.DECIMAL | ColumnType.MONEY | ColumnType.DOUBLE | ColumnType.BIGINT:
            return _number(visit, column, given)
        case _:
            return given


def _whole(visit: Visit, column: Column, given: str) -> int:
    try:
        return int(given)
    except ValueError:
        raise FieldProblem(column.logical_name, visit.texts("This is no whole number.")) from None


def _number(visit: Visit, column: Column, given: str) -> object:
    try:
        return int(given) if given.lstrip("-").isdigit() else float(given)
    except ValueError:
        raise FieldProblem(column.logical_name, visit.texts("This is no number.")) from None


async def _bound(visit: Visit, table: Table, column: Column, given: str, row: Json) -> Json:
    navs = {
        relationship.referenced_table: relationship.lookup_nav
        for relationship in visit.schema.parents_of(table.logical_name)
        if relationship.referencing_column == column.logical_name
    }
    if not given:
        target = text(row.get(column.property_name + LOOKUP_TABLE)) or next(iter(navs), "")
        return {f"{navs[target]}@odata.bind": None} if target in navs else {}
    try:
        target, row_id = await find_row(visit, column.targets or tuple(navs), given)
    except ApiError as error:
        raise FieldProblem(column.logical_name, error.message) from None
    return {f"{navs[target.logical_name]}@odata.bind": f"/{target.entity_set_name}({row_id})"}
