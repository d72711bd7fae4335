"""From what a verb did to the entries of the audit trail."""

from collections.abc import Iterable, Mapping, Sequence

from strongroom.audit.entries import Action, Author, Changes, Operation, creations, entry, question, unmasked_reading
from strongroom.ids import Key, Reference
from strongroom.records.always_audited import is_always_audited
from strongroom.records.session import Session
from strongroom.schema.model import ColumnType, Table
from strongroom.store.protocol import Row, Value

_ORGANIZATION = "organization"
_SWITCHES = {
    "isauditenabled": (Action.AUDIT_ENABLED, Action.AUDIT_DISABLED),
    "isuseraccessauditenabled": (Action.USER_ACCESS_AUDIT_STARTED, Action.USER_ACCESS_AUDIT_STOPPED),
}
_AUDIT_SETTINGS = frozenset(
    {"isreadauditenabled", "auditretentionperiodv2", "auditsettings", "useraccessauditinginterval"}
)


def author(session: Session) -> Author:
    """Who the entries of this session name."""
    request = session.request
    notes = [part for part in (request.tag, request.request_id) if part]
    note = " · ".join(notes)[:350] or None
    address, known_as = request.address, request.request_id
    return Author(session.user, session.initiating_user, session.transaction_id, session.now, note, address, known_as)


def is_audited(session: Session, table: Table) -> bool:
    """Whether the organisation keeps a trail of changes (`isauditenabled`), or of this table's in any case (TS-803);
    tables and columns have switches of their own, which `audit.entries` heeds. What deletes or unmasks is told whatever
    the switch says."""
    return session.transaction.settings().audit_enabled or is_always_audited(table)


def record_creations(session: Session, rows: Sequence[Row]) -> None:
    """One entry for each new row of one table, with the values that it began with."""
    if rows and is_audited(session, rows[0].table):
        session.transaction.append_audit(creation_entries(session, rows, {session.caller.key: session.user}))


def creation_entries(session: Session, rows: Sequence[Row], owners: Mapping[Key, Reference]) -> list[dict[str, Value]]:
    """The entries of `record_creations`, not stored yet. `owners` are those that are known; others are looked up."""
    known = dict(owners)
    told = ((row.id, _with_owner(session, row, known)) for row in rows)
    return creations(author(session), rows[0].table, told)


def record_update(session: Session, row: Row, changes: Changes, action: Action | None = None) -> None:
    """The entry for a change; a changed state is told as activation or deactivation."""
    _append(session, row, Operation.UPDATE, action or _action(row, changes), changes)


def record_deletions(session: Session, rows: Iterable[Row]) -> None:
    """One entry for each deleted row, with the values that it had."""
    by = author(session)
    owners: dict[Key, Reference] = {}
    entries = [
        entry(
            by,
            row.table,
            row.id,
            Operation.DELETE,
            Action.DELETE,
            {name: (value, None) for name, value in _with_owner(session, row, owners).items() if value is not None},
        )
        for row in rows
        if is_audited(session, row.table)
    ]
    session.transaction.append_audit([found for found in entries if found is not None])


def record_act(session: Session, row: Row, action: Action, changes: Changes | None = None) -> None:
    """The entry for an act on a row that is no change of its columns: sharing, membership, association."""
    _append(session, row, Operation.UPDATE, action, changes or {})


def record_unmasked(session: Session, rows: Mapping[Reference, Sequence[str]]) -> None:
    """One entry for each row of which these columns were read unmasked (SM-138)."""
    by = author(session)
    entries = [unmasked_reading(by, session.table(row.table), row.id, names) for row, names in rows.items()]
    if entries:
        session.transaction.append_audit(entries)


def note_question(session: Session, about: Reference, name: str, asked: str) -> None:
    """Note that somebody asks about access (SM-165). The entry is written when the session ends (see `Session`)."""
    session.noted.append(question(author(session), session.table(about.table), about.id, name, asked))


def owner_change(before: Reference, after: Reference) -> Changes:
    """What an assign did."""
    return {"ownerid": (before, after)}


def _append(session: Session, row: Row, operation: Operation, action: Action, changes: Changes) -> None:
    if not is_audited(session, row.table):
        return
    found = entry(author(session), row.table, row.id, operation, action, changes)
    if found is not None:
        session.transaction.append_audit((found,))


def _action(row: Row, changes: Changes) -> Action:
    if row.table.logical_name == _ORGANIZATION:
        for name, (on, off) in _SWITCHES.items():
            if name in changes:
                return on if changes[name][1] else off
        if not changes.keys().isdisjoint(_AUDIT_SETTINGS):
            return Action.CHANGE_AT_ORGANIZATION_LEVEL
    for name, (old, new) in changes.items():
        column = row.table.columns.get(name)
        if column is not None and column.type is ColumnType.STATE and old != new:
            return Action.DEACTIVATE if new else Action.ACTIVATE
    return Action.UPDATE


def _with_owner(session: Session, row: Row, owners: dict[Key, Reference]) -> Mapping[str, Value]:
    """The values of a row and its owner; `owners` keeps those that were looked up."""
    if row.owner is None or not row.table.has_owner:
        return row.values
    owner = owners.get(row.owner)
    if owner is None:
        owner = owners[row.owner] = session.transaction.principal(row.owner)
    return {**row.values, "ownerid": owner}
