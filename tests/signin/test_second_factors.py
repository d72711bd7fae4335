"""Second factors at the door and in one's account (TS-705, TS-707)."""

import re

import pytest
from tests.signin.realm import ORIGIN, Browser, Realm, code_now, hidden, send, sign_in

from strongroom.identity.directory import change

COOKIE = "__Host-strongroom-session"


def set_up_app(realm: Realm, browser: Browser) -> tuple[str, list[str]]:
    """Set up an authenticator app: its secret and the recovery codes."""
    page = browser.get("/account/new-app").text
    secret = hidden(page)["secret"]
    done = send(browser, "/account/new-app", {"code": code_now(realm, secret)}, page=page)
    assert done.status_code == 200, done.text
    return secret, re.findall(r"<li>([a-z0-9-]+)</li>", done.text)


def give_code(browser: Browser, page: str, code: str) -> int:
    """Type a code into the page of the second step: the status of the answer."""
    return send(browser, "/sign-in/code", {"code": code}, page=page).status_code


def test_with_an_app_a_password_alone_opens_nothing(realm: Realm) -> None:
    """TS-705."""
    browser = realm.browser()
    sign_in(browser)
    secret, codes = set_up_app(realm, browser)
    other = realm.browser()
    realm.pass_time(seconds=60)

    step = sign_in(other)
    assert step.status_code == 200
    assert COOKIE not in other.cookies
    assert other.get("/account").status_code == 303
    assert give_code(other, step.text, code_now(realm, secret)) == 303

    assert len(codes) == 10
    assert "pwd otp mfa" in other.get("/account").text


def test_no_code_works_twice_and_neighbours_of_now_work(realm: Realm) -> None:
    """TS-705: one half minute either way; the last accepted one is kept."""
    browser = realm.browser()
    sign_in(browser)
    secret, _ = set_up_app(realm, browser)
    step = sign_in(browser)
    assert give_code(browser, step.text, code_now(realm, secret)) == 400, "the code of the set-up"
    realm.pass_time(seconds=90)

    first, second, third = (sign_in(browser).text for _ in range(3))
    assert give_code(browser, first, code_now(realm, secret, -1)) == 303
    assert give_code(browser, second, code_now(realm, secret, -1)) == 400
    assert give_code(browser, second, code_now(realm, secret, 2)) == 400
    assert give_code(browser, second, code_now(realm, secret, 1)) == 303
    assert give_code(browser, third, code_now(realm, secret)) == 400, "older than the last accepted one"


def test_a_recovery_code_works_once_and_new_ones_void_the_old(realm: Realm) -> None:
    """TS-707."""
    browser = realm.browser()
    sign_in(browser)
    _, codes = set_up_app(realm, browser)

    first, second = sign_in(browser).text, sign_in(browser).text
    assert give_code(browser, first, codes[0].upper().replace("-", " ")) == 303
    assert give_code(browser, second, codes[0]) == 400
    renewed = send(browser, "/account/codes", {}, page=browser.get("/account").text)
    fresh = re.findall(r"<li>([a-z0-9-]+)</li>", renewed.text)

    assert give_code(browser, second, codes[1]) == 400
    assert give_code(browser, second, fresh[1]) == 303


def test_five_wrong_codes_end_the_step(realm: Realm) -> None:
    browser = realm.browser()
    sign_in(browser)
    secret, _ = set_up_app(realm, browser)
    realm.pass_time(seconds=60)
    other = realm.browser()
    step = sign_in(other).text

    for _ in range(5):
        assert give_code(other, step, "000000") == 400

    assert give_code(other, step, code_now(realm, secret)) == 400
    assert COOKIE not in other.cookies


def test_who_must_have_a_second_factor_sets_one_up_at_the_door_and_cannot_remove_it(realm: Realm) -> None:
    """TS-707."""
    with realm.directory.writing() as session:
        change(session, realm.person("ada@home"), {"requiresmfa": True})
    browser = realm.browser()
    page = sign_in(browser).text
    assert browser.get("/account").status_code == 303
    secret = hidden(page)["secret"]

    wrong = send(browser, "/sign-in/new-app", {"code": "000000"}, page=page)
    assert wrong.status_code == 400
    assert hidden(wrong.text)["secret"] == secret
    done = send(browser, "/sign-in/new-app", {"code": code_now(realm, secret)}, page=wrong.text)
    assert len(re.findall(r"<li>", done.text)) == 10
    account = browser.get("/account").text
    removed = browser.post("/account/remove-app", data=hidden(account), headers={"origin": ORIGIN})

    assert removed.status_code == 400
    assert "must have a second factor" in removed.text


@pytest.mark.parametrize("secret", ["", "short", "!" * 32, "a" * 32, "A" * 5000])
def test_a_key_that_was_not_made_here_is_refused(realm: Realm, secret: str) -> None:
    browser = realm.browser()
    sign_in(browser)

    assert send(browser, "/account/new-app", {"secret": secret, "code": "123456"}).status_code == 400
