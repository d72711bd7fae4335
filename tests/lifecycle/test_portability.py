"""TS-2101 to TS-2106: everything of an environment in open formats, and the same again of it, on either engine."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.states import OF_THE_TRAIL, differing, opened, state_of
from tests.servers import run_cli

from strongroom.cli.main import run
from strongroom.keys import age

_NOT_COMPARED = OF_THE_TRAIL | {"counters", "sight"}
"""The import adds its own entry to the trail, whose log begins anew."""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, stores: Stores) -> tuple[Path, Path]:
    """A home with the demo company, with shares, files, money and several scripts, and its export."""
    home = make_home(tmp_path_factory.mktemp("ported"), stores, "sqlcipher", "--demo", "--accounts", "60")
    file = home.parent / "all.zip"
    run_cli("export", "--everything", str(file), "--home", str(home))
    return home, file


def test_same_environment_on_the_other_engine_and_back_row_by_row(
    exported: tuple[Path, Path], stores: Stores, tmp_path: Path
) -> None:
    """TS-2102: same ids, values, owners, states and times; a second export has equal data."""
    home, file = exported
    run_cli(
        "import", "--everything", str(file), "--to", "server", "--database", str(stores.empty_place("postgresql")),
        "--home", str(home),
    )  # fmt: skip
    run_cli("export", "--everything", str(tmp_path / "back.zip"), "-e", "server", "--home", str(home))
    run_cli("import", "--everything", str(tmp_path / "back.zip"), "--to", "back", "--home", str(home))

    there, server, back = (state_of(home, name) for name in ("demo", "server", "back"))

    assert differing(there, server) <= _NOT_COMPARED
    assert differing(there, back) <= _NOT_COMPARED
    for name in ("server", "back"):
        assert opened(home).record(name).state.value == "administration"
        run_cli("audit", "verify", "-e", name, "--home", str(home))
    one, other = (_hashes(each) for each in (file, tmp_path / "back.zip"))
    assert {path for path in one if one[path] != other.get(path)} <= {
        f"{folder}/{name}.{ending}"
        for folder, name in (("audit", "audit"), ("audit", "auditleaf"), ("audit", "audithead"), ("data", "counters"))
        for ending in ("jsonl", "csv")
    } | {"audit/proof.jsonl"}
    run_cli("check", "--home", str(home))


def _hashes(file: Path) -> dict[str, str]:
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    return {path: facts["sha256"] for path, facts in manifest["Files"].items()}


def test_same_people_see_the_same(exported: tuple[Path, Path]) -> None:
    """TS-2102: access is the same, by each persona's lists."""
    home, file = exported
    run_cli("import", "--everything", str(file), "--to", "seen", "--home", str(home))
    run_cli("environment", "open", "seen", "--home", str(home))
    personas = json.loads((home / "demo.json").read_text())

    for persona in personas:
        assert _seen(home, "demo", persona["login"]) == _seen(home, "seen", persona["login"])


def _seen(home: Path, name: str, login: str) -> object:
    """What a user sees, table by table, as `strongroom sees` counts it."""
    return json.loads(run_cli("sees", "--user", login, "--json", "-e", name, "--home", str(home)).stdout)


def test_export_is_readable_with_ordinary_tools_and_holds_no_key(exported: tuple[Path, Path]) -> None:
    """TS-2101, TS-517"""
    home, file = exported
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        rows = [json.loads(line) for line in archive.read("data/account.jsonl").splitlines()]
        table = list(csv.DictReader(io.StringIO(archive.read("data/account.csv").decode())))
        whole = b"".join(archive.read(name) for name in names)
    assert {"README.txt", "manifest.json", "metadata/tables.json", "security/role.jsonl", "audit/proof.jsonl"} <= set(
        names
    )
    assert [row["accountid"] for row in rows] == [row["accountid"] for row in table]
    assert len(rows) == 60
    keys = opened(home).keys
    raws = (keys.data_key(opened(home).record("demo").id).reveal(), keys.signing_key()[1].private_bytes_raw())
    for raw in raws:
        assert raw not in whole
        assert raw.hex().encode() not in whole


def test_proof_in_the_export_is_verified_offline(exported: tuple[Path, Path], tmp_path: Path) -> None:
    home, file = exported
    with zipfile.ZipFile(file) as archive:
        (tmp_path / "proof.jsonl").write_bytes(archive.read("audit/proof.jsonl"))
    key = run_cli("audit", "key", "--home", str(home)).stdout.strip()

    run_cli("audit", "verify", str(tmp_path / "proof.jsonl"), "--public-key", key)


def _changed(path: str, change: Callable[[bytes], bytes]) -> Callable[[dict[str, bytes]], None]:
    def harm(files: dict[str, bytes]) -> None:
        files[path] = change(files[path])

    return harm


def _added(files: dict[str, bytes]) -> None:
    files["../../escape.txt"] = b"out"


def _other_format(files: dict[str, bytes]) -> None:
    manifest = json.loads(files["manifest.json"])
    files["manifest.json"] = json.dumps({**manifest, "Format": 99}).encode()


def _no_manifest(files: dict[str, bytes]) -> None:
    del files["manifest.json"]


def _lost(files: dict[str, bytes]) -> None:
    del files["security/role.jsonl"]


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (_changed("data/account.jsonl", lambda data: data.replace(b"a", b"b", 1)), "data/account.jsonl"),
        (_changed("data/contact.csv", lambda data: data[:-1]), "data/contact.csv"),
        (_changed("manifest.json", lambda data: data.replace(b'"demo"', b'"else"')), "manifest.json"),
        (_added, "../../escape.txt"),
        (_lost, "security/role.jsonl"),
        (_other_format, "format"),
        (_no_manifest, "no export"),
    ],
    ids=["a byte", "cut", "manifest", "path traversal", "lost file", "unknown format", "no manifest"],
)
def test_export_that_was_changed_is_refused_before_anything_is_made(
    exported: tuple[Path, Path], tmp_path: Path, harm: Callable[[dict[str, bytes]], None], named: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """TS-2106"""
    home, file = exported
    with zipfile.ZipFile(file) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    harm(files)
    with zipfile.ZipFile(tmp_path / "harmed.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)

    assert run(["export-check", str(tmp_path / "harmed.zip")]) in (1, 2)
    told = capsys.readouterr()
    assert named in told.out + told.err
    assert run(["import", "--everything", str(tmp_path / "harmed.zip"), "--to", "bad", "--home", str(home)]) == 2
    assert "bad" not in {record.name for record in opened(home).environments()}


def test_encrypted_export_opens_for_its_recipient_alone(exported: tuple[Path, Path], tmp_path: Path) -> None:
    home, _ = exported
    mine, other = age.new_identity(), age.new_identity()

    run_cli(
        "export", "--everything", str(tmp_path / "all.age"), "--encrypt", age.recipient_of(mine), "--home", str(home)
    )

    data = (tmp_path / "all.age").read_bytes()
    assert data.startswith(b"age-encryption.org/v1")
    opened_again = io.BytesIO()
    age.decrypt(io.BytesIO(data), opened_again, mine)
    assert zipfile.is_zipfile(opened_again)
    with pytest.raises(age.DecryptError):
        age.decrypt(io.BytesIO(data), io.BytesIO(), other)
