"""TS-401, TS-402, TS-404: nothing of one environment is reached from another one, through any door: with its tokens,
ids, page and change tokens, file tokens and addresses; and nothing of it is in the other's files."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.engines import Stores
from tests.homes import make_home
from tests.lifecycle.states import opened
from tests.servers import RunningServer, run_cli, start_server

from strongroom.lifecycle.operations import Asked, perform

CANARY = f"canary-{secrets.token_hex(8)}"


@dataclass(frozen=True, slots=True)
class Side:
    """One environment over HTTP."""

    name: str
    root: str
    token: str
    client: httpx.Client

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(self.root + path, headers=headers)


@dataclass(frozen=True, slots=True)
class World:
    """Two environments of one home; `own` holds the canary in an account, a note's file and an account's child."""

    server: RunningServer
    own: Side
    other: Side
    account: str
    note: str


@pytest.fixture(scope="module", params=["sqlcipher", "postgresql"])
def world(request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = make_home(tmp_path_factory.mktemp("isolated"), stores, str(request.param))
    database = None
    if request.param == "postgresql":
        from strongroom.keys import Secret

        database = Secret(opened(home).database_address(opened(home).record("main")).reveal())
    perform(opened(home), "create", Asked({"name": "other", "type": "sandbox"}, "a test", database))
    server = start_server(home)
    clients: list[httpx.Client] = []

    def side(name: str) -> Side:
        token = server.token(environment=name)
        client = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=60)
        clients.append(client)
        return Side(name, f"{server.address}/e/{name}/api/data/v9.2/", token, client)

    own, other = side("main"), side("other")
    account = _made(own, "accounts", {"name": CANARY})
    _made(own, "accounts", {"name": f"{CANARY} 2"})
    note = _made(own, "annotations", {"subject": CANARY, "filename": "a.txt", "documentbody": "Y2FuYXJ5"})
    yield World(server, own, other, account, note)
    for client in clients:
        client.close()
    server.stop()


def _made(side: Side, entity_set: str, body: dict[str, Any]) -> str:
    answer = side.client.post(side.root + entity_set, json=body)
    assert answer.status_code == 204, answer.text
    return answer.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")


def _doors(side: Side) -> list[str]:
    """Every entity set, and a function or two, as `$metadata` and the service document list them."""
    listed = [entry["url"] for entry in side.get("").json()["value"]]
    return [*listed, "WhoAmI", "$metadata", "EntityDefinitions", "RetrieveVersion()", "$batch"]


def test_token_of_one_environment_opens_no_door_of_another(world: World) -> None:
    """TS-402: 401 everywhere, before anything is said of what is there."""
    with httpx.Client(headers={"Authorization": f"Bearer {world.own.token}"}, timeout=60) as stranger:
        for door in _doors(world.other):
            for method in ("GET", "POST", "PATCH", "DELETE"):
                answer = stranger.request(method, world.other.root + door)
                assert answer.status_code == 401, (method, door)
        host = world.server.address.replace("127.0.0.1", "other.localhost")
        answer = stranger.get(world.server.address + "/api/data/v9.2/WhoAmI", headers={"Host": host.partition("//")[2]})
        assert answer.status_code == 401


def test_ids_of_one_environment_are_unknown_in_another(world: World) -> None:
    """TS-402: 404, whatever is done with them."""
    row = f"accounts({world.account})"
    client, root = world.other.client, world.other.root
    assert world.own.get(row).status_code == 200
    for answer in (
        client.get(root + row),
        client.get(f"{root}{row}/name"),
        client.get(f"{root}{row}/Account_Annotation"),
        client.patch(root + row, json={"name": "x"}, headers={"If-Match": "*"}),
        client.delete(root + row),
        client.get(f"{root}annotations({world.note})/documentbody"),
        client.post(f"{root}GrantAccess", json=_grant(world)),
    ):
        assert answer.status_code in (400, 404), (answer.request.url, answer.status_code, answer.text)
        assert CANARY not in answer.text
    history = f"RetrieveRecordChangeHistory(Target=@t)?@t={{'@odata.id':'{row}'}}"
    assert world.own.get(history).json()["AuditDetailCollection"]["AuditDetails"] != []
    assert world.other.get(history).json()["AuditDetailCollection"]["AuditDetails"] == []
    assert world.own.get(row).json()["name"] == CANARY


def _grant(world: World) -> dict[str, Any]:
    target = {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": world.account}
    principal = {"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": world.account}
    return {"Target": target, "PrincipalAccess": {"Principal": principal, "AccessMask": "ReadAccess"}}


@pytest.mark.parametrize("is_absolute", [False, True])
def test_lookups_and_references_do_not_cross(world: World, is_absolute: bool) -> None:
    """TS-402"""
    client, root = world.other.client, world.other.root
    place = f"{world.own.root if is_absolute else '/'}accounts({world.account})"
    bound = client.post(f"{root}contacts", json={"lastname": "x", "parentcustomerid_account@odata.bind": place})
    mine = _made(world.other, "accounts", {"name": "mine"})
    tied = client.post(f"{root}accounts({mine})/contact_customer_accounts/$ref", json={"@odata.id": place})

    for answer in (bound, tied):
        assert answer.status_code in (400, 404), answer.text


def test_parts_of_a_batch_stay_in_its_environment(world: World) -> None:
    """TS-402: a part with the absolute address of another environment"""
    body = (
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        f"GET {world.own.root}accounts({world.account}) HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n--b--\r\n"
    )
    headers = {"Content-Type": "multipart/mixed; boundary=b"}

    answer = world.other.client.post(world.other.root + "$batch", content=body, headers=headers)

    assert CANARY not in answer.text
    assert "HTTP/1.1 200" not in answer.text


def test_page_and_change_tokens_hold_in_their_environment_alone(world: World) -> None:
    """TS-402: links are signed with a key of the environment."""
    first = world.own.get("accounts?$select=name", Prefer="odata.maxpagesize=1").json()
    changes = world.own.get("accounts?$select=name", Prefer="odata.track-changes").json()
    for link in (first["@odata.nextLink"], changes["@odata.deltaLink"]):
        assert world.own.client.get(link).status_code == 200
        crossed = link.replace(world.own.root, world.other.root)
        assert crossed != link

        answer = world.other.client.get(crossed)

        assert answer.status_code in (400, 410, 412), answer.text
        assert CANARY not in answer.text


def test_searching_finds_nothing_of_the_other(world: World) -> None:
    """TS-403: filter, FetchXML, SQL, audit, aggregates"""
    condition = f"<filter><condition attribute='name' operator='like' value='{CANARY}%'/></filter>"
    fetch = f"<fetch><entity name='account'>{condition}</entity></fetch>"
    doors = (
        f"accounts?$filter=startswith(name,'{CANARY}')",
        f"accounts?fetchXml={fetch}",
        f"accounts?sql=select name from account where name like '{CANARY}%'",
        f"annotations?$filter=subject eq '{CANARY}'",
        f"audits?$filter=_objectid_value eq {world.account}",
    )
    for door in doors:
        there, here = world.own.get(door), world.other.get(door)
        assert here.status_code == there.status_code
        if there.status_code == 200:
            assert len(there.json()["value"]) > 0, door
            assert here.json()["value"] == [], door


def test_console_cookie_and_token_end_at_the_environment(world: World) -> None:
    """TS-402: a made-up or foreign session is none"""
    with httpx.Client(timeout=60, cookies={"session": world.own.token}) as client:
        answer = client.get(f"{world.server.address}/console/other/", follow_redirects=False)
    assert answer.status_code in (302, 303, 307, 401, 404)
    assert CANARY not in answer.text


def test_canary_is_in_no_file_of_the_home_in_clear(world: World) -> None:
    """TS-404: not in the other's store, not in a log, not in anything that lies about"""
    run_cli("backup", "create", "-e", "main", "--home", str(world.server.home))
    files: list[Path] = [path for path in world.server.home.rglob("*") if path.is_file()]
    for path in [*files, world.server.log]:
        assert CANARY.encode() not in path.read_bytes(), path


def test_each_environment_has_its_own_keys(world: World) -> None:
    """TS-401"""
    home = opened(world.server.home)
    ids = [record.id for record in home.environments()]
    keys = [home.keys.data_key(each).reveal() for each in ids]
    backups = [home.keys.environment_key(each, "backup", home.clock).reveal() for each in ids]

    assert len({*keys, *backups}) == 2 * len(ids)
