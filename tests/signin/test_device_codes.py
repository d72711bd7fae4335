"""Signing in on another device (RFC 8628), and policies at the token endpoint (TS-714, TS-723)."""

from typing import Any, cast

import jwt
from tests.signin.realm import ORIGIN, Realm, hidden, send, sign_in
from tests.signin.test_administration import Administrator
from tests.signin.test_codes_for_programs import App

from strongroom.identity import guard
from strongroom.signin.device import GRANT

Json = dict[str, Any]


def begin(realm: Realm) -> Json:
    """What a program on a device shows."""
    fields = {"client_id": realm.client_id, "scope": f"openid offline_access {ORIGIN}/user_impersonation"}
    answer = realm.browser().post("/common/oauth2/v2.0/devicecode", data=fields)
    assert answer.status_code == 200, answer.text
    return cast(Json, answer.json())


def poll(realm: Realm, device_code: str, client: str | None = None) -> tuple[int, Json]:
    """What it gets for it now."""
    fields = {"grant_type": GRANT, "client_id": client or realm.client_id, "device_code": device_code}
    answer = realm.browser("198.51.100.20").post("/common/oauth2/v2.0/token", data=fields)
    return answer.status_code, cast(Json, answer.json())


def test_somebody_says_yes_to_a_program_on_a_device(realm: Realm) -> None:
    """Pending, then tokens once; the person sees which program asks."""
    told, browser = begin(realm), realm.browser()
    assert poll(realm, told["device_code"])[1]["error"] == "authorization_pending"
    assert poll(realm, told["device_code"])[1]["error"] == "slow_down"
    sign_in(browser)
    page = send(browser, "/sign-in/device", {"user_code": told["user_code"].lower()}).text
    assert "Notes" in page
    assert "somebody sent you the code" in page

    done = send(browser, "/sign-in/device", {"answer": "yes"}, page=page)

    assert "signed in on the device" in done.text
    status, answer = poll(realm, told["device_code"])
    assert status == 200
    assert App(realm, browser).calls(answer["access_token"]) == 200
    assert jwt.decode(answer["id_token"], options={"verify_signature": False})["preferred_username"] == "ada@home"
    assert {"refresh_token", "id_token"} <= answer.keys()
    assert poll(realm, told["device_code"])[1]["error"] == "expired_token"


def test_no_and_too_late_and_another_program_get_nothing(realm: Realm) -> None:
    """RFC 8628, section 3.5."""
    denied, late, browser = begin(realm), begin(realm), realm.browser()
    sign_in(browser)
    page = send(browser, "/sign-in/device", {"user_code": denied["user_code"]}).text
    send(browser, "/sign-in/device", {"answer": "no"}, page=page)

    assert poll(realm, denied["device_code"])[1]["error"] == "authorization_declined"
    assert poll(realm, late["device_code"], "0b5f2c1e-7c1d-4d5b-9a53-3d1b8f0a7c11")[0] in (400, 401)
    realm.pass_time(minutes=16)
    assert poll(realm, late["device_code"])[1]["error"] == "expired_token"
    assert send(browser, "/sign-in/device", {"user_code": late["user_code"]}).status_code == 400


def test_codes_cannot_be_guessed_nor_said_yes_to_without_a_form(realm: Realm) -> None:
    """Wrong codes count as wrong passwords do; another site cannot say yes (request forgery)."""
    told, browser = begin(realm), realm.browser()
    assert browser.get(f"/sign-in/device?user_code={told['user_code']}").headers["location"].startswith("/sign-in?")
    sign_in(browser)
    forged = browser.post(
        "/sign-in/device",
        data={"user_code": told["user_code"], "answer": "yes"},
        headers={"origin": "https://evil.example"},
    )
    assert forged.status_code == 403
    for _ in range(10):
        assert send(browser, "/sign-in/device", {"user_code": "BBBB-BBBB"}).status_code == 400
    assert send(browser, "/sign-in/device", {"user_code": told["user_code"]}).status_code == 400
    assert poll(realm, told["device_code"])[1]["error"] == "authorization_pending"


def test_policies_are_asked_before_a_token_is_given(realm: Realm) -> None:
    """TS-723: block, more factors, and what a trial would do, for codes and refresh tokens alike."""
    ada, browser = Administrator(realm), realm.browser()
    sign_in(browser)
    app = App(realm, browser)
    _, answer = app.redeem(app.answer()["code"])
    body = {"name": "P", "outcome": 2, "includeusers": "role:System Administrator", "environments": "main"}

    def refresh() -> tuple[int, Json]:
        nonlocal answer
        status, told = app.token(grant_type="refresh_token", refresh_token=answer["refresh_token"])
        answer = told if status == 200 else answer
        return status, told

    made = ada.send("POST", "conditionalaccesspolicies", {**body, "requires": "mfa", "state": 2})
    assert made.status_code == 204, made.text
    assert refresh()[0] == 200
    assert ("ada@home", 1, "token-issued") not in realm.log()
    assert any(reason == "token-issued" for _, _, reason in realm.log())
    policy = made.headers["odata-entityid"][-37:-1]
    assert ada.send("PATCH", f"conditionalaccesspolicies({policy})", {"state": 3}).status_code == 204

    status, told = refresh()

    assert (status, told["error"], told["error_codes"]) == (400, "interaction_required", [50076])


def test_a_program_that_was_challenged_sends_the_person_to_sign_in_again(realm: Realm) -> None:
    """TS-723: the claims of the challenge, and `max_age`."""
    browser = realm.browser()
    sign_in(browser)
    app = App(realm, browser)
    claims = '{"access_token":{"acrs":{"essential":true,"values":["recent-sign-in"]}}}'

    assert browser.get(app.address(claims=claims)).status_code == 302
    realm.pass_time(minutes=20)
    assert browser.get(app.address()).status_code == 302
    assert browser.get(app.address(claims="nonsense")).status_code == 302
    for changes in ({"claims": claims}, {"max_age": "600"}):
        again = browser.get(app.address(**changes))
        assert (again.status_code, again.headers["location"].startswith("/sign-in?")) == (303, True)


def test_the_confirmation_carries_the_code_and_nothing_else(realm: Realm) -> None:
    browser = realm.browser()
    sign_in(browser)
    told = begin(realm)

    page = send(browser, "/sign-in/device", {"user_code": told["user_code"]}).text

    assert hidden(page)["user_code"] == told["user_code"].replace("-", "")
    assert told["device_code"] not in page


def test_a_flood_of_codes_from_one_network_is_stopped(realm: Realm) -> None:
    """Whoever asks for codes without end fills no table: 429, for that network alone."""
    subject = guard.Subject("device codes from 192.0.2.0/24", 100)
    with realm.directory.writing() as session:
        for _ in range(100):
            guard.count_failure(session, (subject,))
    fields = {"client_id": realm.client_id, "scope": f"{ORIGIN}/user_impersonation"}

    here = realm.browser().post("/common/oauth2/v2.0/devicecode", data=fields)
    elsewhere = realm.browser("198.51.100.1").post("/common/oauth2/v2.0/devicecode", data=fields)

    assert (here.status_code, here.json()["error"]) == (429, "slow_down")
    assert elsewhere.status_code == 200
