"""TS-402, TS-406 to TS-413: environments by the Web API, while a server serves them."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.states import add_accounts, change, opened
from tests.servers import RunningServer, run_cli, start_server

from strongroom.lifecycle.operations import Asked, perform
from strongroom.lifecycle.proofs import is_signed


@pytest.fixture(scope="module", params=["sqlcipher", "postgresql"])
def served(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server of a home with the sandbox `main`, on each engine."""
    home = make_home(tmp_path_factory.mktemp("lives"), stores, str(request.param))
    perform(opened(home), "convert", Asked({"name": "main", "type": "sandbox"}, "a test"))
    change(home, "main", lambda environment: add_accounts(environment, "Ada"))
    running = start_server(home)
    yield running
    running.stop()


class Control:
    """The control environment over HTTP, as its administrator."""

    def __init__(self, server: RunningServer) -> None:
        self.root = f"{server.address}/e/control/api/data/v9.2/"
        headers = {"Authorization": f"Bearer {server.token(environment='control')}"}
        self.client = httpx.Client(headers=headers, timeout=60)

    def close(self) -> None:
        self.client.close()

    def environments(self) -> dict[str, dict[str, Any]]:
        """By unique name."""
        rows = self.client.get(f"{self.root}environments").json()["value"]
        return {row["uniquename"]: row for row in rows}

    def post(self, action: str, **arguments: object) -> httpx.Response:
        return self.client.post(f"{self.root}{action}", json=arguments)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(self.root + path)

    def do(self, action: str, **arguments: object) -> dict[str, Any]:
        """An operation, waited for; its row."""
        answer = self.post(action, **arguments)
        assert answer.status_code == 202, answer.text
        path = f"environmentoperations({answer.json()['OperationId']})"
        return until(lambda: self.get(path).json(), lambda row: row["result"] in (3, 4))


def until(look: Callable[[], Any], is_done: Callable[[Any], bool]) -> Any:
    """What `look` gives once that is what is waited for."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        found = look()
        if is_done(found):
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within 60 s: {look()}")


@pytest.fixture(scope="module")
def control(served: RunningServer) -> Iterator[Control]:
    found = Control(served)
    yield found
    found.close()


@pytest.fixture(scope="module")
def main(served: RunningServer) -> Iterator[httpx.Client]:
    """The administrator of `main`."""
    headers = {"Authorization": f"Bearer {served.token()}"}
    with httpx.Client(base_url=served.api, headers=headers, timeout=60) as client:
        yield client


def names(client: httpx.Client) -> list[str]:
    return sorted(row["name"] for row in client.get("accounts?$select=name").json()["value"])


def test_back_up_and_restore_by_the_web_api_while_served(control: Control, main: httpx.Client) -> None:
    """TS-408, TS-409: 202, then the row says how it went; the server itself goes on with the restored state."""
    main_id = control.environments()["main"]["environmentid"]
    told = control.do("BackupEnvironment", EnvironmentId=main_id, Label="by the API")
    assert told["result"] == 3, told
    backup = control.get("environmentbackups?$orderby=takenon desc").json()["value"][0]
    assert (backup["label"], backup["environmentname"], len(backup["sha256"])) == ("by the API", "main", 64)
    assert main.post("accounts", json={"name": "Bea"}).status_code == 204
    page = main.get("accounts?$select=name", headers={"Prefer": "odata.maxpagesize=1"}).json()["@odata.nextLink"]

    told = control.do("RestoreEnvironment", BackupId=backup["environmentbackupid"], TargetId=main_id)

    assert told["result"] == 3, told
    assert names(main) == ["Ada"]
    assert control.environments()["main"]["state"] == 3
    assert main.get(page).status_code == 400, "a page token of the state before does not go on in this one"
    assert control.do("OpenEnvironment", EnvironmentId=main_id)["result"] == 3
    told = control.do("VerifyBackup", BackupId=backup["environmentbackupid"])
    assert (told["result"], '"doubts":[]' in told["detail"]) == (3, True)
    verified = control.get(f"environmentbackups({backup['environmentbackupid']})").json()
    assert verified["verifiedon"] is not None


def test_suspended_is_closed_to_all_and_administration_mode_to_most(
    served: RunningServer, control: Control, main: httpx.Client
) -> None:
    """TS-412"""
    main_id = control.environments()["main"]["environmentid"]
    control.do("SuspendEnvironment", EnvironmentId=main_id, Message="Moving house.")
    answer = main.get("accounts")
    assert (answer.status_code, answer.json()["error"]["message"]) == (503, "Moving house.")
    assert answer.json()["error"]["innererror"]["reason"] == "environment-suspended"
    control.do("StartAdministrationMode", EnvironmentId=main_id)
    assert main.get("accounts").status_code == 200
    control.do("OpenEnvironment", EnvironmentId=main_id)
    assert main.get("accounts").status_code == 200


def test_deleted_environment_is_gone_at_once_and_comes_back_whole(
    served: RunningServer, control: Control, main: httpx.Client
) -> None:
    """TS-410"""
    main_id = control.environments()["main"]["environmentid"]
    wrong = control.post("DeleteEnvironment", EnvironmentId=main_id, Confirm="mian")
    assert (wrong.status_code, wrong.json()["error"]["innererror"]["reason"]) == (400, "confirm-name")
    before = names(main)

    control.do("DeleteEnvironment", EnvironmentId=main_id, Confirm="main")

    assert main.get("accounts").status_code in (401, 404)
    assert control.environments()["main"]["state"] == 5
    control.do("RecoverEnvironment", EnvironmentId=main_id, Confirm="main")
    assert names(main) == before


def test_environment_is_made_copied_and_destroyed_by_the_web_api(
    served: RunningServer, control: Control, main: httpx.Client
) -> None:
    """TS-406, TS-407, TS-515: new ones are files in the home, so a copy of a server's goes by export instead."""
    assert control.do("CreateEnvironment", Name="extra", Type=2)["result"] == 3
    extra = control.environments()["extra"]["environmentid"]
    taken = control.do("CreateEnvironment", Name="extra", Type=2)
    assert (taken["result"], "already" in taken["detail"]) == (4, True)
    assert control.environments()["main"]["engine"] in (1, 2)
    if control.environments()["main"]["engine"] == 1:
        main_id = control.environments()["main"]["environmentid"]
        assert control.do("CopyEnvironment", SourceId=main_id, TargetId=extra, Kind=1)["result"] == 3
        token = served.token(environment="extra")
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as client:
            there = client.get(f"{served.address}/e/extra/api/data/v9.2/accounts?$select=name").json()
        assert sorted(row["name"] for row in there["value"]) == names(main)
    assert control.do("ResetEnvironment", EnvironmentId=extra, Confirm="extra")["result"] == 3
    control.do("DeleteEnvironment", EnvironmentId=extra, Confirm="extra")

    assert control.do("PurgeEnvironment", EnvironmentId=extra, Confirm="extra")["result"] == 3

    certificate = control.get("deletioncertificates").json()["value"][0]
    assert "the key ring has no key" in certificate["document"]
    assert not list((served.home / "environments").glob("extra.db*"))
    assert not list((served.home / "backups" / extra).glob("*.backup"))


def test_production_is_no_target(control: Control) -> None:
    """TS-407: 409 production-target"""
    main_id = control.environments()["main"]["environmentid"]
    control.do("ConvertEnvironment", EnvironmentId=main_id, Type=1)
    try:
        answer = control.post("ResetEnvironment", EnvironmentId=main_id, Confirm="main")
        assert (answer.status_code, answer.json()["error"]["innererror"]["reason"]) == (409, "production-target")
    finally:
        control.do("ConvertEnvironment", EnvironmentId=main_id, Type=2)


def test_ledgers_are_changed_by_nobody(control: Control) -> None:
    """TS-003"""
    row = control.get("environmentoperations?$top=1").json()["value"][0]["environmentoperationid"]
    client = control.client
    address = control.root + f"environmentoperations({row})"

    assert client.delete(address).status_code == 403
    assert client.patch(address, json={"name": "else"}).status_code in (204, 400, 403)
    assert client.get(address).json()["name"] != "else", "columns that nobody writes are not written"
    answer = client.post(control.root + "environmentoperations", json={"name": "x"})
    assert answer.status_code == 403
    assert answer.json()["error"]["innererror"]["reason"] == "ledger-table"


def test_operations_are_not_there_in_other_environments_nor_for_others(
    served: RunningServer, main: httpx.Client
) -> None:
    """TS-001"""
    assert (
        main.post("BackupEnvironment", json={"EnvironmentId": "00000000-0000-0000-0000-000000000001"}).status_code
        == 404
    )


def test_command_line_restores_beside_the_server(served: RunningServer, main: httpx.Client) -> None:
    """TS-413: two processes, one environment."""
    run_cli("backup", "create", "--home", str(served.home))
    assert main.post("accounts", json={"name": "Cyd"}).status_code == 204

    run_cli("restore", "--backup", "newest", "--confirm", "main", "--home", str(served.home))

    run_cli("environment", "open", "main", "--home", str(served.home))
    assert "Cyd" not in names(main)
    run_cli("audit", "verify", "--home", str(served.home))


def test_proofs_are_operations_whose_rows_hold_the_signed_reports(control: Control) -> None:
    """TS-403, TS-503"""
    assert control.do("CreateEnvironment", Name="beside", Type=2)["result"] == 3
    ids = {name: row["environmentid"] for name, row in control.environments().items()}

    alone = control.post("ProveIsolation", EnvironmentIds=[ids["main"]])
    isolation = control.do("ProveIsolation", EnvironmentIds=[ids["main"], ids["beside"]])
    encryption = control.do("ProveEncryption", EnvironmentId=ids["beside"])

    assert (alone.status_code, alone.json()["error"]["innererror"]["reason"]) == (400, "need-two")
    for row in (isolation, encryption):
        report = json.loads(row["detail"])
        assert (row["result"], report["Result"]) == (3, "Passed"), row["detail"]
        assert is_signed(report)
