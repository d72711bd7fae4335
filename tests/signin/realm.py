"""A home with people in it, served in this process over what a browser would see as HTTPS, with a clock of its own."""

import html
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol, cast

import httpx
from pyotp.totp import TOTP
from tests.engines import START

from strongroom.clock import TestClock
from strongroom.environments import Environments
from strongroom.home import EnvironmentKind, Home, create_home
from strongroom.identity.applications import register
from strongroom.identity.directory import Directory, text
from strongroom.identity.membership import make_person_user
from strongroom.identity.people import add_person, hashed, person_named, set_password
from strongroom.ids import Guid
from strongroom.opening import create_environment
from strongroom.records import Birth
from strongroom.serving import Site
from strongroom.store.protocol import Row
from strongroom.webapi.app import Application
from strongroom.webapi.protection import Limits, Protection

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have the successor of httpx, which is not needed elsewhere
    from starlette.testclient import TestClient

ORIGIN = "https://crm.example"
PASSWORD = "lantern-oxide-parsley"
REDIRECT = "https://app.example/back"


class Browser(Protocol):
    """A browser: what the test client does, with types."""

    cookies: httpx.Cookies

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> httpx.Response: ...

    def post(
        self, url: str, *, data: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response: ...


@dataclass
class Realm:
    """A served home: Ada is an administrator of `main`, Bo is known to the directory only."""

    home: Home
    clock: TestClock
    environments: Environments
    site: Site
    client_id: Guid
    people: dict[str, Guid] = field(default_factory=dict[str, Guid])

    @property
    def directory(self) -> Directory:
        return self.environments.directory

    def browser(self, address: str = "192.0.2.10", *, site: Site | None = None) -> Browser:
        """A browser of its own at a network address; it follows no redirects."""
        made = TestClient(
            site or self.site,
            base_url=ORIGIN,
            follow_redirects=False,
            client=(address, 50000),
            headers={"user-agent": f"Browser at {address}"},
            raise_server_exceptions=False,
        )
        return cast("Browser", made)

    def another_process(self) -> Site:
        """The same home as another worker sees it."""
        environments = Environments(self.home)
        return Site(environments, Application(environments, Protection(Limits(), enforced=False), 1024 * 1024))

    def pass_time(self, **duration: float) -> None:
        """Let time go by."""
        self.clock.move_to(self.clock.now() + timedelta(**duration))

    def person(self, login: str) -> Row:
        with self.directory.reading() as transaction:
            return person_named(transaction, login)

    def log(self) -> list[tuple[str, int, str]]:
        """The sign-in log: name, result, reason."""
        with self.directory.reading() as transaction:
            rows = transaction.rows_where(transaction.schema.tables["signinlog"], {})
        return [(text(row, "name"), int(str(row.values["result"])), text(row, "reason")) for row in rows]


def make_realm(folder: Path, clock: TestClock | None = None) -> Realm:
    """A home with Ada and Bo, and a public program."""
    clock = clock or TestClock(START)
    home = create_home(folder / "home", clock=clock)
    for name, kind in (("control", EnvironmentKind.CONTROL), ("main", EnvironmentKind.BUSINESS)):
        made, _ = create_environment(home, name, Birth(name, "admin@home"), kind=kind)
        made.close()
    environments = Environments(home)
    directory = environments.directory
    kept = hashed(PASSWORD)
    people: dict[str, Guid] = {}
    with directory.writing() as session:
        for login, name in (("ada@home", "Ada Byron"), ("bo@home", "Bo Ek")):
            person = add_person(session, login, name)
            set_password(session, person, kept)
            people[login] = person.id
        program = register(session, "Notes", redirects=[REDIRECT, "http://localhost/back"], is_public=True)
    for name in ("main", "control"):
        with environments.named(name).session_of("admin", write=True) as session:
            make_person_user(session, people["ada@home"], "ada@home", "Ada Byron", ["System Administrator"])
    site = Site(environments, Application(environments, Protection(Limits(), enforced=False), 1024 * 1024))
    return Realm(home, clock, environments, site, Guid(text(program, "clientid")), people)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's first form that has a token."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    fields: dict[str, str] = {}
    for name, value in found:
        fields.setdefault(name, html.unescape(value))
    return fields


def send(browser: Browser, path: str, fields: Mapping[str, str], *, page: str | None = None) -> httpx.Response:
    """Fill in the form of `page` (the one at `path` unless given) and send it to `path`."""
    shown = browser.get(path).text if page is None else page
    return browser.post(path, data={**hidden(shown), **fields}, headers={"origin": ORIGIN})


def sign_in(browser: Browser, login: str = "ada@home", password: str = PASSWORD, following: str = "") -> httpx.Response:
    """Sign in by password."""
    return send(browser, "/sign-in", {"login": login, "password": password, "next": following})


def code_now(realm: Realm, secret: str, shift: int = 0) -> str:
    """What an authenticator app shows."""
    return TOTP(secret).generate_otp(int(realm.clock.now().timestamp()) // 30 + shift)
