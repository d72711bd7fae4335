"""Changing what tables exist, as a verb: one transaction, with its audit entries (WA-352)."""

from collections.abc import Iterator
from dataclasses import fields, replace
from enum import Enum
from typing import cast

from strongroom.audit.entries import Action, Changes, Operation, entry
from strongroom.ids import Guid
from strongroom.records.audit_switches import demand_audited, demand_confirmed, switches_told
from strongroom.records.schema_leftovers import refuse_what_rows_forbid, remove_leftovers
from strongroom.records.security_rules.standard_privileges import refit_standard_roles
from strongroom.records.session import Session
from strongroom.records.trail import author
from strongroom.schema.model import Column, Schema, Table
from strongroom.store.protocol import Value


def change_schema(session: Session, schema: Schema) -> None:
    """Make `schema` the environment's metadata: database tables, privileges and messages follow at once (WA-68)."""
    before = session.schema
    session.rules.run_schema(session, before, schema)
    demand_audited(before, schema)
    demand_confirmed(session, schema)
    refuse_what_rows_forbid(session, schema)
    remove_leftovers(session, schema)
    session.transaction.change_schema(schema)
    by = author(session)
    told = [
        entry(by, replace(table, is_audited=True), row, Operation.UPDATE, action, changes)
        for table, row, action, changes in _differences(before, schema)
    ]
    session.transaction.append_audit([found for found in told if found is not None])
    refit_standard_roles(session, before, schema)


def _differences(before: Schema, after: Schema) -> Iterator[tuple[Table, Guid, Action, Changes]]:
    """Each table, relationship and choice that differs: the table it is told under, its metadata id, what changed."""
    organization = after.tables["organization"]
    for name in before.tables.keys() | after.tables.keys():
        old, new = before.tables.get(name), after.tables.get(name)
        shown = new or old
        if old is new or shown is None:
            continue
        told = list(switches_told(old, new)) if old is not None and new is not None else []
        if (changes := _of_tables(old, new)) and not (told and set(changes) == {"table"}):
            told.append((Action.CHANGE_AT_ENTITY_LEVEL, changes))
        for action, changed in told:
            yield shown, shown.metadata_id, action, changed
    for kind in ("relationships", "many_to_many", "choices"):
        olds, news = getattr(before, kind), getattr(after, kind)
        for name in olds.keys() | news.keys():
            old, new = olds.get(name), news.get(name)
            if old != new:
                there = (None if old is None else name, None if new is None else name)
                yield (
                    organization,
                    (news if new is not None else olds)[name].metadata_id,
                    Action.CHANGE_AT_ENTITY_LEVEL,
                    {kind: there},
                )


def _of_tables(old: Table | None, new: Table | None) -> Changes:
    if old is None or new is None:
        shown: tuple[Value, Value] = (old and old.schema_name, new and new.schema_name)
        return {"table": shown}
    changes: dict[str, tuple[Value, Value]] = {}
    for name in old.columns.keys() | new.columns.keys():
        before, after = old.columns.get(name), new.columns.get(name)
        if before is None or after is None:
            changes[f"column {name}"] = (before and before.schema_name, after and after.schema_name)
        elif before != after:
            changes.update({f"column {name} {what}": pair for what, pair in _properties(before, after).items()})
    for key in set(old.keys) ^ set(new.keys):
        changes[f"key {key.logical_name}"] = (key in old.keys or None, key in new.keys or None)
    if not changes and old != new:
        changes["table"] = (old.schema_name, new.schema_name)
    return changes


_TOLD_OTHERWISE = frozenset({"is_audited", "is_read_audited"})


def _properties(old: Column, new: Column) -> dict[str, tuple[Value, Value]]:
    """What differs between two states of a column: plain values as they are, options by their number."""
    found: dict[str, tuple[Value, Value]] = {}
    for field in fields(Column):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after and field.name not in _TOLD_OTHERWISE:
            found[field.name] = (_plain(before), _plain(after))
    return found


def _plain(value: object) -> Value:
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return len(cast("tuple[object, ...]", value))
