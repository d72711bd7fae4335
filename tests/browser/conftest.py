"""The console in a real Chromium, on a small demo company in an encrypted environment, as shipped."""

import os
import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, sync_playwright
from tests.servers import RunningServer, run_cli, start_server

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OF_LOOKS = ("color-contrast", "scrollable-region-focusable")
"""Rules of what the theme and the width change; the others judge what the page is."""

COOKIE = "strongroom-token"
ADMIN, SELLER = "admin", "sofia@meridian.example"


def chromium_path() -> str | None:
    """Where Chromium is on this machine."""
    return next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )


@dataclass(slots=True)
class Site:
    """The served console and its people."""

    server: RunningServer
    tokens: dict[str, str]

    @property
    def root(self) -> str:
        return f"{self.server.address}/console/demo"

    def token(self, user: str) -> str:
        if user not in self.tokens:
            self.tokens[user] = self.server.token(user)
        return self.tokens[user]

    def api(self, user: str = ADMIN) -> httpx.Client:
        """The Web API as a user, to look at what the console did."""
        return httpx.Client(
            base_url=self.server.api, headers={"Authorization": f"Bearer {self.token(user)}"}, timeout=30
        )

    def pages(self, user: str | None = ADMIN) -> httpx.Client:
        """The console by HTTP alone, signed in."""
        cookies = {COOKIE: self.token(user)} if user else {}
        headers = {"Accept": "text/html", "Origin": self.server.address}
        return httpx.Client(base_url=self.root, headers=headers, cookies=cookies, timeout=30)

    def name(self, user: str) -> str:
        """The full name of the user with this sign-in name."""
        return self.one(f"systemusers?$select=fullname&$filter=domainname eq '{user}'")["fullname"]

    def one(self, path: str) -> dict[str, str]:
        """The first row of a query of the Web API."""
        with self.api() as client:
            answer = client.get(path)
            assert answer.status_code == 200, answer.text
            rows: list[dict[str, str]] = answer.json()["value"]
            return rows[0]

    def awaited(self, path: str) -> dict[str, str]:
        """The first row of a query, once there is one."""
        deadline = time.monotonic() + 90
        with self.api() as client:
            while True:
                rows: list[dict[str, str]] = client.get(path).json()["value"]
                if rows:
                    return rows[0]
                assert time.monotonic() < deadline, f"{path} stayed empty"
                time.sleep(0.5)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A demo company of 300 accounts, served."""
    home = tmp_path_factory.mktemp("console") / "home"
    run_cli("init", "--home", str(home), "--demo", "--accounts", "300")
    running = start_server(home)
    yield Site(running, {})
    running.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for a module: while it is there an event loop runs, in which other tests could start none."""
    found = chromium_path()
    if found is None:
        reason = "Chromium is not installed: apt install chromium"
        if os.environ.get("CI") or os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@dataclass(slots=True)
class Visitor:
    """One person at the console. `complaints` are errors that the browser reported."""

    site: Site
    context: BrowserContext
    page: Page
    complaints: list[str]

    def go(self, path: str = "") -> Page:
        """Open a page of the demo environment."""
        self.page.goto(f"{self.site.root}/{path}" if path else self.site.root)
        return self.page

    @property
    def path(self) -> str:
        """Where the visitor is, below the environment."""
        return urlsplit(self.page.url).path.removeprefix("/console/demo").strip("/")

    def violations(self, rules: Sequence[str] = RULES) -> list[str]:
        """What axe finds on the page: the rule and the first element."""
        found = self.page.evaluate(f"{_axe()}; axe.run({{runOnly: {list(rules)!r}, resultTypes: ['violations']}})")
        return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found["violations"]]

    def overflows(self) -> bool:
        """Whether the page is wider than the window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


@contextmanager
def visiting(
    site: Site,
    chromium: Browser,
    user: str | None,
    *,
    width: int = 1280,
    theme: str = "light",
    scripts: bool = True,
    checks: bool = False,
) -> Generator[Visitor]:
    """A visitor in a window of its own. `checks` lets axe run in spite of the content security policy."""
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if theme == "dark" else "light",
        java_script_enabled=scripts,
        bypass_csp=checks,
        locale="en-GB",
    )
    if user is not None:
        context.add_cookies([{"name": COOKIE, "value": site.token(user), "url": site.server.address}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def accept(dialog: Dialog) -> None:
        if dialog.type != "beforeunload":
            complaints.append(f"dialog {dialog.message}")
        dialog.accept()

    page.on("dialog", accept)
    yield Visitor(site, context, page, complaints)
    context.close()


@pytest.fixture
def admin(site: Site, chromium: Browser) -> Iterator[Visitor]:
    """The administrator."""
    with visiting(site, chromium, ADMIN) as visitor:
        yield visitor


@pytest.fixture
def seller(site: Site, chromium: Browser) -> Iterator[Visitor]:
    """Somebody who sees their own accounts."""
    with visiting(site, chromium, SELLER) as visitor:
        yield visitor


@cache
def _axe() -> str:
    return Path(str(files("axe_core_python").joinpath("axe.min.js"))).read_text(encoding="utf-8")
