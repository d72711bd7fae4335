"""TS-504, TS-407 to TS-409, TS-2102: encrypted columns in back-ups, copies and exports, and under keys that change."""

import json
import zipfile
from pathlib import Path

import httpx
import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.states import change, opened
from tests.servers import run_cli, start_server

from strongroom.environment import Environment
from strongroom.opening import open_environment
from strongroom.records import NewRecord, create
from strongroom.store.column_keys import MARK

PHONE = "+49 151 000 7421"


@pytest.fixture
def home(tmp_path: Path, stores: Stores, engine: str) -> Path:
    """A home on either engine with one contact, whose mobile phone is encrypted."""
    made = make_home(tmp_path, stores, engine)
    run_cli("keys", "columns", "encrypt", "contact", "mobilephone", "--home", str(made))
    change(made, "main", _add)
    return made


def _add(environment: Environment) -> None:
    with environment.session_of("admin", write=True) as session:
        create(session, session.table("contact"), NewRecord({"lastname": "Ann", "mobilephone": PHONE}))


def phones(home: Path, name: str) -> list[object]:
    """What is read of the column."""
    environment = open_environment(opened(home), name)
    try:
        with environment.database.read() as transaction:
            rows = transaction.rows_where(transaction.schema.tables["contact"], {})
        return [row.values["mobilephone"] for row in rows]
    finally:
        environment.close()


def proved(home: Path, name: str) -> None:
    """The stored bytes are sealed, all of them, and open."""
    told = json.loads(run_cli("keys", "columns", "verify", "--json", "-e", name, "--home", str(home)).stdout)
    assert [(each["Sealed"], each["Plain"], each["Broken"]) for each in told] == [(1, 0, 0)]


def test_backups_and_copies_open_where_they_are_put(home: Path, stores: Stores, engine: str) -> None:
    """TS-408, TS-409, TS-407: column keys are taken over by the environment that a state comes to."""
    run_cli("backup", "create", "-e", "main", "--home", str(home))
    database = ("--database", str(stores.empty_place(engine))) if engine == "postgresql" else ()
    run_cli("restore", "--backup", "newest", "--to", "again", *database, "--home", str(home))
    database = ("--database", str(stores.empty_place(engine))) if engine == "postgresql" else ()
    run_cli("environment", "copy", "main", "twin", *database, "--home", str(home))
    run_cli("backup", "verify", "newest", "--home", str(home))

    for name in ("main", "again", "twin"):
        assert phones(home, name) == [PHONE]
        proved(home, name)
    run_cli("keys", "rotate", "--home", str(home))
    assert phones(home, "twin") == [PHONE]
    run_cli("check", "--home", str(home))


def test_an_export_is_in_plain_and_comes_back_encrypted_on_the_other_engine(
    home: Path, stores: Stores, engine: str, tmp_path: Path
) -> None:
    """TS-2101, TS-2102: open formats for the owner; sealed again where it is imported, with the trail's values."""
    run_cli("export", "--everything", str(tmp_path / "all.zip"), "--home", str(home))
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        (contacts,) = (name for name in archive.namelist() if name.endswith("/contact.jsonl"))
        assert PHONE in archive.read(contacts).decode()
        (trail,) = (name for name in archive.namelist() if name.endswith("/audit.jsonl"))
        assert PHONE not in archive.read(trail).decode()
        assert MARK in archive.read(trail).decode()
    database = ("--database", str(stores.empty_place("postgresql"))) if engine == "sqlcipher" else ()
    run_cli("import", "--everything", str(tmp_path / "all.zip"), "--to", "there", *database, "--home", str(home))

    assert phones(home, "there") == [PHONE]
    proved(home, "there")
    run_cli("audit", "verify", "-e", "there", "--home", str(home))


def test_a_running_server_encrypts_and_gives_back_in_plain_by_the_web_api(home: Path) -> None:
    """TS-504: by actions, while the column is read; the store is proved by a function."""
    server = start_server(home)
    try:
        with httpx.Client(base_url=server.api, headers={"Authorization": f"Bearer {server.token()}"}) as api:
            row = {"lastname": "Bea", "emailaddress1": "bea@example.com"}
            assert api.post("contacts", json=row).status_code == 204
            about = {"Table": "contact", "Column": "emailaddress1"}
            assert api.post("EncryptColumn", json=about).status_code == 204

            found = api.get("contacts?$select=emailaddress1,mobilephone&$orderby=lastname").json()["value"]
            assert [(each["emailaddress1"], each["mobilephone"]) for each in found] == [
                (None, PHONE),
                (row["emailaddress1"], None),
            ]
            refused = api.get("contacts?$filter=emailaddress1 eq 'bea@example.com'")
            assert refused.status_code == 400
            assert "is encrypted" in refused.json()["error"]["message"]
            attribute = (
                "EntityDefinitions(LogicalName='contact')/Attributes(LogicalName='emailaddress1')?$select=IsEncrypted"
            )
            assert api.get(attribute).json()["IsEncrypted"] is True
            assert api.post("RotateColumnKey", json=about).status_code == 204
            told = api.get("VerifyEncryption()").json()
            assert told["IsProved"] is True
            assert {each["Column"] for each in told["Columns"]} == {"emailaddress1", "mobilephone"}

            assert api.post("DecryptColumn", json=about).status_code == 204
            found = api.get("contacts?$filter=emailaddress1 eq 'BEA@example.com'&$select=emailaddress1").json()["value"]
            assert [each["emailaddress1"] for each in found] == [row["emailaddress1"]]
            listed = api.get("RetrieveEncryptedColumns()").json()["Columns"]
            assert {each["Column"]: each["State"] for each in listed} == {
                "emailaddress1": "retired",
                "mobilephone": "active",
            }
    finally:
        server.stop()
