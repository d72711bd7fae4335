"""Every page in both themes and both widths: accessible, no wider than the window, and without an error."""

import gzip
import re

import pytest
from playwright.sync_api import Browser
from tests.browser.conftest import ADMIN, OF_LOOKS, RULES, Site, visiting

from strongroom.console.registry import all_pages

_FILES = ("/export", "/proof", "/files/{column}", "/exposure/scope", "/exposure/evidence")
_OF_CONTROL = ("estate", "entry", "applications", "vaults", "incidents")


def _job(site: Site) -> str:
    """A job in the background: an export that nobody waits for."""
    with site.api() as client:
        made = client.post("ExportSolutionAsync", json={"SolutionName": "Default", "Managed": False})
    job: str = made.json()["AsyncOperationId"]
    return job


def _addresses(site: Site) -> dict[str, str]:
    """An address for each page that can be looked at, by the page's path."""
    account = site.one("accounts?$select=accountid&$top=1")["accountid"]
    ids = {
        "table": "account",
        "id": account,
        "tables": "systemuser",
    }
    own = {
        "/people/{id}": site.one("systemusers?$filter=domainname eq 'sofia@meridian.example'")["systemuserid"],
        "/teams/{id}": site.one("teams?$select=teamid&$top=1")["teamid"],
        "/roles/{id}": site.one("roles?$filter=name eq 'Salesperson'")["roleid"],
        **dict.fromkeys(
            ("/solutions/{id}", "/solutions/{id}/remove"),
            site.one("solutions?$filter=uniquename eq 'Default'")["solutionid"],
        ),
        "/alerts/{id}": site.awaited("alerts?$select=alertid&$top=1")["alertid"],
        "/alerts/rules/{id}": site.one("alertrules?$filter=code eq 'mass-delete'")["alertruleid"],
        "/jobs/{id}": _job(site),
        "/profiles/{id}": site.one("fieldsecurityprofiles?$top=1")["fieldsecurityprofileid"],
    }
    found: dict[str, str] = {}
    for page in all_pages():
        if (
            "GET" in page.methods
            and not page.path.startswith("/lookup")
            and not page.path.endswith(
                ("/export", "/proof", "/files/{column}", "/exposure/scope", "/exposure/evidence")
            )  # files
            and "{entry}" not in page.path
            and page.area not in _OF_CONTROL  # test_control
            and not page.path.startswith("/lockbox/")
        ):
            values = {**ids, "id": own.get(page.path, account)}
            found[page.path] = re.sub(r"\{(\w+)\}", lambda m, v=values: v[m[1]], page.path).strip("/")
    return found


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360), ("light", 2560)])
def test_every_page_is_accessible_fits_and_has_no_error(site: Site, chromium: Browser, theme: str, width: int) -> None:
    found: list[str] = []
    with visiting(site, chromium, ADMIN, theme=theme, width=width, checks=True) as visitor:
        for path, address in _addresses(site).items():
            answer = visitor.page.goto(f"{site.root}/{address}".rstrip("/"))
            assert answer is not None
            if answer.status != 200:
                found.append(f"{path}: {answer.status}")
            if width < 2000:  # the rules see the same page in a wider window
                rules = OF_LOOKS if theme == "dark" else RULES
                found += [f"{path}: {each}" for each in visitor.violations(rules)]
            if visitor.overflows():
                found.append(f"{path}: wider than {width} pixels")
            if not visitor.page.title().endswith("· Strongroom") or visitor.page.locator("h1").count() != 1:
                found.append(f"{path}: title or heading")
        found += visitor.complaints
    assert found == []


def test_every_page_is_light_on_first_load(site: Site) -> None:
    """Under 100 kB over the wire with its style, script and pictures, which come from this server alone."""
    heavy: dict[str, int] = {}
    parts: dict[str, int] = {}
    with site.pages() as pages:

        def weight(address: str) -> tuple[int, str]:
            with pages.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
                assert answer.status_code == 200, address
                raw = b"".join(answer.iter_raw())
            is_packed = answer.headers.get("content-encoding") == "gzip"
            return len(raw), (gzip.decompress(raw) if is_packed else raw).decode()

        for path, address in _addresses(site).items():
            size, html = weight(f"{site.root}/{address}".rstrip("/"))
            assert not re.search(r'(src|href)="(https?:)?//', html.replace(site.server.address, "")), path
            for part in set(re.findall(r'<(?:link|script|img)[^>]*(?:src|href)="(/[^"]+)"', html)):
                if part not in parts:
                    parts[part] = weight(site.server.address + part)[0]
                size += parts[part]
            if size > 100_000:
                heavy[path] = size
    assert len(parts) == 3
    assert heavy == {}


@pytest.mark.parametrize(
    "address", ["nothing", "tables/nothing", "tables/account/00000000-0000-4000-8000-00000000dead"]
)
def test_a_page_that_is_not_there_says_so(site: Site, chromium: Browser, address: str) -> None:
    with visiting(site, chromium, ADMIN, checks=True) as visitor:
        answer = visitor.page.goto(f"{site.root}/{address}")
        assert answer is not None
        assert answer.status == 404
        assert visitor.page.get_by_role("link", name="Home").first.is_visible()
        assert visitor.violations() == []
