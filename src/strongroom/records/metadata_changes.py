"""Changing what tables exist, as a verb: one transaction, with its audit entries (WA-352)."""

from collections.abc import Iterator
from dataclasses import replace

from strongroom.audit.entries import Action, Changes, Operation, entry
from strongroom.ids import Guid
from strongroom.records.schema_leftovers import refuse_what_rows_forbid, remove_leftovers
from strongroom.records.security_rules.standard_privileges import refit_standard_roles
from strongroom.records.session import Session
from strongroom.records.trail import author
from strongroom.schema.model import Schema, Table
from strongroom.store.protocol import Value


def change_schema(session: Session, schema: Schema) -> None:
    """Make `schema` the environment's metadata: database tables, privileges and messages follow at once (WA-68)."""
    before = session.schema
    session.rules.run_schema(session, before, schema)
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
        if old is not new and shown is not None and (changes := _of_tables(old, new)):
            yield shown, shown.metadata_id, Action.CHANGE_AT_ENTITY_LEVEL, changes
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
        if before != after:
            changes[f"column {name}"] = (before and before.schema_name, after and after.schema_name)
    for key in set(old.keys) ^ set(new.keys):
        changes[f"key {key.logical_name}"] = (key in old.keys or None, key in new.keys or None)
    if not changes and old != new:
        changes["table"] = (old.schema_name, new.schema_name)
    return changes
