"""Creating rows, one or many of a table in the same stages (SM-120 to SM-124, WA-105 to WA-122).

The stages are those of SM-124, for all rows each: privilege, reach, another owner, owning unit; then the lookups;
then secured columns; then whether the owner may own. After them the values are checked and completed, rules run, the
rows are stored with their audit entries, and what their parents pass on to them arrives (SM-83, SM-84).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from strongroom.access.columns import require_columns
from strongroom.access.plan import ColumnAccess
from strongroom.access.resolve import require_privilege
from strongroom.errors import InvalidRequest, StrongroomError
from strongroom.ids import Guid, Key, Reference, new_guid, new_guids, parse_guid
from strongroom.records import owners, refusals, states
from strongroom.records.authorize import demand_new, demand_privilege
from strongroom.records.calculated import complete_calculated
from strongroom.records.credentials import refuse_credentials
from strongroom.records.images import Arriving, arriving, keep, refuse_other_images
from strongroom.records.inheritance import arrive
from strongroom.records.lookups import Targets, references_in
from strongroom.records.money import complete_money
from strongroom.records.pointers import settled
from strongroom.records.rules import Event
from strongroom.records.session import Session
from strongroom.records.shapes import NewRecord
from strongroom.records.system_columns import complete_names, complete_object_type, of_new_rows, organization_of
from strongroom.records.table_form import TableForm, form_of
from strongroom.records.trail import creation_entries, is_audited, record_creations
from strongroom.schema.activities import PARTIES, POINTER
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row, Value

T = TypeVar("T")
R = TypeVar("R")

_NO_KEY = Key(0)
_OVERRIDDEN = "overriddencreatedon"
_LEDGERS = frozenset({"activitylog", "breachnotification", "incidentscope", "incidentstep", "witnessedhead"})
"""Tables whose rows are evidence: written by the platform, never changed or deleted through any door (TS-003)."""

_PLATFORM_WRITTEN = frozenset(
    {"audit", "principalobjectaccess", "privilege", "roletemplate", "sdkmessage", "sdkmessagefilter"}
)


@dataclass(slots=True)
class Draft:
    """A row on its way into the store. `named` are the values that the caller gave."""

    row: Row
    named: dict[str, Value]
    references: list[Reference]
    pictures: Sequence[Arriving] = ()


def create_rows(session: Session, table: Table, records: Sequence[NewRecord]) -> list[Row]:
    """Create rows without related ones; all are stored or none. With several, an error names the target's index."""
    refuse_direct_writes(table)
    form = form_of(table)
    plan = demand_privilege(session, table, Rights.CREATE)
    reach = _Reach(session, table)
    fresh = iter(new_guids(session.clock, len(records)))
    drafts = each(records, lambda record: _draft(form, record, reach, next(fresh)))
    targets = Targets(session)
    targets.load(reference for draft in drafts for reference in draft.references)
    each(drafts, lambda draft: _demand_lookups(draft, reach, targets))
    if form.secured:
        each(drafts, lambda draft: require_columns(plan, form.secured & draft.named.keys(), ColumnAccess.CREATE))
    if table.has_owner:
        approved: set[Reference] = set()
        each(drafts, lambda draft: _demand_owner(session, draft, approved))
    base = {**form.defaults, **of_new_rows(session, table), **organization_of(session, table)}
    each(drafts, lambda draft: _complete(session, form, draft, base, targets))
    rows = [draft.row for draft in drafts]
    _store_all(session, table, rows, reach.owners)
    for draft in drafts if form.images else ():
        keep(session, draft.row, draft.pictures)
    arrive(session, table, rows, targets)
    if session.rules.has(Event.AFTER_CREATE, table.logical_name):
        for row in rows:
            session.rules.run(Event.AFTER_CREATE, session, row, row.values)
    return rows


def store_new(session: Session, table: Table, values: dict[str, Value], row_id: Guid | None = None) -> Row:
    """Store a row that the platform itself makes (a role's copy, a default team): no rights are asked, nothing is
    checked, bookkeeping columns and the audit entry are added."""
    form = form_of(table)
    values = {**form.defaults, **of_new_rows(session, table), **organization_of(session, table), **values}
    states.complete_new(table, values)
    place = owners.place_of_new(session, table, values)
    row_id = row_id or new_guid(session.clock)
    values[table.primary_id] = row_id
    complete_calculated(table, {}, values)
    row = Row(table, _NO_KEY, row_id, place.owner, place.unit, 0, values)
    _store(session, row)
    return row


def refuse_direct_writes(table: Table) -> None:
    """WA-169, SM-79, WA-413, TS-003: tables that only messages and relationships write, and ledgers."""
    if table.logical_name in _LEDGERS:
        raise refusals.ledger(table)
    if table.logical_name == POINTER:
        raise refusals.no_table_of_its_own(table)
    if table.logical_name == PARTIES:
        raise refusals.part_of_activity(table)
    if table.is_intersect or table.logical_name in _PLATFORM_WRITTEN:
        raise refusals.written_by_platform(table)


def each(items: Sequence[T], act: Callable[[T], R]) -> list[R]:
    """`act` on every item; with several, a refusal says at which target it happened (WA-303)."""
    results: list[R] = []
    try:
        for item in items:
            results.append(act(item))
    except StrongroomError as error:
        if len(items) > 1 and "target" not in error.details:
            error.message = f"{error.message} (target {len(results)})"
            error.args = (error.message,)
            error.details["target"] = len(results)
        raise
    return results


# --- the stages ----------------------------------------------------------------------------------------------------


class _Reach:
    """Where the rows of one verb may be: each owner, and each right at an owner and unit, is asked about once."""

    def __init__(self, session: Session, table: Table) -> None:
        self.session = session
        self._is_owned = table.has_owner
        self.owners: dict[Key, Reference] = {session.caller.key: session.user}
        """Whom the keys of owners stand for."""

        self._places: dict[Reference, owners.Place] = {}
        self._granted: set[tuple[Rights, Key | None, Key | None]] = set()

    def place(self, table: Table, named: Mapping[str, Value]) -> owners.Place:
        """Owner and unit of a new row (`owners.place_of_new`)."""
        if not self._is_owned:
            return owners.place_of_new(self.session, table, named)
        owner = owners.named_owner(table, named) or self.session.user
        has_own_unit = named.get(owners.OWNING_UNIT) is not None
        place = None if has_own_unit else self._places.get(owner)
        if place is None:
            place = owners.place_of_new(self.session, table, named)
            if place.owner is not None:
                self.owners[place.owner] = owner
            if not has_own_unit:
                self._places[owner] = place
        return place

    def demand(self, right: Rights, row: Row) -> None:
        """`demand_new`. Rows of other tables than owned ones may owe their access to their values."""
        asked = (right, row.owner, row.unit)
        if asked not in self._granted:
            demand_new(self.session, right, row)
            if self._is_owned:
                self._granted.add(asked)


def _draft(form: TableForm, record: NewRecord, reach: _Reach, fresh: Guid) -> Draft:
    """Identity, owner and unit, and whether the caller may create there at all."""
    table, session = form.table, reach.session
    named = settled(session, table, dict(record.values))
    row_id = _id_of(table, named, fresh)
    place = reach.place(table, named)
    row = Row(table, _NO_KEY, row_id, place.owner, place.unit, 0, named)
    reach.demand(Rights.CREATE, row)
    if place.owner is not None and place.owner != session.caller.key:
        reach.demand(Rights.ASSIGN, row)
    if named.get(owners.OWNING_UNIT) is not None and place.unit is not None:
        _demand_other_unit(session, row, named)
    return Draft(row, named, references_in(table, named, form.on_create))


def _id_of(table: Table, named: dict[str, Value], fresh: Guid) -> Guid:
    """The row's id: chosen by the caller (WA-107), or the `fresh` one."""
    given = named.pop(table.primary_id, None)
    if given is None:
        return fresh
    found = parse_guid(given) if isinstance(given, str) else None
    if found is None:
        raise refusals.payload(table, f"'{table.primary_id}' takes a GUID.")
    return found


def _demand_other_unit(session: Session, row: Row, named: dict[str, Value]) -> None:
    """AppendTo on an owning unit that is not the owner's own (SM-123)."""
    owner = owners.named_owner(row.table, named)
    home = session.caller.unit if owner is None else owners.facts_of(session, owner).unit
    if row.unit is not None and row.unit != home:
        owners.demand_unit(session, row.unit)


def _demand_lookups(draft: Draft, reach: _Reach, targets: Targets) -> None:
    """For each lookup: Append on the new row, then existence, AppendTo and Read of the target (SM-111, WA-115)."""
    for reference in draft.references:
        reach.demand(Rights.APPEND, draft.row)
        targets.demand(reference)


def _demand_owner(session: Session, draft: Draft, approved: set[Reference]) -> None:
    """Whether the owner may own rows of this table (SM-92, SM-93); each owner is asked about once."""
    owner = owners.named_owner(draft.row.table, draft.named) or session.user
    if owner not in approved:
        owners.demand_valid_owner(session, draft.row.table, owner)
        approved.add(owner)


def _complete(session: Session, form: TableForm, draft: Draft, base: dict[str, Value], targets: Targets) -> None:
    """Check the values and add what the platform gives: then the row is as it will be stored."""
    table, row = form.table, draft.row
    checked = form.checked(draft.named, form.on_create)
    if session.caller.facts.settings.blocks_credentials:
        refuse_credentials(table, checked)
    values = {**base, **checked}
    if checked.get(_OVERRIDDEN) is not None:
        _override_creation(session, values)
    for name in form.kept:
        if name in checked and checked[name] is None:
            values[name] = base.get(name)
    states.complete_new(table, values)
    complete_money(session, form, targets, {}, values)
    complete_names(table, {}, values)
    complete_object_type(table, values)
    if form.images:
        refuse_other_images(table, form.images & checked.keys())
        draft.pictures = arriving(session, table, form.images, values)
    for name in form.generated:
        if values.get(name) is None:
            values[name] = new_guid(session.clock)
    values[table.primary_id] = row.id
    row.values = values
    if session.rules.has(Event.BEFORE_CREATE, table.logical_name):
        session.rules.run(Event.BEFORE_CREATE, session, row, values)
    complete_calculated(table, {}, values)
    for name in form.required:
        if values.get(name) is None:
            raise InvalidRequest(f"'{table.logical_name}' needs a value for '{name}': the column is SystemRequired.")


def _override_creation(session: Session, values: dict[str, Value]) -> None:
    """A row that is older than its record here keeps its own date, by a privilege; the column then tells when the
    record was made (WA-111)."""
    require_privilege(session.caller, "prvOverrideCreatedOnCreatedBy")
    values["createdon"], values[_OVERRIDDEN] = values[_OVERRIDDEN], values["createdon"]


def _store(session: Session, row: Row) -> None:
    session.transaction.insert(row.table, [row])
    record_creations(session, [row])


def _store_all(session: Session, table: Table, rows: list[Row], owner_of: Mapping[Key, Reference]) -> None:
    """Rows and their entries. The entries are made while a server stores the rows, so nothing may be looked up then:
    `owner_of` knows every owner."""
    if not rows or not is_audited(session, table):
        session.transaction.insert(table, rows)
        return
    entries: list[dict[str, Value]] = []
    session.transaction.insert(table, rows, meanwhile=lambda: entries.extend(creation_entries(session, rows, owner_of)))
    session.transaction.append_audit(entries)
