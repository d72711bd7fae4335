"""A served environment with an administrator, a seller of few rights and some rows, on both engines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from tests.property.witness import Witness
from tests.servers import RunningServer

from strongroom.home import open_home


@dataclass(slots=True)
class Wire:
    """A served environment as its clients see it, and a witness of what it holds."""

    server: RunningServer
    client: httpx.Client
    witness: Witness
    tokens: dict[str, str]
    account: str = ""
    contact: str = ""
    ids: dict[str, str] = field(default_factory=dict[str, str])

    def send(self, method: str, path: str, body: object = None, user: str = "admin", **more: object) -> httpx.Response:
        """One request; `body` is sent as JSON unless it is bytes already."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}"}
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        given = more.get("headers")
        headers |= {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # a keyword of any shape
        return self.client.request(method, path, content=content, headers=headers)

    def create(self, entity_set: str, body: object, user: str = "admin") -> str:
        """A new row; its id."""
        answer = self.send("POST", entity_set, body, user)
        assert answer.status_code == 204, answer.text
        return answer.headers["OData-EntityId"][-37:-1]

    def refused(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        status: int,
        code: str,
        says: tuple[str, ...],
        user: str = "admin",
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """A request that must be refused with this status, code and words, and must change nothing (WA-50, WA-53)."""
        before = self.witness.state()
        answer = self.send(method, path, body, user, headers=headers)
        after = self.witness.state()
        changed = sorted(set(after.rows) - set(before.rows))
        assert after == before, f"a refused request changed something: {changed}"
        assert answer.status_code == status, answer.text
        assert answer.headers["OData-Version"] == "4.0"
        assert answer.headers["Content-Type"].startswith("application/json; odata.metadata=minimal")
        error = answer.json()["error"]
        assert error["code"] == code, error
        assert error["message"].splitlines()[0].strip()
        for part in says:
            assert part in error["message"], error
        return answer


@pytest.fixture(scope="module")
def wire(server: RunningServer) -> Iterator[Wire]:
    """The served environment; its rows are made once for each module of tests."""
    home = open_home(Path(server.home))
    witness = Witness(home, home.default_environment())
    with httpx.Client(base_url=server.api, timeout=30) as client:
        wire = Wire(server, client, witness, {"admin": server.token()})
        _populate(wire)
        yield wire
    witness.close()


def _populate(wire: Wire) -> None:
    unit = wire.send("GET", "businessunits?$top=1").json()["value"][0]["businessunitid"]
    unit_path = f"/businessunits({unit})"
    seller = "seller." + unit[-4:] + str(wire.witness.rows("select version from stamp")[0][0])
    body = {"firstname": "S", "lastname": "X", "domainname": seller, "businessunitid@odata.bind": unit_path}
    wire.ids["seller"] = wire.create("systemusers", body)
    wire.ids["role"] = wire.create("roles", {"name": seller, "businessunitid@odata.bind": unit_path})
    privileges = [
        {
            "PrivilegeId": wire.send("GET", f"privileges?$filter=name eq '{name}'").json()["value"][0]["privilegeid"],
            "Depth": depth,
        }
        for name, depth in (
            ("prvReadAccount", "Basic"),
            ("prvCreateAccount", "Basic"),
            ("prvAppendAccount", "Basic"),
            ("prvReadContact", "Global"),
            ("prvCreateContact", "Basic"),
            ("prvWriteAccount", "Basic"),
        )
    ]
    path = f"roles({wire.ids['role']})/Microsoft.Dynamics.CRM.AddPrivilegesRole"
    assert wire.send("POST", path, {"Privileges": privileges}).status_code in (200, 204)
    path = f"systemusers({wire.ids['seller']})/systemuserroles_association/$ref"
    assert wire.send("POST", path, {"@odata.id": f"roles({wire.ids['role']})"}).status_code == 204
    wire.tokens["seller"] = wire.server.token(seller)
    wire.account = wire.create("accounts", {"name": "Contoso", "revenue": 5})
    wire.contact = wire.create("contacts", {"lastname": "Yomi"})
