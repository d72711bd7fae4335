"""A small company to attack, in this process: people with limited roles, and rows that are not theirs.

Units: the root with North and South below it. *Ann* (North) and *Bob* (South) sell: everything on accounts, contacts
and tasks that they own, and nothing else; *Hal* (North) looks after users, teams, roles and units of the whole
organization, but holds nothing on business tables; *Rex* (North) may read everything of the business tables; *Nobody*
has no role. Every attempt goes through `service.respond`, the same way as over a socket.
"""

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from strongroom.environment import Environment, Identity, find_user
from strongroom.environments import Environments
from strongroom.home import open_home
from strongroom.identity import TokenClaims
from strongroom.identity.conditional.gate import Verdict
from strongroom.ids import Guid, new_guid
from strongroom.records import RequestFacts, Session
from strongroom.schema.model import Rights, Schema
from strongroom.webapi.http import Request, Response
from strongroom.webapi.service import respond

ROOT = "http://127.0.0.1:8000/api/data/v9.2/"
NS = "Microsoft.Dynamics.CRM."
BUSINESS = ("account", "contact", "task", "opportunity")
PEOPLE = ("systemuser", "team", "role", "businessunit")
_NAMES = {"AppendTo": "APPEND_TO"}
RIGHTS = ("Create", "Read", "Write", "Delete", "Append", "AppendTo", "Share", "Assign")

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """An answer, read: `json` is empty when there is no JSON body."""

    response: Response
    json: Json

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def code(self) -> str | None:
        error = self.json.get("error")
        return None if error is None else str(error["code"]).lower()

    @property
    def refusal(self) -> tuple[int, str | None]:
        """Status and code, as tests compare them."""
        return self.status, self.code

    @property
    def rows(self) -> list[Json]:
        return cast("list[Json]", self.json["value"])

    @property
    def text(self) -> str:
        return self.response.body.decode()


@dataclass
class Realm:
    """An open environment, its people by name, and ids of rows by the names that tests give them."""

    environment: Environment
    people: dict[str, Guid] = field(default_factory=dict[str, Guid])
    ids: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def schema(self) -> Schema:
        with self.environment.database.read() as transaction:
            return transaction.schema

    def send(
        self,
        who: str,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request of `who`. `body` is JSON, or bytes as they are."""
        address, _, query = path.partition("?")
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json"} if body is not None else {}
        given |= {name.lower(): value for name, value in (headers or {}).items()}
        now = datetime.now(UTC)
        claims = TokenClaims(self.people[who], self.environment.id, new_guid(self.environment.clock), "", now, now)
        request = Request(
            method,
            address.replace(" ", "%20"),
            query.replace(" ", "%20"),
            given,
            sent,
            ROOT,
            self.environment.new_id(),
            "127.0.0.1",
        )
        response = respond(self.environment, request, claims, Verdict())
        is_json = (response.header("Content-Type") or "").startswith("application/json") and response.body
        read: object = json.loads(response.body) if is_json else {}
        return Answer(response, cast(Json, read) if isinstance(read, dict) else {"value": read})

    def get(self, who: str, path: str, **headers: str) -> Answer:
        """A GET of `who`; header names with underscores for hyphens."""
        return self.send(who, "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def must(self, who: str, method: str, path: str, body: object = None) -> Answer:
        """A request that has to succeed."""
        answer = self.send(who, method, path, body)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.text}"
        return answer

    def create(self, entity_set: str, body: Json, by: str = "admin") -> str:
        """A new row; its id."""
        answer = self.must(by, "POST", entity_set, body)
        return (answer.response.header("OData-EntityId") or "")[-37:-1]

    @contextmanager
    def acting_as_admin(self) -> Generator[Session]:
        """A unit of work of the administrator below the wire, for what no request would do."""
        with self.environment.session(Identity(self.people["admin"]), RequestFacts(), write=True) as session:
            yield session

    # --- people ---

    def unit(self, name: str, parent: str) -> str:
        made = self.create(
            "businessunits", {"name": name, "parentbusinessunitid@odata.bind": f"/businessunits({parent})"}
        )
        self.ids[name] = made
        return made

    def role(self, name: str, unit: str, privileges: Mapping[str, str], *, inherited: bool = True) -> str:
        """A role in `unit`; `privileges` by name (`prvReadAccount`) with depths."""
        body = {"name": name, "isinherited": int(inherited), "businessunitid@odata.bind": f"/businessunits({unit})"}
        role = self.create("roles", body)
        known = self.schema.privileges_by_name
        listed = [{"PrivilegeId": known[each].id, "Depth": depth} for each, depth in privileges.items()]
        if listed:
            self.must("admin", "POST", f"roles({role})/{NS}AddPrivilegesRole", {"Privileges": listed})
        self.ids[name] = role
        return role

    def copy_of(self, role: str, unit: str) -> str:
        """The copy of a role in a unit."""
        found = self.get(
            "admin",
            f"roles?$select=roleid&$filter=_parentrootroleid_value eq {role} and _businessunitid_value eq {unit}",
        )
        return cast(str, found.rows[0]["roleid"])

    def user(self, name: str, unit: str, *roles: str, **columns: object) -> str:
        body = {
            "firstname": name,
            "lastname": "Test",
            "domainname": f"{name}@realm.example",
            "azureactivedirectoryobjectid": new_guid(self.environment.clock),
            "businessunitid@odata.bind": f"/businessunits({unit})",
            **columns,
        }
        made = self.create("systemusers", body)
        self.people[name] = Guid(made)
        for role in roles:
            self.give(f"systemusers({made})/systemuserroles_association", role, unit)
        return made

    def team(self, name: str, unit: str, *roles: str, members: Sequence[str] = (), kind: int = 0) -> str:
        body = {
            "name": name,
            "teamtype": kind,
            "businessunitid@odata.bind": f"/businessunits({unit})",
            "administratorid@odata.bind": f"/systemusers({self.people['admin']})",
        }
        made = self.ids[name] = self.create("teams", body)
        for role in roles:
            self.give(f"teams({made})/teamroles_association", role, unit)
        for member in members:
            self.must(
                "admin",
                "POST",
                f"teams({made})/teammembership_association/$ref",
                self.ref("systemusers", self.people[member]),
            )
        return made

    def give(self, association: str, role: str, unit: str) -> None:
        """Give the copy of a role in `unit`."""
        self.must("admin", "POST", f"{association}/$ref", self.ref("roles", self.copy_of(role, unit)))

    @staticmethod
    def ref(entity_set: str, row: str) -> Json:
        """A reference as `$ref` takes it."""
        return {"@odata.id": f"{ROOT}{entity_set}({row})"}

    def share(self, table: str, row: str, user: str, mask: str, by: str = "admin") -> Answer:
        """GrantAccess to a user."""
        body = {
            "Target": {"@odata.type": f"{NS}{table}", f"{table}id": row},
            "PrincipalAccess": {
                "Principal": {"@odata.type": f"{NS}systemuser", "systemuserid": self.people[user]},
                "AccessMask": mask,
            },
        }
        return self.send(by, "POST", "GrantAccess", body)


def privileges(tables: Sequence[str], depth: str, schema: Schema, rights: Sequence[str] = RIGHTS) -> dict[str, str]:
    """The same depth for rights on tables, where the tables have them. Activities share their privileges."""
    wanted = {Rights[_NAMES.get(right, right.upper())] for right in rights}
    return {
        privilege.name: depth
        for table in tables
        for right, privilege in schema.tables[table].privileges.items()
        if right in wanted
    }


@contextmanager
def opened_realm(home: Path) -> Generator[Realm]:
    """Open a home and put the company in."""
    environments = Environments(open_home(home))
    realm = Realm(environments.default())
    try:
        with realm.environment.database.read() as transaction:
            realm.people["admin"] = find_user(transaction, "admin")
        _populate(realm)
        yield realm
    finally:
        environments.close()


def _populate(realm: Realm) -> None:
    schema = realm.schema
    root = realm.ids["root"] = realm.get("admin", "businessunits?$select=businessunitid").rows[0]["businessunitid"]
    north, south = realm.unit("north", root), realm.unit("south", root)
    seller = realm.role(
        "seller",
        root,
        privileges(BUSINESS, "Basic", schema)
        | {"prvReadUser": "Global", "prvReadTeam": "Global", "prvReadBusinessUnit": "Global"},
    )
    helper = privileges(PEOPLE, "Global", schema)
    keeper = realm.role("keeper", root, helper)
    reader = realm.role("reader", root, privileges(BUSINESS, "Global", schema, ("Read",)))
    realm.role("boss", root, privileges(BUSINESS, "Global", schema))
    realm.user("ann", north, seller)
    realm.user("bob", south, seller)
    realm.user("hal", north, keeper)
    realm.user("rex", north, reader)
    realm.user("nobody", north)
    realm.team("bosses", north, realm.ids["boss"])
    for name in ("ann", "bob"):
        owner = {"ownerid@odata.bind": f"/systemusers({realm.people[name]})"}
        realm.ids[f"account of {name}"] = realm.create(
            "accounts", {"name": f"Account of {name}", "revenue": 1000, **owner}
        )
        realm.ids[f"contact of {name}"] = realm.create("contacts", {"lastname": f"Contact of {name}", **owner})
        realm.ids[f"task of {name}"] = realm.create("tasks", {"subject": f"Task of {name}", **owner})
