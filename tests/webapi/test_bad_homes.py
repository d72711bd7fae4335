"""What is wrong with a home, a key, a port or a database is said in one line, with exit status 2 and what would be
right; nothing is changed."""

import shutil
import socket
from pathlib import Path

import psycopg
import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.servers import run_cli

from strongroom.home import open_home


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with which nothing is wrong."""
    folder = tmp_path_factory.mktemp("whole")
    return make_home(folder, Stores(folder), "sqlcipher")


@pytest.fixture
def home(whole: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    copy = tmp_path / "home"
    shutil.copytree(whole, copy)
    return copy


def refused(*arguments: str) -> str:
    """The one line that a command ends with; its status is 2."""
    done = run_cli(*arguments, expect=2)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("strongroom: ")
    assert "Traceback" not in done.stderr
    return lines[0]


def served(home: Path, *options: str) -> str:
    return refused("serve", "--home", str(home), "--port", "0", *options)


def test_home_that_is_not_there_is_named_and_how_to_make_one(tmp_path: Path) -> None:
    message = served(tmp_path / "nowhere")
    assert f"There is no home at {tmp_path / 'nowhere'}." in message
    assert "strongroom init" in message
    assert not (tmp_path / "nowhere").exists()


def test_folder_that_is_no_home_is_named(tmp_path: Path) -> None:
    message = served(tmp_path)
    assert "is no home of Strongroom" in message
    assert "strongroom init" in message


@pytest.mark.parametrize("content", [b"", b"{", b"null", b'{"version":1}', bytes(range(100))])
def test_damaged_key_ring_is_named(home: Path, content: bytes) -> None:
    (home / "keys.json").write_bytes(content)
    message = served(home)
    assert "keys.json" in message
    assert "backup" in message


def test_missing_root_key_is_named(home: Path) -> None:
    (home / "root.key").unlink()
    assert "root.key" in served(home)


def test_wrong_root_key_is_named(home: Path, tmp_path: Path) -> None:
    run_cli("init", "--home", str(tmp_path / "other"))
    shutil.copyfile(tmp_path / "other" / "root.key", home / "root.key")
    message = served(home)
    assert "root.key is the root key of another home or an older one: keys.json needs " in message


def test_data_of_another_key_is_named(home: Path, tmp_path: Path) -> None:
    """The file of another home, under this home's key."""
    run_cli("init", "--home", str(tmp_path / "other"))
    mine, other = open_home(home), open_home(tmp_path / "other")
    path = mine.database_file(mine.default_environment())
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    shutil.copyfile(other.database_file(other.default_environment()), path)
    message = served(home)
    assert path.name in message
    assert "does not open with this key" in message
    assert "backup" in message


def test_missing_database_file_is_named_and_not_made_anew(home: Path) -> None:
    found = open_home(home)
    path = found.database_file(found.default_environment())
    for old in path.parent.glob(f"{path.name}*"):
        old.unlink()
    message = served(home)
    assert path.name in message
    assert not path.exists()


def test_cut_off_database_file_is_found_by_check(home: Path) -> None:
    """Damage in the middle of the file, which opening does not read."""
    found = open_home(home)
    path = found.database_file(found.default_environment())
    content = bytearray(path.read_bytes())
    middle = len(content) // 8192 * 4096
    content[middle : middle + 100] = bytes(100)
    path.write_bytes(content)
    done = run_cli("check", "--home", str(home), expect=1)
    assert "NOT sound" in done.stdout
    assert "Traceback" not in done.stderr


def test_port_in_use_is_named_with_the_way_out(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = refused("serve", "--home", str(home), "--port", str(port))
    assert f"Cannot listen on 127.0.0.1:{port}" in message
    assert "--port" in message


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("postgresql://nobody@127.0.0.1:1/nothing", "cannot be reached"),
        ("mysql://x@y/z", "postgresql://user:password@host:port/database"),
        ("postgresql://host", "postgresql://user:password@host:port/database"),
    ],
)
def test_database_that_is_not_there_is_named_and_no_home_is_left(tmp_path: Path, address: str, says: str) -> None:
    message = refused("init", "--home", str(tmp_path / "home"), "--database", address)
    assert says in message
    assert not (tmp_path / "home").exists()


def test_database_that_went_away_is_named(tmp_path: Path, stores: Stores) -> None:
    """The database of a home was dropped."""
    home = make_home(tmp_path, stores, "postgresql")
    found = open_home(home)
    address = found.database_address(found.default_environment()).reveal().decode()
    name = address.partition("?")[0].rpartition("/")[2]
    assert stores.server_url is not None
    with psycopg.connect(stores.server_url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())
    assert "database server cannot be reached" in served(home)


def test_home_that_is_there_already_is_not_overwritten(home: Path) -> None:
    before = (home / "keys.json").read_bytes()
    assert "holds a home already" in refused("init", "--home", str(home))
    assert (home / "keys.json").read_bytes() == before
