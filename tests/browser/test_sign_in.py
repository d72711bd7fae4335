"""Signing in with a real browser: by keyboard and without scripts, with a passkey of a virtual authenticator, and every
page accessible in both themes and at both widths (TS-702, TS-704, TS-706, TS-709)."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.conftest import Site, Visitor, visiting
from tests.servers import run_cli

LOGIN = "sofia@meridian.example"
PASSWORD = "lantern-oxide-parsley"


@pytest.fixture
def local(site: Site) -> str:
    """The server at a name: passkeys belong to names, not to numbers."""
    return site.server.address.replace("127.0.0.1", "localhost")


@pytest.fixture
def account(site: Site, chromium: Browser, local: str) -> Iterator[None]:
    """Sofía has an account of the directory, and a password that she chose by a link, with scripts off."""
    home = str(site.server.home)
    run_cli("users", "add", LOGIN, "--environment", "demo", "--home", home)
    link = run_cli("users", "link", LOGIN, "--home", home).stdout.strip()
    with visiting(site, chromium, None, scripts=False) as visitor:
        visitor.page.goto(local + link)
        if visitor.page.get_by_role("heading", name="New password").count():
            visitor.page.get_by_label("New password").fill(PASSWORD + link[-4:])
            visitor.page.get_by_label("The same again").fill(PASSWORD + link[-4:])
            with visitor.page.expect_navigation():
                visitor.page.keyboard.press("Enter")
    site.tokens["password"] = PASSWORD + link[-4:]
    yield


def sign_in(site: Site, page: Page, address: str) -> None:
    """By keyboard alone."""
    page.goto(address)
    page.locator("input:focus").wait_for()  # the page says where typing begins; a busy browser is a moment behind
    page.keyboard.type(LOGIN)
    page.keyboard.press("Tab")
    page.keyboard.type(site.tokens["password"])
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.usefixtures("account")
def test_somebody_signs_in_by_keyboard_without_scripts_and_gets_into_the_console(
    site: Site, chromium: Browser, local: str
) -> None:
    with visiting(site, chromium, None, scripts=False) as visitor:
        sign_in(site, visitor.page, f"{local}/sign-in?next=/console/demo")

        assert visitor.path == ""
        assert "Sof" in visitor.page.locator("details.me summary").inner_text()
        assert visitor.complaints == []


@pytest.mark.usefixtures("account")
def test_a_passkey_opens_a_session_by_itself(site: Site, chromium: Browser, local: str) -> None:
    """TS-706: made in one's account, used at the door, worth nothing once removed."""
    with visiting(site, chromium, None) as visitor:
        page = visitor.page
        authenticator(visitor)
        sign_in(site, page, f"{local}/sign-in")
        page.get_by_role("link", name="Make a passkey").click()
        page.get_by_label("Name of the passkey").fill("Laptop")
        page.get_by_role("button", name="Make a passkey").click()
        page.get_by_text("Laptop").wait_for()
        page.get_by_role("link", name="Sign out").click()
        page.get_by_role("button", name="Sign out").click()

        page.goto(f"{local}/sign-in")
        page.get_by_role("link", name="Use a passkey").click()
        page.get_by_role("button", name="Use a passkey").click()
        page.get_by_role("heading", name="Your account").wait_for()
        assert "hwk user mfa" in page.content()
        assert visitor.complaints == []

        page.get_by_role("button", name="Remove the passkey Laptop").click()
        page.get_by_role("link", name="Make a passkey").wait_for()
        assert page.get_by_text("Laptop").count() == 0
        page.goto(f"{local}/sign-in/passkey")
        page.get_by_role("button", name="Use a passkey").click()
        page.get_by_text("This passkey opens nothing here").wait_for()


@pytest.mark.usefixtures("account")
def test_an_authenticator_that_does_not_verify_its_user_makes_no_passkey(
    site: Site, chromium: Browser, local: str
) -> None:
    """TS-706: user verification is required."""
    with visiting(site, chromium, None) as visitor:
        authenticator(visitor, verifies=False)
        sign_in(site, visitor.page, f"{local}/sign-in")
        visitor.page.goto(f"{local}/account/new-passkey")
        visitor.page.get_by_role("button", name="Make a passkey").click()

        visitor.page.get_by_text("The browser gave no passkey").wait_for()


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_every_page_is_accessible_and_fits(site: Site, chromium: Browser, local: str, theme: str, width: int) -> None:
    found: list[str] = []
    with visiting(site, chromium, None, theme=theme, width=width, checks=True) as visitor:
        addresses = ["/sign-in", "/sign-in/forgotten", "/sign-in/passkey", "/sign-in/nothing", "/account"]
        for address in [*addresses, "/account/new-app", "/account/prove", "/account/new-passkey", "/sign-out"]:
            if address == "/account":
                sign_in(site, visitor.page, f"{local}/sign-in")
            visitor.page.goto(local + address)
            found += [f"{address}: {each}" for each in visitor.violations()]
            if visitor.overflows():
                found.append(f"{address} is wider than the window")

    assert found == []


def authenticator(visitor: Visitor, *, verifies: bool = True) -> None:
    """Give the browser an authenticator that keeps passkeys."""
    session = cast(Any, visitor.context.new_cdp_session(visitor.page))  # its messages are dictionaries of anything
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": verifies,
                "isUserVerified": verifies,
                "automaticPresenceSimulation": True,
            }
        },
    )
