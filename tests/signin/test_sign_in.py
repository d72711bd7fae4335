"""Signing in by password, sessions and their ends, forms, recovery (TS-701 to TS-704, TS-711, TS-712, TS-715)."""

import statistics
import time

import pytest
from tests.signin.realm import ORIGIN, PASSWORD, Realm, hidden, send, sign_in

from strongroom.identity.people import begin_reset, set_enabled
from strongroom.records import update

NEW_PASSWORD = "otter-granite-violin"
COOKIE = "__Host-strongroom-session"


def test_a_right_password_opens_a_session_in_a_cookie_of_this_host_alone(realm: Realm) -> None:
    """TS-715."""
    browser = realm.browser()
    answer = sign_in(browser)

    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(COOKIE))
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part.lower() in cookie.lower()
    assert "domain" not in cookie.lower()
    assert "Ada Byron" in browser.get("/account").text
    assert realm.log() == [("ada@home", 1, "")]


def test_unknown_name_and_wrong_password_are_answered_alike_and_take_as_long(realm: Realm) -> None:
    """TS-702: in text, and within a margin at the median."""
    browser = realm.browser()
    wrong, unknown = sign_in(browser, password="wrong"), sign_in(browser, "nobody@home")
    assert wrong.status_code == unknown.status_code == 400
    same = [
        page.text.replace("nobody@home", "ada@home").split("<main")[1].replace(hidden(page.text)["form"], "")
        for page in (wrong, unknown)
    ]
    assert same[0] == same[1]

    def median(login: str) -> float:
        taken: list[float] = []
        for _ in range(3):
            began = time.perf_counter()
            sign_in(browser, login, "wrong")
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)

    assert 0.5 < median("ada@home") / median("nobody@home") < 2


def test_the_log_keeps_no_name_that_is_nobodys(realm: Realm) -> None:
    """People type their password where the name belongs."""
    sign_in(realm.browser(), "my-secret-password", "x")

    assert realm.log() == [("(unknown)", 2, "unknown-user")]


def test_ten_failures_lock_the_account_for_that_network_and_not_for_its_owner(realm: Realm) -> None:
    """TS-703: an attacker elsewhere locks nobody out, and during the lock a right password tells nothing."""
    owner, attacker = realm.browser("192.0.2.10"), realm.browser("203.0.113.5")
    assert sign_in(owner).status_code == 303

    answers = [sign_in(attacker, password=f"guess {number}") for number in range(10)]
    locked = sign_in(attacker)

    assert {answer.status_code for answer in answers} == {400}
    assert locked.status_code == 400
    assert locked.text.split("<main")[1] == answers[0].text.split("<main")[1]
    assert realm.log()[-1] == ("ada@home", 2, "locked")
    assert sign_in(realm.browser("192.0.2.11")).status_code == 303
    realm.pass_time(minutes=1, seconds=1)
    assert sign_in(attacker).status_code == 303


def test_a_session_ends_after_its_time_and_after_time_without_use(realm: Realm) -> None:
    """TS-711: both limits are kept by the server."""
    idle, absolute = realm.browser(), realm.browser()
    sign_in(idle)
    realm.pass_time(minutes=119)
    assert idle.get("/account").status_code == 200
    realm.pass_time(minutes=121)
    assert idle.get("/account").status_code == 303

    sign_in(absolute)
    for _ in range(23):
        realm.pass_time(minutes=60)
        assert absolute.get("/account").status_code == 200
    realm.pass_time(minutes=61)
    assert absolute.get("/account").status_code == 303


def test_time_outs_lie_in_their_ranges(realm: Realm) -> None:
    """TS-711."""
    with realm.environments.named("control").session_of("admin", write=True) as session:
        table = session.table("organization")
        row = session.transaction.rows_where(table, {}, limit=1)[0]
        for bad in (
            {"sessiontimeoutenabled": True, "sessiontimeoutinmins": 59},
            {"sessiontimeoutenabled": True, "sessiontimeoutinmins": 1441},
            {"inactivitytimeoutenabled": True, "inactivitytimeoutinmins": 4},
            {"sessiontimeoutenabled": True, "sessiontimeoutinmins": 60, "inactivitytimeoutenabled": True,
             "inactivitytimeoutinmins": 60},
        ):  # fmt: skip
            with pytest.raises(Exception, match="timeoutinmins"):
                update(session, table, row.id, bad)
        update(session, table, row.id, {"inactivitytimeoutenabled": True, "inactivitytimeoutinmins": 5})
    browser = realm.browser()
    sign_in(browser)
    realm.pass_time(minutes=6)
    assert browser.get("/account").status_code == 303


def test_an_ended_session_is_refused_by_the_next_request_of_every_process(realm: Realm) -> None:
    """TS-712."""
    here, there = realm.browser(), realm.browser(site=realm.another_process())
    sign_in(here)
    there.cookies.set(COOKIE, here.cookies[COOKIE])
    assert there.get("/account").status_code == 200

    send(here, "/sign-out", {})

    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 303


def test_a_disabled_account_loses_its_sessions_at_once(realm: Realm) -> None:
    """TS-712."""
    browser = realm.browser()
    sign_in(browser)
    with realm.directory.writing() as session:
        set_enabled(session, realm.person("ada@home"), enabled=False)

    assert browser.get("/account").status_code == 303
    assert sign_in(browser).status_code == 400


def test_one_ends_ones_other_sessions_and_nobody_elses(realm: Realm) -> None:
    """TS-712."""
    one, other, bo = realm.browser(), realm.browser("198.51.100.7"), realm.browser("198.51.100.8")
    for browser, login in ((one, "ada@home"), (other, "ada@home"), (bo, "bo@home")):
        sign_in(browser, login)
    page = one.get("/account").text
    assert "198.51.100.7" in page
    assert "198.51.100.8" not in page
    with realm.directory.reading() as transaction:
        rows = transaction.rows_where(transaction.schema.tables["signinsession"], {})
    foreign = next(row.id for row in rows if row.values["address"] == "198.51.100.8")

    refused = send(one, "/account/end-session", {"session": foreign}, page=page)
    ended = one.post("/account/end-session", data={"form": hidden(page)["form"]}, headers={"origin": ORIGIN})

    assert refused.status_code == 400
    assert ended.status_code == 303
    assert [browser.get("/account").status_code for browser in (one, other, bo)] == [200, 303, 200]


def test_a_session_that_somebody_planted_ends_when_another_signs_in(realm: Realm) -> None:
    """Fixation: every sign-in has a new token, and the one of before is worth nothing."""
    attacker, victim = realm.browser(), realm.browser()
    sign_in(attacker, "bo@home")
    planted = attacker.cookies[COOKIE]
    victim.cookies.set(COOKIE, planted, domain="crm.example")

    sign_in(victim)

    assert victim.cookies[COOKIE] != planted
    assert attacker.get("/account").status_code == 303


def test_forms_of_other_sites_are_refused(realm: Realm) -> None:
    """TS-715: without the token of this browser, or from another origin."""
    browser = realm.browser()
    fields = {"login": "ada@home", "password": PASSWORD}
    token = hidden(browser.get("/sign-in").text)["form"]
    stranger = hidden(realm.browser().get("/sign-in").text)["form"]

    answers = [
        browser.post("/sign-in", data=fields, headers={"origin": ORIGIN}),
        browser.post("/sign-in", data={**fields, "form": stranger}, headers={"origin": ORIGIN}),
        browser.post("/sign-in", data={**fields, "form": token}, headers={"origin": "https://evil.example"}),
        browser.post("/sign-in", data={**fields, "form": token}, headers={"sec-fetch-site": "cross-site"}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\t//evil.example"]
)
def test_nobody_is_led_elsewhere_after_signing_in(realm: Realm, address: str) -> None:
    """Open redirect."""
    assert sign_in(realm.browser(), following=address).headers["location"] == "/account"


def test_every_page_has_the_strict_headers_and_no_script(realm: Realm) -> None:
    browser = realm.browser()
    sign_in(browser)
    for path in (
        "/sign-in",
        "/sign-in/forgotten",
        "/account",
        "/account/new-app",
        "/account/prove",
        "/sign-out",
        "/sign-in/x",
    ):
        answer = browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src" not in policy
        assert "<script" not in answer.text
        assert " style=" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["strict-transport-security"]


def test_what_people_type_is_shown_as_text(realm: Realm) -> None:
    browser = realm.browser()
    hostile = '"><script>alert(1)</script>'

    assert "<script" not in sign_in(browser, hostile, "x", hostile).text


def test_a_forgotten_password_is_answered_alike_for_everybody_and_seen_by_the_administrator(realm: Realm) -> None:
    """TS-704."""
    browser = realm.browser()

    answers = [send(browser, "/sign-in/forgotten", {"login": login}) for login in ("ada@home", "nobody@home")]

    assert answers[0].text == answers[1].text
    assert realm.log() == [("ada@home", 3, "password-forgotten"), ("(unknown)", 3, "password-forgotten")]


def test_a_link_changes_the_password_once_ends_sessions_and_signs_nobody_in(realm: Realm) -> None:
    """TS-704."""
    signed_in, browser = realm.browser(), realm.browser("198.51.100.9")
    sign_in(signed_in)
    with realm.directory.writing() as session:
        token = begin_reset(session, realm.person("ada@home"))
    path = f"/sign-in/new-password?token={token}"
    page = browser.get(path).text
    weak = browser.post(
        "/sign-in/new-password",
        data={**hidden(page), "password": "password1234", "again": "password1234"},
        headers={"origin": ORIGIN},
    )
    done = browser.post(
        "/sign-in/new-password",
        data={**hidden(page), "password": NEW_PASSWORD, "again": NEW_PASSWORD},
        headers={"origin": ORIGIN},
    )

    assert weak.status_code == 400
    assert done.status_code == 200
    assert COOKIE not in browser.cookies
    assert browser.get(path).status_code == 400
    assert signed_in.get("/account").status_code == 303
    assert sign_in(browser).status_code == 400
    assert sign_in(browser, password=NEW_PASSWORD).status_code == 303


def test_a_link_ends_within_the_hour(realm: Realm) -> None:
    """TS-704."""
    with realm.directory.writing() as session:
        token = begin_reset(session, realm.person("ada@home"))
    realm.pass_time(minutes=60)

    assert realm.browser().get(f"/sign-in/new-password?token={token}").status_code == 400


def test_changing_the_password_asks_who_it_is_after_a_while_and_ends_other_sessions(realm: Realm) -> None:
    """Step-up, TS-704."""
    one, other = realm.browser(), realm.browser()
    sign_in(one)
    sign_in(other)
    realm.pass_time(minutes=11)
    wanted = {"password": NEW_PASSWORD, "again": NEW_PASSWORD}
    page = one.get("/account").text

    asked = one.post("/account/password", data={**hidden(page), **wanted}, headers={"origin": ORIGIN})
    wrong = send(one, "/account/prove", {"password": "wrong"})
    proved = send(one, "/account/prove", {"password": PASSWORD})
    done = one.post("/account/password", data={**hidden(page), **wanted}, headers={"origin": ORIGIN})

    assert (asked.status_code, asked.headers["location"]) == (303, "/account/prove")
    assert wrong.status_code == 400
    assert proved.headers["location"] == "/account"
    assert done.status_code == 200
    assert [browser.get("/account").status_code for browser in (one, other)] == [200, 303]


def test_a_cookie_is_bound_to_its_address_where_the_organization_wants_it(realm: Realm) -> None:
    """TS-715."""
    here, there = realm.browser("192.0.2.10"), realm.browser("203.0.113.9")
    sign_in(here)
    there.cookies.set(COOKIE, here.cookies[COOKIE])
    assert there.get("/account").status_code == 200

    with realm.environments.named("control").session_of("admin", write=True) as session:
        table = session.table("organization")
        row = session.transaction.rows_where(table, {}, limit=1)[0]
        update(session, table, row.id, {"enableipbasedcookiebinding": True})

    assert there.get("/account").status_code == 303
    assert here.get("/account").status_code == 200


def test_the_console_takes_the_session_and_goes_where_somebody_wanted(realm: Realm) -> None:
    """TS-709: one sign-in for console and account."""
    browser = realm.browser()
    assert browser.get("/console/main").status_code == 303

    done = sign_in(browser, following="/console/main")

    assert done.headers["location"] == "/console/main"
    assert "Ada Byron" in browser.get("/console/main").text
    assert browser.get("/console/control").status_code == 200
    send(browser, "/sign-out", {})
    assert browser.get("/console/main").status_code == 303


def test_who_is_no_user_of_an_environment_does_not_get_into_its_console(realm: Realm) -> None:
    """WA-23."""
    browser = realm.browser()
    sign_in(browser, "bo@home")

    assert browser.get("/console/main").status_code == 303


def test_the_pages_speak_the_language_of_the_browser_or_the_one_that_was_chosen(realm: Realm) -> None:
    browser = realm.browser()
    german = {"Accept-Language": "de-AT,de;q=0.9"}
    page = browser.get("/sign-in", headers=german).text
    assert '<html lang="de">' in page
    assert "Kennwort" in page

    browser.cookies.set("strongroom-language", "de")  # chosen in the console
    assert "Kennwort" in browser.get("/sign-in").text
    refused = sign_in(browser, password="wrong").text
    assert "Der Anmeldename oder das Kennwort stimmt nicht" in refused
    sign_in(browser)
    account = browser.get("/account").text
    weak = send(browser, "/account/password", {"password": "short", "again": "short"}, page=account).text
    assert "es hat weniger als 12 Zeichen" in weak
    assert "Password" in realm.browser().get("/sign-in", headers={"Accept-Language": "fr"}).text
