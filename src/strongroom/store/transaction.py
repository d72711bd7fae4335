"""`store.protocol.Transaction` for both engines: one object that names what the modules of this room do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from strongroom.access.caller import AuditRetention, SecurityFacts, SecuritySettings, UnitTree
from strongroom.access.directory import Directory
from strongroom.access.plan import ColumnAccess, Plan
from strongroom.access.planned import PlannedSelect
from strongroom.clock import Clock, iso
from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid, Key, Reference, new_guids
from strongroom.schema.model import Column, ManyToMany, Relationship, Schema, Table
from strongroom.store import column_rules, everyone, sealed_trail
from strongroom.store import facts as security
from strongroom.store import file_contents as stored_files
from strongroom.store import links as stored_links
from strongroom.store import rows as stored_rows
from strongroom.store import shares as stored_shares
from strongroom.store import units as stored_units
from strongroom.store.column_encryption import ColumnEncryption
from strongroom.store.compile import Statements
from strongroom.store.counters import stored_counts
from strongroom.store.ddl import fit_tables
from strongroom.store.engine import Sight
from strongroom.store.facts import SecurityCache
from strongroom.store.journal import unrecorded
from strongroom.store.leaves import AuditLog
from strongroom.store.metadata import store_schema
from strongroom.store.protocol import InheritedPart, Row, Share, SharedRow, Stamp, StoredFile, Value
from strongroom.store.reading import Reader
from strongroom.store.system_rows import mirror_schema
from strongroom.store.tracking import Tracking
from strongroom.store.transfers import Transfers
from strongroom.store.twin_fitting import fit_twins
from strongroom.store.work import Shapes, Work

_AUDIT = "audit"
_ACTIVITIES = "activitylog"


class StoreTransaction:
    """One snapshot or one unit of work. Made by `Database.read` and `Database.write` only."""

    def __init__(self, work: Work, cache: SecurityCache, reader: Reader) -> None:
        self._work = work
        self._cache = cache
        self._reader = reader

    @property
    def stamp(self) -> Stamp:
        return self._work.stamp

    @property
    def schema(self) -> Schema:
        return self._work.schema

    # --- reading under a plan ---

    def select(self, query: PlannedSelect) -> list[tuple[Value, ...]]:
        return self._reader.select(self._flushed(), query)

    def count(self, query: PlannedSelect, limit: int | None) -> int:
        return self._reader.count(self._flushed(), query, limit)

    def allows(self, plan: Plan, row: Row) -> bool:
        return self._reader.allows(self._work, plan, row)

    def read_by_hand(self, plans: Iterable[Plan], sql: str, limit: int) -> list[dict[str, object]]:
        return self._work.engine.read_by_hand(Sight(plans, self.stamp.security_epoch), sql, limit)

    # --- rows by identity ---

    def row(self, table: Table, row_id: Guid) -> Row | None:
        return stored_rows.row(self._work, table, row_id)

    def rows(self, table: Table, row_ids: Sequence[Guid]) -> dict[Guid, Row]:
        return stored_rows.rows(self._work, table, row_ids)

    def row_by_key(self, table: Table, columns: Mapping[str, Value]) -> Row | None:
        return stored_rows.row_by_key(self._work, table, columns)

    def rows_where(self, table: Table, columns: Mapping[str, Value], *, limit: int | None = None) -> list[Row]:
        return stored_rows.rows_where(self._work, table, columns, limit)

    def children(self, relationship: Relationship, parents: Sequence[Guid]) -> list[Row]:
        return stored_rows.children(self._work, relationship, parents)

    def pointing(self, relationship: Relationship) -> list[Row]:
        return stored_rows.pointing(self._work, relationship)

    def has_longer_text(self, table: Table, column: Column, units: int) -> bool:
        return stored_rows.has_longer_text(self._work, table, column, units)

    def linked(self, association: ManyToMany, row_id: Guid, *, from_first: bool) -> list[Guid]:
        return stored_links.linked(self._work, association, row_id, from_first=from_first)

    # --- writing ---

    def insert(self, table: Table, rows: Sequence[Row], *, meanwhile: Callable[[], None] | None = None) -> None:
        stored_rows.insert(self._work, table, rows, meanwhile=meanwhile)

    def update(
        self, row: Row, changes: Mapping[str, Value], *, owner: Key | None = None, unit: Key | None = None
    ) -> None:
        stored_rows.update(self._work, row, changes, owner=owner, unit=unit)

    def settle_units(self, table: Table, owners: Sequence[Key] | None = None) -> int:
        return stored_units.settle_units(self._work, table, owners)

    def delete(self, table: Table, rows: Sequence[Row]) -> None:
        stored_rows.delete(self._work, table, rows)

    def link(self, association: ManyToMany, first: Guid, second: Guid) -> bool:
        return stored_links.link(self._work, association, first, second)

    def unlink(self, association: ManyToMany, first: Guid, second: Guid) -> bool:
        return stored_links.unlink(self._work, association, first, second)

    # --- shares ---

    def shares(self, table: Table, rows: Sequence[Key]) -> dict[Key, list[Share]]:
        return stored_shares.shares(self._work, table, rows)

    def set_share(self, row: Row, share: Share) -> None:
        stored_shares.set_share(self._work, row, share)

    def inherited_parts(self, row: Row) -> list[InheritedPart]:
        return stored_shares.inherited_parts(self._work, row)

    def set_inherited_part(self, row: Row, part: InheritedPart) -> None:
        stored_shares.set_inherited_part(self._work, row, part)

    def value_access(self, row: Row, principals: frozenset[int]) -> Mapping[Guid, ColumnAccess]:
        return column_rules.value_access(self._work, row, principals)

    # --- contents of file columns ---

    def file(self, row: Row, column: str) -> StoredFile | None:
        return stored_files.file_of(self._work, row, column)

    def file_place(self, file_id: Guid) -> tuple[Reference, str] | None:
        return stored_files.place_of(self._work, file_id)

    def file_bytes(self, file_id: Guid, start: int, end: int) -> bytes:
        return stored_files.bytes_of(self._work, file_id, start, end)

    def thumbnail(self, file_id: Guid) -> str | None:
        return stored_files.thumbnail_of(self._work, file_id)

    def set_file(
        self, row: Row, column: str, file: StoredFile, pieces: Iterable[bytes], thumbnail: str | None = None
    ) -> None:
        stored_files.set_file(self._work, row, column, file, pieces, thumbnail)

    def adopt_file(self, row: Row, column: str, file: StoredFile) -> None:
        stored_files.adopt(self._work, row, column, file)

    def remove_file(self, row: Row, column: str) -> None:
        stored_files.remove_file(self._work, row, column)

    @property
    def transfers(self) -> Transfers:
        return Transfers(self._work)

    # --- changes ---

    @property
    def tracking(self) -> Tracking:
        return Tracking(self._flushed())

    # --- security ---

    def facts(self, principal: Reference) -> SecurityFacts | None:
        return security.facts(self._work, self._security(), principal)

    def unit_tree(self) -> UnitTree:
        return security.unit_tree(self._work, self._security())

    def settings(self) -> SecuritySettings:
        return security.settings(self._work, self._security())

    def principal(self, key: Key) -> Reference:
        found = self._work.connection.query("select kind, principalid from principal where id = ?", (key,))
        if not found:
            raise IntegrityViolation(f"There is no user or team with the key {key}.")
        return Reference(found[0][0], Guid(found[0][1]))

    def principal_key(self, reference: Reference) -> Key | None:
        found = self._work.connection.query(
            "select id from principal where principalid = ? and kind = ?", (reference.id, reference.table)
        )
        return Key(found[0][0]) if found else None

    def unit_key(self, unit_id: Guid) -> Key | None:
        return stored_rows.unit_key(self._work, unit_id)

    def bump_security_epoch(self) -> None:
        self._work.bump_security_epoch()

    # --- about everybody ---

    def directory(self) -> Directory:
        return everyone.directory(self._work, self._security())

    def counts(self, table: Table) -> dict[tuple[int, int], int]:
        work = self._flushed()
        return stored_counts(work.connection, table.logical_name)

    def shared_rows(self, table: Table, principals: Sequence[Key]) -> list[SharedRow]:
        return everyone.shared_rows(self._work, table, principals)

    # --- metadata ---

    def change_schema(self, schema: Schema) -> None:
        """See the protocol. The version becomes the environment's next one; alternate keys that existing rows break
        are stored as not active (WA-346), so read `schema` again afterwards."""
        work = self._work
        work.must_write()
        work.counters.flush(work.connection)
        old = work.schema if work.stamp.metadata_version else None
        version = work.stamp.metadata_version + 1
        work.has_failed = True  # until all of it is done
        fitting = replace(fit_tables(work.engine, work.connection, old, schema), version=version)
        work.engine.fit_policies(unrecorded(work.connection), old, fitting)
        store_schema(work.engine, work.connection, fitting)
        work.shapes = Shapes(fitting, work.engine, work.column_keys)
        work.stamp = Stamp(work.stamp.security_epoch, version)
        self._reader = Reader(
            Statements(work.engine.dialect, keys=work.column_keys)
        )  # the version is not committed yet
        work.has_failed = False
        fit_twins(work, old)
        mirror_schema(work)
        stored_files.remove_of_dropped(work)

    @property
    def column_encryption(self) -> ColumnEncryption:
        return ColumnEncryption(self._work)

    # --- audit ---

    def append_audit(self, entries: Iterable[Mapping[str, Value]]) -> None:
        """See the protocol. An entry without `auditid` gets one, and `createdon` when it has none."""
        if self.schema.encrypted:
            entries = [sealed_trail.sealed(self._work, entry) for entry in entries]
        retention = self.settings().retention
        if retention.days is None and not retention.by_table:
            self._append(_AUDIT, entries)
        else:
            self._append(_AUDIT, [_kept(entry, retention, self._work.clock) for entry in entries])

    def append_activity(self, activities: Iterable[Mapping[str, Value]]) -> None:
        """See the protocol. As `append_audit`, with `activitylogid`."""
        self._append(_ACTIVITIES, activities)

    def _append(self, name: str, entries: Iterable[Mapping[str, Value]]) -> None:
        told = list(entries)
        if not told:
            return
        work = self._work
        table, now = work.table(name), work.now()
        added: list[Row] = []
        for entry, fresh in zip(told, new_guids(work.clock, len(told)), strict=True):
            values = {"createdon": now, **entry}
            identity = values.get(table.primary_id) or fresh
            added.append(Row(table, Key(0), Guid(str(identity)), None, None, 0, values))
        is_new = not any(table.primary_id in entry for entry in told)
        stored_rows.insert(work, table, added, late=is_new)

    @property
    def log(self) -> AuditLog:
        return AuditLog(self._work)

    def _security(self) -> SecurityCache:
        if self._cache.epoch != self._work.stamp.security_epoch:
            self._cache = SecurityCache(self._work.stamp.security_epoch)  # this transaction's own: not yet committed
        return self._cache

    def _flushed(self) -> Work:
        self._work.counters.flush(self._work.connection)
        return self._work


def _kept(entry: Mapping[str, Value], retention: AuditRetention, clock: Clock) -> Mapping[str, Value]:
    """An entry with the time until which it is kept (TS-807)."""
    days = retention.of(str(entry.get("objecttypecode")))
    return entry if days is None else {**entry, "expireson": iso(clock.now() + timedelta(days=days))}


__all__ = ["StoreTransaction"]
