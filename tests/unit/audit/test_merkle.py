"""The tree of RFC 6962: its own test vectors, and proofs of every leaf and every earlier size."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_path,
    includes,
    inclusion_path,
    is_consistent,
    leaf_hash,
    node_hash,
    root,
)
from strongroom.audit.tree import ListedHashes

_LEAVES = [
    bytes.fromhex(each)
    for each in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The leaves of the reference implementation's tests (google/certificate-transparency, merkle_tree_test)."""

_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def tree(size: int) -> ListedHashes:
    return ListedHashes([leaf_hash(number.to_bytes(4, "big")) for number in range(size)])


def test_roots_are_those_of_the_reference_implementation() -> None:
    """TS-812: RFC 6962."""
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT == sha256(b"").digest()
    for size, leaf in enumerate(_LEAVES, 1):
        frontier.add(leaf_hash(leaf))
        assert frontier.root().hex() == _ROOTS[size - 1]
        assert root(ListedHashes([leaf_hash(each) for each in _LEAVES]), size).hex() == _ROOTS[size - 1]


@given(st.integers(1, 700), st.data())
def test_every_leaf_and_every_earlier_size_is_proven_and_nothing_else(size: int, data: st.DataObject) -> None:
    """TS-813: inclusion and consistency, and a proof of one thing proves no other."""
    hashes = tree(size)
    whole = root(hashes, size)
    index = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(1, size))
    leaf = hashes.complete(0, index)

    path = inclusion_path(hashes, index, size)
    assert includes(path, leaf, index, size, whole)
    assert not includes(path, leaf_hash(b"another"), index, size, whole)
    assert not includes([*path, leaf], leaf, index, size, whole)
    assert not includes(path, leaf, size, size, whole)

    steps = consistency_path(hashes, first, size)
    earlier = root(hashes, first)
    assert is_consistent(steps, first, size, earlier, whole)
    assert not is_consistent(steps, first, size, leaf_hash(b"another"), whole)
    assert not is_consistent(steps, first, size, earlier, leaf_hash(b"another"))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600])
def test_a_copied_frontier_grows_on_its_own(size: int) -> None:
    hashes = tree(size)
    frontier = Frontier()
    for place in range(size):
        frontier.add(hashes.complete(0, place))
    copied = frontier.copy()
    copied.add(leaf_hash(b"more"))

    assert frontier.root() == root(hashes, size)
    assert copied.size == size + 1
    assert copied.root() != frontier.root()


def test_proofs_that_cannot_be_are_refused() -> None:
    one = node_hash(b"a" * 32, b"b" * 32)
    assert not is_consistent([], 0, 1, EMPTY_ROOT, one)
    assert not is_consistent([], 3, 5, one, one)
    assert not is_consistent([one] * 9, 3, 5, one, one)
    assert is_consistent([], 4, 4, one, one)
