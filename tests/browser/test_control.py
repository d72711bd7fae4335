"""The console of the control environment: environments and back-ups, keys, who gets in, programs, vaults, incidents,
access of support."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import COOKIE, OF_LOOKS, SELLER, Site, Visitor, visiting

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


def test_a_breach_runs_against_72_hours_is_scoped_worked_on_and_closed(
    site: Site, operator: Visitor, admin: Visitor, tmp_path: Path
) -> None:
    """TS-1601 to TS-1607: from what an account saw, in its environment, to the closed incident of the register."""
    page = admin.go("audit/exposure")
    page.get_by_label("User").fill(site.name(SELLER))
    page.get_by_role("button", name="Estimate").click()
    scope = tmp_path / "scope.json"
    with page.expect_download() as download:
        page.get_by_role("link", name="File for the register").click()
    download.value.save_as(scope)
    with page.expect_download() as download:
        page.get_by_role("link", name="Evidence").click()
    assert "RootHash" in download.value.path().read_text()

    page = _open(operator, "incidents")
    page.get_by_label("What happened").fill("Laptop stolen")
    page.get_by_role("button", name="Open an incident").click()
    page.get_by_label("Risk to people").select_option("None likely")
    page.get_by_role("button", name="Declare the breach").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why no risk is likely")
    page.get_by_label("Risk to people").select_option("Risk")
    page.get_by_label("Why this risk").fill("The disk is encrypted, the phone was not")
    page.get_by_role("button", name="Declare the breach").click()
    expect(page.locator("section", has_text="Clock of 72 hours").first).to_contain_text("71 h")
    page.get_by_label("The file").set_input_files(scope)
    page.locator("form", has=page.get_by_label("The file")).locator("button").click()
    expect(page.locator("section", has_text="Whom and what").first).to_contain_text("demo")
    page.get_by_label("New task").fill("Lock the account")
    page.locator("form", has=page.get_by_label("New task")).get_by_role("button").click()
    page.get_by_role("button", name="Done: Lock the account").click()
    page.get_by_role("link", name="Words to: Authority").click()
    expect(page.locator("pre")).to_contain_text("Laptop stolen")
    assert operator.violations() == []

    page.get_by_text("Record that somebody was told").click()
    page.get_by_label("Or why nobody is told").fill("The phone was found again, unopened")
    page.locator("form", has=page.get_by_label("Or why nobody is told")).get_by_role("button").click()
    expect(page.locator("section", has_text="Who was told").first).to_contain_text("not told")
    page.get_by_label("What was learnt").fill("Disks are encrypted for a reason")
    page.get_by_role("button", name="Close the incident").click()
    expect(page.locator(".timeline")).to_contain_text("losed")
    page = _open(operator, "incidents")
    expect(page.locator("main")).to_contain_text("No incident is open")


def test_a_secret_is_kept_rotated_and_never_shown(operator: Visitor) -> None:
    """TS-601, TS-603, TS-610."""
    page = _open(operator, "vaults")
    page.get_by_label("New vault").fill("console")
    page.get_by_role("button", name="Create").click()
    keep = page.locator("form", has=page.get_by_role("button", name="Keep"))
    keep.get_by_label("Name").fill("smtp")
    keep.get_by_label("Value").fill("correct horse battery")
    keep.get_by_label("Ends").fill("2040-01-01T10:00")
    keep.get_by_role("button").click()
    make = page.locator("form", has=page.get_by_role("button", name="Make the certificate"))
    make.get_by_label("Name", exact=True).fill("web")
    make.get_by_label("For whom").fill("web.example.org")
    make.get_by_role("button").click()
    expect(page.locator("tr", has_text="web").first).to_contain_text("Certificate")
    bring = page.locator("form", has=page.get_by_role("button", name="Bring in"))
    bring.get_by_label("Name", exact=True).fill("broken")
    bring.locator("input[type=file]").set_input_files(__file__)
    bring.locator("button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_text("Let somebody use it").click()
    page.get_by_label("Sign-in name, or").fill("robot@example.com")
    page.get_by_role("checkbox", name="get").check()
    page.get_by_role("button", name="Let in").click()
    expect(page.locator("main")).to_contain_text("robot@example.com")
    assert operator.violations() == []
    page.get_by_role("link", name="smtp").click()
    page.get_by_role("button", name="Rotate").click()
    expect(page.locator("section", has_text="Versions").first.locator("tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Switch version 1 off").click()
    expect(page.locator("main")).to_contain_text("switched off")
    expect(page.locator("section", has_text="Who can read it").first).to_contain_text("robot@example.com")
    assert "correct horse" not in page.content()
    assert operator.violations() == []
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Recover")).to_be_visible()


def test_a_programs_secret_is_shown_once_and_the_program_let_in(site: Site, operator: Visitor, admin: Visitor) -> None:
    """TS-716, TS-717."""
    page = _open(operator, "applications")
    page.get_by_label("Name").fill("Nightly import")
    page.get_by_role("button", name="Register").click()
    client = page.locator("dd code").first.inner_text()
    page.get_by_role("button", name="Add a secret").click()
    secret = page.locator("section", has_text="The new secret").locator("code").inner_text()
    assert len(secret) > 30
    assert operator.violations() == []
    page = _open(operator, page.url.partition("/control/")[2].partition("?")[0])
    assert secret not in page.content()
    page.get_by_label("The certificate").fill("no certificate")
    page.get_by_role("button", name="Add the certificate").click()
    expect(page.get_by_role("alert")).to_contain_text("PEM")

    page = admin.go("application-users")
    page.get_by_label("Name").fill("Nightly import")
    page.get_by_label("Client id").fill(client)
    page.get_by_label("Role").fill("Basic User")
    page.get_by_role("button", name="Let in").click()
    expect(page.locator("section", has_text="Roles in effect").first).to_contain_text("Basic User")
    page.get_by_role("button", name="Take away Basic User").click()
    expect(page.get_by_role("status")).to_contain_text("taken away")
    page.get_by_label("Give a role").select_option("Salesperson")
    page.get_by_role("button", name="Give").click()
    expect(page.get_by_role("status")).to_contain_text("The role is given")


def test_health_tells_of_every_environment(operator: Visitor) -> None:
    """TS-818."""
    page = _open(operator, "health")
    expect(page.locator("section", has_text="Last back-up")).to_contain_text("demo")
    assert operator.violations() == []


def test_every_page_of_the_control_environment_fits_a_phone(site: Site, chromium: Browser) -> None:
    """The pages that the tests above have filled, too."""
    with visiting(site, chromium, None, width=360, theme="dark", checks=True) as visitor:
        token = site.server.token("admin", environment="control")
        visitor.context.add_cookies([{"name": COOKIE, "value": token, "url": site.server.address}])
        lists = ["", "estate", "estate/keys", "entry", "applications", "vaults", "incidents?all=yes", "lockbox"]
        found: list[str] = []
        for path in [*lists, "health", "usage", "jobs", "audit/activity"]:
            page = _open(visitor, path)
            first = page.locator("main tbody th a").first
            inner = first.get_attribute("href") if path in lists and first.count() else None
            for address in filter(None, [page.url, inner]):
                page.goto(address if address.startswith("http") else f"{site.server.address}{address}")
                found += [f"{address}: wider than a phone"] if visitor.overflows() else []
                found += [f"{address}: {each}" for each in visitor.violations(OF_LOOKS)]
        assert found == []
        assert visitor.complaints == []


def test_an_ordinary_environment_knows_nothing_of_these(site: Site) -> None:
    with site.pages() as pages:
        paths = ("estate", "estate/keys", "entry", "applications", "vaults", "incidents")
        assert {path: pages.get(path).status_code for path in paths} == dict.fromkeys(paths, 404)
        assert "Environments" not in pages.get("tables").text.split("</nav>")[0]
        assert pages.get("lockbox").status_code == 200
