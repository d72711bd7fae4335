"""What a server does about its environments beside the requests, in threads of its own.

One thread lets go of environments that may not be open any more: it is quick, and every process of a server has it. The
other does the work, in one process at a time: operations that were asked for, system back-ups that are due, what has
expired, and whether the customer's keys are still given.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import StrongroomError
from strongroom.estate import Ledger
from strongroom.estate.vault import rotate_due
from strongroom.estate.vault_certificates import tell_of_ends
from strongroom.home import EnvironmentKind, EnvironmentRecord, EnvironmentState, EnvironmentType, Home
from strongroom.home.registry import CONTROL
from strongroom.ids import Guid
from strongroom.keys.disk import Disk
from strongroom.lifecycle import environments as life
from strongroom.lifecycle.backups import SYSTEM, Backups
from strongroom.lifecycle.custody import check_keys
from strongroom.lifecycle.mirroring import mirror_backups
from strongroom.lifecycle.operations import Asked, perform, perform_requested, settle
from strongroom.opening import ledger_in
from strongroom.rounds import Rounds

_WATCH_S = 0.25
_WORK_S = 1.0
_LOOK_S = 30.0
_KEEP_S = 10.0
_FORGET_S = 3600.0
_PLATFORM = "the server"
_logger = logging.getLogger("strongroom.upkeep")


class LettingGo(Rounds):
    """What lets go of environments, in every process."""

    def __init__(self, environments: Environments) -> None:
        super().__init__("letting go", _WATCH_S, _logger)
        self._environments = environments

    def look(self) -> None:
        """Close what may not be open any more."""
        for name in self._environments.let_go():
            _logger.warning("the environment %s was closed", name)


class KeepingJournals(Rounds):
    """What moves the journals of open environments beside their back-ups, in every process: what waits in a store is
    lost with it."""

    def __init__(self, environments: Environments) -> None:
        super().__init__("keeping journals", _KEEP_S, _logger)
        self._environments = environments
        self._home = environments.home
        self._looked: dict[Guid, float] = {}

    def look(self) -> None:
        """Move what waits."""
        self.in_each(self._environments, self._keep, "keeping the journal of")

    def _keep(self, environment: Environment) -> None:
        """Where a journal has ended, since another state took the place of the one that it led to, a back-up begins
        another one."""
        backups, record = Backups(self._home), environment.record
        newest = backups.journals.keep(record, environment.database)
        if newest is not None:
            if time.monotonic() - self._looked.get(record.id, 0.0) >= _FORGET_S:
                self._looked[record.id] = time.monotonic()
                backups.forget_journal(record)
        elif self._home.settings.backup.every_hours and is_journaled(self._home, backups, record):
            perform(
                self._home,
                "backup",
                Asked({"name": record.name, "kind": SYSTEM, "label": "begins the journal"}, _PLATFORM),
            )


class Upkeep(Rounds):
    """What does the work, in one process. What is being done when it is told to stop is done to its end: an operation
    that stops in the middle helps nobody."""

    def __init__(self, environments: Environments) -> None:
        super().__init__("upkeep", _WORK_S, _logger)
        self._environments = environments
        self._home = environments.home
        self._unreached: dict[str, float] = {}
        self._looked = 0.0

    def look(self) -> None:
        """Do what was asked for, and now and then look for what is due."""
        if not any(each.kind is EnvironmentKind.CONTROL for each in self._home.environments()):
            return
        with Disk().lock(self._home.path / "upkeep.lock", wait=False) as is_ours:
            if not is_ours:
                return
            if self._is_control_open():
                perform_requested(self._home, self._ledger())
            if time.monotonic() - self._looked >= _LOOK_S or self._home.is_test_home:
                self._looked = time.monotonic()
                self._do_what_is_due()

    def _do_what_is_due(self) -> None:
        check_keys(self._home, self._ledger, self._unreached)
        if self._is_control_open():
            self._rotate_secrets()
        work = [*due_backups(self._home), *due_removals(self._home), *due_ends(self._home)]
        if work or any((self._home.path / "operations").glob("*")):
            settle(self._home, self._ledger())
        for kind, arguments in work:
            if self.is_ending:
                return
            try:
                perform(self._home, kind, Asked(arguments, _PLATFORM))
            except StrongroomError as error:
                _logger.error("%s of %s: %s", kind, arguments, error.message)
        for kind, arguments in due_drills(self._home, self._ledger) if work else ():
            perform(self._home, kind, Asked(arguments, _PLATFORM))
        if work:
            mirror_backups(self._home, self._ledger())

    def _is_control_open(self) -> bool:
        """Whether this server has had the control environment to do with: else nobody asks it for anything there, and
        it is not opened for the asking."""
        return any(opened.name == CONTROL for opened in self._environments.opened())

    def _rotate_secrets(self) -> None:
        ledger = self._ledger()
        if ledger.rows("vaultsecret"):
            with ledger.writing() as session:
                rotate_due(session)
                tell_of_ends(session)

    def _ledger(self) -> Ledger:
        return ledger_in(self._environments.named(CONTROL))


_Work = tuple[str, dict[str, str]]


def is_journaled(home: Home, backups: Backups, record: EnvironmentRecord) -> bool:
    """Whether every second of an environment is to come back: it is open, and has a back-up to begin with."""
    is_open = record.state in (EnvironmentState.READY, EnvironmentState.ADMINISTRATION)
    is_ours = record.kind is EnvironmentKind.BUSINESS and home.keys.customer.lock_of(record.id) is None
    return is_open and is_ours and bool(backups.listed(record.id))


def due_backups(home: Home) -> list[_Work]:
    """System back-ups that are due: an environment is backed up so many hours after it was made or last backed up."""
    hours = home.settings.backup.every_hours
    if not hours:
        return []
    latest = {each.environment_id: each.taken_on for each in Backups(home).listed()}
    limit = home.clock.now() - timedelta(hours=hours)

    def is_due(record: EnvironmentRecord) -> bool:
        taken = latest.get(record.id)
        last = datetime.fromisoformat(taken).astimezone(UTC) if taken else record.created_on
        is_open = record.state in (EnvironmentState.READY, EnvironmentState.ADMINISTRATION, EnvironmentState.SUSPENDED)
        return is_open and last <= limit and home.keys.customer.lock_of(record.id) is None

    return [("backup", {"name": each.name, "kind": SYSTEM}) for each in home.environments() if is_due(each)]


def due_removals(home: Home) -> list[_Work]:
    """System back-ups that nobody needs any more."""
    return [("remove-backup", {"backup": each.id}) for each in Backups(home).expired(home.clock.now())]


def due_ends(home: Home) -> list[_Work]:
    """Deleted environments that nobody can have back any more, and trials that have ended."""
    work: list[_Work] = []
    for record in life.over(home):
        if record.state is EnvironmentState.DELETED:
            work.append(("purge", {"name": record.name}))
        elif record.type is EnvironmentType.TRIAL and record.state is not EnvironmentState.SUSPENDED:
            work.append(("suspend", {"name": record.name, "message": "The trial of this environment has ended."}))
    return work


def due_drills(home: Home, ledger: Callable[[], Ledger]) -> list[_Work]:
    """The newest back-up of each environment, where none was verified for so many days (TS-414)."""
    days = home.settings.backup.drill_days
    if not days:
        return []
    limit = home.clock.now() - timedelta(days=days)
    verified = {str(row.id): row.values.get("verifiedon") for row in ledger().rows("environmentbackup")}
    work: list[_Work] = []
    for record in home.environments():
        known = Backups(home).listed(record.id)
        proofs = [str(verified[each.id]) for each in known if verified.get(each.id)]
        is_fresh = any(datetime.fromisoformat(each).astimezone(UTC) > limit for each in proofs)
        if known and not is_fresh and record.created_on <= limit:
            work.append(("verify-backup", {"backup": known[-1].id}))
    return work
