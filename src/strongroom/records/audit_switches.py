"""The switches of the trail in metadata: what may not be switched off, what is asked back, and how a switch is told.

Switching the audit of a table or column is a change of metadata with an action of its own (105, 106, 108, 109; 102 for
reading). What is always audited cannot be switched off (TS-803); what would write very much is asked back (TS-811).
"""

from collections.abc import Iterator
from datetime import timedelta

from strongroom.access.plan import Branch, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.audit.entries import Action, Changes
from strongroom.clock import iso
from strongroom.errors import Conflict, InvalidRequest
from strongroom.query.ast import TRUE, Comparison, Field, Literal, Operator, Output, Select, Source
from strongroom.records.always_audited import is_always_audited
from strongroom.records.session import Session
from strongroom.schema.model import Column, ColumnType, Rights, Schema, Table
from strongroom.store.protocol import Value

MANY_CHANGES = 100_000
"""Rows changed in a day, from which on auditing a table is asked back (TS-811)."""

CONFIRM = "audit-volume"
"""What the header `x-sr-confirm` says to that."""

_READING = {
    "IsRetrieveAuditEnabled": "is_retrieve_audited",
    "IsRetrieveMultipleAuditEnabled": "is_retrieve_multiple_audited",
}


def demand_audited(before: Schema, after: Schema) -> None:
    """400 `always-audited` when a change of metadata would switch off what is always audited."""
    for known, table in _changed(before, after):
        if not is_always_audited(known):
            continue
        if known.is_audited and not table.is_audited:
            raise _refused(known.logical_name)
        for old, column in _changed_columns(known, table):
            if old.is_audited and not column.is_audited:
                raise _refused(f"{known.logical_name}.{column.logical_name}")


def demand_confirmed(session: Session, after: Schema) -> None:
    """409 `audit-volume` when a table with very many changes a day is to be audited, and nobody has confirmed it."""
    if session.request.confirmed == CONFIRM:
        return
    for known, table in _changed(session.schema, after):
        if table.is_audited and not known.is_audited and (changes := _changes_of_a_day(session, known)) > MANY_CHANGES:
            raise Conflict(
                f"'{table.logical_name}' has more than {MANY_CHANGES:,} changes a day ({changes:,} were counted in the"
                f" last one), and each will leave an entry. Confirm with the header x-sr-confirm: {CONFIRM}.",
                code=CONFIRM,
                details={"reason": CONFIRM, "rule": "TS-811", "target": table.logical_name},
            )


def switches_told(old: Table, new: Table) -> Iterator[tuple[Action, Changes]]:
    """The entries for switches that differ between two states of a table."""
    if old.is_audited != new.is_audited:
        action = Action.ENTITY_AUDIT_STARTED if new.is_audited else Action.ENTITY_AUDIT_STOPPED
        yield action, {"IsAuditEnabled": (old.is_audited, new.is_audited)}
    reading: dict[str, tuple[Value, Value]] = {}
    for shown, name in _READING.items():
        pair: tuple[bool, bool] = getattr(old, name), getattr(new, name)
        if pair[0] != pair[1]:
            reading[shown] = pair
    if reading:
        yield Action.CHANGE_AT_ENTITY_LEVEL, reading
    for before, after in _changed_columns(old, new):
        name = after.logical_name
        if before.is_audited != after.is_audited:
            action = Action.ATTRIBUTE_AUDIT_STARTED if after.is_audited else Action.ATTRIBUTE_AUDIT_STOPPED
            yield action, {f"column {name} IsAuditEnabled": (before.is_audited, after.is_audited)}
        if before.is_read_audited != after.is_read_audited:
            pair = before.is_read_audited, after.is_read_audited
            yield Action.CHANGE_AT_ATTRIBUTE_LEVEL, {f"column {name} IsReadAuditEnabled": pair}


def _changed(before: Schema, after: Schema) -> Iterator[tuple[Table, Table]]:
    for name, table in after.tables.items():
        known = before.tables.get(name)
        if known is not None and known is not table:
            yield known, table


def _changed_columns(old: Table, new: Table) -> Iterator[tuple[Column, Column]]:
    for name, column in new.columns.items():
        before = old.columns.get(name)
        if before is not None and before is not column:
            yield before, column


def _changes_of_a_day(session: Session, table: Table) -> int:
    """Rows of a table that changed in the last day, counted no further than is needed."""
    modified = table.columns.get("modifiedon")
    if modified is None:
        return 0
    since = Literal(iso(session.clock.now() - timedelta(days=1)), ColumnType.DATETIME)
    recent = Comparison(Operator.GREATER_OR_EQUAL, Field("", modified), since)
    select = Select(Source(table), (Output(table.primary_id, Field("", table.id_column)),), where=recent)
    everything = Plan(table, Rights.READ, (Branch(TRUE, ()),))
    return session.transaction.count(PlannedSelect(select, {"": everything}), MANY_CHANGES + 1)


def _refused(subject: str) -> InvalidRequest:
    return InvalidRequest(
        f"Auditing of '{subject}' cannot be switched off: who may do what, and what the platform keeps of itself, is"
        " always audited.",
        code="always-audited",
        details={"reason": "always-audited", "rule": "TS-803", "target": subject},
    )
