"""TS-401, TS-402, TS-404: nothing of one environment is reached from another one, through any door: with its tokens,
ids, page and change tokens, file tokens and addresses; and nothing of it is in the other's files."""

import base64
import re
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

from strongroom.console.registry import all_pages
from strongroom.console.signing_in import COOKIE
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


def test_every_operation_of_the_metadata_refuses_the_token_of_another_environment(world: World) -> None:
    """TS-402: functions and actions as `$metadata` lists them, so that a new one is tried by itself."""
    listed = world.other.get("$metadata").text
    names = sorted(set(re.findall(r'<(?:Function|Action)Import Name="([^"]+)"', listed)))
    assert len(names) > 50
    with httpx.Client(headers={"Authorization": f"Bearer {world.own.token}"}, timeout=60) as stranger:
        for name in names:
            for method in ("GET", "POST"):
                answer = stranger.request(method, world.other.root + name)
                assert answer.status_code == 401, (method, name, answer.text)


def test_every_page_of_the_console_ends_at_the_environment(world: World) -> None:
    """TS-402, TS-403: the session of one environment on each page of another one, as the registry of pages lists them,
    with ids of the first in the addresses. Pages of its own open with the same cookie."""
    with httpx.Client(timeout=60, cookies={COOKIE: world.own.token}) as client:
        assert client.get(f"{world.server.address}/console/main").status_code == 200
        for page in all_pages():
            path = re.sub(r"\{[^}]+\}", lambda found: _filled(found.group(), world), page.path)
            address = f"{world.server.address}/console/other{path}"
            answers = [client.get(address, follow_redirects=False)]
            if "POST" in page.methods:
                origin = {"Origin": world.server.address}
                answers.append(client.post(address, data={"name": "x"}, headers=origin, follow_redirects=False))
            for answer in answers:
                assert answer.status_code in (303, 401, 403, 404, 405), (page.path, answer.status_code)
                assert CANARY not in answer.text, page.path
    assert world.own.get(f"accounts({world.account})").json()["name"] == CANARY


def _filled(parameter: str, world: World) -> str:
    """What stands in an address of the console in the place of a parameter."""
    is_table = "table" in parameter or "set" in parameter or "name" in parameter
    return "account" if is_table else world.account


def test_tokens_of_files_hold_in_their_environment_alone(world: World) -> None:
    """TS-402, TS-403: of an upload that goes on, and of a download."""
    client, own, other = world.other.client, world.own.root, world.other.root
    about = {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": world.account}
    begin = {"Target": about, "FileAttributeName": "entityimage", "FileName": "a.png"}
    begun = world.own.client.post(f"{own}InitializeFileBlocksUpload", json=begin)
    assert begun.status_code == 200, begun.text
    token = begun.json()["FileContinuationToken"]
    block = {"BlockId": "b25l", "BlockData": base64.b64encode(_PIXEL).decode(), "FileContinuationToken": token}
    commit = {"FileName": "a.png", "MimeType": "image/png", "BlockList": ["b25l"], "FileContinuationToken": token}

    assert client.post(f"{other}UploadBlock", json=block).status_code in (400, 404)
    assert world.own.client.post(f"{own}UploadBlock", json=block).status_code == 204
    assert client.post(f"{other}CommitFileBlocksUpload", json=commit).status_code in (400, 404)
    assert world.own.client.post(f"{own}CommitFileBlocksUpload", json=commit).status_code == 200
    asked = {"Target": about, "FileAttributeName": "entityimage"}
    reading = world.own.client.post(f"{own}InitializeFileBlocksDownload", json=asked).json()["FileContinuationToken"]
    piece = {"Offset": 0, "BlockLength": 4096, "FileContinuationToken": reading}
    assert client.post(f"{other}DownloadBlock", json=piece).status_code in (400, 404)
    assert world.own.client.post(f"{own}DownloadBlock", json=piece).status_code == 200
    assert client.get(f"{other}accounts({world.account})/entityimage/$value").status_code == 404


_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
