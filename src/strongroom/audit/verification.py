"""Whether a trail is what it was: the log of a live environment, or of an export, against its signed heads (TS-814).

What is found, always by the first place where it shows:

- an entry that was changed: its leaf has another hash than the log;
- an entry that was taken out, or put in between: a leaf without an entry, an entry without a leaf;
- leaves that were changed, cut or put in another order: no head signs such a root;
- heads that were forged, or no longer follow one another;
- a log shorter than a head that somebody kept (a witness), or another one: rolled back or cut.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.audit.entries import Action
from strongroom.audit.forks import Fork, fork_in
from strongroom.audit.heads import NO_HEAD, head_hash, is_signed
from strongroom.audit.leaf import TOLD, Members, identity_of, leaf_data, members_told
from strongroom.audit.merkle import Frontier, leaf_hash
from strongroom.audit.removals import ERASED_PLACES, declared_in
from strongroom.ids import Guid
from strongroom.store.leaves import StoredHead
from strongroom.store.protocol import Database

_BATCH = 5_000
_TOLD_EVERY = 50_000

_DELETION = Action.AUDIT_LOG_DELETION.value
_RESTORED = Action.RESTORED.value

MOST = 20
"""Doubts that are listed; the first is the one that counts."""


class LoggedEntry(NamedTuple):
    """One place of a log: `members` are those of the entry, None when it is not there any more."""

    sequence: int
    audit_id: Guid
    hash: str
    salt: str | None
    gone: str | None
    members: Members | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found. `doubts` is empty when everything is proven; `size` leaves and `heads` were looked at;
    `removed` entries went in good order; `unproven` leaves are behind the newest head."""

    size: int
    heads: int
    removed: int
    unproven: int
    doubts: tuple[str, ...]


def logged_entries(database: Database) -> Iterator[LoggedEntry]:
    """The whole log of a store, in batches of its own transactions: memory does not grow with it."""
    start = 0
    while True:
        with database.read() as transaction:
            batch = transaction.log.told(start, _BATCH, TOLD)
        for leaf in batch:
            members = None if leaf.told is None else members_told(leaf.told)
            yield LoggedEntry(leaf.sequence, Guid(leaf.audit_id), leaf.hash, leaf.salt, leaf.gone, members)
        if len(batch) < _BATCH:
            return
        start = batch[-1].sequence + 1


def verify(
    environment: Guid,
    public: Ed25519PublicKey,
    entries: Iterable[LoggedEntry],
    heads: Sequence[StoredHead],
    witnessed: Sequence[StoredHead] = (),
    progress: Callable[[int], None] = lambda _: None,
) -> Verdict:
    """Check a log against its heads, oldest first, and against those that a witness kept."""
    doubts = list(_of_heads(environment, public, heads))
    walk = _Walk({head.tree_size: head.root for head in heads})
    forks: list[Fork] = []
    for entry in entries:
        if not walk.take(entry):
            break
        if entry.members is not None and entry.members.get("action") == _RESTORED:
            fork = fork_in(entry.members, environment, public)
            if fork is not None:
                forks.append(fork)
        if walk.size % _TOLD_EVERY == 0:
            progress(walk.size)
    own = frozenset(heads)
    witnessed = [head for head in witnessed if head in own or not any(fork.covers(head.tree_size) for fork in forks)]
    doubts += _of_witness(environment, public, heads, witnessed)
    longest = max((head.tree_size for head in (*heads, *witnessed)), default=0)
    if longest > walk.size and not walk.is_broken:
        walk.doubts.append(
            f"The log ends after {walk.size:,} leaves; a signed head is over {longest:,}: it was cut or rolled back."
        )
    found = [*walk.doubts, *walk.undeclared(), *doubts][:MOST]
    return Verdict(walk.size, len(heads), len(walk.gone), max(0, walk.size - walk.proven), tuple(found))


@dataclass(slots=True)
class _Walk:
    """A log as it is gone through: the tree so far, and how much of it a head vouches for."""

    roots: dict[int, str]
    frontier: Frontier = field(default_factory=Frontier)
    proven: int = 0
    is_broken: bool = False
    gone: list[int] = field(default_factory=list[int])
    declared: set[int] = field(default_factory=set[int])
    erased: list[int] = field(default_factory=list[int])
    declared_erased: set[int] = field(default_factory=set[int])
    doubts: list[str] = field(default_factory=list[str])

    @property
    def size(self) -> int:
        return self.frontier.size

    def take(self, entry: LoggedEntry) -> bool:
        """Take the next entry; False when there is no sense in going on."""
        if entry.sequence != self.size:
            self.is_broken = True
            self.doubts.append(f"Place {self.size} of the log is missing; the next one is {entry.sequence}.")
            return False
        leaf = bytes.fromhex(entry.hash)
        doubt = _doubt_about(entry, leaf)
        if doubt is not None and len(self.doubts) < MOST:
            self.doubts.append(doubt)
        if entry.members is not None:
            if entry.members.get("action") == _DELETION:
                for places in declared_in(entry.members):
                    self.declared.update(places)
                for places in declared_in(entry.members, ERASED_PLACES):
                    self.declared_erased.update(places)
            if entry.salt is None:
                self.erased.append(entry.sequence)
        elif entry.gone is not None:
            self.gone.append(entry.sequence)
        self.frontier.add(leaf)
        root = self.roots.get(self.size)
        if root is None:
            return True
        if root != self.frontier.root().hex():
            self.is_broken = True
            self.doubts.append(
                f"Among the entries of the places {self.proven} to {self.size - 1}, one was changed, moved or put in:"
                " the head over them signs another root."
            )
            return False
        self.proven = self.size
        return True

    def undeclared(self) -> Iterator[str]:
        """Removals and erasures that no entry tells of."""
        lost = [place for place in self.gone if place not in self.declared]
        if lost and not self.is_broken:
            yield f"{len(lost):,} entries were taken out without an entry that says so; the first had place {lost[0]}."
        blank = [place for place in self.erased if place not in self.declared_erased]
        if blank and not self.is_broken:
            yield f"{len(blank):,} entries were erased without an entry that says so; the first has place {blank[0]}."


def _doubt_about(entry: LoggedEntry, leaf: bytes) -> str | None:
    if entry.members is None:
        if entry.gone is not None:
            return None
        return f"The entry {entry.audit_id} (place {entry.sequence}) was taken out."
    if entry.gone is not None:
        return f"The entry {entry.audit_id} (place {entry.sequence}) is there although the log says it was removed."
    salt = entry.salt or ""  # an entry whose texts were erased holds their digests, and needs none
    if identity_of(entry.members) != entry.audit_id or leaf_hash(leaf_data(entry.members, salt)) != leaf:
        return f"The entry {entry.audit_id} (place {entry.sequence}) was changed."
    return None


def _of_heads(environment: Guid, public: Ed25519PublicKey, heads: Sequence[StoredHead]) -> Iterator[str]:
    """Doubts about the chain of heads. A head that the next one names by its hash needs no look at its own signature:
    the newest one's vouches for all."""
    if not heads:
        return
    if heads[0].previous != NO_HEAD:
        yield f"The head before that over {heads[0].tree_size:,} leaves is missing."
    names = [head.previous for head in heads[1:]]
    for head, named in zip(heads, [*names, None], strict=True):
        if head.environment != environment:
            yield f"The head over {head.tree_size:,} leaves is one of another environment."
        elif named is not None and named != head_hash(head):
            yield f"The head over {head.tree_size:,} leaves is not the one that the next head follows."
        elif named is None and not is_signed(head, public):
            yield f"The newest head, over {head.tree_size:,} leaves, is not signed with the environment's key."


def _of_witness(
    environment: Guid, public: Ed25519PublicKey, heads: Sequence[StoredHead], witnessed: Sequence[StoredHead]
) -> Iterator[str]:
    """Doubts from heads that were kept elsewhere: each is signed, and among the log's own."""
    known = {head.tree_size: head for head in heads}
    for head in witnessed:
        if known.get(head.tree_size) == head:
            continue
        if head.environment != environment or not is_signed(head, public):
            yield f"The witness's head over {head.tree_size:,} leaves is not signed with the environment's key."
        else:
            yield f"A head over {head.tree_size:,} leaves, which a witness kept, is not in the log any more."
            return
