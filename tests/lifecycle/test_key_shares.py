"""TS-516: the keys of a home in a file that n of m shares open, on an empty machine too."""

import itertools
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.states import add_accounts, change, differing, opened, state_of
from tests.servers import run_cli

from strongroom.cli.main import run
from strongroom.errors import HomeError, InvalidRequest
from strongroom.keys import Secret
from strongroom.keys.shares import combine, split


@settings(max_examples=5, deadline=None)
@given(some.binary(min_size=32, max_size=32), some.integers(2, 4), some.integers(0, 2))
def test_enough_shares_give_the_secret_in_any_order_and_fewer_do_not(material: bytes, needed: int, more: int) -> None:
    """TS-516: whichever they are."""
    shares = split(Secret(material), needed=needed, total=needed + more)

    for chosen in itertools.islice(itertools.combinations(reversed(shares), needed), 3):
        assert combine(chosen).reveal() == material
    with pytest.raises(HomeError, match="too few"):
        combine(shares[: needed - 1])


@pytest.mark.parametrize(("needed", "total"), [(1, 3), (4, 3), (2, 17), (0, 0)])
def test_numbers_that_make_no_sense_are_refused(needed: int, total: int) -> None:
    """TS-516."""
    with pytest.raises(InvalidRequest, match="needed"):
        split(Secret(bytes(32)), needed=needed, total=total)


def test_a_home_is_made_again_of_its_stores_the_file_and_enough_shares(tmp_path: Path, stores: Stores) -> None:
    """TS-516: on an empty machine; with one share too few, or a wrong one, nothing is made and nothing told."""
    home = make_home(tmp_path / "first", stores, "sqlcipher")
    change(home, "main", lambda environment: add_accounts(environment, "Contoso"))
    file, folder = tmp_path / "keys.backup", tmp_path / "shares"
    options = ("--shares", "3", "--needed", "2", "--shares-in", str(folder), "--home", str(home))
    run_cli("keys", "backup", "--to", str(file), *options)
    before = state_of(home, "main")
    shares = sorted(folder.glob("share-*.txt"))
    assert [share.stat().st_mode & 0o077 for share in (*shares, file)] == [0, 0, 0, 0]
    assert (home / "root.key").read_bytes().strip() not in file.read_bytes()
    assert run(["keys", "backup", "--to", str(file), *options]) == 2  # never over something

    empty = tmp_path / "empty"
    shutil.copytree(home / "environments", empty / "environments")
    wrong = tmp_path / "wrong.txt"
    wrong.write_bytes(split(Secret(bytes(32)), needed=2, total=2)[0].reveal())
    for given_shares in ((shares[0],), (shares[0], wrong)):
        told = [part for share in given_shares for part in ("--share", str(share))]
        assert run(["keys", "restore", str(file), *told, "--home", str(empty)]) == 2
        assert not (empty / "keys.json").exists()

    run_cli("keys", "restore", str(file), "--share", str(shares[2]), "--share", str(shares[0]), "--home", str(empty))

    assert differing(before, state_of(empty, "main")) == set()
    run_cli("check", "--home", str(empty))
    assert (
        run(["keys", "restore", str(file), "--share", str(shares[2]), "--share", str(shares[0]), "--home", str(empty)])
        == 2
    )
    assert opened(empty).id == opened(home).id


def test_a_file_that_was_altered_opens_for_nobody(tmp_path: Path, stores: Stores) -> None:
    """TS-516, TS-501."""
    home = make_home(tmp_path / "first", stores, "sqlcipher")
    file, folder = tmp_path / "keys.backup", tmp_path / "shares"
    options = ("--shares", "2", "--needed", "2", "--shares-in", str(folder))
    run_cli("keys", "backup", "--to", str(file), *options, "--home", str(home))
    shares = [part for share in sorted(folder.glob("*.txt")) for part in ("--share", str(share))]
    whole = file.read_text()
    for altered in (whole.replace(opened(home).id, "0" * 8 + opened(home).id[8:]), whole[:-40], "{}", "[" * 5000):
        file.write_text(altered)
        assert run(["keys", "restore", str(file), *shares, "--home", str(tmp_path / "new")]) == 2
        assert not (tmp_path / "new" / "keys.json").exists()
