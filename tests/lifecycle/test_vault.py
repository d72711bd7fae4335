"""TS-601 to TS-610: secrets that are stored sealed, given to those whom a policy lets, and written down at each use."""

import base64
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from tests.lifecycle.states import opened
from tests.servers import STRONGROOM

from strongroom.clock import iso
from strongroom.errors import AccessDenied, Conflict, InvalidRequest, NotFound
from strongroom.estate import vault as vaults
from strongroom.estate import vault_keys
from strongroom.estate.vault import MOST_BYTES, Asker
from strongroom.home import MovableClock
from strongroom.ids import Reference
from strongroom.keys import Secret
from strongroom.messages import operations
from strongroom.messages.operation import Arguments
from strongroom.opening import open_environment
from strongroom.records import NewRecord, Session, create

ADMIN = Asker("admin@home")
OTHER = Asker("robot@home")
VALUE = "pa55-Wort of a program"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A test home whose administrator has made the vault `apps` with the secret `smtp`."""
    import subprocess

    home = tmp_path_factory.mktemp("vaults") / "home"
    for command, told in (
        (("init", "--test-clock"), ""),
        (("vault", "create", "apps"), ""),
        (("vault", "set", "apps", "smtp"), f"{VALUE}\n"),
    ):
        subprocess.run(
            [STRONGROOM, *command, "--home", str(home)], input=told, text=True, check=True, capture_output=True
        )
    return home


@contextmanager
def control(home: Path, name: str = "control") -> Generator[Session]:
    """A session of the administrator on the control environment."""
    environment = open_environment(opened(home), name)
    try:
        with environment.session_of("admin", write=True) as session:
            yield session
    finally:
        environment.close()


def test_secret_is_given_by_version_and_nothing_holds_it_in_clear(home: Path) -> None:
    """TS-601, TS-602"""
    with control(home) as session:
        assert vaults.get_secret(session, "apps", "smtp", ADMIN).value == Secret(VALUE.encode())
        vaults.set_secret(session, "apps", "smtp", Secret(b"the next one"), ADMIN)
        assert vaults.get_secret(session, "apps", "smtp", ADMIN).version == 2
        assert vaults.get_secret(session, "apps", "smtp", ADMIN, 1).value == Secret(VALUE.encode())
        for table in ("vaultsecret", "vaultitemversion", "vaultaccess", "audit"):
            for row in session.transaction.rows_where(session.table(table), {}):
                assert VALUE not in repr(row.values)
        sealed = session.table("vaultitemversion").columns["sealed"]
        assert not (sealed.valid_for_read or sealed.valid_for_update or sealed.is_audited)
    for path in home.rglob("*"):
        if path.is_file():
            assert VALUE.encode() not in path.read_bytes()


def test_administrator_without_a_policy_gets_nothing(home: Path) -> None:
    """TS-603: no-vault-right"""
    with control(home) as session:
        with pytest.raises(AccessDenied) as refused:
            vaults.get_secret(session, "apps", "smtp", OTHER)
        assert refused.value.details["reason"] == "no-vault-right"
        vaults.give(session, vaults.vault_named(session, "apps"), OTHER.principal, "get", "smtp")
        vaults.get_secret(session, "apps", "smtp", OTHER)
        with pytest.raises(AccessDenied):
            vaults.set_secret(session, "apps", "smtp", Secret(b"x"), OTHER)
        with pytest.raises(AccessDenied):
            vaults.get_secret(session, "apps", "another", OTHER)
        with pytest.raises(InvalidRequest, match="'rule' is no right"):
            vaults.give(session, vaults.vault_named(session, "apps"), OTHER.principal, "get,rule")


def test_every_use_is_written_down_and_found_by_one_question(home: Path) -> None:
    """TS-610"""
    with control(home) as session:
        vaults.set_secret(session, "apps", "told", Secret(b"x"), ADMIN)
        vaults.get_secret(session, "apps", "told", Asker("admin@home", "nightly"))

        can, did = vaults.exposure(session, "apps", "told")

        assert "admin@home" in can
        assert [(each["Principal"], each["Version"]) for each in did] == [("admin@home", 1)]
        row = session.transaction.rows_where(session.table("vaultaccess"), {"name": "told"})[-1]
        assert (row.values["operation"], row.values["extension"]) == ("get", "nightly")


@pytest.mark.parametrize(
    ("name", "value"),
    [("smtp", "x" * (MOST_BYTES + 1)), ("with space", "x"), ("a" * 128, "x"), ("", "x"), ("../up", "x")],
)
def test_values_too_large_and_names_not_allowed_are_refused(home: Path, name: str, value: str) -> None:
    """TS-601: 400"""
    with control(home) as session, pytest.raises(InvalidRequest):
        vaults.set_secret(session, "apps", name, Secret(value.encode()), ADMIN)


def test_versions_hold_in_their_time_alone(home: Path) -> None:
    """TS-602: 403 secret-not-valid-now"""
    with control(home) as session:
        now = session.clock.now()
        later, before = iso(now + timedelta(hours=1)), iso(now - timedelta(hours=1))
        vaults.set_secret(session, "apps", "timed", Secret(b"x"), ADMIN, not_before=later)
        vaults.set_secret(session, "apps", "timed", Secret(b"x"), ADMIN, expires_on=before)
        vaults.set_secret(session, "apps", "timed", Secret(b"x"), ADMIN)
        vaults.disable_version(session, "apps", "timed", 3, ADMIN)
        for version in (1, 2, 3):
            with pytest.raises(AccessDenied) as refused:
                vaults.get_secret(session, "apps", "timed", ADMIN, version)
            assert refused.value.details["reason"] == "secret-not-valid-now"


def test_deleted_items_come_back_and_protected_ones_are_not_purged(home: Path) -> None:
    """TS-602"""
    with control(home) as session:
        vaults.create_vault(session, "kept", ADMIN, is_purge_protected=True)
        for vault in ("apps", "kept"):
            vaults.set_secret(session, vault, "gone", Secret(b"x"), ADMIN)
            vaults.delete_item(session, vault, "gone", ADMIN)
            with pytest.raises(NotFound):
                vaults.get_secret(session, vault, "gone", ADMIN)
            with pytest.raises(Conflict):
                vaults.set_secret(session, vault, "gone", Secret(b"y"), ADMIN)
        with pytest.raises(Conflict) as refused:
            vaults.purge_item(session, "kept", "gone", ADMIN)
        assert refused.value.details["reason"] == "purge-protected"
        vaults.recover_item(session, "kept", "gone", ADMIN)
        assert vaults.get_secret(session, "kept", "gone", ADMIN).value == Secret(b"x")
        vaults.purge_item(session, "apps", "gone", ADMIN)
        with pytest.raises(NotFound):
            vaults.recover_item(session, "apps", "gone", ADMIN)


def test_sealed_value_that_was_moved_to_another_item_does_not_open(home: Path) -> None:
    """TS-501: bound to its item and version"""
    with control(home) as session:
        vaults.set_secret(session, "apps", "one", Secret(b"1"), ADMIN)
        vaults.set_secret(session, "apps", "two", Secret(b"2"), ADMIN)
        rows = session.transaction.rows_where(session.table("vaultitemversion"), {})
        one, two = (next(row for row in rows if row.values["name"] == f"{name} 1") for name in ("one", "two"))
        session.transaction.update(one, {"sealed": two.values["sealed"]})

        with pytest.raises(Exception, match="does not open"):
            vaults.get_secret(session, "apps", "one", ADMIN)


@pytest.mark.parametrize("kind", ["RSA-2048", "EC-P256", "EC-P384"])
def test_keys_sign_inside_and_are_never_given_away(home: Path, kind: str) -> None:
    """TS-607"""
    with control(home) as session:
        name = f"sign-{kind}"
        vault_keys.create_key(session, "apps", name, kind, ADMIN)
        signature = vault_keys.sign(session, "apps", name, b"text", ADMIN)

        assert vault_keys.verify(session, "apps", name, b"text", signature, ADMIN)
        assert not vault_keys.verify(session, "apps", name, b"other", signature, ADMIN)
        row = session.transaction.rows_where(session.table("vaultitemversion"), {"name": f"{name} 1"})[0]
        assert "PRIVATE" not in repr(row.values)
        assert str(row.values["publicpart"]).startswith("-----BEGIN PUBLIC KEY-----")
        with pytest.raises(AccessDenied):
            vault_keys.sign(session, "apps", name, b"text", OTHER)


@pytest.mark.parametrize("kind", ["AES-256", "RSA-2048"])
def test_keys_wrap_and_unwrap(home: Path, kind: str) -> None:
    """TS-607"""
    with control(home) as session:
        name = f"wrap-{kind}"
        vault_keys.create_key(session, "apps", name, kind, ADMIN)
        wrapped = vault_keys.wrap_key(session, "apps", name, b"k" * 32, ADMIN)

        assert vault_keys.unwrap_key(session, "apps", name, wrapped, ADMIN) == b"k" * 32
        with pytest.raises(InvalidRequest):
            vault_keys.unwrap_key(session, "apps", name, b"\0" * len(wrapped), ADMIN)
        with pytest.raises(InvalidRequest):
            vault_keys.create_key(session, "apps", name, "DES", ADMIN)


def test_old_secrets_are_due_for_rotation(home: Path) -> None:
    """TS-605, TS-606"""
    with control(home) as session:
        vaults.set_secret(session, "apps", "ageing", Secret(b"old"), ADMIN)
        item = vaults.item_named(session, vaults.vault_named(session, "apps"), "ageing")
        session.transaction.update(item, {"rotateeverydays": 30})
        assert vaults.due_for_rotation(session) == []
        clock = session.clock
        assert isinstance(clock, MovableClock)
        clock.move_to(clock.now() + timedelta(days=31))
        assert vaults.due_for_rotation(session) == [("apps", "ageing")]
    with control(home) as session:
        assert vaults.rotate_due(session) == 1

        assert vaults.get_secret(session, "apps", "ageing", ADMIN).value != Secret(b"old")
    with control(home) as session:
        assert vaults.due_for_rotation(session) == []


def test_environment_variable_gives_the_secret_that_it_refers_to(home: Path) -> None:
    """TS-604, TS-609: resolved at run time, in another environment, and stored nowhere there."""
    asked = operations()["RetrieveEnvironmentVariableSecretValue"]
    with control(home) as session:
        vaults.set_secret(session, "apps", "api-key", Secret(b"s3cret"), ADMIN)
    with control(home, "main") as session:
        values = {"schemaname": "new_key", "displayname": "Key", "type": 100000005}
        definition = create(session, session.table("environmentvariabledefinition"), NewRecord(values))
        arguments = Arguments({"EnvironmentVariableName": "new_key"})
        with pytest.raises(Conflict) as refused:
            asked.run(session, arguments)
        assert refused.value.details["reason"] == "secret-not-mapped"
        reference = Reference("environmentvariabledefinition", definition)
        mapped = {
            "environmentvariabledefinitionid": reference,
            "schemaname": "new_key",
            "value": "vault/apps/secrets/api-key",
        }
        create(session, session.table("environmentvariablevalue"), NewRecord(mapped))

        assert asked.run(session, arguments) == {"EnvironmentVariableSecretValue": "s3cret"}

        for row in session.transaction.rows_where(session.table("environmentvariablevalue"), {}):
            assert "s3cret" not in repr(row.values)


def test_operations_take_base64(home: Path) -> None:
    known = operations()
    with control(home) as session:
        vault_keys.create_key(session, "apps", "base", "EC-P256", ADMIN)
        data = base64.b64encode(b"text").decode()
        signed = known["VaultSign"].run(session, Arguments({"Vault": "apps", "Key": "base", "Data": data}))
        assert signed is not None
        told = {"Vault": "apps", "Key": "base", "Data": data, "Signature": signed["Data"]}
        assert known["VaultVerify"].run(session, Arguments(told)) == {"Valid": True}
        with pytest.raises(InvalidRequest, match="base64"):
            known["VaultSign"].run(session, Arguments({"Vault": "apps", "Key": "base", "Data": "%%"}))
