"""TS-506: who has the environments has not their keys, and the reverse; neither reads rows."""

from collections.abc import Iterator

import httpx
import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.states import change, opened
from tests.servers import RunningServer, run_cli, start_server

from strongroom.environment import Environment
from strongroom.estate.roles import ENVIRONMENT_ADMINISTRATOR, KEY_ADMINISTRATOR
from strongroom.opening import ledger_in

_NOBODY = "00000000-0000-0000-0000-00000000abcd"
_OF_ENVIRONMENTS: dict[str, dict[str, object]] = {
    "CreateEnvironment": {"Name": "fresh", "Type": 2},
    "CopyEnvironment": {"SourceId": _NOBODY, "TargetId": _NOBODY, "Kind": 1},
    "BackupEnvironment": {"EnvironmentId": _NOBODY},
    "VerifyBackup": {"BackupId": _NOBODY},
    "RestoreEnvironment": {"BackupId": _NOBODY, "TargetId": _NOBODY},
    "ResetEnvironment": {"EnvironmentId": _NOBODY, "Confirm": "main"},
    "DeleteEnvironment": {"EnvironmentId": _NOBODY, "Confirm": "main"},
    "RecoverEnvironment": {"EnvironmentId": _NOBODY, "Confirm": "main"},
    "PurgeEnvironment": {"EnvironmentId": _NOBODY, "Confirm": "main"},
    "ConvertEnvironment": {"EnvironmentId": _NOBODY, "Type": 2},
    "MoveEnvironment": {"EnvironmentId": _NOBODY, "RegionId": "eu"},
    "SuspendEnvironment": {"EnvironmentId": _NOBODY},
    "StartAdministrationMode": {"EnvironmentId": _NOBODY},
    "OpenEnvironment": {"EnvironmentId": _NOBODY},
    "ProveIsolation": {"EnvironmentIds": [_NOBODY, _NOBODY]},
}
_OF_KEYS: dict[str, dict[str, object]] = {
    "AssignCustomerKeys": {"EnvironmentId": _NOBODY, "KeyReferenceIds": []},
    "RotateKey": {"KeyReferenceId": _NOBODY},
    "RevokeKey": {"KeyReferenceId": _NOBODY},
    "RestoreKeyAccess": {"KeyReferenceId": _NOBODY},
    "ProveEncryption": {"EnvironmentId": _NOBODY},
}


@pytest.fixture(scope="module")
def served(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    home = make_home(tmp_path_factory.mktemp("duties"), stores, "sqlcipher")
    for user, role in (("eva", ENVIRONMENT_ADMINISTRATOR), ("kim", KEY_ADMINISTRATOR)):
        run_cli("users", "add", user, "--home", str(home), "-e", "control", "--role", role)
    running = start_server(home)
    yield running
    running.stop()


def as_user(served: RunningServer, user: str) -> httpx.Client:
    token = served.token(user, environment="control")
    return httpx.Client(
        base_url=f"{served.address}/e/control/api/data/v9.2/",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )


@pytest.mark.parametrize(
    ("user", "own", "others"), [("eva", _OF_ENVIRONMENTS, _OF_KEYS), ("kim", _OF_KEYS, _OF_ENVIRONMENTS)]
)
def test_each_of_the_two_roles_does_its_own_and_nothing_of_the_other(
    served: RunningServer, user: str, own: dict[str, dict[str, object]], others: dict[str, dict[str, object]]
) -> None:
    """TS-506: 403 before anything is said of what is there; an own operation gets as far as to miss its object."""
    with as_user(served, user) as client:
        for name, body in own.items():
            answer = client.post(name, json=body)
            assert answer.status_code in (202, 400, 404), (name, answer.text)
        for name, body in others.items():
            answer = client.post(name, json=body)
            assert answer.status_code == 403, (name, answer.text)


@pytest.mark.parametrize(
    ("user", "readable", "closed"),
    [
        ("eva", ("environments", "environmentbackups", "environmentoperations"), ("keyreferences", "keyoperations")),
        ("kim", ("keyreferences", "keyoperations", "environmentoperations"), ("environments", "environmentbackups")),
    ],
)
def test_each_reads_what_is_of_its_duty_and_no_rows(
    served: RunningServer, user: str, readable: tuple[str, ...], closed: tuple[str, ...]
) -> None:
    """TS-506"""
    with as_user(served, user) as client:
        for name in readable:
            assert client.get(name).status_code == 200, name
        for name in (*closed, "accounts", "contacts", "systemusers", "roles", "keyvaults", "vaultsecrets", "audits"):
            assert client.get(name).status_code == 403, name
        assert client.post("accounts", json={"name": "x"}).status_code == 403


def test_operations_of_both_lists_are_all_that_there_are(served: RunningServer) -> None:
    """A new operation on environments or keys is in one of the two duties."""
    from strongroom.messages.environments import OPERATIONS

    assert {operation.name for operation in OPERATIONS} == _OF_ENVIRONMENTS.keys() | _OF_KEYS.keys()


def test_home_from_before_the_roles_gets_them_when_it_is_opened(served: RunningServer) -> None:
    """TS-506"""
    home = served.home

    def remove(environment: Environment) -> None:
        with ledger_in(environment).writing() as session:
            table = session.table("role")
            rows = session.transaction.rows_where(table, {"name": KEY_ADMINISTRATOR})
            assert rows
            session.transaction.delete(table, rows)

    change(home, "control", remove)
    found: list[int] = []

    def look(environment: Environment) -> None:
        with environment.database.read() as transaction:
            found.append(len(transaction.rows_where(transaction.schema.tables["role"], {"name": KEY_ADMINISTRATOR})))

    change(home, "control", look)
    assert found == [1]
    assert opened(home)
