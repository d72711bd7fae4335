"""Roots of complete subtrees of a log: what roots and proofs are computed from (`merkle.Hashes`)."""

from collections.abc import Callable, Sequence

from strongroom.audit.merkle import node_hash

_MOST_LEAVES = 1 << 12


class LogHashes:
    """Over leaf hashes that are read when they are needed, some thousand at a time."""

    def __init__(self, read: Callable[[int, int], Sequence[bytes]]) -> None:
        self._read = read

    def complete(self, height: int, place: int) -> bytes:
        """The root of one complete subtree."""
        size = 1 << height
        if size <= _MOST_LEAVES:
            return _folded(self._read(place * size, (place + 1) * size))
        return node_hash(self.complete(height - 1, 2 * place), self.complete(height - 1, 2 * place + 1))


class ListedHashes(LogHashes):
    """Over leaf hashes in memory."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        super().__init__(lambda start, end: leaves[start:end])


def _folded(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of neighbouring hashes."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]
