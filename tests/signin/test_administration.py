"""The directory through the Web API of the control environment (TS-001 to TS-003, TS-712, TS-716)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest
from tests.signin.realm import PASSWORD, Realm, sign_in

from strongroom.environment import find_user
from strongroom.identity import issue
from strongroom.identity.membership import make_person_user

Json = dict[str, Any]


class Administrator:
    """Requests to the Web API of the control environment."""

    def __init__(self, realm: Realm, login: str = "ada@home", environment: str = "control") -> None:
        control = realm.environments.named(environment)
        with control.database.read() as transaction:
            user = find_user(transaction, login)
        token = issue(realm.home.keys, control.id, user, realm.clock, timedelta(days=30))
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._browser = cast(Any, realm.browser())
        self._root = f"/e/{environment}/api/data/v9.2/"

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx.Response:
        return cast(httpx.Response, self._browser.request(method, self._root + path, json=body, headers=self._headers))

    def act(self, name: str, **arguments: object) -> Json:
        answer = self.send("POST", name, arguments)
        assert answer.status_code in (200, 204), answer.text
        return cast(Json, answer.json()) if answer.content else {}


def test_an_administrator_registers_a_program_and_gives_it_a_secret_once(realm: Realm) -> None:
    """TS-716."""
    ada = Administrator(realm)
    made = ada.act("AddApplication", Name="Nightly import", RedirectUris=["https://app.example/x"])
    secret = ada.act("AddApplicationSecret", ClientId=made["ClientId"], Days=30)

    shown = ada.send("GET", f"applicationcredentials({secret['CredentialId']})").json()

    assert len(secret["Secret"]) >= 43
    assert "secret" not in shown
    assert secret["Secret"] not in str(shown)
    assert ada.send("POST", "AddApplicationSecret", {"ClientId": made["ClientId"], "Days": 9999}).status_code == 400
    ada.act("RemoveApplicationCredential", CredentialId=secret["CredentialId"])
    assert ada.send("POST", "AddApplication", {"Name": "x", "RedirectUris": ["http://evil.example"]}).status_code == 400


def test_an_administrator_adds_somebody_who_chooses_a_password_by_a_link(realm: Realm) -> None:
    """TS-704."""
    ada = Administrator(realm)
    person = ada.act("AddDirectoryUser", SignInName="cleo@home", Name="Cleo")["DirectoryUserId"]
    path = ada.act("CreatePasswordLink", UserId=person)["Path"]

    assert realm.browser().get(path).status_code == 200
    assert ada.send("POST", "AddDirectoryUser", {"SignInName": "CLEO@home"}).status_code == 409
    assert sign_in(realm.browser(), "cleo@home", "").status_code == 400


def test_an_administrator_ends_sessions_and_disables_accounts(realm: Realm) -> None:
    """TS-712: with the next request."""
    ada, bo = Administrator(realm), realm.browser()
    sign_in(bo, "bo@home")
    rows = ada.send("GET", "signinsessions?$select=name,_directoryuserid_value").json()["value"]
    session = next(row["signinsessionid"] for row in rows if row["_directoryuserid_value"] == realm.people["bo@home"])

    assert ada.act("EndSession", SessionId=session)["Ended"] == 1
    assert bo.get("/account").status_code == 303
    sign_in(bo, "bo@home")
    assert ada.send("PATCH", f"directoryusers({realm.people['bo@home']})", {"accountenabled": False}).is_success
    assert bo.get("/account").status_code == 303
    assert sign_in(bo, "bo@home").status_code == 400


def test_who_has_no_privilege_ends_ones_own_sessions_only(realm: Realm) -> None:
    """TS-712."""
    with realm.environments.named("control").session_of("admin", write=True) as session:
        make_person_user(session, realm.people["bo@home"], "bo@home", "Bo Ek", ["Basic User"])
    bo, browser, ada = Administrator(realm, "bo@home"), realm.browser(), realm.browser()
    sign_in(browser, "bo@home")
    sign_in(ada)

    assert bo.send("POST", "EndAllSessions", {"UserId": realm.people["ada@home"]}).status_code == 403
    assert bo.act("EndAllSessions", UserId=realm.people["bo@home"])["Ended"] == 1

    assert browser.get("/account").status_code == 303
    assert ada.get("/account").status_code == 200
    assert bo.send("POST", "AddDirectoryUser", {"SignInName": "x@home"}).status_code == 403
    assert bo.send("GET", "directoryusers").status_code == 403


def test_the_log_of_sign_ins_is_a_ledger(realm: Realm) -> None:
    """TS-003, TS-733: insert-only through every door, and in the trail."""
    sign_in(realm.browser(), password="wrong")
    ada = Administrator(realm)
    row = ada.send("GET", "signinlogs?$select=name,reason,address").json()["value"][0]
    assert (row["name"], row["reason"], row["address"]) == ("ada@home", "wrong-password", "192.0.2.10")

    for method, path, body in (
        ("PATCH", f"signinlogs({row['signinlogid']})", {"name": "x"}),
        ("DELETE", f"signinlogs({row['signinlogid']})", None),
        ("POST", "signinlogs", {"name": "x"}),
    ):
        answer = ada.send(method, path, body)
        assert answer.status_code in (403, 204), answer.text
        if method != "PATCH":
            assert answer.json()["error"]["code"] == "0x80048306"
    assert ada.send("GET", f"signinlogs({row['signinlogid']})").json()["name"] == "ada@home"
    trail = ada.send("GET", f"audits?$filter=_objectid_value eq {row['signinlogid']}").json()["value"]
    assert len(trail) == 1
    assert PASSWORD not in str(trail)


def test_accounts_are_disabled_and_not_deleted(realm: Realm) -> None:
    assert Administrator(realm).send("DELETE", f"directoryusers({realm.people['bo@home']})").status_code == 409


@pytest.mark.parametrize("column", ["secret", "digest", "content"])
def test_no_door_shows_what_lets_somebody_in(realm: Realm, column: str) -> None:
    ada = Administrator(realm)
    table = {"secret": "authenticationmethod", "digest": "signinsession", "content": "onetimetoken"}[column]
    fetch = f"<fetch><entity name='{table}'><attribute name='{column}'/></entity></fetch>"

    assert ada.send("GET", f"{table}s?$select={column}").status_code == 400
    assert ada.send("GET", f"{table}s?$filter={column} ne null").status_code == 400
    assert ada.send("GET", f"{table}s?$orderby={column}").status_code == 400
    assert ada.send("GET", f"{table}s?fetchXml={fetch}").status_code == 400
    for row in ada.send("GET", f"{table}s").json()["value"]:
        assert column not in row


def test_business_environments_have_no_directory(realm: Realm) -> None:
    ada = Administrator(realm, environment="main")

    assert ada.send("GET", "directoryusers").status_code == 404
    assert ada.send("POST", "AddDirectoryUser", {"SignInName": "x@home"}).status_code == 404
