"""Proofs from a live log (TS-813): the newest head, that an entry is in it, and that one head continues another."""

from collections.abc import Sequence

from strongroom.audit import merkle
from strongroom.audit.leaf import leaf_data, members_of
from strongroom.audit.tree import LogHashes
from strongroom.errors import InvalidRequest, NotFound
from strongroom.ids import Guid
from strongroom.store.leaves import AuditLog, StoredHead, StoredLeaf
from strongroom.store.protocol import Transaction


def newest_head(log: AuditLog) -> StoredHead:
    """The newest signed head; 404 before anything was sealed."""
    found = log.heads(newest=1)
    if not found:
        raise NotFound("Nothing has been sealed yet; a running server seals within a second.")
    return found[0]


def place_of(transaction: Transaction, entry: Guid) -> int:
    """The place of an entry in the log; 404 when it has none (yet)."""
    place = transaction.log.place_of(entry)
    if place is None:
        raise NotFound(f"The entry {entry} is not sealed yet, or does not exist.")
    return place


def leaf_at(log: AuditLog, place: int) -> StoredLeaf:
    """One leaf; 404 behind the log's end."""
    found = log.leaves(place, 1)
    if not found or found[0].sequence != place:
        raise NotFound(f"The log has no place {place}.")
    return found[0]


def shown_leaf(leaf: StoredLeaf) -> bytes | None:
    """The bytes that the leaf's hash is over; None once its entry was removed."""
    return None if leaf.row is None else leaf_data(members_of(leaf.row), leaf.salt or "")


def inclusion(log: AuditLog, place: int, size: int | None) -> tuple[int, list[bytes]]:
    """The size of the tree, that of the newest head without `size`, and the audit path of the leaf in it."""
    size = newest_head(log).tree_size if size is None else size
    if not place < size <= log.size():
        raise InvalidRequest(f"The tree has {log.size()} leaves; TreeSize lies above {place} and not above that.")
    return size, merkle.inclusion_path(_hashes(log), place, size)


def root_of(log: AuditLog, size: int) -> str:
    """The root over the first `size` leaves, in hexadecimal; empty when there are not so many."""
    return merkle.root(_hashes(log), size).hex() if size <= log.size() else ""


def consistency(log: AuditLog, first: int, second: int) -> list[bytes]:
    """The proof that the tree of `first` leaves begins that of `second`. 400 `bad-range` for sizes that are not."""
    if not 0 < first <= second <= log.size():
        raise InvalidRequest(f"From and To are sizes of the tree: 1 ≤ From ≤ To ≤ {log.size()}.", code="bad-range")
    return merkle.consistency_path(_hashes(log), first, second)


def _hashes(log: AuditLog) -> LogHashes:
    def read(start: int, end: int) -> Sequence[bytes]:
        return [bytes.fromhex(leaf) for leaf in log.hashes(start, end)]

    return LogHashes(read)
