"""Provisioning by SCIM 2.0 (TS-731), checked by PyPI `scim2-tester`, which shares no code with our storage."""

from typing import Any, cast

import httpx
import pytest
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server
from tests.signin.realm import Realm, sign_in
from tests.signin.test_administration import Administrator

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class System:
    """Another system that provisions."""

    def __init__(self, realm: Realm) -> None:
        made = Administrator(realm).act("CreateScimToken", Name="HR", Days=30)
        self.token = made["Token"]
        self._browser = cast(Any, realm.browser())

    def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        told = {"authorization": f"Bearer {self.token}", "content-type": "application/scim+json", **headers}
        return cast(httpx.Response, self._browser.request(method, f"/scim/v2{path}", json=body, headers=told))

    def add(self, name: str, **values: object) -> str:
        answer = self.send("POST", "/Users", {"schemas": [USER], "userName": name, **values})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


def test_an_independent_checker_finds_nothing(realm: Realm) -> None:
    """TS-731: discovery, creation, reading, filters, PUT, PATCH, deletion, of users and groups."""
    system = System(realm)
    headers = {"authorization": f"Bearer {system.token}"}
    client = WSGISCIMClient(bridge(realm), "https://crm.example/scim/v2", headers)

    results = check_server(client)

    wrong = [f"{each.title}: {each.reason}" for each in results if each.status not in (Status.SUCCESS, Status.SKIPPED)]
    assert wrong == [], "\n".join(wrong)
    assert len(results) > 50


def test_a_user_that_is_not_active_loses_access_with_the_next_request(realm: Realm) -> None:
    """TS-731: `active: false` disables, with sessions; back again it lets in."""
    system, browser = System(realm), realm.browser()
    bo = realm.people["bo@home"]
    sign_in(browser, "bo@home")
    assert browser.get("/account").status_code == 200

    def set_active(value: object) -> int:
        body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "active", "value": value}]}
        return system.send("PATCH", f"/Users/{bo}", body).status_code // 100

    assert set_active(False) == 2
    assert browser.get("/account").status_code == 303
    assert sign_in(browser, "bo@home").status_code == 400
    assert set_active(True) == 2
    assert sign_in(browser, "bo@home").status_code == 303


def test_a_deleted_user_is_gone_for_the_system_and_kept_for_the_trail(realm: Realm) -> None:
    """TS-731: the row stays, its name is free again, another person gets it."""
    system = System(realm)
    first = system.add("cleo@home")

    assert system.send("DELETE", f"/Users/{first}").status_code == 204

    assert system.send("GET", f"/Users/{first}").status_code == 404
    assert system.add("cleo@home") != first
    kept = Administrator(realm).send("GET", f"directoryusers({first})").json()
    assert (kept["accountenabled"], kept["statecode"]) == (False, 1)
    assert kept["userprincipalname"].startswith("cleo@home#left-")


def test_groups_of_the_system_are_groups_of_the_directory(realm: Realm) -> None:
    """TS-726, TS-731: members by PATCH; a policy that names a group keeps it."""
    system, ada = System(realm), Administrator(realm)
    dora = system.add("dora@home")
    made = system.send("POST", "/Groups", {"schemas": [GROUP], "displayName": "Sales"}).json()["id"]
    change = {"op": "add", "path": "members", "value": [{"value": dora}]}

    answer = system.send("PATCH", f"/Groups/{made}", {"schemas": [PATCH], "Operations": [change]})

    assert answer.status_code in (200, 204), answer.text
    rows = ada.send("GET", "directorygroupmembers?$select=_directoryuserid_value,source").json()["value"]
    assert [(row["_directoryuserid_value"], row["source"]) for row in rows] == [(dora, "scim")]
    groups = system.send("GET", f"/Users/{dora}").json()["groups"]
    assert [each["display"] for each in groups] == ["Sales"]
    policy = {"name": "P", "state": 3, "outcome": 2, "includeusers": "group:Sales", "requires": "mfa"}
    assert ada.send("POST", "conditionalaccesspolicies", policy).status_code == 204
    assert system.send("DELETE", f"/Groups/{made}").status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/Users", {"schemas": [USER]}, 400, "invalidValue"),
        ("POST", "/Users", {"schemas": [USER], "userName": "ADA@home"}, 409, "uniqueness"),
        ("POST", "/Users", {"schemas": ["urn:x"], "userName": "x"}, 400, None),
        ("GET", "/Users?filter=nonsense", None, 400, "invalidFilter"),
        ("GET", "/Users/00000000-0000-0000-0000-000000000000", None, 404, None),
        ("POST", "/Bulk", {"Operations": []}, 501, None),
        ("POST", "/Groups", {"schemas": [GROUP], "displayName": "G", "members": [{"value": "x"}]}, 400, "invalidValue"),
    ],
)
def test_what_makes_no_sense_is_refused_in_the_words_of_the_protocol(
    realm: Realm, method: str, path: str, body: object, status: int, kind: str | None
) -> None:
    """TS-731."""
    answer = System(realm).send(method, path, body)

    assert answer.status_code == status, answer.text
    assert kind is None or answer.json()["scimType"] == kind


def test_an_unknown_path_of_a_patch_is_refused(realm: Realm) -> None:
    """TS-731: invalidPath or invalidValue, and nothing is changed."""
    change = {"op": "replace", "path": "shoeSize", "value": 44}
    body = {"schemas": [PATCH], "Operations": [change]}

    answer = System(realm).send("PATCH", f"/Users/{realm.people['bo@home']}", body)

    assert answer.status_code == 400
    assert answer.json()["scimType"] in ("invalidPath", "invalidValue", "noTarget")


def test_only_a_token_of_the_endpoint_opens_it(realm: Realm) -> None:
    """TS-731: its own token, which opens nothing else and ends; emergency accounts are not the system's."""
    system, ada = System(realm), Administrator(realm)
    bo = realm.people["bo@home"]
    assert system.send("GET", "/Users", authorization="Bearer no").status_code == 401
    assert system.send("GET", "/Users", authorization="").status_code == 401
    stranger = ada.send("GET", "directoryusers")
    assert stranger.status_code == 200
    api = cast(Any, realm.browser()).get(
        "/e/control/api/data/v9.2/directoryusers", headers={"authorization": f"Bearer {system.token}"}
    )
    assert api.status_code == 401
    ada.send("PATCH", f"directoryusers({bo})", {"emergencyaccess": True})
    assert system.send("DELETE", f"/Users/{bo}").status_code == 403
    endpoint = ada.send("GET", "scimendpoints").json()["value"][0]
    assert "digest" not in endpoint
    ada.send("PATCH", f"scimendpoints({endpoint['scimendpointid']})", {"isdisabled": True})
    assert system.send("GET", "/Users").status_code == 401
    system = System(realm)
    realm.pass_time(days=31)
    assert system.send("GET", "/Users").status_code == 401


def test_pages_and_versions(realm: Realm) -> None:
    """TS-731: paging, sorting, ETags."""
    system = System(realm)
    for number in range(5):
        system.add(f"user{number}@home", displayName=f"User {number}")

    page = system.send("GET", "/Users?startIndex=2&count=2&sortBy=userName").json()
    mine = system.send("GET", '/Users?filter=userName eq "USER3@home"').json()["Resources"][0]
    stale = system.send("PUT", f"/Users/{mine['id']}", {**mine, "displayName": "New"}, **{"if-match": 'W/"old"'})
    fresh = system.send(
        "PUT", f"/Users/{mine['id']}", {**mine, "displayName": "New"}, **{"if-match": mine["meta"]["version"]}
    )

    assert (page["totalResults"], page["itemsPerPage"], page["startIndex"]) == (7, 2, 2)
    assert [each["userName"] for each in page["Resources"]] == ["bo@home", "user0@home"]
    assert (stale.status_code, fresh.status_code) == (412, 200)
    assert fresh.json()["meta"]["version"] != mine["meta"]["version"]


def bridge(realm: Realm) -> Any:
    """Our site as a WSGI application, which the checker's client calls."""
    browser = cast(Any, realm.browser())

    def call(environ: dict[str, Any], start: Any) -> list[bytes]:
        headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
        headers["content-type"] = environ.get("CONTENT_TYPE", "application/scim+json")
        path = environ["PATH_INFO"] + (f"?{environ['QUERY_STRING']}" if environ["QUERY_STRING"] else "")
        answer = browser.request(environ["REQUEST_METHOD"], path, content=environ["wsgi.input"].read(), headers=headers)
        start(f"{answer.status_code} {answer.reason_phrase}", list(answer.headers.items()))
        return [answer.content]

    return call
