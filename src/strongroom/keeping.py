"""How long the trail of an environment is kept, done beside the requests (TS-807, TS-822).

Three things, each in short transactions of its own, so that a process that is killed in between leaves nothing half
done and the next one goes on: entries from before are stamped anew where `ApplyRetentionToExistingLogs` asks for it;
entries of `audit` whose time is over are taken out; activities that are older than the activity log keeps them go into
a signed segment in `archive/ENVIRONMENT/` of the home, a day or more at a time, and are then taken out.

What a legal hold covers stays, and while the environment itself is held, everything does.
"""

import json
import logging
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from strongroom.audit.archives import write_archive
from strongroom.audit.leaf import members_of
from strongroom.audit.taking_out import PIECE, older_than, take_out
from strongroom.audit.verification import LoggedEntry
from strongroom.clock import iso
from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.home import Home
from strongroom.records import Session
from strongroom.records.holds import holds_in
from strongroom.records.platform_user import platform_caller
from strongroom.records.trail import author
from strongroom.records.trail_removal import organization_of_trail
from strongroom.records.update import write_changes
from strongroom.rounds import Rounds
from strongroom.schema.activity_table import ACTIVITY_LOG
from strongroom.store.protocol import Row, Transaction
from strongroom.trail import signing_key
from strongroom.watch import lock_of

ARCHIVE_FOLDER = "archive"
_RESTAMPED = 2000
_SEGMENT = 50_000
"""Activities in one segment at most: they are in memory while it is written."""

_PERIOD_S = 5.0
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_logger = logging.getLogger("strongroom.keeping")


@dataclass(frozen=True, slots=True)
class Kept:
    """What a look came to: entries stamped anew, taken out, left because they are held, and activities archived."""

    restamped: int = 0
    expired: int = 0
    held: int = 0
    archived: int = 0


class Keeper:
    """Keeps the trail of one environment as long as it is to be kept."""

    def __init__(self, home: Home, environment: Environment) -> None:
        self._home = home
        self.environment = environment

    def keep(self) -> Kept:
        """Do all that is due."""
        restamped = self._restamp()
        if self.environment.record.is_held:
            return Kept(restamped)
        expired, held = self._expire()
        return Kept(restamped, expired, held, self._archive())

    # --- stamping anew -----------------------------------------------------------------------------------------------

    def _restamp(self) -> int:
        database = self.environment.database
        with database.read() as transaction:
            retention = transaction.settings().retention
        if not retention.restamps:
            return 0

        def until(written: str, table: str) -> str | None:
            days = retention.of(table)
            return None if days is None else iso(datetime.fromisoformat(written) + timedelta(days=days))

        last, number = 0, 0
        while True:
            with database.write() as transaction:
                reached = transaction.log.restamp(last, _RESTAMPED, until)
                if reached is None:
                    self._note_restamped(transaction)
                    return number
            last, number = reached, number + _RESTAMPED

    def _note_restamped(self, transaction: Transaction) -> None:
        """Take the request out of the settings: it is done."""
        session = self._session(transaction)
        (organization,) = transaction.rows_where(session.table("organization"), {}, limit=1)
        settings = json.loads(str(organization.values["auditsettings"]))
        settings.pop("ApplyRetentionToExistingLogs", None)
        write_changes(session, organization, {"auditsettings": json.dumps(settings) if settings else None})

    # --- entries whose time is over ----------------------------------------------------------------------------------

    def _expire(self) -> tuple[int, int]:
        now, after = iso(self.environment.clock.now()), None
        expired, held = 0, 0
        while True:
            with self.environment.database.read() as transaction:
                if not older_than(transaction, "audit", "expireson", now, after=after):
                    return expired, held
            with self.environment.database.write() as transaction:
                rows = older_than(transaction, "audit", "expireson", now, after=after)
                session, holds = self._session(transaction), holds_in(transaction)
                about = organization_of_trail(session)
                gone = take_out(transaction, author(session), about, rows, f"kept until {now}", holds.cover_entry)
            expired, held = expired + gone.number, held + gone.held
            if len(rows) < PIECE:
                return expired, held
            if gone.number < len(rows):  # what stays is not looked at again
                after = _later(rows, "expireson")

    # --- activities --------------------------------------------------------------------------------------------------

    def _archive(self) -> int:
        """Archive and take out activities that are old enough, once a whole day of them is."""
        now = self.environment.clock.now()
        archived = 0
        with self.environment.database.read() as transaction:
            until = now - timedelta(days=transaction.settings().retention.activity_days)
            oldest = older_than(transaction, ACTIVITY_LOG, "createdon", iso(until - _DAY))
        while oldest:
            rows = self._segment(iso(until))
            if not rows:
                break
            archived += self._take_out(rows, until)
            with self.environment.database.read() as transaction:
                oldest = older_than(transaction, ACTIVITY_LOG, "createdon", iso(until - _DAY))
        return archived

    def _segment(self, until: str) -> list[Row]:
        """Write the next segment; the activities in it, in order. Those without a leaf wait for the sealer."""
        found: dict[int, Row] = {}
        after: str | None = None
        entries: list[LoggedEntry] = []
        with self.environment.database.read() as transaction:
            holds = holds_in(transaction)
            while len(found) < _SEGMENT:
                piece = older_than(transaction, ACTIVITY_LOG, "createdon", until, after=after)
                fresh = [row for row in piece if row.key not in found and not holds.cover_entry(row)]
                found.update({row.key: row for row in fresh})
                if len(piece) < PIECE or not fresh:
                    break
                after = str(piece[-1].values["createdon"])
            for row in sorted(found.values(), key=lambda row: row.key):
                leaf = transaction.log.leaf_of(row)
                if leaf is not None:
                    members = members_of(row)
                    entries.append(LoggedEntry(leaf.sequence, row.id, leaf.hash, leaf.salt, None, members))
        if entries:
            self._write(entries)
        sealed = {entry.audit_id for entry in entries}
        return [row for row in found.values() if row.id in sealed]

    def _write(self, entries: list[LoggedEntry]) -> Path:
        folder = self._home.path / ARCHIVE_FOLDER / self.environment.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"activity-{entries[0].sequence:012d}-{entries[-1].sequence:012d}.jsonl"
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            write_archive(target, self.environment.id, signing_key(self._home, self.environment.id), entries)
            target.flush()
            os.fsync(target.fileno())
        part.replace(path)
        return path

    def _take_out(self, rows: list[Row], until: datetime) -> int:
        number = 0
        for start in range(0, len(rows), PIECE):
            with self.environment.database.write() as transaction:
                session = self._session(transaction)
                known = transaction.rows(session.table(ACTIVITY_LOG), [row.id for row in rows[start : start + PIECE]])
                about, why = organization_of_trail(session), f"activities before {iso(until)}, archived"
                number += take_out(transaction, author(session), about, known.values(), why, lambda _: False).number
        return number

    def _session(self, transaction: Transaction) -> Session:
        return Session(transaction, platform_caller(transaction.schema), self.environment.clock, self.environment.rules)


class Keeping(Rounds):
    """What keeps the trails of a server's open environments."""

    def __init__(self, environments: Environments) -> None:
        super().__init__("keeping", _PERIOD_S, _logger)
        self._environments = environments

    def look(self) -> None:
        """Look after each open environment; of several processes one does."""
        self.in_each(self._environments, self._keep, "keeping in order the trail of")

    def _keep(self, environment: Environment) -> None:
        with lock_of(self._environments.home, environment, "keeping") as is_ours:
            if is_ours:
                Keeper(self._environments.home, environment).keep()


def _later(rows: list[Row], column: str) -> str:
    """The second after the last of these rows."""
    return iso(datetime.fromisoformat(str(rows[-1].values[column])) + _SECOND)
