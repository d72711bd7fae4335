"""Duplicates of a row, and refusing rows that are duplicates of others, for requests that ask for it (WA-422, WA-403).

Rows are held against the published rules after they are stored, so that rows of one request find each other; a refusal
undoes the whole unit of work (SM-6). Duplicates are looked for with the caller's eyes: a row that the caller may not
read is none, and a rule that compares a secured column whose values the caller may not read finds nothing (SM-132,
SM-136). So a refusal tells nothing that a query would not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from strongroom.access.columns import decides
from strongroom.access.planned import planned
from strongroom.access.planning import plan_for
from strongroom.errors import AccessDenied
from strongroom.ids import Guid, Reference
from strongroom.query.ast import (
    Comparison,
    Field,
    InList,
    IsNull,
    Literal,
    Match,
    Operator,
    Output,
    Predicate,
    Select,
    Source,
    TextMatch,
    conjunction,
)
from strongroom.records import refusals
from strongroom.records.authorize import reaches
from strongroom.records.create import each
from strongroom.records.duplicate_rules import Condition, Criterion, DuplicateRule, published_rules
from strongroom.records.session import Session
from strongroom.schema.model import Column, ColumnType, Rights, Table
from strongroom.store.protocol import Row, Value

_PAGE = 500
_ACTIVE = 0
_WILDCARDS = re.compile(r"[%_\[]")


def refuse_new_duplicates(session: Session, table: Table, rows: Sequence[Row]) -> None:
    """412 when one of the `rows` just created is a duplicate; with several, the error names the target's index."""
    if session.request.detects_duplicates:
        rules = published_rules(session, table)
        each(rows, lambda row: _refuse(session, rules, row))


def refuse_changed_duplicate(session: Session, row: Row) -> None:
    """412 when `row`, just changed, is a duplicate. Who may write but not read it learns nothing of its values."""
    if session.request.detects_duplicates and reaches(session, Rights.READ, row):
        _refuse(session, published_rules(session, row.table), row)


def duplicates_of(session: Session, rule: DuplicateRule, row: Row, *, one: bool = False) -> Iterator[Guid]:
    """The rows that are duplicates of `row` by this rule and that the caller may read, in order of their ids. `row`
    need not be stored; its columns without a value are blank. `one`: the first is all that is wanted."""
    if not all(_may_compare(session, row.table, condition.base) for condition in rule.conditions):
        return
    parts: list[Predicate] = []
    for condition in rule.conditions:
        part = predicate_of(condition, row.values.get(condition.base.logical_name))
        if part is None:
            return
        parts.append(part)
    matching = rule.matching
    if rule.active_only and "statecode" in matching.columns:
        parts.append(_compare(Operator.EQUAL, matching.columns["statecode"], _ACTIVE))
    if matching.logical_name == row.table.logical_name:
        parts.append(_compare(Operator.NOT_EQUAL, matching.id_column, row.id))
    exact = [c for c in rule.conditions if rule.is_case_sensitive and c.matching.type.is_text]
    select = Select(
        Source(matching),
        (
            Output(matching.primary_id, Field("", matching.id_column)),
            *(Output(str(place), Field("", condition.matching)) for place, condition in enumerate(exact)),
        ),
        where=conjunction(*parts),
        page_size=1 if one and not exact else _PAGE,
    )
    values = [row.values.get(condition.base.logical_name) for condition in exact]
    for found in _rows(session, select):
        pairs = zip(exact, values, found[1:], strict=False)
        if all(same_letters(condition, value, other) for condition, value, other in pairs):
            yield Guid(str(found[0]))


def _refuse(session: Session, rules: Sequence[DuplicateRule], row: Row) -> None:
    if any(next(duplicates_of(session, rule, row, one=True), None) is not None for rule in rules):
        raise refusals.duplicate_found()


def _may_compare(session: Session, table: Table, column: Column) -> bool:
    """Whether the value of a base column may decide what is told to the caller (SM-136)."""
    if not column.is_secured:
        return True
    plan = plan_for(session.caller, table, Rights.READ)
    return plan.refusal is None and decides(plan, column.logical_name)


def _rows(session: Session, select: Select) -> Iterator[tuple[Value, ...]]:
    """The rows of `select`, page after page; none when the caller reads no rows of the matching table, or not the
    values of a column."""
    size = select.page_size or _PAGE
    while True:
        try:
            rows = session.transaction.select(planned(select, session.caller))
        except AccessDenied:
            return
        yield from rows[:size]
        if len(rows) <= size:
            return
        select = replace(select, after=rows[size - 1][len(select.outputs) :])


def predicate_of(condition: Condition, value: Value) -> Predicate | None:
    """What a row of the matching table must satisfy to agree with `value` of the base column; None when none can.

    Text is compared without regard to case; of a text that is shorter than the characters to compare, all counts. A
    day is one of UTC.
    """
    column, length = condition.matching, condition.length
    if value is None or value == "":
        return None if condition.ignores_blanks else IsNull(Field("", column))
    if isinstance(value, Reference):
        value = value.id
    if isinstance(value, str):
        match condition.criterion:
            case Criterion.FIRST_CHARACTERS if len(value) >= length:
                return Match(TextMatch.STARTS_WITH, Field("", column), _pattern(value[:length]))
            case Criterion.LAST_CHARACTERS if len(value) >= length:
                return Match(TextMatch.ENDS_WITH, Field("", column), _pattern(value[-length:]))
            case Criterion.SAME_DATE:
                return _on_day(column, value[:10])
            case _:
                pass
    if condition.criterion is Criterion.SAME_LABEL:
        return _with_label(condition.base, column, value)
    return _compare(Operator.EQUAL, column, value)


def same_letters(condition: Condition, value: Value, other: Value) -> bool:
    """Whether two texts that agree but for case agree in case too, as far as they are compared."""
    if not isinstance(value, str) or not isinstance(other, str):
        return True  # blanks agree already
    match condition.criterion:
        case Criterion.FIRST_CHARACTERS:
            return value[: condition.length] == other[: condition.length]
        case Criterion.LAST_CHARACTERS:
            return value[-condition.length :] == other[-condition.length :]
        case _:
            return value == other


def _compare(operator: Operator, column: Column, value: Value) -> Comparison:
    type_ = ColumnType.UNIQUEIDENTIFIER if column.type.is_lookup else column.type
    return Comparison(operator, Field("", column), Literal(value, type_))


def _on_day(column: Column, day: str) -> Predicate | None:
    if column.is_date_only:
        return _compare(Operator.EQUAL, column, day)
    return conjunction(
        _compare(Operator.GREATER_OR_EQUAL, column, f"{day}T00:00:00Z"),
        _compare(Operator.LESS_OR_EQUAL, column, f"{day}T23:59:59Z"),
    )


def _with_label(base: Column, column: Column, value: Value) -> Predicate | None:
    labels = {option.label.casefold() for option in base.options if option.value == value}
    values = tuple(Literal(o.value, column.type) for o in column.options if o.label.casefold() in labels)
    return InList(Field("", column), values) if values else None


def _pattern(text: str) -> str:
    """`text` without wildcards (WA-190)."""
    return _WILDCARDS.sub(lambda found: f"[{found[0]}]", text)
