"""TS-403, TS-404, TS-503: the reports that prove isolation and encryption, and that they find what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.states import add_accounts, change, opened, state_of

from strongroom.cli.main import run
from strongroom.errors import InvalidRequest
from strongroom.keys import Secret
from strongroom.lifecycle import isolation_proof
from strongroom.lifecycle.backups import Backups
from strongroom.lifecycle.isolation_proof import prove_isolation
from strongroom.lifecycle.operations import Asked, perform
from strongroom.lifecycle.proofs import is_signed

Report = dict[str, Any]


@pytest.fixture(scope="module", params=["sqlcipher", "postgresql"])
def two(request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with `main` and `other` on each engine, and a back-up of the first."""
    engine = str(request.param)
    home = make_home(tmp_path_factory.mktemp("proofs"), stores, engine)
    database = Secret(str(stores.empty_place(engine)).encode()) if engine == "postgresql" else None
    perform(opened(home), "create", Asked({"name": "other", "type": "sandbox"}, "a test", database))
    change(home, "main", lambda environment: add_accounts(environment, "Adalbert Company", "Berta Company"))
    perform(opened(home), "backup", Asked({"name": "main"}, "a test"))
    return home


def is_on_server(home: Path) -> bool:
    return opened(home).record("main").engine == "postgresql"


def test_isolation_is_proven_door_by_door_and_nothing_stays(two: Path, tmp_path: Path) -> None:
    """TS-401, TS-403: a report that anybody can check. Two schemas under one role of the server are not isolated by it,
    and the report says so."""
    before = {name: state_of(two, name)["account"] for name in ("main", "other")}
    file = tmp_path / "isolation.json"
    status = run(["environment", "prove-isolation", "main", "other", "--home", str(two), "--out", str(file)])
    report = json.loads(file.read_text())

    failed = {door["Door"]: door["Got"] for door in report["Doors"] if door["Result"] == "Failed"}
    if is_on_server(two):
        assert (status, report["Result"], set(failed)) == (1, "Failed", {"store"})
        assert "has rights there" in failed["store"]
    else:
        assert (status, report["Result"], failed) == (0, "Passed", {})
    doors = {(door["Door"], door["From"], door["To"]) for door in report["Doors"]}
    for door in ("id", "search", "audit", "token", "key", "store", "links", "pool", "back-up"):
        assert {(door, "main", "other"), (door, "other", "main")} <= doors
    assert is_signed(report)
    assert not is_signed({**report, "Result": "Passed "})
    assert {name: state_of(two, name)["account"] for name in ("main", "other")} == before


def _known(_: int) -> str:
    return "00112233445566778899aabbccddeeff"


def test_word_that_leaks_into_a_file_fails_the_proof(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TS-404"""
    monkeypatch.setattr(isolation_proof, "token_hex", _known)
    leak = two / "leak.log"
    leak.write_text("somebody logs: canary-00112233445566778899aabbccddeeff")
    try:
        report: Report = prove_isolation(opened(two), ["main", "other"], by="a test")
    finally:
        leak.unlink()

    found = [door for door in report["Doors"] if door["Door"] == "disk"]
    assert report["Result"] == "Failed"
    assert {(door["Result"], door["Got"]) for door in found} == {("Failed", "leak.log")}


def test_isolation_is_between_two_environments_of_business_data(two: Path) -> None:
    """TS-403: need-two"""
    for names in ([], ["main"], ["main", "main"]):
        with pytest.raises(InvalidRequest) as refused:
            prove_isolation(opened(two), names, by="a test")
        assert refused.value.details["reason"] == "need-two"
    with pytest.raises(InvalidRequest, match="control"):
        prove_isolation(opened(two), ["main", "control"], by="a test")


def proof(home: Path, tmp_path: Path) -> tuple[int, Report]:
    file = tmp_path / "encryption.json"
    status = run(["environment", "prove-encryption", "main", "--home", str(home), "--out", str(file)])
    return status, json.loads(file.read_text())


def test_encryption_is_proven_by_what_lies_on_disk(two: Path, tmp_path: Path) -> None:
    """TS-502, TS-503, TS-512: of PostgreSQL's own files nothing is claimed."""
    status, report = proof(two, tmp_path)

    results = {(each["File"], each["Check"]): each["Result"] for each in report["Files"]}
    assert (status, report["Result"], report["Fips"]) == (0, "Passed", False)
    assert is_signed(report)
    if is_on_server(two):
        assert results["the server's files", "encrypted at rest"] == "NotMeasurable"
    else:
        file = opened(two).database_file(opened(two).record("main")).name
        assert results[file, "does not open with the key of 'other'"] == "Passed"
        assert any("values that it holds is in clear" in check for _, check in results)
        assert "SQLCipher" in str(report["CryptoModule"])


@pytest.mark.parametrize("harm", ["key in a file", "page in clear"])
def test_what_is_in_clear_fails_the_proof(two: Path, tmp_path: Path, harm: str) -> None:
    """TS-502, TS-517"""
    found = opened(two)
    path, old = two / "notes.txt", b""
    if harm == "key in a file":
        path.write_text(f"remember: {found.keys.data_key(found.record('main').id).reveal().hex()}")
    else:
        path = Backups(found).path_of(Backups(found).listed()[0])
        old = path.read_bytes()
        path.write_bytes(old[:8192] + b"plain text of a customer " * 300 + old[8192:])
    try:
        status, report = proof(two, tmp_path)
    finally:
        path.unlink()
        if old:
            path.write_bytes(old)

    assert (status, report["Result"]) == (1, "Failed")
