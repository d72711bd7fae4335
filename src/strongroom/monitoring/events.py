"""An entry of the trail as an event for other systems (TS-818, TS-820).

An event says who did what to which row, when and from where, and which columns were touched. It never holds values of
columns, neither old nor new: a receiver must not become a second copy of the data, whose column security and retention
it does not know. `without_personal` leaves out what tells of people beyond their ids: addresses, programs, queries,
details.

The id of an event is that of the entry, so an event that comes twice can be told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeVar, cast

import orjson

from strongroom.audit.activities import Category, Outcome
from strongroom.audit.entries import Action, Operation
from strongroom.audit.heads import head_hash
from strongroom.ids import Guid, Reference
from strongroom.monitoring.reading import Place
from strongroom.monitoring.tables import ALERT
from strongroom.store.leaves import StoredHead
from strongroom.store.protocol import Row

_E = TypeVar("_E", bound=Enum)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where events come from."""

    environment: str
    environment_id: Guid


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `what` is a stable word: `create`, `update`, `share`, `sign-in`, `export` …

    `kind` is `change` (an entry of `audit`), `activity`, `head` (a signed head of the log), `removed` (an entry that
    retention took away before it could be sent) or `test`.
    """

    id: str
    sequence: int
    at: str
    origin: Origin
    kind: str
    what: str
    is_failure: bool = False
    category: Category | None = None
    operation: Operation | None = None
    user: str | None = None
    calling: str | None = None
    table: str | None = None
    row: str | None = None
    count: int | None = None
    columns: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    """Rows that are named as new or old values of links and members, as `table,id`."""

    address: str | None = None
    client: str | None = None
    query: str | None = None
    correlation: str | None = None
    details: Mapping[str, object] = field(default_factory=dict[str, object])

    def without_personal(self) -> "Event":
        """The same without what tells of people beyond their ids."""
        return replace(self, address=None, client=None, query=None, details={})

    def plain(self) -> dict[str, object]:
        """The event as plain JSON; what is not known is left out."""
        found: dict[str, object] = {
            "id": self.id,
            "sequence": self.sequence,
            "time": self.at,
            "environment": self.origin.environment,
            "environmentid": self.origin.environment_id,
            "kind": self.kind,
            "what": self.what,
            "outcome": "failure" if self.is_failure else "success",
            "category": None if self.category is None else self.category.name.lower().replace("_", "-"),
            "operation": None if self.operation is None else self.operation.name.lower(),
            "userid": self.user,
            "callinguserid": self.calling,
            "table": self.table,
            "rowid": self.row,
            "rows": self.count,
            "columns": list(self.columns) or None,
            "named": list(self.named) or None,
            "address": self.address,
            "client": self.client,
            "query": self.query,
            "request": self.correlation,
            "details": dict(self.details) or None,
        }
        return {name: value for name, value in found.items() if value is not None}


def event_of(origin: Origin, place: Place) -> Event | None:
    """The event at a place of the log; None for what is told by another one already: refusals and new alerts are
    activities too."""
    row = place.row
    if row is None:
        at = place.gone or ""
        return Event(f"removed-{place.sequence}", place.sequence, at, origin, "removed", "entry-removed")
    if row.table.logical_name == "audit":
        is_told = row.values.get("action") == Action.REFUSED.value or (
            row.values.get("objecttypecode") == ALERT and row.values.get("operation") == Operation.CREATE.value
        )
        return None if is_told else _change(origin, place.sequence, row)
    return _activity(origin, place.sequence, row)


def head_event(origin: Origin, head: StoredHead) -> Event:
    """A signed head: whoever keeps it can show that the trail was cut behind it (TS-814, TS-815)."""
    details = {
        "treesize": head.tree_size,
        "root": head.root,
        "keyid": head.key_id,
        "signature": head.signature,
        "sha256": head_hash(head),
    }
    return Event(
        f"head-{head.tree_size}", head.tree_size, head.signed_on, origin, "head", "signed-head", details=details
    )


def trial_event(origin: Origin, now: str, ident: Guid) -> Event:
    """What a test of a destination sends."""
    return Event(str(ident), 0, now, origin, "test", "test")


def _change(origin: Origin, sequence: int, row: Row) -> Event:
    values = row.values
    columns, named = _touched(row)
    action = _member(Action, values.get("action"))
    return Event(
        id=str(row.id),
        sequence=sequence,
        at=str(values["createdon"]),
        origin=origin,
        kind="change",
        what=f"action-{values.get('action')}" if action is None else action.name.lower().replace("_", "-"),
        operation=_member(Operation, values.get("operation")),
        user=_id(row, "userid"),
        calling=_id(row, "callinguserid"),
        table=_text(row, "objecttypecode"),
        row=_id(row, "objectid"),
        columns=columns,
        named=named,
    )


def _activity(origin: Origin, sequence: int, row: Row) -> Event:
    details = _text(row, "details")
    count = row.values.get("objectcount")
    return Event(
        id=str(row.id),
        sequence=sequence,
        at=str(row.values["createdon"]),
        origin=origin,
        kind="activity",
        what=_text(row, "activity") or "unknown",
        is_failure=row.values.get("outcome") == Outcome.FAILURE.value,
        category=_member(Category, row.values.get("category")),
        user=_id(row, "userid"),
        calling=_id(row, "callinguserid"),
        table=_text(row, "objecttypecode"),
        row=_id(row, "objectid"),
        count=count if isinstance(count, int) else None,
        columns=tuple((_text(row, "sensitivecolumns") or "").split(",")) if row.values.get("sensitivecolumns") else (),
        address=_text(row, "address"),
        client=_text(row, "client"),
        query=_text(row, "query"),
        correlation=_text(row, "correlationid"),
        details=_object(details) if details else {},
    )


def _touched(row: Row) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of columns, and rows that links name: no values of columns."""
    data = _text(row, "changedata")
    if not data:
        return (), ()
    changes = cast("list[dict[str, object]]", _object(data).get("changedAttributes", []))
    columns = tuple(str(each.get("logicalName")) for each in changes)
    is_act = not row.values.get("attributemask")
    named = tuple(
        value
        for each in changes
        for value in (each.get("oldValue"), each.get("newValue"))
        if is_act and isinstance(value, str) and value.count(",") == 1
    )
    return columns, named


def _object(text: str) -> dict[str, object]:
    found: object = orjson.loads(text)
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def _member(kind: type[_E], value: object) -> _E | None:
    """The member of a closed set, None for a number that this program does not know."""
    return next((each for each in kind if each.value == value), None)


def _text(row: Row, column: str) -> str | None:
    value = row.values.get(column)
    return value if isinstance(value, str) and value else None


def _id(row: Row, column: str) -> str | None:
    value = row.values.get(column)
    return str(value.id) if isinstance(value, Reference) else None
