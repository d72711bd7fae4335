"""R10, SM-4: a change of access is in force for every request that starts after its answer, in every process.

A server of two processes; two readers ask for a row without a pause while an administrator gives access to it and
takes it away in random ways. A reading that began after a revocation was answered must not show the row; readings
under way at that moment may.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.security.realm import NS
from tests.servers import RunningServer, start_server

ROUNDS = int(os.environ.get("STRONGROOM_RACE_ROUNDS", "20"))


@pytest.fixture
def server(engine: str, stores: Stores, tmp_path: Path) -> Iterator[RunningServer]:
    running = start_server(make_home(tmp_path, stores, engine), "--workers", "2")
    yield running
    running.stop()


@dataclass
class Company:
    """Ann, who reads; Bob, whose account it is; and all the ways in which Ann may come to see it."""

    http: httpx.Client
    ids: dict[str, str] = field(default_factory=dict[str, str])

    def must(self, method: str, path: str, body: object = None) -> httpx.Response:
        answer = self.http.request(method, path, json=body)
        assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def create(self, name: str, entity_set: str, body: dict[str, Any]) -> str:
        made = self.ids[name] = self.must("POST", entity_set, body).headers["OData-EntityId"][-37:-1]
        return made

    def rows(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.must("GET", path).json()["value"]
        return found

    def ref(self, entity_set: str, name: str) -> dict[str, str]:
        return {"@odata.id": f"{self.http.base_url}{entity_set}({self.ids[name]})"}

    def fill(self) -> None:
        """People, roles and the account. Ann holds Read at Basic, so that whatever reaches the row is enough."""
        top = self.rows("businessunits?$select=businessunitid")[0]["businessunitid"]
        unit = self.create(
            "unit", "businessunits", {"name": "N", "parentbusinessunitid@odata.bind": f"/businessunits({top})"}
        )
        here = {"businessunitid@odata.bind": f"/businessunits({unit})"}
        read = self.rows("privileges?$select=privilegeid&$filter=name eq 'prvReadAccount'")[0]["privilegeid"]
        for name, depth in (("basic", "Basic"), ("wide", "Global")):
            role = self.create(name, "roles", {"name": name, **here})
            privileges = {"Privileges": [{"PrivilegeId": read, "Depth": depth}]}
            self.must("POST", f"roles({role})/{NS}AddPrivilegesRole", privileges)
        for name in ("ann", "bob"):
            body = {"firstname": name, "lastname": "R", "domainname": f"{name}@race.example", **here}
            user = self.create(name, "systemusers", body)
            self.must("POST", f"systemusers({user})/systemuserroles_association/$ref", self.ref("roles", "basic"))
        admin = self.must("GET", "WhoAmI").json()["UserId"]
        self.create(
            "team",
            "teams",
            {"name": "T", "teamtype": 1, "administratorid@odata.bind": f"/systemusers({admin})", **here},
        )
        owner = {"ownerid@odata.bind": f"/systemusers({self.ids['bob']})"}
        self.create("account", "accounts", {"name": "hidden", **owner})
        self.ids["organization"] = self.rows("organizations?$select=organizationid")[0]["organizationid"]
        self.must("PATCH", f"organizations({self.ids['organization']})", {"ishierarchicalsecuritymodelenabled": True})
        self._access("GrantAccess", "team", "team")

    def _access(self, message: str, table: str, name: str) -> None:
        target = {"@odata.type": f"{NS}account", "accountid": self.ids["account"]}
        principal = {"@odata.type": f"{NS}{table}", f"{table}id": self.ids[name]}
        body: dict[str, Any] = {"Target": target}
        if message == "RevokeAccess":
            body["Revokee"] = principal
        else:
            body["PrincipalAccess"] = {"Principal": principal, "AccessMask": "ReadAccess"}
        self.must("POST", message, body)

    def share(self, on: bool) -> None:
        """A share with Ann."""
        self._access("GrantAccess" if on else "RevokeAccess", "systemuser", "ann")

    def team(self, on: bool) -> None:
        """Ann in an access team that the row is shared with."""
        body = {"Members": [{"@odata.type": f"{NS}systemuser", "systemuserid": self.ids["ann"]}]}
        self.must("POST", f"teams({self.ids['team']})/{NS}{'Add' if on else 'Remove'}MembersTeam", body)

    def role(self, on: bool) -> None:
        """A role that reaches everything."""
        path = f"systemusers({self.ids['ann']})/systemuserroles_association"
        if on:
            self.must("POST", f"{path}/$ref", self.ref("roles", "wide"))
        else:
            self.must("DELETE", f"{path}({self.ids['wide']})/$ref")

    def depth(self, on: bool) -> None:
        """More depth in the role that Ann holds."""
        read = self.rows("privileges?$select=privilegeid&$filter=name eq 'prvReadAccount'")[0]["privilegeid"]
        body = {"Privileges": [{"PrivilegeId": read, "Depth": "Global" if on else "Basic"}]}
        self.must("POST", f"roles({self.ids['basic']})/{NS}AddPrivilegesRole", body)

    def hierarchy(self, on: bool) -> None:
        """Ann as Bob's manager."""
        path = f"systemusers({self.ids['bob']})"
        if on:
            self.must("PATCH", path, {"parentsystemuserid@odata.bind": f"/systemusers({self.ids['ann']})"})
        else:
            self.must("DELETE", f"{path}/parentsystemuserid/$ref")

    def owner(self, on: bool) -> None:
        """The account assigned to Ann."""
        body = {"ownerid@odata.bind": f"/systemusers({self.ids['ann' if on else 'bob']})"}
        self.must("PATCH", f"accounts({self.ids['account']})", body)

    def user(self, on: bool) -> None:
        """Ann disabled, with the row shared."""
        if on:
            self.share(on)
        else:
            self.must("PATCH", f"systemusers({self.ids['ann']})", {"isdisabled": True})

    def unit(self, on: bool) -> None:
        """Ann's business unit disabled, with the row shared."""
        if on:
            self.share(on)
        else:
            self.must("PATCH", f"businessunits({self.ids['unit']})", {"isdisabled": True})

    def after(self) -> None:
        """Everything as at the beginning."""
        self.must("PATCH", f"systemusers({self.ids['ann']})", {"isdisabled": False})
        self.must("PATCH", f"businessunits({self.ids['unit']})", {"isdisabled": False})
        self.share(on=False)


@dataclass
class Reader:
    """Asks for the row again and again; `seen` holds when each reading that showed it began and ended."""

    http: httpx.Client
    account: str
    seen: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    readings: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        paths = (f"accounts({self.account})", "accounts?$select=name", "accounts/$count")
        while not self.stopped.is_set():
            for path in paths:
                began = time.monotonic()
                answer = self.http.get(path)
                is_count = path.endswith("$count") and answer.status_code == 200 and answer.text.lstrip("\ufeff") != "0"
                if "hidden" in answer.text or is_count:
                    self.seen.append((began, time.monotonic()))
                self.readings += 1


def test_no_reading_that_begins_after_a_revocation_shows_the_row(server: RunningServer) -> None:
    chance = random.Random(10)
    admin = httpx.Client(base_url=server.api, headers={"Authorization": f"Bearer {server.token()}"}, timeout=30)
    company = Company(admin)
    company.fill()
    token = {"Authorization": f"Bearer {server.token('ann@race.example')}"}
    readers = [
        Reader(httpx.Client(base_url=server.api, headers=token, timeout=30), company.ids["account"]) for _ in range(2)
    ]
    threads = [threading.Thread(target=reader.run) for reader in readers]
    for thread in threads:
        thread.start()
    ways: tuple[Callable[[bool], None], ...] = (
        company.share,
        company.team,
        company.role,
        company.depth,
        company.hierarchy,
        company.owner,
        company.user,
        company.unit,
    )
    closed: list[tuple[str, float, float]] = []
    try:
        for _ in range(ROUNDS):
            way = chance.choice(ways)
            way(True)
            _wait_for_readings(readers)
            way(False)
            revoked = time.monotonic()
            _wait_for_readings(readers)
            closed.append((way.__name__, revoked, time.monotonic()))
            company.after()
    finally:
        for reader in readers:
            reader.stopped.set()
        for thread in threads:
            thread.join()
        for client in (admin, *(reader.http for reader in readers)):
            client.close()
    # A reading that ends after `until` may have been answered when access was there again.
    late = [
        (name, began - revoked)
        for reader in readers
        for began, ended in reader.seen
        for name, revoked, until in closed
        if revoked < began and ended < until
    ]
    assert not late
    assert all(reader.seen for reader in readers), "the row was never seen: the test shows nothing"


def _wait_for_readings(readers: list[Reader]) -> None:
    """Until every reader has made a full round that began after now."""
    goals = [reader.readings + 6 for reader in readers]
    deadline = time.monotonic() + 30
    while any(reader.readings < goal for reader, goal in zip(readers, goals, strict=True)):
        assert time.monotonic() < deadline, "the readers stand still"
        time.sleep(0.002)
