"""The console of the control environment: environments and back-ups, keys, who gets in, access of support."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import COOKIE, Site, Visitor, visiting

_DONE_MS = 60_000


@pytest.fixture
def operator(site: Site, chromium: Browser) -> Iterator[Visitor]:
    """The administrator of the control environment, with axe let in."""
    with visiting(site, chromium, None, checks=True) as visitor:
        token = site.server.token("admin", environment="control")
        visitor.context.add_cookies([{"name": COOKIE, "value": token, "url": site.server.address}])
        yield visitor


def _open(visitor: Visitor, path: str) -> Page:
    visitor.page.goto(f"{visitor.site.server.address}/console/control/{path}")
    return visitor.page


def _succeeds(page: Page) -> None:
    expect(page.get_by_text("Succeeded")).to_be_visible(timeout=_DONE_MS)


def test_an_environment_is_backed_up_proven_copied_and_deleted(operator: Visitor) -> None:
    page = _open(operator, "estate")
    page.get_by_label("Name: small letters").fill("aside")
    page.get_by_role("button", name="Create").click()
    _succeeds(page)
    assert operator.violations() == []

    page = _open(operator, "estate")
    page.get_by_role("link", name="aside", exact=True).click()
    page.get_by_label("Label").fill("before anything")
    page.get_by_role("button", name="Back up now").click()
    _succeeds(page)
    page = _open(operator, "estate")
    page.get_by_role("link", name="aside", exact=True).click()
    assert operator.violations() == []
    page.get_by_role("button", name="Prove by restoring aside").click()
    _succeeds(page)

    page = _open(operator, "estate")
    page.get_by_role("link", name="aside", exact=True).click()
    page.get_by_label("Type the name").fill("demo")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alert")).to_contain_text("aside")
    page.get_by_label("Type the name").fill("aside")
    page.get_by_role("button", name="Delete").click()
    _succeeds(page)
    page = _open(operator, "estate")
    expect(page.locator("tr", has_text="aside").first).to_contain_text("Deleted")
    assert operator.violations() == []


def test_keys_of_customers_are_shown_and_a_bad_address_is_refused(operator: Visitor) -> None:
    page = _open(operator, "estate/keys")
    assert operator.violations() == []
    expect(page.locator("main")).to_contain_text("No key yet")


def test_a_policy_is_asked_what_it_would_say(site: Site, operator: Visitor) -> None:
    page = _open(operator, "entry")
    expect(page.get_by_role("heading", name="Policies")).to_be_visible()
    assert operator.violations() == []
    page.get_by_label("Person").fill("nobody of this name")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("alert")).to_contain_text("nobody of this name")


def test_support_asks_and_its_request_is_denied(operator: Visitor) -> None:
    page = _open(operator, "lockbox")
    assert operator.violations() == []
    page.get_by_label("Environment").first.select_option("demo")
    page.get_by_label("Tables, by logical name").fill("account")
    page.get_by_label("Why").fill("The list is empty")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("main")).to_contain_text("Action needed")
    assert operator.violations() == []
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_be_visible()  # nobody approves what they asked for themselves

    page = _open(operator, "lockbox")
    page.get_by_label("Tables, by logical name").fill("no_such_table_at_all!")
    page.get_by_label("Why").fill("x")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_an_ordinary_environment_knows_nothing_of_these(site: Site) -> None:
    with site.pages() as pages:
        assert [pages.get(path).status_code for path in ("estate", "estate/keys", "entry")] == [404, 404, 404]
        assert "Environments" not in pages.get("tables").text.split("</nav>")[0]
        assert pages.get("lockbox").status_code == 200
