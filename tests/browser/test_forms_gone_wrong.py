"""What goes wrong while somebody works: each has a clear message and a way on, and nothing that was typed is lost."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.conftest import ADMIN, COOKIE, SELLER, Site, Visitor, visiting
from tests.servers import run_cli


@pytest.fixture
def closed(site: Site) -> Iterator[list[str]]:
    """Environments to open again, whatever happens."""
    names: list[str] = []
    yield names
    for name in names:
        run_cli("environment", "open", name, "--home", str(site.server.home))


def _row(site: Site, name: str) -> str:
    with site.api() as client:
        made = client.post("accounts", json={"name": name})
        assert made.status_code == 204, made.text
    return made.headers["OData-EntityId"][-37:-1]


def _names(site: Site, name: str) -> list[str]:
    with site.api() as client:
        rows = client.get(f"accounts?$select=name&$filter=startswith(name,'{name}')").json()["value"]
    return [each["name"] for each in rows]


def _new(visitor: Visitor, name: str) -> Page:
    page = visitor.go("tables/account/new")
    page.locator("#f-name").fill(name)
    return page


def test_a_session_that_ends_in_mid_form_keeps_what_was_typed(site: Site, chromium: Browser) -> None:
    with visiting(site, chromium, ADMIN, checks=True) as visitor:
        page = _new(visitor, 'Typed "before" <b>')
        visitor.context.clear_cookies(name=COOKIE)  # as in a second tab where somebody signs out
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("Your session has ended")
        assert visitor.violations() == []
        with visitor.context.expect_page() as opened:
            page.get_by_role("link", name="First, in a new tab").click()
        door = opened.value
        door.get_by_label("Token").fill(site.token(ADMIN))
        door.get_by_role("button", name="Sign in").click()
        expect(door.locator("#f-name")).to_be_visible()  # back at the form, in the new tab
        page.get_by_role("button", name="Send it again").click()
        expect(page.get_by_role("heading", level=1)).to_have_text('Typed "before" <b>')
    with site.pages(None) as pages:
        secret = pages.post("/tables/account/new", data={"name": "kept", "password": "hunter2", "act": "x"})
        assert (secret.status_code, "hunter2" in secret.text) == (401, False)
        stranger = pages.post("/tables/account/new", data={"name": "kept"}, headers={"Origin": "https://evil.example"})
        assert (stranger.status_code, 'value="kept"' in stranger.text) == (403, False)


def test_a_form_that_is_sent_twice_makes_one_row(site: Site, admin: Visitor) -> None:
    page = _new(admin, "Sent once")
    found = re.search(r'name="~once" value="([^"]+)"', page.content())
    assert found
    page.get_by_role("button", name="Save").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sent once")
    with site.pages() as pages:
        again = pages.post("/tables/account/new", data={"name": "Sent once", "~once": found[1]})
        assert (again.status_code, found[1] in again.headers["Location"]) == (303, True)
        other = pages.post("/tables/account/new", data={"name": "Sent once, changed", "~once": found[1]})
    assert "has made a row already" in other.text
    assert _names(site, "Sent once") == ["Sent once"]

    page.go_back()
    expect(page.get_by_role("alert")).to_contain_text("You came back to this form")

    row = _row(site, "Saved twice")
    form = {"telephone1": "77", "was~telephone1": "", "etag": 'W/"1"'}
    with site.api() as client, site.pages() as pages:
        assert client.patch(f"accounts({row})", json={"telephone1": "77"}).status_code == 204
        assert (
            pages.post(f"/tables/account/{row}/edit", data=form).status_code == 303
        )  # what is stored is what was typed
        assert pages.post(f"/tables/account/{row}/edit", data={**form, "telephone1": "78"}).status_code == 412


def test_a_row_a_lookup_and_a_column_that_vanished_lose_nothing(site: Site, admin: Visitor) -> None:
    row = _row(site, "Gone in the meantime")
    page = admin.go(f"tables/account/{row}/edit")
    page.locator("#f-telephone1").fill("+34 1")
    with site.api() as client:
        assert client.delete(f"accounts({row})").status_code == 204
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("not there any more")
    expect(page.locator("#f-telephone1")).to_have_value("+34 1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gone in the meantime")

    page = _new(admin, "With a contact")
    page.get_by_label("Primary Contact").fill("Somebody deleted")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".wrong")).to_contain_text("No row that you may see")
    expect(page.locator("#f-name")).to_have_value("With a contact")

    with site.pages() as pages:
        stale = pages.post("/tables/account/new", data={"name": "Stale", "new_removed": "typed into it"})
    assert (stale.status_code, "no column new_removed" in stale.text) == (409, True)
    assert 'value="Stale"' in stale.text
    assert _names(site, "Stale") == []


def test_an_environment_that_is_closed_while_a_page_is_open(site: Site, admin: Visitor, closed: list[str]) -> None:
    page = _new(admin, "Written while closed")
    closed.append("demo")
    run_cli("environment", "suspend", "demo", "--home", str(site.server.home))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("The environment is suspended")
    with site.pages() as pages:
        assert pages.get("tables/account").status_code == 503
        evil = {"Origin": "https://evil.example"}
        strange = pages.post("tables/account/new", data={"name": "from elsewhere"}, headers=evil)
        assert (strange.status_code, "from elsewhere" in strange.text) == (403, False)
    run_cli("environment", "open", "demo", "--home", str(site.server.home))
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Written while closed")


def test_two_tabs_one_of_which_looks_as_somebody_else(site: Site, admin: Visitor) -> None:
    page = _new(admin, "Typed in the first tab")
    seller = site.one(f"systemusers?$filter=domainname eq '{SELLER}'")["systemuserid"]
    second = admin.context.new_page()
    second.goto(f"{site.root}/people/{seller}")
    second.get_by_role("button", name="See the console as").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing can be changed while you look as somebody else")
    second.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Typed in the first tab")


def test_files_go_in_and_out_and_a_wrong_or_huge_one_changes_nothing(
    site: Site, admin: Visitor, tmp_path: Path
) -> None:
    row = _row(site, "With files")
    hostile = tmp_path / "Übersicht <b>.html"
    hostile.write_text("<script>document.title = 'run'</script>")
    page = admin.go(f"tables/account/{row}/timeline")
    page.get_by_text("Add a note").click()
    page.get_by_label("Note", exact=True).fill("See the file")
    page.get_by_label("A file to go with it").set_input_files(hostile)
    page.get_by_role("button", name="Add").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Übersicht").click()
    assert download.value.path().read_text() == hostile.read_text()
    note = site.one(f"annotations?$filter=_objectid_value eq {row}")["annotationid"]
    with site.pages() as pages:
        answer = pages.get(f"/tables/annotation/{note}/files/documentbody")
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        huge = pages.post(f"/tables/account/{row}/files/entityimage", files={"file": ("x.png", b"0" * (33 * 1024**2))})
        assert (huge.status_code, "too much for one form" in huge.text) == (413, True)

    page = admin.go(f"tables/account/{row}")
    page.get_by_label("Put one in").set_input_files(hostile)
    page.get_by_role("button", name="Put in").click()
    expect(page.get_by_role("alert")).to_contain_text("no picture")
    picture = tmp_path / "dot.gif"
    picture.write_bytes(base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"))
    page = admin.go(f"tables/account/{row}")
    page.get_by_label("Put one in").set_input_files(picture)
    page.get_by_role("button", name="Put in").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Take it out").click()
    assert download.value.path().stat().st_size > 0
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_label("Put one in")).to_be_visible()
