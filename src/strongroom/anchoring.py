"""What gives signed heads to witnesses, beside the requests, and raises an alert when one disagrees (TS-814, TS-815).

Every few minutes the newest head of each environment goes to each of its witnesses. One that cannot be reached is tried
again in a minute; heads that have not come to a witness for a day are an alert, and so is a witness that keeps another
history of the trail, at once. Nobody waits for a witness but the thread that asks it.
"""

import logging
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from strongroom.audit.forks import forks_in
from strongroom.audit.heads import is_signed
from strongroom.audit.proofs import consistency, root_of
from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import StrongroomError
from strongroom.home import Home
from strongroom.keys import Secret
from strongroom.monitoring.outbound import Outbound
from strongroom.monitoring.rules import Severity
from strongroom.monitoring.witnesses import (
    DISAGREES,
    FAILED,
    Kind,
    Witness,
    anchor_of,
    is_due,
    is_overdue,
    note_kept,
    note_refused,
    witnesses_of,
)
from strongroom.opening import open_environment
from strongroom.records import Session
from strongroom.records.platform_user import platform_caller
from strongroom.rounds import Rounds
from strongroom.store.leaves import StoredHead
from strongroom.store.protocol import Transaction
from strongroom.trail import Trail, signing_key
from strongroom.watch import EnvironmentWatch, lock_of, outbound_secret
from strongroom.witness_keepers import (
    AllowedKeeper,
    Deposit,
    Disagreement,
    EnvironmentKeeper,
    FileKeeper,
    HomeKeeper,
    Keeper,
    WebhookKeeper,
    moment_now,
)

_PERIOD_S = 5.0
_RETRY = timedelta(minutes=1)
_ALL = 1_000_000_000
_logger = logging.getLogger("strongroom.anchors")

Reach = Callable[[str], AbstractContextManager[Environment]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one witness: None was well, else why not."""

    witness: str
    problem: str | None
    disagrees: bool = False


class Anchorer:
    """The witnesses of one environment. `reach` opens another environment of the home."""

    def __init__(self, home: Home, environment: Environment, reach: Reach) -> None:
        self._home = home
        self.environment = environment
        self._reach = reach
        self._public = signing_key(home, environment.id).public_key()

    def anchor(self, *, at_once: bool = False) -> list[Outcome]:
        """Give the newest head to each witness that it is due for, or to all of them at once."""
        with self.environment.database.read() as transaction:
            newest = next(iter(transaction.log.heads(newest=1)), None)
            due = [] if newest is None else self._due(transaction, newest, at_once=at_once)
        found = [] if newest is None else [self._give(witness, newest) for witness in due]
        self._check_gaps()
        return found

    def witnessed(self) -> tuple[list[StoredHead], list[Outcome]]:
        """All heads that the witnesses give back, for a verification; and which of them could not be asked."""
        with self.environment.database.read() as transaction:
            witnesses = witnesses_of(transaction, has_file=self._has_file)
        heads: list[StoredHead] = []
        silent: list[Outcome] = []
        for witness in witnesses:
            try:
                heads += self._keeper(witness).kept(self.environment.id, _ALL)
            except (OSError, StrongroomError) as error:
                silent.append(Outcome(witness.name, _words(error)))
        return heads, silent

    # --- one witness ---------------------------------------------------------------------------------------------

    def _due(self, transaction: Transaction, newest: StoredHead, *, at_once: bool) -> list[Witness]:
        now, settings = self.environment.clock.now(), self._home.settings.auditanchor
        found: list[Witness] = []
        for witness in witnesses_of(transaction, has_file=self._has_file):
            anchor = anchor_of(transaction, witness.name)
            period = _RETRY if anchor.outcome == FAILED else timedelta(minutes=settings.minutes)
            if at_once or is_due(anchor, newest, now, period):
                found.append(witness)
        return found

    def _give(self, witness: Witness, newest: StoredHead) -> Outcome:
        keeper = self._keeper(witness)
        try:
            before = next(iter(keeper.kept(self.environment.id, 1)), None)
            if before is not None and not self._continues(before):
                before = None
            if before is None or before.tree_size < newest.tree_size:
                deposit = Deposit(
                    self.environment.id, self.environment.name, newest, self._public, self._path_to(newest)
                )
                keeper.keep(deposit, before)
        except Disagreement as error:
            self._note(witness, DISAGREES, str(error))
            _logger.critical("the witness %s of %s disagrees: %s", witness.name, self.environment.name, error)
            self._alert("witness-disagrees", "A witness keeps another history of the trail", witness)
            return Outcome(witness.name, str(error), disagrees=True)
        except (OSError, StrongroomError) as error:
            self._note(witness, FAILED, _words(error))
            return Outcome(witness.name, _words(error))
        with self._session() as session:
            note_kept(session, witness.name, newest)
        return Outcome(witness.name, None)

    def _continues(self, kept: StoredHead) -> bool:
        """Whether the log continues a head that a witness kept; False when it goes on another way after a restore that
        it tells of itself. Raises `Disagreement`, or `OSError` for what is no head of this environment: anybody may
        have put that there."""
        with self.environment.database.read() as transaction:
            if transaction.log.first_head_above(kept.tree_size - 1) == kept:
                return True  # also one by an earlier key
            if kept.environment != self.environment.id or not is_signed(kept, self._public):
                raise OSError(f"its head over {kept.tree_size:,} leaves is not signed by the environment's key")
            size = transaction.log.size()
            if root_of(transaction.log, kept.tree_size) == kept.root:
                return True
            if any(fork.covers(kept.tree_size) for fork in forks_in(transaction, self.environment.id, self._public)):
                return False
        if kept.tree_size > size:
            raise Disagreement(f"it keeps a head over {kept.tree_size:,} leaves, and the log has {size:,}")
        raise Disagreement(f"its head over {kept.tree_size:,} leaves has another root than the log")

    def _path_to(self, newest: StoredHead) -> Callable[[int], list[bytes]]:
        def path(size: int) -> list[bytes]:
            with self.environment.database.read() as transaction:
                return consistency(transaction.log, size, newest.tree_size)

        return path

    # --- what is said of it --------------------------------------------------------------------------------------

    def _check_gaps(self) -> None:
        now, gap = self.environment.clock.now(), timedelta(hours=self._home.settings.auditanchor.gap_hours)
        with self.environment.database.read() as transaction:
            late = [
                witness
                for witness in witnesses_of(transaction, has_file=self._has_file)
                if is_overdue(transaction, anchor_of(transaction, witness.name), now, gap)
            ]
        for witness in late:
            self._alert("anchor-gap", "Heads of the trail do not reach a witness", witness, Severity.HIGH)

    def _alert(self, code: str, name: str, witness: Witness, severity: Severity = Severity.CRITICAL) -> None:
        EnvironmentWatch(self._home, self.environment).raise_directly(code, name, severity, witness.name)

    def _note(self, witness: Witness, outcome: int, why: str) -> None:
        with self._session() as session:
            note_refused(session, witness.name, outcome, why)

    @contextmanager
    def _session(self) -> Generator[Session]:
        environment = self.environment
        with environment.database.write() as transaction:
            yield Session(transaction, platform_caller(transaction.schema), environment.clock, environment.rules)

    # --- how it is reached ---------------------------------------------------------------------------------------

    @property
    def _has_file(self) -> bool:
        return bool(self._home.settings.auditanchor.path)

    def _keeper(self, witness: Witness) -> Keeper:
        home, environment = self._home, self.environment
        match witness.kind:
            case None:
                return FileKeeper(Path(home.settings.auditanchor.path), environment.name)
            case Kind.ENVIRONMENT:
                return EnvironmentKeeper(witness.address, self._reach)
            case Kind.WEBHOOK:
                secret = lambda: witness_signature(home, environment, witness.name)  # noqa: E731 - a way to it
                keeper: Keeper = WebhookKeeper(witness, secret, lambda: moment_now(environment))
            case Kind.HOME:
                keeper = HomeKeeper(witness, lambda: home.keys.unseal(credential_name(environment, witness.name)))
        if witness.endpoint is None:
            return keeper
        return AllowedKeeper(keeper, Outbound(home.settings.outbound.allow), witness.endpoint)


class Anchoring(Rounds):
    """The anchors of all open environments of a server."""

    def __init__(self, environments: Environments) -> None:
        super().__init__("anchors", _PERIOD_S, _logger)
        self._environments = environments

    def look(self) -> None:
        """Look after each open environment; of several processes one does."""
        self.in_each(self._environments, self._anchor, "anchoring the trail of")

    def _anchor(self, environment: Environment) -> None:
        with lock_of(self._environments.home, environment, "anchors") as is_ours:
            if is_ours:
                Anchorer(self._environments.home, environment, self._reach).anchor()

    @contextmanager
    def _reach(self, name: str) -> Generator[Environment]:
        yield self._environments.named(name)


def anchorer_of(home: Home, environment: Environment) -> Anchorer:
    """For a command: other environments are opened for as long as they are asked."""

    @contextmanager
    def reach(name: str) -> Generator[Environment]:
        other = open_environment(home, name)
        try:
            yield other
        finally:
            other.close()

    return Anchorer(home, environment, reach)


def sealed_and_anchored(home: Home, environment: Environment) -> list[Outcome]:
    """Seal what is committed, and give the head to all witnesses now."""
    Trail(home, environment).seal()
    return anchorer_of(home, environment).anchor(at_once=True)


def witness_signature(home: Home, environment: Environment, witness: str) -> Secret:
    """What the receiver of a webhook checks heads by."""
    return outbound_secret(home, environment.id, f"witness:{witness}")


def credential_name(environment: Environment, witness: str) -> str:
    """Under which name the key ring holds the secret of the application at another home."""
    return f"witness:{environment.id}:{witness}"


def _words(error: Exception) -> str:
    return error.message if isinstance(error, StrongroomError) else str(error) or type(error).__name__
