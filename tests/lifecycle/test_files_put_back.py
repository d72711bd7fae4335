"""TS-502, TS-508, R11, R20: files of a home that somebody cuts, swaps, or puts back from an earlier day. Whatever is
done, nothing wrong is served as if it were right, and access that was taken away stays so."""

import shutil
from pathlib import Path

import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.states import add_accounts, change, opened, state_of
from tests.servers import run_cli

from strongroom.cli.main import run
from strongroom.errors import EnvironmentLocked, StrongroomError
from strongroom.lifecycle.custody import check_keys
from strongroom.lifecycle.operations import Asked, perform
from strongroom.opening import ledger_in, open_environment

PAGE = 4096


@pytest.fixture(scope="module")
def whole(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with `main` and `other`, two accounts in the first, everything in the files and nothing in the logs."""
    home = make_home(tmp_path_factory.mktemp("put-back"), stores, "sqlcipher")
    perform(opened(home), "create", Asked({"name": "other", "type": "sandbox"}, "a test"))
    change(home, "main", lambda environment: add_accounts(environment, "Ada", "Bea"))
    return home


@pytest.fixture
def home(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "home")
    return tmp_path / "home"


def store(home: Path, name: str = "main") -> Path:
    """The file of an environment, all of it in it."""
    found = opened(home)
    path = found.database_file(found.record(name))
    assert not path.with_name(f"{path.name}-wal").exists() or not path.with_name(f"{path.name}-wal").stat().st_size
    return path


@pytest.mark.parametrize("left", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_file_that_was_cut_is_not_served(home: Path, left: float) -> None:
    """TS-502: it does not open, or is doubted before anything of it is believed."""
    path = store(home)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * left)])

    with pytest.raises(StrongroomError):
        _demand_whole(home)

    path.write_bytes(whole)
    _demand_whole(home)


def test_flipped_byte_in_any_page_is_found(home: Path) -> None:
    """TS-502: the pages are authenticated."""
    path = store(home)
    whole = path.read_bytes()
    for page in (0, len(whole) // PAGE // 2, len(whole) // PAGE - 1):
        harmed = bytearray(whole)
        harmed[page * PAGE + 1234] ^= 1
        path.write_bytes(harmed)
        with pytest.raises(StrongroomError):
            _demand_whole(home)
    path.write_bytes(whole)


def _demand_whole(home: Path) -> None:
    environment = open_environment(opened(home), "main")
    try:
        doubts = environment.database.check()
    finally:
        environment.close()
    if doubts:
        raise StrongroomError(doubts[0])


def test_files_that_were_swapped_between_environments_open_nowhere(home: Path) -> None:
    """TS-501"""
    main, other = store(home), store(home, "other")
    before = state_of(home, "main")
    one, two = main.read_bytes(), other.read_bytes()
    main.write_bytes(two)
    other.write_bytes(one)

    for name in ("main", "other"):
        with pytest.raises(StrongroomError, match="does not open with this key"):
            open_environment(opened(home), name)

    main.write_bytes(one)
    other.write_bytes(two)
    assert state_of(home, "main") == before


def test_pages_that_were_swapped_in_a_file_are_found(home: Path) -> None:
    """TS-502: a page is authenticated together with its place."""
    path = store(home)
    data = bytearray(path.read_bytes())
    first, second = 10 * PAGE, 30 * PAGE
    data[first : first + PAGE], data[second : second + PAGE] = data[second : second + PAGE], data[first : first + PAGE]
    path.write_bytes(data)

    with pytest.raises(StrongroomError):
        _demand_whole(home)


def test_older_store_that_was_put_back_convicts_itself(home: Path) -> None:
    """R11: the witness beside the store knows a later head."""
    run_cli("audit", "verify", "--home", str(home))
    old = store(home).read_bytes()
    change(home, "main", lambda environment: add_accounts(environment, "Cyd"))
    run_cli("audit", "verify", "--home", str(home))

    store(home).write_bytes(old)

    assert run(["audit", "verify", "--home", str(home)]) == 1


def test_store_and_its_witness_put_back_together_convict_themselves_by_a_head_kept_elsewhere(
    home: Path, tmp_path: Path
) -> None:
    """R11: whoever holds an earlier head is not to be told another history; nobody else can know."""
    before = tmp_path / "before"
    run_cli("audit", "verify", "--home", str(home))
    shutil.copytree(home, before)
    change(home, "main", lambda environment: add_accounts(environment, "Cyd"))
    kept = tmp_path / "heads.jsonl"
    run_cli("audit", "verify", "--home", str(home))
    shutil.copyfile(home / "witness" / "main.jsonl", kept)

    told = tmp_path / "trail.jsonl"
    key = run_cli("audit", "key", "--home", str(before)).stdout.strip()
    run_cli("audit", "export", "--home", str(before), "--out", str(told))

    assert run(["audit", "verify", "--home", str(before)]) == 0
    assert run(["audit", "verify", str(told), "--public-key", key]) == 0
    assert run(["audit", "verify", str(told), "--public-key", key, "--witness", str(kept)]) == 1


def test_ring_from_before_a_new_data_key_does_not_open_the_store(home: Path) -> None:
    """R20: and nothing is lost: the right one opens it again."""
    before = state_of(home, "main")
    old = (home / "keys.json").read_bytes()
    run_cli("keys", "rekey", "--home", str(home))
    new = (home / "keys.json").read_bytes()

    (home / "keys.json").write_bytes(old)
    with pytest.raises(StrongroomError, match="does not open with this key"):
        open_environment(opened(home), "main")

    (home / "keys.json").write_bytes(new)
    assert state_of(home, "main") == before


def test_ring_from_before_a_revocation_gives_no_access_again(home: Path, tmp_path: Path) -> None:
    """TS-508: the ledger says that the key was revoked, so it is again; a restore that was asked for stays one."""
    key = tmp_path / "customer.key"
    run_cli("keys", "customer", "make-file", str(key))
    run_cli("keys", "customer", "add", "ours", f"file:{key}", "--home", str(home))
    run_cli("keys", "customer", "assign", "ours", "-e", "main", "--home", str(home))
    old = (home / "keys.json").read_bytes()
    run_cli("keys", "customer", "revoke", "ours", "--home", str(home), "--yes")
    (home / "keys.json").write_bytes(old)
    open_environment(opened(home), "main").close()

    assert _checked(home) == ["ours"]

    with pytest.raises(EnvironmentLocked):
        open_environment(opened(home), "main")
    run_cli("keys", "customer", "restore", "ours", "--home", str(home))
    assert _checked(home) == []
    open_environment(opened(home), "main").close()


def _checked(home: Path) -> list[str]:
    found = opened(home)
    control = open_environment(found, "control")
    try:
        return check_keys(found, lambda: ledger_in(control), {})
    finally:
        control.close()
