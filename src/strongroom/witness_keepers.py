"""How a head gets to each kind of witness, and back for a verification (TS-814, TS-815).

A witness has a head that it kept before, or none. Before the next one is given to it, that one is held against the log:
a log that is shorter, or has another root over so many leaves, is another history, and the witness is the one to be
believed. A witness that checks for itself gets the proof that the new head continues the old one.
"""

import base64
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.audit.exports import encode_key, read_witness, witness_line
from strongroom.audit.heads import given_head, shown_head
from strongroom.clock import iso
from strongroom.environment import Environment
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Guid
from strongroom.keys import Secret
from strongroom.monitoring.deposits import MOST, head_in, is_head, keep_head, kept_heads
from strongroom.monitoring.destinations import trust
from strongroom.monitoring.outbound import Endpoint, Outbound, exchange, signature
from strongroom.monitoring.witnesses import Witness
from strongroom.records import Session
from strongroom.records.platform_user import platform_caller
from strongroom.store.leaves import StoredHead

_API = "api/data/v9.2/"
_MOST_ANSWER = 4 * 1024 * 1024


class Disagreement(Exception):
    """The witness keeps another history of the trail."""


@dataclass(frozen=True, slots=True)
class Deposit:
    """What a witness gets: the newest head, whose it is, and `proof`, which gives the path from an older size on."""

    environment: Guid
    name: str
    head: StoredHead
    public: Ed25519PublicKey
    proof: Callable[[int], Sequence[bytes]]


class Keeper(ABC):
    """One witness, as it is reached."""

    @abstractmethod
    def kept(self, environment: Guid, newest: int) -> list[StoredHead]:
        """The heads that it keeps of a log, oldest first; empty where it cannot be asked. Raises `OSError`."""

    @abstractmethod
    def keep(self, deposit: Deposit, before: StoredHead | None) -> None:
        """Give it a head; `before` is what it kept last. Raises `OSError`, or `Disagreement`."""


@dataclass(frozen=True, slots=True)
class FileKeeper(Keeper):
    """A file that only grows, in a folder outside of the home."""

    folder: Path
    environment: str

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / f"{self.environment}.jsonl"

    def kept(self, environment: Guid, newest: int) -> list[StoredHead]:
        """What stands in the file of this log: another one of the same name may have begun it."""
        try:
            found = read_witness(self.path)
        except InvalidRequest as error:
            raise OSError(error.message) from None
        return [head for head in found if head.environment == environment][-newest:]

    def keep(self, deposit: Deposit, before: StoredHead | None) -> None:
        """Append the head, durably. A folder that is not there is not made: it may be a disk that is not mounted."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, witness_line(deposit.head))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@dataclass(frozen=True, slots=True)
class EnvironmentKeeper(Keeper):
    """Another environment of the same home."""

    name: str
    reach: Callable[[str], AbstractContextManager[Environment]]

    def kept(self, environment: Guid, newest: int) -> list[StoredHead]:
        """The heads in its ledger."""
        with self.reach(self.name) as other, other.database.read() as transaction:
            return [head_in(row) for row in kept_heads(transaction, environment, newest) if is_head(row)]

    def keep(self, deposit: Deposit, before: StoredHead | None) -> None:
        """Put the head into its ledger, which checks it like anybody's."""
        proof = deposit.proof(before.tree_size) if before is not None else ()
        with self.reach(self.name) as other, other.database.write() as transaction:
            session = Session(transaction, platform_caller(transaction.schema), other.clock, other.rules)
            try:
                keep_head(session, deposit.head, deposit.public, proof, deposit.name)
            except AccessDenied as error:
                raise Disagreement(error.message) from None


@dataclass(frozen=True, slots=True)
class WebhookKeeper(Keeper):
    """Whoever takes what is posted: 2xx keeps it, 409 says that it contradicts what was kept."""

    witness: Witness
    secret: Callable[[], Secret]
    now: Callable[[], str]

    def kept(self, environment: Guid, newest: int) -> list[StoredHead]:
        """Nothing: a webhook is not asked."""
        return []

    def keep(self, deposit: Deposit, before: StoredHead | None) -> None:
        """Post the head, signed like every webhook."""
        body = orjson.dumps(
            {"environment": deposit.name, "head": shown_head(deposit.head), "publickey": encode_key(deposit.public)}
        )
        moment = self.now()
        headers = {
            "Content-Type": "application/json",
            "X-Strongroom-Event": "tree-head",
            "X-Strongroom-Timestamp": moment,
            "X-Strongroom-Signature": signature(self.secret(), moment, body),
        }
        status, _ = exchange("POST", _endpoint(self.witness), body, headers, trust(self.witness.certificates))
        if status == 409:
            raise Disagreement("the receiver answered 409: it keeps another head")
        if not 200 <= status < 300:
            raise OSError(f"the receiver answered {status}")


@dataclass(frozen=True, slots=True)
class HomeKeeper(Keeper):
    """An environment of another home, over its Web API, as an application that it knows."""

    witness: Witness
    secret: Callable[[], Secret | None]

    def kept(self, environment: Guid, newest: int) -> list[StoredHead]:
        """What it says that it keeps. It may leave some out, but cannot make any up: all are signed."""
        path = f"RetrieveWitnessedHeads(EnvironmentId={environment},Newest={min(newest, MOST)})"
        answer = self._ask("GET", path, None)
        heads = answer.get("Heads")
        if not isinstance(heads, list):
            raise OSError("the other home's answer names no heads")
        try:
            return [given_head(cast("Mapping[str, object]", each)) for each in cast("list[object]", heads)]
        except (InvalidRequest, AttributeError):
            raise OSError("the other home's answer holds what is no head") from None

    def keep(self, deposit: Deposit, before: StoredHead | None) -> None:
        """Deposit the head with the proof."""
        proof = deposit.proof(before.tree_size) if before is not None else ()
        said = {
            "Head": shown_head(deposit.head),
            "PublicKey": encode_key(deposit.public),
            "Proof": [base64.b64encode(each).decode() for each in proof],
            "Name": deposit.name,
        }
        self._ask("POST", "DepositTreeHead", orjson.dumps(said))

    def _ask(self, method: str, path: str, body: bytes | None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token()}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        status, answer = self._exchange(
            method, f"{_endpoint(self.witness).path.rstrip('/')}/{_API}{path}", body, headers
        )
        found = _object(answer)
        if 200 <= status < 300:
            return found
        error = found.get("error")
        facts = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
        inner, message = facts.get("innererror"), str(facts.get("message") or "")[:300]
        if isinstance(inner, dict) and cast("dict[str, object]", inner).get("reason") == "witness-disagrees":
            raise Disagreement(message)
        raise OSError(
            f"the other home answered {status}: {message}" if message else f"the other home answered {status}"
        )

    def _token(self) -> str:
        secret = self.secret()
        if secret is None:
            raise OSError(f"no secret is set: strongroom audit witness secret {self.witness.name}")
        there = _endpoint(self.witness)
        form = {
            "grant_type": "client_credentials",
            "client_id": self.witness.client_id,
            "client_secret": secret.reveal().decode(),
            "scope": f"{there.scheme}://{there.host}:{there.port}/.default",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        status, answer = self._exchange("POST", "/common/oauth2/v2.0/token", urlencode(form).encode(), headers)
        token = _object(answer).get("access_token")
        if status != 200 or not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise OSError(f"the other home gave no token: it answered {status}")
        return token

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
        there = _endpoint(self.witness)
        endpoint = Endpoint(there.scheme, there.host, there.port, path)
        return exchange(method, endpoint, body, headers, trust(self.witness.certificates), _MOST_ANSWER)


@dataclass(frozen=True, slots=True)
class AllowedKeeper(Keeper):
    """A keeper to whom something may be sent only while the owner of the home says so."""

    inner: Keeper
    outbound: Outbound
    endpoint: Endpoint

    def kept(self, environment: Guid, newest: int) -> list[StoredHead]:
        """As it says."""
        self._demand()
        return self.inner.kept(environment, newest)

    def keep(self, deposit: Deposit, before: StoredHead | None) -> None:
        """As it does."""
        self._demand()
        self.inner.keep(deposit, before)

    def _demand(self) -> None:
        if not self.outbound.allows(self.endpoint):
            raise OSError(f"{self.endpoint.host}:{self.endpoint.port} is not allowed any more (outbound.allow)")


def moment_now(environment: Environment) -> str:
    """The present, as webhooks say it."""
    return iso(environment.clock.now())


def _endpoint(witness: Witness) -> Endpoint:
    if witness.endpoint is None:
        raise OSError(f"the witness {witness.name} has no address")
    return witness.endpoint


def _object(answer: bytes) -> dict[str, Any]:
    with suppress(orjson.JSONDecodeError):
        found: object = orjson.loads(answer)
        if isinstance(found, dict):
            return cast("dict[str, Any]", found)
    return {}
