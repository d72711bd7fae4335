"""Who keeps the heads of a trail (TS-815): a witness as a value, what a client may write into one, and how far the
heads have come to each.

Besides the rows of `auditwitness`, the setting `auditanchor.path` names a folder outside of the home, where a file gets
every head that is deposited: a row of a table must not choose where on the machine the server writes. The other kinds
have an address that the owner of the home has allowed (`monitoring.outbound`), or the name of an environment.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from strongroom.errors import InvalidRequest
from strongroom.identity.directory import find, make, moment, note, number, text
from strongroom.ids import parse_guid
from strongroom.monitoring.destinations import trust
from strongroom.monitoring.outbound import Endpoint, Outbound, endpoint_of
from strongroom.monitoring.witness_tables import ANCHOR, KINDS, OUTCOMES, WITNESS
from strongroom.records import Session
from strongroom.store.leaves import StoredHead
from strongroom.store.protocol import Row, Transaction, Value

FILE = "file"
"""The name of the witness that the setting `auditanchor.path` makes."""

WAITING, ACCEPTED, FAILED, DISAGREES = range(1, len(OUTCOMES) + 1)
"""`auditanchor.outcome`."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,58}")


class Kind(Enum):
    """`auditwitness.kind`."""

    WEBHOOK = 1
    ENVIRONMENT = 2
    HOME = 3


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness. `endpoint` is None for an environment of the same home, whose name `address` is; `kind` is None for
    the file."""

    name: str
    kind: Kind | None
    address: str = ""
    endpoint: Endpoint | None = None
    client_id: str = ""
    certificates: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far the heads have come to one witness. `size` is 0 before the first."""

    size: int = 0
    outcome: int = WAITING
    tried_on: datetime | None = None
    error: str = ""


def witnesses_of(transaction: Transaction, *, has_file: bool) -> list[Witness]:
    """The witnesses that are on."""
    rows = transaction.rows_where(transaction.schema.tables[WITNESS], {"isenabled": True})
    found = [witness_of(row) for row in rows if row.values.get("statecode") == 0]
    return [Witness(FILE, None), *found] if has_file else found


def witness_of(row: Row) -> Witness:
    """The witness in a row."""
    kind, address = Kind(number(row, "kind") or 1), text(row, "address")
    return Witness(
        text(row, "name"),
        kind,
        address,
        None if kind is Kind.ENVIRONMENT else endpoint_of(address, ("http", "https"), "address"),
        text(row, "clientid"),
        text(row, "certificates"),
    )


def check_witness(values: Mapping[str, Value], outbound: Outbound) -> None:
    """Refuse a witness that cannot be, or that is not allowed."""
    name, kind, address = values.get("name"), values.get("kind") or 1, values.get("address")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == FILE:
        raise _wrong("name", f"has lower-case letters, digits and hyphens, at most 59 of them, and is not '{FILE}'")
    if not isinstance(kind, int) or not 1 <= kind <= len(KINDS):
        raise _wrong("kind", f"is one of {', '.join(f'{place} {label}' for place, label in enumerate(KINDS, 1))}")
    if not isinstance(address, str) or not address:
        raise _wrong("address", "is a URL, or the name of an environment of this home")
    client = values.get("clientid")
    if Kind(kind) is Kind.HOME and (not isinstance(client, str) or parse_guid(client) is None):
        raise _wrong("clientid", "is the client id of an application that the other home knows")
    if Kind(kind) is not Kind.ENVIRONMENT:
        outbound.demand(endpoint_of(address, ("http", "https"), "address"), "address")
        trust(values.get("certificates"))


# --- how far they have come ----------------------------------------------------------------------------------------


def anchor_of(transaction: Transaction, witness: str) -> Anchor:
    """How far the heads have come to a witness."""
    row = find(transaction, ANCHOR, name=witness)
    if row is None:
        return Anchor()
    return Anchor(number(row, "treesize"), number(row, "outcome"), moment(row, "triedon"), text(row, "lasterror"))


def is_due(anchor: Anchor, newest: StoredHead, now: datetime, period: timedelta) -> bool:
    """Whether the newest head is to be deposited: it is another one, and it is time or somebody asked for it."""
    if anchor.outcome == WAITING or anchor.tried_on is None:
        return True
    return anchor.size != newest.tree_size and now - anchor.tried_on >= period


def is_overdue(transaction: Transaction, anchor: Anchor, now: datetime, gap: timedelta) -> bool:
    """Whether a head has waited for longer than `gap` to reach a witness."""
    waiting = transaction.log.first_head_above(anchor.size)
    return waiting is not None and now - datetime.fromisoformat(waiting.signed_on) > gap


def note_kept(session: Session, witness: str, head: StoredHead) -> None:
    """A head has come to a witness."""
    row = _row(session, witness)
    kept: dict[str, Value] = {
        "treesize": head.tree_size,
        "roothash": head.root,
        "signedon": head.signed_on,
        "depositedon": session.now,
        "deposits": number(row, "deposits") + 1,
        "failures": 0,
        "lasterror": None,
    }
    note(session, row, {**kept, "outcome": ACCEPTED, "triedon": session.now})


def note_refused(session: Session, witness: str, outcome: int, why: str) -> None:
    """A witness could not be reached, or disagrees."""
    row = _row(session, witness)
    failures = number(row, "failures") + 1
    note(session, row, {"outcome": outcome, "failures": failures, "lasterror": why[:500], "triedon": session.now})


def ask_for(session: Session, witness: str) -> None:
    """Let the newest head go to a witness at the next opportunity."""
    note(session, _row(session, witness), {"outcome": WAITING})


def _row(session: Session, witness: str) -> Row:
    row = find(session.transaction, ANCHOR, name=witness)
    if row is not None:
        return row
    return make(session, ANCHOR, {"name": witness, "outcome": WAITING, "treesize": 0, "deposits": 0, "failures": 0})


def shown_anchor(row: Row | None) -> dict[str, object]:
    """A row of `auditanchor` for people and programs."""
    given: Mapping[str, Value] = {} if row is None else row.values
    outcome = given.get("outcome")
    return {
        "outcome": OUTCOMES[(outcome if isinstance(outcome, int) else WAITING) - 1],
        "leaves": given.get("treesize") or 0,
        "kept_on": given.get("depositedon"),
        "tried_on": given.get("triedon"),
        "error": given.get("lasterror"),
    }


def _wrong(target: str, says: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{target}' of a witness {says}.", details={"reason": "bad-witness", "rule": "TS-815", "target": target}
    )
