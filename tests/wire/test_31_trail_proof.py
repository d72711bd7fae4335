"""Heads and proofs of the trail over the Web API, and `strongroom audit`, on a served home (TS-812, TS-813)."""

import base64
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import orjson
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tests.servers import RunningServer, run_cli

from strongroom.audit.merkle import includes, is_consistent, leaf_hash
from strongroom.cli.main import run

Get = Callable[[str], httpx.Response]


@pytest.fixture
def get(server: RunningServer) -> Get:
    """Ask as the first administrator."""
    token = server.token("admin")

    def ask(path: str) -> httpx.Response:
        return httpx.get(f"{server.address}/api/data/v9.2/{path}", headers={"Authorization": f"Bearer {token}"})

    return ask


def write(server: RunningServer, name: str) -> None:
    """Create a row, which leaves an entry."""
    made = httpx.post(
        f"{server.address}/api/data/v9.2/accounts",
        json={"name": name},
        headers={"Authorization": f"Bearer {server.token('admin')}"},
    )
    assert made.status_code == 204, made.text


def head_over_all(get: Get) -> dict[str, object]:
    """The newest head once it is over everything that is in the trail; the sealer has a second."""
    counts = [get(f"{each}?$apply=aggregate($count as n)").json()["value"] for each in ("audits", "activitylogs")]
    entries = sum(found[0]["n"] for found in counts if found)
    deadline = time.monotonic() + 10
    while True:
        found = get("GetSignedTreeHead()")
        if found.status_code == 200 and found.json()["TreeSize"] >= entries:
            return found.json()
        assert time.monotonic() < deadline, found.text


def test_a_running_server_seals_by_itself_and_its_head_verifies_with_the_public_key(
    server: RunningServer, get: Get
) -> None:
    """TS-812: the head is signed over its canonical JSON; TS-814: the witness in the home has it too."""
    write(server, "Sealed")
    head = head_over_all(get)
    head.pop("@odata.context")
    signature = base64.b64decode(str(head.pop("Signature")))

    key = run_cli("audit", "key", "--home", str(server.home)).stdout.strip()
    Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(signature, rfc8785.dumps(head))  # type: ignore[arg-type]  # plain JSON
    lines = (server.home / "witness" / "main.jsonl").read_bytes().splitlines()
    assert head["TreeSize"] in [orjson.loads(line)["tree_size"] for line in lines]


def test_an_entry_is_proven_to_be_in_the_head_and_one_head_continues_another(server: RunningServer, get: Get) -> None:
    """TS-813."""
    write(server, "First")
    before = head_over_all(get)
    write(server, "Second")
    after = head_over_all(get)
    entry = get("audits?$select=auditid&$orderby=createdon desc&$top=1").json()["value"][0]["auditid"]

    proof = get(f"GetInclusionProof(AuditId={entry})").json()
    leaf = base64.b64decode(proof["Leaf"])
    path = [base64.b64decode(each) for each in proof["Path"]]
    root = base64.b64decode(str(after["RootHash"]))
    assert base64.b64decode(proof["LeafHash"]) == leaf_hash(leaf)
    assert orjson.loads(leaf)["auditid"] == entry
    assert proof["TreeSize"] == after["TreeSize"]
    assert includes(path, leaf_hash(leaf), proof["LeafIndex"], proof["TreeSize"], root)

    first, second = before["TreeSize"], after["TreeSize"]
    steps = get(f"GetConsistencyProof(From={first},To={second})").json()["Path"]
    assert is_consistent(
        [base64.b64decode(each) for each in steps],
        int(str(first)),
        int(str(second)),
        base64.b64decode(str(before["RootHash"])),
        root,
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("GetConsistencyProof(From=0,To=1)", 400),
        ("GetConsistencyProof(From=2,To=1)", 400),
        ("GetConsistencyProof(From=1,To=99999999)", 400),
        ("GetInclusionProof(Sequence=99999999)", 404),
        ("GetInclusionProof(AuditId=00000000-0000-4000-8000-000000000000)", 404),
        ("GetInclusionProof(Sequence=0,TreeSize=99999999)", 400),
        ("GetInclusionProof()", 400),
    ],
)
def test_proofs_that_cannot_be_are_refused(server: RunningServer, get: Get, path: str, status: int) -> None:
    """TS-813: `bad-range`, not sealed, neither or both names."""
    write(server, "Something")
    head_over_all(get)
    assert get(path).status_code == status


def test_the_command_line_verifies_a_live_environment_an_export_and_a_witness(
    server: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """TS-813: the export with the public key alone; a changed byte is found, and a wrong key proves nothing."""
    write(server, "Exported")
    home = ["--home", str(server.home)]
    key = run_cli("audit", "key", *home).stdout.strip()
    path = tmp_path / "trail.jsonl"

    assert run(["audit", "verify", *home]) == 0
    assert run(["audit", "export", "--out", str(path), *home]) == 0
    witness = str(server.home / "witness" / "main.jsonl")
    assert run(["audit", "verify", str(path), "--public-key", key, "--witness", witness]) == 0
    assert run(["audit", "heads", "--newest", "1", "--json", *home]) == 0
    assert "proven" in capsys.readouterr().out

    path.write_bytes(path.read_bytes().replace(b"Exported", b"Exportee"))
    assert run(["audit", "verify", str(path), "--public-key", key]) == 1
    assert "was changed" in capsys.readouterr().out
    other = base64.b64encode(bytes(range(32))).decode()
    assert run(["audit", "verify", str(path), "--public-key", other]) == 1
    assert run(["audit", "verify", str(path), "--public-key", "no key"]) == 2
    assert run(["audit", "verify", str(path)]) == 2
    assert run(["audit", "export", "--out", str(path), *home]) == 2
