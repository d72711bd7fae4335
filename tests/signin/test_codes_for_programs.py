"""People give programs what they may do: codes with PKCE, refresh tokens, single sign-on (TS-708, TS-709, TS-713,
TS-714)."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
import pytest
from tests.signin.realm import ORIGIN, REDIRECT, Browser, Realm, send, sign_in

Json = dict[str, Any]
VERIFIER = "a-verifier-of-the-right-length-for-a-challenge-1234"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = f"openid profile offline_access {ORIGIN}/user_impersonation"


@dataclass
class App:
    """A public program with a browser beside it."""

    realm: Realm
    browser: Browser

    def address(self, **changes: str | None) -> str:
        fields: dict[str, str | None] = {
            "client_id": self.realm.client_id,
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": SCOPE,
            "state": "st&te",
            "nonce": "n-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        return "/common/oauth2/v2.0/authorize?" + urlencode({k: v for k, v in fields.items() if v is not None})

    def answer(self, **changes: str | None) -> dict[str, str]:
        """What the program's address gets."""
        answer = self.browser.get(self.address(**changes))
        assert answer.status_code == 302, answer.text
        target = urlsplit(answer.headers["location"])
        assert f"{target.scheme}://{target.netloc}{target.path}" in (REDIRECT, changes.get("redirect_uri"))
        return dict(parse_qsl(target.query or target.fragment))

    def token(self, **fields: str) -> tuple[int, Json]:
        whole = {"client_id": self.realm.client_id, **fields}
        answer = self.browser.post("/common/oauth2/v2.0/token", data=whole)
        return answer.status_code, cast(Json, answer.json())

    def redeem(self, code: str, **changes: str) -> tuple[int, Json]:
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return self.token(**{**fields, **changes})

    def calls(self, token: str) -> int:
        return self.browser.get("/api/data/v9.2/WhoAmI", headers={"authorization": f"Bearer {token}"}).status_code


@pytest.fixture
def app(realm: Realm) -> App:
    browser = realm.browser()
    sign_in(browser)
    return App(realm, browser)


def test_a_program_gets_what_the_person_may_do(app: App) -> None:
    status, answer = app.redeem(app.answer()["code"])

    assert status == 200
    assert app.calls(answer["access_token"]) == 200
    claims = jwt.decode(answer["id_token"], options={"verify_signature": False})
    assert claims["aud"] == app.realm.client_id
    assert claims["iss"] == f"{ORIGIN}/common/v2.0"
    assert (claims["nonce"], claims["preferred_username"], claims["amr"]) == ("n-1", "ada@home", ["pwd"])


def test_the_answer_names_its_issuer_and_keeps_the_state(app: App) -> None:
    """RFC 9207: a client of several authorities cannot mix them up."""
    for mode in ("query", "fragment"):
        answer = app.answer(response_mode=mode)
        assert answer["state"] == "st&te"
        assert answer["iss"] == f"{ORIGIN}/common/v2.0"


def test_who_is_not_signed_in_signs_in_first_and_goes_on(realm: Realm) -> None:
    """TS-709; the page between keeps the policy for forms strict."""
    app = App(realm, realm.browser())
    sent = app.browser.get(app.address())
    assert sent.status_code == 303
    following = parse_qs(urlsplit(sent.headers["location"]).query)["next"][0]

    done = sign_in(app.browser, following=following)

    assert done.status_code == 200
    assert 'http-equiv="refresh"' in done.text
    assert app.redeem(app.answer()["code"])[0] == 200


def test_a_code_works_once_and_one_that_is_used_twice_ends_what_it_gave(app: App) -> None:
    """RFC 6749, section 10.5."""
    code = app.answer()["code"]
    _, answer = app.redeem(code)
    again, told = app.redeem(code)

    assert (again, told["error"]) == (400, "invalid_grant")
    assert app.token(grant_type="refresh_token", refresh_token=answer["refresh_token"])[0] == 400


def test_an_intercepted_code_is_worth_nothing(app: App, realm: Realm) -> None:
    """PKCE, another address, another program, too late."""
    for changes in (
        {"code_verifier": "another-verifier-of-the-right-length-for-a-challenge"},
        {"redirect_uri": "https://evil.example/back"},
        {"client_id": "0b5f2c1e-7c1d-4d5b-9a53-3d1b8f0a7c11"},
    ):
        status, told = app.redeem(app.answer()["code"], **changes)
        assert status in (400, 401)
        assert told["error"] in ("invalid_grant", "invalid_client")
    late = app.answer()["code"]
    realm.pass_time(minutes=2)
    assert app.redeem(late)[1]["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "https://evil.example/.default"}, "invalid_scope"),
        ({"scope": f"{ORIGIN}/user_impersonation https://crm.example/e/control/user_impersonation"}, "invalid_scope"),
        ({"response_mode": "web_message"}, "invalid_request"),
    ],
)
def test_bad_requests_are_told_to_the_program(app: App, changes: dict[str, str | None], error: str) -> None:
    assert app.answer(**changes)["error"] == error


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://app.example/back/"},
        {"redirect_uri": "https://app.example.evil.example/back"},
        {"redirect_uri": "https://app.example/back?x=1"},
        {"redirect_uri": "http://localhost.evil.example/back"},
        {"redirect_uri": "http://evil@localhost/back"},
        {"redirect_uri": None},
        {"client_id": "0b5f2c1e-7c1d-4d5b-9a53-3d1b8f0a7c11"},
        {"client_id": "nonsense"},
    ],
)
def test_nobody_is_redirected_to_an_address_that_is_not_registered(app: App, changes: dict[str, str | None]) -> None:
    answer = app.browser.get(app.address(**changes))

    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_a_program_on_this_machine_may_take_any_port(app: App) -> None:
    """RFC 8252, section 7.3."""
    answer = app.answer(redirect_uri="http://localhost:51234/back")

    assert app.redeem(answer["code"], redirect_uri="http://localhost:51234/back")[0] == 200


def test_a_refresh_token_is_new_with_each_use_and_an_old_one_ends_the_family(app: App) -> None:
    """TS-713."""
    _, first = app.redeem(app.answer()["code"])
    _, second = app.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert app.calls(second["access_token"]) == 200

    stolen, _ = app.token(grant_type="refresh_token", refresh_token=first["refresh_token"])
    after, _ = app.token(grant_type="refresh_token", refresh_token=second["refresh_token"])

    assert (stolen, after) == (400, 400)


def test_signing_out_ends_the_tokens_of_programs_with_the_next_request(app: App) -> None:
    """TS-709, TS-712: not at their expiry."""
    _, answer = app.redeem(app.answer()["code"])
    elsewhere = App(app.realm, app.realm.browser(site=app.realm.another_process()))
    assert elsewhere.calls(answer["access_token"]) == 200

    send(app.browser, "/sign-out", {})

    assert elsewhere.calls(answer["access_token"]) == 401
    assert app.calls(answer["access_token"]) == 401
    assert app.token(grant_type="refresh_token", refresh_token=answer["refresh_token"])[0] == 400


def test_an_id_token_opens_no_door(app: App) -> None:
    """Token substitution: its audience is the program."""
    _, answer = app.redeem(app.answer()["code"])

    assert app.calls(answer["id_token"]) == 401


def test_prompts_are_heeded(app: App, realm: Realm) -> None:
    nobody = App(realm, realm.browser())
    assert nobody.answer(prompt="none")["error"] == "login_required"
    assert "code" in app.answer(prompt="none")
    realm.pass_time(minutes=2)
    assert app.browser.get(app.address(prompt="login")).status_code == 303


def test_who_is_no_user_of_an_environment_gets_no_code_for_it(realm: Realm) -> None:
    """TS-721, WA-23."""
    app = App(realm, realm.browser())
    sign_in(app.browser, "bo@home")

    assert app.answer()["error"] == "access_denied"
