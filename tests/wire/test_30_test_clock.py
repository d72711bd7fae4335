"""The clock of a test home over the Web API and on the command line (TS-006)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from tests.servers import RunningServer, run_cli, start_server
from tests.wire.client import Api

from strongroom.cli.main import run
from strongroom.home import open_home


@pytest.fixture(scope="module")
def test_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A served test home."""
    home = tmp_path_factory.mktemp("moved") / "home"
    run_cli("init", "--home", str(home), "--test-clock")
    running = start_server(home)
    yield running
    running.stop()


def move(server: RunningServer, environment: str, now: str) -> httpx.Response:
    """Call the action as the first administrator of an environment."""
    token = run_cli("token", "--home", str(server.home), "--user", "admin", "-e", environment).stdout.strip()
    return httpx.post(
        f"{server.address}/e/{environment}/api/data/v9.2/SetTestClock",
        json={"Now": now},
        headers={"Authorization": f"Bearer {token}"},
    )


def test_an_administrator_of_the_control_environment_moves_the_clock_ahead_and_never_back(
    test_home: RunningServer,
) -> None:
    """TS-006: every process of the home follows at once; an earlier time is 400 `clock-backwards`."""
    clock = open_home(test_home.home).clock
    ahead = (clock.now() + timedelta(days=30)).replace(microsecond=0)

    moved = move(test_home, "control", ahead.isoformat())
    back = move(test_home, "control", (ahead - timedelta(days=1)).isoformat())
    bad = move(test_home, "control", "tomorrow")

    assert moved.status_code == 200, moved.text
    assert datetime.fromisoformat(moved.json()["Now"]) - ahead < timedelta(minutes=1)
    assert timedelta(0) <= clock.now() - ahead < timedelta(minutes=1)
    assert (back.status_code, back.json()["error"]["code"]) == (400, "clock-backwards")
    assert bad.status_code == 400


def test_jobs_that_became_due_are_run_before_it_answers(test_home: RunningServer) -> None:
    """TS-006: `JobsRun` says how many; a job that comes again runs once, however far the clock went."""
    with httpx.Client() as http:
        run_jobs_by_moving(test_home, Api(test_home.api, test_home.token(), http))


def run_jobs_by_moving(test_home: RunningServer, api: Api) -> None:
    """Two jobs, before and after their time. A token does not outlive the moves."""
    now = open_home(test_home.home).clock.now()
    account = api.new("accounts", {"name": "To be deleted"})
    query = {"EntityName": "account", "Criteria": {"Conditions": [condition("name", "To be deleted")]}}
    once = {"JobName": "Once", "QuerySet": [query], "StartDateTime": (now + timedelta(hours=2)).isoformat()}
    daily = {**once, "JobName": "Daily", "RecurrencePattern": "FREQ=DAILY;INTERVAL=1;"}
    jobs = [api.send("POST", "BulkDelete", body).json()["JobId"] for body in (once, daily)]
    early = move(test_home, "control", (now + timedelta(hours=1)).isoformat())
    api.token = test_home.token()
    assert [api.get(f"asyncoperations({job})?$select=statecode")["statecode"] for job in jobs] == [1, 1]

    late = move(test_home, "control", (now + timedelta(days=9)).isoformat())

    api.token = test_home.token()
    assert (early.json()["JobsRun"], late.json()["JobsRun"]) == (0, 2)
    assert [api.get(f"asyncoperations({job})?$select=statecode")["statecode"] for job in jobs] == [3, 3]
    api.refused("GET", f"accounts({account})", status=404)
    (following,) = api.rows("asyncoperations?$select=name,postponeuntil&$filter=statecode eq 1")
    assert (following["name"], following["postponeuntil"] > late.json()["Now"]) == ("Daily", True)


def condition(column: str, value: str) -> dict[str, object]:
    """A ConditionExpression."""
    return {"AttributeName": column, "Operator": "Equal", "Values": [value]}


def test_a_business_environment_and_an_ordinary_home_have_no_such_action(
    test_home: RunningServer, server: RunningServer
) -> None:
    """TS-006: 404, and no command moves an ordinary home."""
    later = "2099-01-01T00:00:00Z"

    assert move(test_home, "main", later).status_code == 404
    assert move(server, "control", later).status_code == 404
    assert run(["clock", "set", later, "--home", str(server.home)]) == 2
    assert open_home(server.home).clock.now() - datetime.now(UTC) < timedelta(minutes=1)


def test_a_test_home_says_so_where_its_health_is_asked(test_home: RunningServer, server: RunningServer) -> None:
    """TS-006: `"testclock": true`."""
    assert httpx.get(f"{test_home.address}/healthz").json()["testclock"] is True
    assert "testclock" not in httpx.get(f"{server.address}/healthz").text


def test_the_command_line_shows_and_moves_the_clock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """TS-006: `strongroom clock`, and what it refuses."""
    home = tmp_path / "home"
    run_cli("init", "--home", str(home), "--test-clock")

    assert run(["clock", "set", "2099-05-01T10:15:00Z", "--home", str(home)]) == 0
    assert run(["clock", "--home", str(home)]) == 0
    assert "2099-05-01T10:15" in capsys.readouterr().out
    assert run(["clock", "set", "2098-05-01T10:15:00Z", "--home", str(home)]) == 2
    assert "forward only" in capsys.readouterr().err
    assert run(["clock", "set", "soon", "--home", str(home)]) == 2
