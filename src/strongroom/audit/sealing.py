"""Sealing: leaves for what has been committed, and a signed head over them.

A sealer reads and hashes beside the writers and appends in short turns of its own. Two of them do no harm: what is
appended must follow the log as it is in that turn, else it is read anew.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from strongroom.audit.heads import Signer, head_hash, is_signed, signed_head
from strongroom.audit.leaf import SALT_BYTES, hash_of, members_of
from strongroom.audit.merkle import Frontier
from strongroom.clock import Clock, iso
from strongroom.errors import IntegrityViolation
from strongroom.store.leaves import AuditLog, StoredHead
from strongroom.store.protocol import Database

BATCH = 500
"""Entries in one turn: appending their leaves holds writers up for some milliseconds."""

_READ = 50_000
"""Leaves that are taken in at a time."""

Witness = Callable[[StoredHead], None]
"""Told of each new head once it is committed; keeps it where the store's owner cannot reach it."""


@dataclass(slots=True)
class Sealer:
    """Seals one environment's log, and remembers its edge from one time to the next."""

    database: Database
    signer: Signer
    clock: Clock
    witness: Witness
    batch: int = BATCH
    vouched: str = ""
    """The hash of a head by an earlier key, on which this key's first one follows: somebody said so (TS-812)."""

    _frontier: Frontier = field(default_factory=Frontier)

    def seal(self) -> int:
        """Seal everything that is committed when it begins; how many entries."""
        sealed = 0
        while (number := self._step()) is not None:
            sealed += number
            if 0 < number < self.batch:
                break  # what came meanwhile waits for the next time: other environments want their turn
        return sealed

    def _step(self) -> int | None:
        """Seal one batch; None when there is nothing to seal, 0 when something came in between."""
        with self.database.read() as transaction:
            rows = transaction.log.unsealed(self.batch)
            if not rows:
                return None
            size = transaction.log.size()
            if not self._catch_up(transaction.log, size):
                return 0
        salts = [secrets.token_hex(SALT_BYTES) for _ in rows]
        leaves = [(hash_of(members_of(row), salt), salt) for row, salt in zip(rows, salts, strict=True)]
        grown = self._frontier.copy()
        for leaf, _ in leaves:
            grown.add(bytes.fromhex(leaf))
        with self.database.write() as transaction:
            log = transaction.log
            if not log.is_next(size, rows):
                return 0
            log.append(size, rows, leaves)
            newest = log.heads(newest=1)
            before = newest[-1] if newest else None
            head = signed_head(self.signer, grown.size, grown.root().hex(), iso(self.clock.now()), before)
            log.add_head(head)
        self._frontier = grown
        self.witness(head)
        return len(rows)

    def _accepts(self, head: StoredHead) -> bool:
        return is_signed(head, self.signer.public) or (bool(self.vouched) and head_hash(head) == self.vouched)

    def _catch_up(self, log: AuditLog, size: int) -> bool:
        """Take in leaves that another sealer has appended, or all of them the first time: some at a time, since a
        transaction lasts only so long (WA-433); whether that is done. `IntegrityViolation` when they are not what the
        newest head signs: nobody gets a signature under a log that was tampered with."""
        if self._frontier.size == size:
            return True
        if self._frontier.size > size:  # the store was put back to an earlier state
            self._frontier = Frontier()
        found = log.hashes(self._frontier.size, min(self._frontier.size + _READ, size))
        for leaf in found:
            self._frontier.add(bytes.fromhex(leaf))
        if found and self._frontier.size < size:
            return False
        newest = log.heads(newest=1)
        is_vouched = bool(newest) and (newest[0].tree_size, newest[0].root) == (size, self._frontier.root().hex())
        if not is_vouched or not self._accepts(newest[0]):
            self._frontier = Frontier()
            raise IntegrityViolation("The trail's log is not what its newest head signs: `strongroom audit verify`.")
        return True
