"""Four clients that write without pause, remember what they asked for and what was acknowledged, and are judged later.

Each works on rows of its own and chooses their ids itself, so that after a crash every request can be told to be
done, not done, or, what must never be, half done.
"""

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

import httpx
from tests.property.witness import Witness

WRITERS = 4


class Kind(Enum):
    """What one request does."""

    DEEP_INSERT = "an account with its contact and two tasks"
    UPDATE = "the revenue of an account"
    CASCADE = "delete an account and its tasks"
    CHANGE_SET = "three contacts in a change set"


@dataclass(slots=True)
class Write:
    """One request: which rows it makes or removes, by table, and whether it was acknowledged."""

    kind: Kind
    rows: tuple[tuple[str, str], ...]
    value: int = 0
    is_acknowledged: bool = False


@dataclass(slots=True)
class Writer:
    """One client. `writes` is in the order in which they were sent; only the last one can be without an answer."""

    api: str
    token: str
    writes: list[Write] = field(default_factory=list[Write])
    refused: list[str] = field(default_factory=list[str])

    def run(self, stopped: threading.Event) -> None:
        """Write until the server is gone."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with httpx.Client(base_url=self.api, headers=headers, timeout=30) as client:
            while not stopped.is_set():
                try:
                    self._round(client)
                except httpx.TransportError:
                    return

    def _round(self, client: httpx.Client) -> None:
        account, contact, *tasks = (str(uuid.uuid4()) for _ in range(4))
        family = (("account", account), ("contact", contact), ("task", tasks[0]), ("task", tasks[1]))
        body = {
            "accountid": account,
            "name": "killed",
            "revenue": 0,
            "primarycontactid": {"contactid": contact, "lastname": "killed"},
            "Account_Tasks": [{"activityid": task, "subject": "killed"} for task in tasks],
        }
        self._send(Write(Kind.DEEP_INSERT, family), lambda: client.post("accounts", json=body))
        for value in (1, 2):
            change = {"revenue": value}
            write = Write(Kind.UPDATE, (("account", account),), value)
            self._send(write, lambda change=change: client.patch(f"accounts({account})", json=change))
        contacts = tuple(("contact", str(uuid.uuid4())) for _ in range(3))
        self._send(Write(Kind.CHANGE_SET, contacts), lambda: _change_set(client, [row for _, row in contacts]))
        gone = (family[0], *family[2:])
        self._send(Write(Kind.CASCADE, gone), lambda: client.delete(f"accounts({account})"))

    def _send(self, write: Write, send: Callable[[], httpx.Response]) -> None:
        self.writes.append(write)
        answer = send()
        if answer.status_code >= 400:
            self.refused.append(f"{write.kind}: {answer.status_code} {answer.text[:300]}")
            self.writes.pop()
        write.is_acknowledged = answer.status_code < 300


def _change_set(client: httpx.Client, contacts: list[str]) -> httpx.Response:
    parts = "".join(
        f"--c\r\nContent-Type: application/http\r\nContent-ID: {number}\r\n\r\nPOST contacts HTTP/1.1\r\n"
        f"Content-Type: application/json\r\n\r\n{json.dumps({'contactid': row, 'lastname': 'set'})}\r\n"
        for number, row in enumerate(contacts, 1)
    )
    body = f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{parts}--c--\r\n--b--\r\n"
    return client.post("$batch", content=body, headers={"Content-Type": "multipart/mixed; boundary=b"})


@dataclass(frozen=True, slots=True)
class Truth:
    """What the database holds: rows by table, the revenue of accounts, and the operations that the trail knows."""

    rows: dict[str, frozenset[str]]
    revenue: dict[str, int]
    trail: dict[str, list[int]]

    @classmethod
    def seen_by(cls, witness: Witness) -> "Truth":
        keys = {"account": "accountid", "contact": "contactid", "task": "activityid"}
        rows = {t: frozenset(str(row) for (row,) in witness.rows(f"select {key} from {t}")) for t, key in keys.items()}
        money = witness.rows("select accountid, revenue from account where revenue is not null")
        revenue = {str(row): _whole(value) for row, value in money}
        trail: dict[str, list[int]] = {}
        for row, operation in witness.rows("select objectid, operation from audit"):
            trail.setdefault(str(row), []).append(int(str(operation)))
        return cls(rows, revenue, trail)


def _whole(value: object) -> int:
    """Money as the engines keep it: scaled to four digits in one, exact in the other."""
    return int(value) // 10_000 if isinstance(value, int) else int(str(value).partition(".")[0])


CREATE, UPDATE, DELETE = 1, 2, 3


def doubts(writer: Writer, truth: Truth) -> list[str]:
    """Everything that is missing, half done, or in the trail without being in the rows, or the reverse."""
    found: list[str] = []
    removed = {row for write in writer.writes if write.kind is Kind.CASCADE for _, row in write.rows}
    for write in writer.writes:
        if write.kind is Kind.UPDATE:
            continue
        wanted = DELETE if write.kind is Kind.CASCADE else CREATE
        done = [truth.trail.get(row, []).count(wanted) for _, row in write.rows]
        if set(done) not in ({0}, {1}):
            found.append(f"{write.kind.value}: half done, entries {done}")
        if write.is_acknowledged and 0 in done:
            found.append(f"{write.kind.value}: acknowledged, entries {done}")
    for table, row in {row for write in writer.writes for row in write.rows}:
        entries = truth.trail.get(row, [])
        exists = row in truth.rows[table]
        if exists != (CREATE in entries and DELETE not in entries):
            found.append(f"{table} {row} {'exists' if exists else 'is gone'}, and the trail says {entries}")
        if DELETE in entries and row not in removed:
            found.append(f"{table} {row} was deleted by nobody")
    return found + _lost_updates(writer, truth)


def _lost_updates(writer: Writer, truth: Truth) -> list[str]:
    found: list[str] = []
    for row in {write.rows[0][1] for write in writer.writes if write.kind is Kind.UPDATE}:
        if row not in truth.rows["account"]:
            continue
        updates = [write for write in writer.writes if write.kind is Kind.UPDATE and write.rows[0][1] == row]
        acknowledged = max((write.value for write in updates if write.is_acknowledged), default=0)
        value, entries = truth.revenue.get(row, 0), truth.trail.get(row, []).count(UPDATE)
        if value not in (acknowledged, updates[-1].value) or value != entries:
            found.append(f"account {row}: revenue {value}, acknowledged {acknowledged}, {entries} entries")
    return found
