"""Rules by which rows are duplicates of others: what their rows say, and who may publish them (WA-422).

A row of `duplicaterule` names a base table, whose rows are written, and a matching table, in which duplicates are
looked for. Its conditions, rows of `duplicaterulecondition`, name a column of each and how the two are compared; all of
them must hold. A rule counts while it is published (state 1), and only then its conditions stay as they are.

Example: base `contact`, matching `lead`, `emailaddress1` exactly `emailaddress1`: nobody becomes a contact who is a
lead already.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from strongroom.access.resolve import require_privilege
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records.rules import Event, Rules
from strongroom.records.session import Session
from strongroom.schema.model import Column, ColumnType, Table
from strongroom.store.layout import is_stored
from strongroom.store.protocol import Row, Value

RULE = "duplicaterule"
CONDITION = "duplicaterulecondition"
PUBLISHED = 1
UNPUBLISHED = 0
MOST_PUBLISHED = 5
"""Rules of one base table that can be published at a time."""

_CONDITIONS = "DuplicateRule_DuplicateRuleConditions"
_PARENT = "regardingobjectid"


class Criterion(IntEnum):
    """`operatorcode`: how the values of two columns are compared."""

    EXACT = 0
    FIRST_CHARACTERS = 1
    LAST_CHARACTERS = 2
    SAME_DATE = 3
    SAME_DATE_AND_TIME = 4
    SAME_LABEL = 5
    SAME_CHOICE = 6


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison. `length` counts the characters at the beginning or end that are compared."""

    base: Column
    matching: Column
    criterion: Criterion
    length: int = 0
    ignores_blanks: bool = True
    """Two columns without a value are not the same, unless this is False."""


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """A rule as it is applied; it has one condition at least."""

    id: Guid
    matching: Table
    conditions: tuple[Condition, ...]
    is_case_sensitive: bool = False
    active_only: bool = False


def register(rules: Rules) -> None:
    """Hang the rules about duplicate rules in the verbs."""
    rules.on(Event.BEFORE_CREATE, RULE, _complete_rule, name="duplicate rules: known tables, made unpublished")
    rules.on(Event.BEFORE_UPDATE, RULE, _demand_publishable, name="duplicate rules: who publishes, and what")
    for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE, Event.BEFORE_DELETE):
        rules.on(event, CONDITION, _demand_changeable, name="duplicate rules: conditions of unpublished rules")


def published_rules(session: Session, table: Table) -> list[DuplicateRule]:
    """The rules that rows of `table` are held against, whoever may read the rules themselves."""
    found: list[DuplicateRule] = []
    for row in _published(session, table.logical_name):
        try:
            found.append(_read(session, row))
        except InvalidRequest:
            continue  # a table or column that it names has been deleted since: nothing can be its duplicate
    return found


def _published(session: Session, base: Value) -> list[Row]:
    return session.transaction.rows_where(session.table(RULE), {"baseentityname": base, "statecode": PUBLISHED})


def _read(session: Session, row: Row) -> DuplicateRule:
    """The rule that `row` and its conditions make, or 400 saying what is wrong with them."""
    base, matching = _tables(session, row.values)
    rows = session.transaction.children(session.schema.relationships[_CONDITIONS], [row.id])
    if not rows:
        raise InvalidRequest(f"The duplicate rule {row.id} has no conditions yet; create one at least.")
    return DuplicateRule(
        row.id,
        matching,
        tuple(condition_of(base, matching, each.values, is_only=len(rows) == 1) for each in rows),
        is_case_sensitive=row.values.get("iscasesensitive") is True,
        active_only=row.values.get("excludeinactiverecords") is True,
    )


def condition_of(base: Table, matching: Table, values: Mapping[str, Value], *, is_only: bool) -> Condition:
    """The condition that the columns of a row make, or 400. The only condition of a rule ignores blanks always: two
    rows without any value are no duplicates."""
    one = _column(base, values, "baseattributename")
    other = _column(matching, values, "matchingattributename")
    criterion = _criterion(values.get("operatorcode"))
    if not _fits(criterion, one, other):
        raise InvalidRequest(
            f"'{one.logical_name}' ({one.type.value}) and '{other.logical_name}' ({other.type.value}) cannot be"
            f" compared by operatorcode {criterion.value}; choose another one, or columns of the same kind."
        )
    length = values.get("operatorparam")
    if criterion not in (Criterion.FIRST_CHARACTERS, Criterion.LAST_CHARACTERS):
        length = 0
    elif not isinstance(length, int) or length < 1:
        raise InvalidRequest("'operatorparam' says how many characters are compared: 1 or more.")
    return Condition(one, other, criterion, length, is_only or values.get("ignoreblankvalues") is True)


def _tables(session: Session, values: Mapping[str, Value]) -> tuple[Table, Table]:
    found: list[Table] = []
    for name in ("baseentityname", "matchingentityname"):
        value = values.get(name)
        table = session.schema.tables.get(value) if isinstance(value, str) else None
        if table is None or table.is_intersect:
            raise InvalidRequest(f"'{name}' takes the logical name of a table, such as 'account'; '{value}' is none.")
        found.append(table)
    return found[0], found[1]


def _column(table: Table, values: Mapping[str, Value], name: str) -> Column:
    value = values.get(name)
    column = table.columns.get(value) if isinstance(value, str) else None
    if column is None or not is_stored(table, column) or column.type not in _KINDS:
        raise InvalidRequest(f"'{name}' takes a column of '{table.logical_name}' with one value; '{value}' is none.")
    if column.is_encrypted:
        raise InvalidRequest(f"'{value}' of '{table.logical_name}' is encrypted: no rule can compare it.")
    return column


def _criterion(code: Value) -> Criterion:
    try:
        return Criterion(code if isinstance(code, int) else Criterion.EXACT)
    except ValueError:
        raise InvalidRequest(f"'operatorcode' is a number from 0 to {max(Criterion)}, not {code}.") from None


_KINDS: Mapping[ColumnType, str] = {
    ColumnType.STRING: "text",
    ColumnType.MEMO: "text",
    ColumnType.INTEGER: "integer",
    ColumnType.BIGINT: "integer",
    ColumnType.DECIMAL: "decimal",
    ColumnType.MONEY: "decimal",
    ColumnType.DOUBLE: "double",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.DATETIME: "date",
    ColumnType.PICKLIST: "choice",
    ColumnType.STATE: "choice",
    ColumnType.STATUS: "choice",
    ColumnType.LOOKUP: "id",
    ColumnType.CUSTOMER: "id",
    ColumnType.OWNER: "id",
    ColumnType.UNIQUEIDENTIFIER: "id",
}


def _fits(criterion: Criterion, one: Column, other: Column) -> bool:
    kind = _KINDS[one.type]
    if kind != _KINDS[other.type]:
        return False
    match criterion:
        case Criterion.EXACT:
            return one.is_date_only == other.is_date_only
        case Criterion.FIRST_CHARACTERS | Criterion.LAST_CHARACTERS:
            return kind == "text"
        case Criterion.SAME_DATE:
            return kind == "date"
        case Criterion.SAME_DATE_AND_TIME:
            return kind == "date" and not one.is_date_only and not other.is_date_only
        case Criterion.SAME_LABEL | Criterion.SAME_CHOICE:
            return kind == "choice"


# --- the tables' own rules -----------------------------------------------------------------------------------------


def _complete_rule(session: Session, row: Row, values: dict[str, Value]) -> None:
    """A rule names tables that exist, its base table twice unless told, and is published when it has conditions."""
    if values.get("matchingentityname") is None:
        values["matchingentityname"] = values.get("baseentityname")
    base, matching = _tables(session, values)
    values["baseentitytypecode"], values["matchingentitytypecode"] = base.object_type_code, matching.object_type_code
    if values.get("statecode") == PUBLISHED:
        raise InvalidRequest("A duplicate rule is made without conditions, so unpublished; publish it afterwards.")


def _demand_publishable(session: Session, row: Row, values: dict[str, Value]) -> None:
    """Publishing and its end take a privilege of their own; what is published can be applied."""
    state = values.get("statecode", row.values.get("statecode"))
    if state == row.values.get("statecode"):
        return
    require_privilege(session.caller, "prvPublishDuplicateRule")
    if state != PUBLISHED:
        return
    _read(session, row)
    base = row.values.get("baseentityname")
    if len(_published(session, base)) >= MOST_PUBLISHED:
        raise InvalidRequest(f"At most {MOST_PUBLISHED} duplicate rules of '{base}' are published; unpublish another.")


def _demand_changeable(session: Session, row: Row, values: dict[str, Value]) -> None:
    """Conditions change while their rule is unpublished, and make sense from the beginning."""
    condition = {**row.values, **values}
    parent = condition.get(_PARENT)
    if not isinstance(parent, Reference) or parent in session.doomed:
        return
    rule = session.transaction.row(session.table(RULE), parent.id)
    if rule is None:
        return
    if rule.values.get("statecode") == PUBLISHED:
        raise InvalidRequest(f"The duplicate rule {rule.id} is published; unpublish it to change its conditions.")
    if row.reference() not in session.doomed:
        condition_of(*_tables(session, rule.values), condition, is_only=False)
