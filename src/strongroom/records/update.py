"""Changing a row that exists (SM-90, SM-98, SM-110 to SM-112, SM-124, WA-140 to WA-156).

Order of checks: the Write privilege (Assign alone when only the owner changes), existence, reach, version; then the
lookups, the secured columns, the new owner; then the values. A change that names no column that can be written does
nothing at all (WA-146).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.access.messages import does_not_exist
from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Key, Reference, parse_guid
from strongroom.records import owners, refusals, states
from strongroom.records.assign import assign, move
from strongroom.records.authorize import demand, demand_columns, demand_privilege
from strongroom.records.calculated import complete_calculated
from strongroom.records.create import refuse_direct_writes
from strongroom.records.credentials import refuse_credentials
from strongroom.records.images import arriving, keep
from strongroom.records.inheritance import moved
from strongroom.records.lookups import Targets, references_in
from strongroom.records.money import complete_money
from strongroom.records.pointers import refuse_unknown_to, settled, table_of_row
from strongroom.records.rules import Event
from strongroom.records.session import Session
from strongroom.records.system_columns import complete_names, complete_object_type, of_changed_row
from strongroom.records.table_form import TableForm, form_of
from strongroom.records.trail import record_update
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row, Value


@dataclass(frozen=True, slots=True)
class Intent:
    """What a change is about: its plain columns, a new owner, a new owning unit."""

    columns: Mapping[str, Value]
    owner: Reference | None
    unit: Key | None

    @property
    def rights(self) -> list[Rights]:
        """The rights it needs on the row, in the order in which they are asked for."""
        rights = [Rights.ASSIGN] if self.owner is not None or self.unit is not None else []
        return rights if rights and not self.columns else [Rights.WRITE, *rights]


def update_row(
    session: Session, table: Table, row_id: Guid, changes: Mapping[str, Value], *, expected_version: int | None = None
) -> Row:
    """Change one row and return it as it is then."""
    addressed, table = table, table_of_row(session, table, row_id, Rights.WRITE)
    refuse_direct_writes(table)
    refuse_unknown_to(table, changes, addressed)
    intent = intent_of(session, table, row_id, changes)
    for right in intent.rights:
        demand_privilege(session, table, right)
    row = session.transaction.row(table, row_id)
    if row is None:
        raise does_not_exist(table, row_id)
    change_row(session, row, intent, expected_version)
    return row


def change_row(session: Session, row: Row, intent: Intent, expected_version: int | None) -> None:
    """Authorize and make a change of a row that has been read."""
    table = row.table
    form = form_of(table)
    for right in intent.rights:
        demand(session, right, row)
    if expected_version is not None and row.version != expected_version:
        raise refusals.version_mismatch()
    targets = Targets(session)
    references = references_in(table, intent.columns, form.on_update)
    if references:
        demand(session, Rights.APPEND, row)
        targets.load(references)
        for reference in references:
            targets.demand(reference)
    if form.secured:
        demand_columns(session, row, form.secured & intent.columns.keys())
    if intent.unit is not None and intent.unit != row.unit:
        owners.demand_unit(session, intent.unit)
    if intent.owner is not None and session.transaction.principal_key(intent.owner) != row.owner:
        owners.demand_valid_owner(session, table, intent.owner)
    checked = form.checked(intent.columns, form.on_update)
    if checked and session.caller.facts.settings.blocks_credentials:
        refuse_credentials(table, checked)
    if checked:
        _apply(session, form, row, checked, targets)
    if intent.owner is not None:
        assign(session, row, intent.owner)
    if intent.unit is not None:
        move(session, row, intent.unit)


def write_changes(session: Session, row: Row, changes: dict[str, Value]) -> None:
    """Make a change that the platform decided itself: no rights, no checks, but bookkeeping and the audit entry."""
    complete_calculated(row.table, row.values, changes)
    before = {name: row.values.get(name) for name in changes}
    session.transaction.update(row, {**changes, **of_changed_row(session, row.table)})
    record_update(session, row, {name: (old, row.values.get(name)) for name, old in before.items()})


def _apply(session: Session, form: TableForm, row: Row, changes: dict[str, Value], targets: Targets) -> None:
    """Complete checked changes, run the rules, store and record them, and let inherited rights follow the lookups."""
    table = row.table
    for name in form.kept & changes.keys():
        if changes[name] is None:
            raise InvalidRequest(f"'{name}' of '{table.logical_name}' cannot be emptied: the column is SystemRequired.")
    states.complete_change(table, row.values, changes)
    complete_money(session, form, targets, row.values, changes)
    complete_names(table, row.values, changes)
    complete_object_type(table, changes)
    pictures = arriving(session, table, form.images, changes) if form.images else ()
    rules = session.rules
    if rules.has(Event.BEFORE_UPDATE, table.logical_name):
        rules.run(Event.BEFORE_UPDATE, session, row, changes)
    complete_calculated(table, row.values, changes)
    before = {name: row.values.get(name) for name in changes}
    session.transaction.update(row, {**changes, **of_changed_row(session, table)})
    keep(session, row, pictures)
    different = {
        name: (old, new)
        for name, old in before.items()
        if (new := row.values.get(name)) != old  # an equal value is a change without changed columns (WA-147)
    }
    record_update(session, row, different)
    if any(isinstance(old, Reference) or isinstance(new, Reference) for old, new in different.values()):
        moved(session, row, before, targets)
    if rules.has(Event.AFTER_UPDATE, table.logical_name):
        rules.run(Event.AFTER_UPDATE, session, row, before)


def intent_of(session: Session, table: Table, row_id: Guid, changes: Mapping[str, Value]) -> Intent:
    """Take owner, owning unit and id out of the changes; an id must be the row's own (WA-145)."""
    columns = settled(session, table, dict(changes))
    given = columns.pop(table.primary_id, None)
    if given is not None and (parse_guid(given) if isinstance(given, str) else None) != row_id:
        raise refusals.other_id(table)
    owner = owners.named_owner(table, columns)
    unit = owners.named_unit(session, table, columns)
    if table.has_owner:
        columns.pop(owners.OWNER, None)
        columns.pop(owners.OWNING_UNIT, None)
    return Intent(columns, owner, unit)
