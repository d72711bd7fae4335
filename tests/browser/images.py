"""The pictures of the README and the guide, made from a demo company: `make images`.

Each is what somebody sees who does what the guide says. They are small enough to be kept beside the text, which a test
checks, and are made anew whenever the pages look different.
"""

import base64
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright
from tests.browser.conftest import ADMIN, COOKIE, FLAGS, SELLER, Site, Visitor, chromium_path, visiting
from tests.servers import run_cli, start_server

FOLDER = Path(__file__).parents[2] / "docs" / "images"
MOST_BYTES = 100_000
_QUALITY = 78
_HEIGHT = 760


def main() -> int:
    """Make all of them. Exit status 1 when one is too large."""
    too_large: list[str] = []
    for name, picture in _pictures():
        (FOLDER / f"{name}.webp").write_bytes(picture)
        print(f"{name}.webp  {len(picture) // 1000} kB")
        if len(picture) > MOST_BYTES:
            too_large.append(name)
    if too_large:
        print(f"larger than {MOST_BYTES} bytes: {', '.join(too_large)}", file=sys.stderr)
    return 1 if too_large else 0


@contextmanager
def _served() -> Generator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        run_cli("init", "--home", str(home), "--demo", "--accounts", "300")
        server = start_server(home)
        try:
            yield Site(server, {})
        finally:
            server.stop()


def _pictures() -> Iterator[tuple[str, bytes]]:
    with _served() as site, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        site.awaited("alerts?$select=alertid&$top=1")
        with visiting(site, chromium, ADMIN) as visitor:
            visitor.go("")
            yield "home", _shot(visitor.page)
            visitor.go("tables/account?columns=name,telephone1,address1_city,revenue,ownerid")
            yield "list", _shot(visitor.page)
            visitor.go(f"tables/account/{_account(site)}/access")
            yield "who", _shot(visitor.page)
            visitor.go(f"why?user={quote(site.name(SELLER))}&table=account&row={_hidden(site)}")
            yield "why", _shot(visitor.page)
            yield from _of_a_role(site, visitor)
            visitor.go("audit")
            yield "audit", _shot(visitor.page)
        with visiting(site, chromium, SELLER, width=390, theme="dark") as visitor:
            visitor.go("tables/account")
            yield "phone", _shot(visitor.page)
        with visiting(site, chromium, None) as visitor:
            token = site.server.token("admin", environment="control")
            visitor.context.add_cookies([{"name": COOKIE, "value": token, "url": site.server.address}])
            yield "incident", _incident(site, visitor.page)
        chromium.close()


def _of_a_role(site: Site, visitor: Visitor) -> Iterator[tuple[str, bytes]]:
    role = site.one("roles?$filter=name eq 'Salesperson' and _parentroleid_value eq null")["roleid"]
    page = visitor.go(f"roles/{role}?q=account")
    page.get_by_label("Read Account", exact=True).select_option("Global")
    yield "role", _shot(page)
    page.get_by_role("button", name="See the effect").click()
    yield "role-effect", _shot(page)


def _incident(site: Site, page: Page) -> bytes:
    page.goto(f"{site.server.address}/console/control/incidents")
    page.get_by_label("What happened").fill("Laptop of a seller stolen")
    page.get_by_label("Severity").select_option("High")
    page.get_by_role("button", name="Open an incident").click()
    page.get_by_label("Risk to people").select_option("Risk")
    page.get_by_label("Why this risk").fill("Names and phone numbers; the disk is encrypted")
    page.get_by_role("button", name="Declare the breach").click()
    page.get_by_label("New task").fill("Lock the account")
    page.locator("form", has=page.get_by_label("New task")).locator("button").click()
    page.goto(page.url.partition("?")[0])
    return _shot(page)


def _account(site: Site) -> str:
    """An account that a seller owns."""
    with site.api(SELLER) as client:
        own: str = client.get("accounts?$select=accountid&$top=1").json()["value"][0]["accountid"]
    return own


def _hidden(site: Site) -> str:
    """An account that the seller does not see."""
    with site.api(SELLER) as client:
        seen = {each["accountid"] for each in client.get("accounts?$select=accountid").json()["value"]}
    with site.api() as client:
        rows = client.get("accounts?$select=accountid").json()["value"]
    return next(each["accountid"] for each in rows if each["accountid"] not in seen)


def _shot(page: Page) -> bytes:
    """The top of the page, as WebP."""
    size = page.viewport_size or {"width": 1280, "height": _HEIGHT}
    page.set_viewport_size({"width": size["width"], "height": _HEIGHT})
    session = cast(Any, page.context.new_cdp_session(page))  # its messages are dictionaries of anything
    answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    session.detach()
    return base64.b64decode(answer["data"])


if __name__ == "__main__":
    sys.exit(main())
