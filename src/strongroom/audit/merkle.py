"""The Merkle tree of RFC 6962 (section 2.1): hashes, roots, inclusion and consistency proofs. Pure.

The hash of a leaf is SHA-256(0x00 ‖ leaf), that of a node SHA-256(0x01 ‖ left ‖ right); the tree over n leaves splits
at the largest power of two below n. A `Hashes` gives the roots of complete subtrees; here is what follows from them.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

EMPTY_ROOT = sha256(b"").digest()


class Hashes(Protocol):
    """The roots of complete subtrees: that of the leaves from `place` × 2^`height` on, 2^`height` of them."""

    def complete(self, height: int, place: int) -> bytes: ...


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf that holds `data`."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Hashes, size: int) -> bytes:
    """The root of the tree over the first `size` leaves."""
    return EMPTY_ROOT if size == 0 else _range(hashes, 0, size)


def inclusion_path(hashes: Hashes, index: int, size: int) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, from the leaf upwards (section 2.1.1)."""
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range(hashes, middle, end))
            end = middle
        else:
            path.append(_range(hashes, start, middle))
            start = middle
    return path[::-1]


def consistency_path(hashes: Hashes, first: int, second: int) -> list[bytes]:
    """The proof that the tree of `first` leaves begins the one of `second` (section 2.1.2); 0 < first ≤ second."""
    path: list[bytes] = []
    start, end, is_known = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_range(hashes, middle, end))
            end = middle
        else:
            path.append(_range(hashes, start, middle))
            start, is_known = middle, False
    if not is_known:
        path.append(_range(hashes, start, end))
    return path[::-1]


def includes(path: Sequence[bytes], leaf: bytes, index: int, size: int, expected: bytes) -> bool:
    """Whether `path` proves that the tree of `size` leaves with the root `expected` has the hash `leaf` at `index`."""
    if not 0 <= index < size:
        return False
    number, last, computed = index, size - 1, leaf
    for other in path:
        if last == 0:
            return False
        if number & 1 or number == last:
            computed = node_hash(other, computed)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            computed = node_hash(computed, other)
        number, last = number >> 1, last >> 1
    return last == 0 and computed == expected


def is_consistent(path: Sequence[bytes], first: int, second: int, first_root: bytes, second_root: bytes) -> bool:
    """Whether `path` proves that the tree of `second` leaves continues the one of `first`."""
    if first == second:
        return not path and first_root == second_root
    if not 0 < first < second:
        return False
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    number, last = first - 1, second - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    if not steps:
        return False
    old = new = steps[0]
    for other in steps[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while not number & 1 and number:
                number, last = number >> 1, last >> 1
        else:
            new = node_hash(new, other)
        number, last = number >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


class Frontier:
    """A growing tree that keeps one hash for each complete subtree of its present size: enough for its root."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []

    def copy(self) -> "Frontier":
        """The same tree, to grow on its own."""
        other = Frontier()
        other.size, other._peaks = self.size, list(self._peaks)
        return other

    def add(self, leaf: bytes) -> None:
        """Add one leaf."""
        height, hash_ = 0, leaf
        while self._peaks and self._peaks[-1][0] == height:
            hash_ = node_hash(self._peaks.pop()[1], hash_)
            height += 1
        self._peaks.append((height, hash_))
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        if not self._peaks:
            return EMPTY_ROOT
        computed = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            computed = node_hash(peak, computed)
        return computed


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _range(hashes: Hashes, start: int, end: int) -> bytes:
    """The root over the leaves from `start` up to, not including, `end`, as the tree splits them."""
    size = end - start
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return hashes.complete(height, start >> height)
    middle = start + _split(size)
    return node_hash(_range(hashes, start, middle), _range(hashes, middle, end))
