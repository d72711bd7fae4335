"""Answers of browsers that are no answers (TS-706). Real passkeys are made and used in
`tests/browser/test_sign_in.py`."""

import json

import pytest
from tests.signin.realm import Realm, hidden, send, sign_in

COOKIE = "__Host-strongroom-session"
UNKNOWN = {
    "id": "AAAA",
    "rawId": "AAAA",
    "type": "public-key",
    "response": {"clientDataJSON": "AAAA", "authenticatorData": "AAAA", "signature": "AAAA"},
}


@pytest.mark.parametrize(
    "answer", ["", "{}", "[", "null", '"text"', "[" * 10_000, "x" * 19_000, json.dumps(UNKNOWN), json.dumps({"id": 5})]
)
def test_what_is_no_answer_opens_nothing(realm: Realm, answer: str) -> None:
    browser = realm.browser()

    done = send(browser, "/sign-in/passkey", {"answer": answer})

    assert done.status_code == 400
    assert COOKIE not in browser.cookies


@pytest.mark.parametrize("answer", ["", "{}", "[" * 10_000, json.dumps(UNKNOWN)])
def test_what_is_no_answer_makes_no_passkey(realm: Realm, answer: str) -> None:
    browser = realm.browser()
    sign_in(browser)

    done = send(browser, "/account/new-passkey", {"answer": answer, "name": "x"})

    assert done.status_code == 400
    assert "Remove the passkey" not in browser.get("/account").text


def test_a_challenge_works_once_and_for_its_purpose(realm: Realm) -> None:
    """Replay; and a challenge of the sign-in makes no passkey."""
    browser = realm.browser()
    sign_in(browser)
    door = hidden(browser.get("/sign-in/passkey").text)["challenge"]

    for _ in range(2):
        done = send(browser, "/account/new-passkey", {"answer": "{}", "challenge": door})
        assert "This step has ended" in done.text


def test_only_these_two_pages_may_run_the_one_script(realm: Realm) -> None:
    browser = realm.browser()
    sign_in(browser)
    for path in ("/sign-in/passkey", "/account/new-passkey"):
        answer = browser.get(path)
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert answer.text.count("<script") == 1
    assert browser.get("/sign-in/static/passkey.js").headers["content-type"].startswith("text/javascript")
    assert browser.get("/sign-in/static/..%2f__init__.py").status_code == 404
