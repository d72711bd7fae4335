"""An environment for random requests, in this process: an administrator, a seller, a stranger, and a few rows."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.property.requests import Drawn
from tests.property.witness import Witness

from strongroom.environment import Environment, find_user
from strongroom.environments import Environments
from strongroom.home import open_home
from strongroom.identity import TokenClaims
from strongroom.identity.conditional.gate import Verdict
from strongroom.ids import Guid, new_guid
from strongroom.schema.model import Schema
from strongroom.webapi.http import Request, Response
from strongroom.webapi.service import respond

ROOT = "http://127.0.0.1:8000/api/data/v9.2/"
_DEPTHS = {"Read": "Global", "Create": "Basic", "Write": "Local", "Append": "Basic", "AppendTo": "Global"}


@dataclass(slots=True)
class World:
    """An open environment and its people. `ids` are the rows that requests may name, by table."""

    environment: Environment
    witness: Witness
    users: dict[str, Guid] = field(default_factory=dict[str, Guid])
    ids: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    @property
    def schema(self) -> Schema:
        """The metadata as they are now."""
        with self.environment.database.read() as transaction:
            return transaction.schema

    def send(self, drawn: Drawn, user: str) -> Response:
        """The answer of the service, without a socket in between."""
        now = datetime.now(UTC)
        claims = TokenClaims(self.users[user], self.environment.id, new_guid(self.environment.clock), "", now, now)
        request = Request(
            drawn.method,
            drawn.path,
            drawn.query,
            drawn.headers,
            drawn.body,
            ROOT,
            self.environment.new_id(),
            "127.0.0.1",
        )
        return respond(self.environment, request, claims, Verdict())

    def create(self, entity_set: str, body: object) -> str:
        """A new row of the administrator's; its id."""
        sent = Drawn("POST", entity_set, "", {"content-type": "application/json"}, json.dumps(body).encode())
        answer = self.send(sent, "admin")
        assert answer.status == 204, answer.body
        return (answer.header("OData-EntityId") or "")[-37:-1]

    def post(self, path: str, body: object) -> None:
        """An action or a `$ref`, which must succeed."""
        sent = Drawn("POST", path, "", {"content-type": "application/json"}, json.dumps(body).encode())
        answer = self.send(sent, "admin")
        assert answer.status in (200, 204), answer.body


@contextmanager
def opened_world(home: Path) -> Generator[World]:
    """Open a home made by `strongroom init` and put the people and rows in."""
    opened = open_home(home)
    environments = Environments(opened)
    environment = environments.default()
    witness = Witness(opened, environment.record)
    world = World(environment, witness)
    try:
        with environment.database.read() as transaction:
            world.users["admin"] = find_user(transaction, "admin")
        _populate(world)
        yield world
    finally:
        witness.close()
        environments.close()


def _populate(world: World) -> None:
    unit = json.loads(world.send(Drawn("GET", "businessunits", "$top=1", {}, b""), "admin").body)["value"][0]
    unit_path = f"/businessunits({unit['businessunitid']})"
    world.ids = {"businessunit": [unit["businessunitid"]], "systemuser": []}
    for name in ("seller", "stranger", "victim", "other"):
        body = {
            "firstname": name,
            "lastname": "X",
            "domainname": f"{name}@x.example",
            "businessunitid@odata.bind": unit_path,
        }
        world.users[name] = Guid(world.create("systemusers", body))
    world.ids["systemuser"] += [world.users.pop("victim"), world.users.pop("other")]
    role = world.create("roles", {"name": "seller", "businessunitid@odata.bind": unit_path})
    tables = world.schema.tables
    privileges = [
        {"PrivilegeId": privilege.id, "Depth": _DEPTHS.get(right.name.title().replace("_T", "T"), "Basic")}
        for name in ("account", "contact", "task")
        for right, privilege in tables[name].privileges.items()
        if right.name is not None
    ]
    world.post(f"roles({role})/Microsoft.Dynamics.CRM.AddPrivilegesRole", {"Privileges": privileges})
    world.post(
        f"systemusers({world.users['seller']})/systemuserroles_association/$ref", {"@odata.id": f"roles({role})"}
    )
    world.ids["role"] = [world.create("roles", {"name": "spare", "businessunitid@odata.bind": unit_path})]
    administrator = {"administratorid@odata.bind": f"/systemusers({world.users['admin']})"}
    team = {"name": "team", "businessunitid@odata.bind": unit_path, "teamtype": 0, **administrator}
    world.ids["team"] = [world.create("teams", team)]
    world.ids["account"] = [world.create("accounts", {"name": f"Account {i}", "revenue": i}) for i in range(8)]
    parent = {"parentcustomerid_account@odata.bind": f"/accounts({world.ids['account'][0]})"}
    world.ids["contact"] = [world.create("contacts", {"lastname": f"Contact {i}", **parent}) for i in range(8)]
    regarding = {"regardingobjectid_account_task@odata.bind": f"/accounts({world.ids['account'][1]})"}
    world.ids["task"] = [world.create("tasks", {"subject": f"Task {i}", **regarding}) for i in range(4)]
