"""A state that was put back: the signed statement in the trail that a period after it was given up (TS-409).

Whoever puts an older file in place of a newer one cuts the trail, and a witness's heads show it. A restore does the
same with permission: it adds an entry that names where the log goes on from, the newest head of the log that was given
up, and the back-up. The statement is signed with the key of the log, which is not in the store, so that nobody makes
a rollback look like a restore afterwards.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from strongroom.audit.entries import Action
from strongroom.audit.heads import shown_head
from strongroom.audit.leaf import members_of
from strongroom.ids import Guid
from strongroom.store.leaves import StoredHead
from strongroom.store.protocol import Transaction

STATEMENT = "fork"
"""The name in `changedata` under which the statement stands."""


@dataclass(frozen=True, slots=True)
class Fork:
    """The log went on from `kept` leaves, and what came after them, up to `given_up` leaves, was given up."""

    kept: int
    given_up: int

    def covers(self, size: int) -> bool:
        """Whether a head over so many leaves may be missing because of this."""
        return self.kept < size <= self.given_up


def fork_statement(
    environment: Guid, kept: int, given_up: StoredHead | None, source: Mapping[str, str], key: Ed25519PrivateKey
) -> str:
    """The signed statement, as text. `source` says what was put in place: a back-up, another environment."""
    said: dict[str, object] = {
        "EnvironmentId": environment,
        "Kept": kept,
        "GivenUp": shown_head(given_up) if given_up else None,
        "Source": dict(source),
    }
    signature = base64.b64encode(key.sign(_signed(said))).decode()
    return orjson.dumps({**said, "Signature": signature}).decode()


def fork_in(members: Mapping[str, str | int | None], environment: Guid, public: Ed25519PublicKey) -> Fork | None:
    """The fork that an entry states, if it states one of this environment and is signed."""
    data = members.get("changedata")
    if members.get("action") != Action.RESTORED.value or not isinstance(data, str):
        return None
    try:
        changed = orjson.loads(data)["changedAttributes"]
        text = next(each["newValue"] for each in changed if each["logicalName"] == STATEMENT)
        said = orjson.loads(text)
        signature = base64.b64decode(said.pop("Signature"), validate=True)
        public.verify(signature, _signed(said))
        if said["EnvironmentId"] != environment:
            return None
        given_up = said["GivenUp"]
        return Fork(int(said["Kept"]), int(given_up["TreeSize"]) if given_up else int(said["Kept"]))
    except (InvalidSignature, ValueError, KeyError, TypeError, StopIteration, AttributeError):
        return None


def forks_in(transaction: Transaction, environment: Guid, public: Ed25519PublicKey) -> list[Fork]:
    """All forks that the entries of an open environment state. Looks through the whole trail."""
    table = transaction.schema.tables["audit"]
    rows = transaction.rows_where(table, {"action": Action.RESTORED.value})
    return [fork for row in rows if (fork := fork_in(members_of(row), environment, public)) is not None]


def _signed(said: Mapping[str, object]) -> bytes:
    return rfc8785.dumps({"Kind": "strongroom fork of a trail", **said})  # pyright: ignore[reportArgumentType]  # JSON
