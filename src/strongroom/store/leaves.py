"""The log that proves the trail: one leaf for each row of `audit` and of `activitylog`, in the order of their commits.

`auditleaf(sequence, entry, auditid, hash, salt, gone)`: the place in the log, the entry's key and id, the hash of the
leaf and the salt of the entry's values in hexadecimal. `audithead(treesize, …)`: the signed heads. Writers do not touch
either: a sealer appends what has been committed since. Keys of entries grow in the order of commits, because writers
take turns, and are never the same in two tables, because all tables count on together.

An entry that retention removes leaves its leaf: the log stays whole, and proofs of the others stay valid. The leaf's
`gone` says when it was removed in good order, and its salt is forgotten, so that nobody can guess what it said; an
entry that is missing without it was taken out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from strongroom.ids import Guid
from strongroom.store.dialect import quote
from strongroom.store.engine import Connection, Engine
from strongroom.store.protocol import Row
from strongroom.store.work import Work

_LOGGED = ("audit", "activitylog")


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """One place of the log. `row` is None when the entry is not there any more."""

    sequence: int
    entry: int
    audit_id: Guid
    hash: str
    salt: str | None
    gone: str | None
    row: Row | None


class ToldLeaf(NamedTuple):
    """One place of the log for a verification. `told` is what its entry tells, None when it is not there any more."""

    sequence: int
    audit_id: str
    hash: str
    salt: str | None
    gone: str | None
    told: dict[str, str | int | None] | None


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A signed head of an environment's log: `root` and `previous` in hexadecimal, `signature` in base64."""

    environment: str
    tree_size: int
    root: str
    signed_on: str
    key_id: str
    signature: str
    previous: str
    is_test_clock: bool


def make_tables(engine: Engine, connection: Connection) -> None:
    """The migration that makes the two tables."""
    key, text, guid, suffix = engine.key_type, engine.text_type, engine.guid_type, engine.table_suffix
    for statement in (
        f"create table auditleaf (sequence {key} primary key, entry {key} not null, auditid {guid} not null,"
        f" hash {text} not null, salt {text}, gone {text}){suffix}",
        "create unique index pf_auditleaf on auditleaf (auditid)",
        "create unique index pf_auditleaf_entry on auditleaf (entry)",
        f"create table audithead (environment {guid} not null, treesize {key} primary key, root {text} not null,"
        f" signedon {text} not null, keyid {text} not null, signature {text} not null, previous {text} not null,"
        f" testclock {key} not null){suffix}",
    ):
        connection.execute(statement)


class AuditLog:
    """The log, inside one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def unsealed(self, limit: int) -> list[Row]:
        """Entries that have no leaf yet, in their order."""
        last = self._last_entry()
        found = [row for name in _LOGGED for row in self._rows(name, "id > ?", (last,), limit)]
        return sorted(found, key=lambda row: row.key)[:limit]

    def is_next(self, first: int, rows: Sequence[Row]) -> bool:
        """Whether the log has `first` leaves and these entries, read a moment ago, still are what follows."""
        if self.size() != first:
            return False
        between = (self._last_entry(), rows[-1].key)
        counted = [
            self._work.connection.query(f"select count(*) from {name} where id > ? and id <= ?", between)[0][0]
            for name in _LOGGED
        ]
        return sum(counted) == len(rows)

    def append(self, first: int, rows: Sequence[Row], leaves: Sequence[tuple[str, str]]) -> None:
        """Leaves of these entries, from the place `first` on: hash and salt of each."""
        self._work.must_write()
        values = [
            (first + number, row.key, row.id, leaf, salt)
            for number, (row, (leaf, salt)) in enumerate(zip(rows, leaves, strict=True))
        ]
        self._work.connection.insert("auditleaf", ("sequence", "entry", "auditid", "hash", "salt"), values)

    def size(self) -> int:
        """How many leaves there are."""
        found = self._work.connection.query("select sequence from auditleaf order by sequence desc limit 1")
        return found[0][0] + 1 if found else 0

    def hashes(self, start: int, end: int) -> list[str]:
        """The leaf hashes from `start` up to, not including, `end`."""
        found = self._work.connection.query(
            "select hash from auditleaf where sequence >= ? and sequence < ? order by sequence", (start, end)
        )
        return [leaf for (leaf,) in found]

    def leaves(self, start: int, limit: int) -> list[StoredLeaf]:
        """Leaves with their entries, from the place `start` on."""
        found = self._work.connection.query(
            "select sequence, entry, auditid, hash, salt, gone from auditleaf where sequence >= ?"
            f" order by sequence limit {int(limit)}",
            (start,),
        )
        if not found:
            return []
        keys = [raw[1] for raw in found]
        between = (min(keys), max(keys))
        rows = {row.key: row for name in _LOGGED for row in self._rows(name, "id >= ? and id <= ?", between)}
        return [
            StoredLeaf(sequence, entry, Guid(str(audit_id)), leaf, salt, gone, rows.pop(entry, None))
            for sequence, entry, audit_id, leaf, salt, gone in found
        ]

    def told(self, start: int, limit: int, wanted: Mapping[str, Sequence[str]]) -> list[ToldLeaf]:
        """Leaves with what their entries tell, from the place `start` on: of each table the `wanted` columns."""
        found = self._work.connection.query(
            "select sequence, auditid, hash, salt, gone, entry from auditleaf where sequence >= ?"
            f" order by sequence limit {int(limit)}",
            (start,),
        )
        if not found:
            return []
        keys = [raw[5] for raw in found]
        between = (min(keys), max(keys))
        told: dict[int, dict[str, str | int | None]] = {}
        for name in _LOGGED:
            told.update(self._told(name, wanted[name], between))
        return [
            ToldLeaf(sequence, audit_id, leaf, salt, gone, told.pop(entry, None))
            for sequence, audit_id, leaf, salt, gone, entry in found
        ]

    def _told(
        self, name: str, columns: Sequence[str], between: tuple[int, int]
    ) -> dict[int, dict[str, str | int | None]]:
        expressions, decoders = self._work.shape(self._work.table(name)).told(columns)
        statement = f"select id, {', '.join(expressions)} from {name} where id >= ? and id <= ?"
        found = {
            raw[0]: dict(zip(columns, raw[1:], strict=True)) for raw in self._work.connection.query(statement, between)
        }
        for column, decode in decoders:
            for each in found.values():
                if each[column] is not None:
                    each[column] = decode(each[column])
        return found

    def strangers(self) -> list[Guid]:
        """Entries that stand between leaves and have none themselves: some, where there are any."""
        last = self._last_entry()
        found = [
            raw[0]
            for name in _LOGGED
            for raw in self._work.connection.query(
                f"select {name}id from {name} a where id <= ?"
                " and not exists (select 1 from auditleaf l where l.entry = a.id) order by id limit 10",
                (last,),
            )
        ]
        return [Guid(str(entry_id)) for entry_id in found[:10]]

    def place_of(self, audit_id: Guid) -> int | None:
        """Where the leaf of an entry is."""
        found = self._work.connection.query("select sequence from auditleaf where auditid = ?", (audit_id,))
        return found[0][0] if found else None

    def mark_gone(self, rows: Sequence[Row], now: str) -> list[int]:
        """Say of leaves that their entries are removed; their places, in order. What was not sealed yet has none."""
        self._work.must_write()
        places = sorted(place for row in rows if (place := self.place_of(row.id)) is not None)
        self._work.connection.execute_many(
            "update auditleaf set gone = ?, salt = null where sequence = ?", [(now, place) for place in places]
        )
        return places

    def leaf_of(self, row: Row) -> StoredLeaf | None:
        """The leaf of an entry; None while it has none."""
        found = self._work.connection.query(
            "select sequence, entry, auditid, hash, salt, gone from auditleaf where entry = ?", (row.key,)
        )
        if not found:
            return None
        sequence, entry, audit_id, leaf, salt, gone = found[0]
        return StoredLeaf(sequence, entry, Guid(str(audit_id)), leaf, salt, gone, row)

    def salts_of(self, rows: Sequence[Row]) -> dict[int, tuple[int, str]]:
        """Place and salt of the leaves of these entries, by key; those that have none (yet) are left out."""
        found: dict[int, tuple[int, str]] = {}
        for row in rows:
            for place, salt in self._work.connection.query(
                "select sequence, salt from auditleaf where entry = ? and salt is not null", (row.key,)
            ):
                found[row.key] = (place, salt)
        return found

    def erase(self, row: Row, place: int, texts: Mapping[str, str]) -> None:
        """Put other texts in the place of an entry's own, and forget the salt of its leaf."""
        self._work.must_write()
        settings = ", ".join(f"{quote(name)} = ?" for name in texts)
        table = quote(row.table.logical_name)
        self._work.connection.execute(f"update {table} set {settings} where id = ?", (*texts.values(), row.key))
        self._work.connection.execute("update auditleaf set salt = null where sequence = ?", (place,))

    def restamp(self, start: int, limit: int, until: Callable[[str, str], str | None]) -> int | None:
        """Give entries of `audit` whose keys are above `start` another `expireson`: what `until` says of when they were
        written and of their table. The last key of these `limit` entries; None when there are none."""
        self._work.must_write()
        found = list(self._rows("audit", "id > ?", (start,), limit))
        values = [
            (until(str(row.values.get("createdon")), str(row.values.get("objecttypecode"))), row.key) for row in found
        ]
        self._work.connection.execute_many("update audit set expireson = ? where id = ?", values)
        return found[-1].key if found else None

    def add_head(self, head: StoredHead) -> None:
        """A new head."""
        self._work.must_write()
        columns = ("environment", "treesize", "root", "signedon", "keyid", "signature", "previous", "testclock")
        values = (head.environment, head.tree_size, head.root, head.signed_on, head.key_id, head.signature)
        self._work.connection.insert("audithead", columns, [(*values, head.previous, int(head.is_test_clock))])

    def heads(self, *, newest: int | None = None) -> list[StoredHead]:
        """The heads, oldest first; only the `newest` ones when told."""
        if newest is None:
            return self._heads("order by treesize")
        return self._heads(f"order by treesize desc limit {int(newest)}")[::-1]

    def first_head_above(self, size: int) -> StoredHead | None:
        """The oldest head over more than `size` leaves."""
        return next(iter(self._heads("where treesize > ? order by treesize limit 1", (size,))), None)

    def _heads(self, rest: str, parameters: tuple[int, ...] = ()) -> list[StoredHead]:
        found = self._work.connection.query(
            "select environment, treesize, root, signedon, keyid, signature, previous, testclock from audithead"
            f" {rest}",
            parameters,
        )
        return [
            StoredHead(str(environment), size, root, signed_on, key_id, signature, previous, bool(is_test_clock))
            for environment, size, root, signed_on, key_id, signature, previous, is_test_clock in found
        ]

    def _rows(self, name: str, condition: str, parameters: tuple[int, ...], limit: int | None = None) -> Iterator[Row]:
        """Rows of one of the two tables, in the order of their keys where they are limited."""
        shape = self._work.shape(self._work.table(name))
        bound = "" if limit is None else f" order by id limit {int(limit)}"
        return map(shape.read, self._work.connection.query(f"{shape.select} where {condition}{bound}", parameters))

    def start_anew(self) -> None:
        """Forget leaves and heads, whose entries begin another environment's log."""
        self._work.must_write()
        for table in ("auditleaf", "audithead"):
            self._work.connection.execute(f"delete from {table}")

    def _last_entry(self) -> int:
        last = self._work.connection.query("select entry from auditleaf order by sequence desc limit 1")
        return last[0][0] if last else -1
