"""Solutions and the trail as administrators use them: look first, then do, then see what came of it."""

import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from playwright.sync_api import expect
from tests.browser.conftest import SELLER, Site, Visitor

from strongroom.clock import iso

_SOLUTIONS = Path(__file__).parents[1] / "data" / "solutions"


def test_a_solution_is_planned_imported_looked_at_exported_and_removed(site: Site, admin: Visitor) -> None:
    page = admin.go("solutions")
    page.get_by_label("A solution's export").set_input_files(_SOLUTIONS / "term-buddy.zip")
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import of termbuddy 1.2.0.29")
    expect(page.locator("main")).to_contain_text("Would be created: ")
    with site.api() as client:
        assert client.get("solutions?$filter=uniquename eq 'termbuddy'").json()["value"] == []

    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("status")).to_contain_text("imported")
    page.locator("main").get_by_role("link", name="Solutions").last.click()
    page.get_by_role("link", name="term-buddy").click()
    expect(page.get_by_role("link", name="termbuddy-prompt", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="termbuddy-user")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("link", name="Export", exact=True).click()
    assert download.value.suggested_filename == "termbuddy_1_2_0_29.zip"
    assert "solution.xml" in zipfile.ZipFile(BytesIO(Path(download.value.path()).read_bytes())).namelist()

    page.get_by_role("link", name="Remove").click()
    expect(page.locator("main")).to_contain_text("what is in it stays")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("The solution is gone")
    assert admin.complaints == []


def test_a_file_that_is_no_solution_is_refused(site: Site, admin: Visitor, tmp_path: Path) -> None:
    no_solution = tmp_path / "no.zip"
    no_solution.write_bytes(b"PK no zip at all")
    page = admin.go("solutions")
    page.get_by_label("A solution's export").set_input_files(no_solution)
    page.get_by_role("button", name="Show the plan").click()
    expect(page.locator("main")).to_contain_text("zip")
    with site.pages() as pages:
        assert pages.post("solutions/plan", data={}).status_code == 400
    with site.pages(SELLER) as pages:
        content = {"file": ("x.zip", (_SOLUTIONS / "term-buddy.zip").read_bytes())}
        assert "privilege" in pages.post("solutions/import", files=content).text


def test_the_trail_is_followed_and_drawn(site: Site, admin: Visitor) -> None:
    page = admin.go("audit")
    today = page.locator("ol.days li").last
    assert today.locator("a").inner_text().split("\n")[0].strip().rpartition(":")[2].strip() != "0"
    page.get_by_role("link", name="Follow").click()
    expect(page.get_by_role("status")).to_contain_text("Following")
    with site.api() as client:
        made = client.post("accounts", json={"name": "Seen while following"})
        assert made.status_code == 204
    expect(page.locator("tbody")).to_contain_text("Account", timeout=20_000)
    with site.pages() as pages:
        assert pages.get("audit?live=on").headers["refresh"] == "5"
        assert "refresh" not in pages.get("audit").headers
    page.get_by_role("link", name="Stop following").click()
    today.locator("a").click()
    expect(page.locator("#since")).to_have_value(site.one("audits?$orderby=createdon desc&$top=1")["createdon"][:10])


def test_an_alert_is_seen_acknowledged_and_closed_by_two(site: Site, admin: Visitor) -> None:
    """Many rows deleted by one user: a shipped rule of high severity, which its user cannot close alone (TS-826)."""
    with site.api() as client:
        for number in range(100):
            made = client.post("accounts", json={"name": f"Mass {number}"}).headers["OData-EntityId"]
            assert client.delete(made).status_code == 204
    found = site.awaited("alerts?$filter=code eq 'mass-delete'&$top=1")

    page = admin.go("alerts")
    page.get_by_role("link", name="Many rows deleted by one user").first.click()
    assert admin.path == f"alerts/{found['alertid']}"
    expect(page.locator("tbody")).to_contain_text("Delete")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("status")).to_contain_text("acknowledged")
    page.get_by_role("button", name="Resolved").click()
    expect(page.get_by_role("alert")).to_be_visible()  # a note is needed

    page.get_by_label("Note, or the reason").fill("A test of ours")
    page.get_by_role("button", name="Resolved").click()
    expect(page.get_by_role("status")).to_contain_text("another person has to agree")
    admin.go("")
    expect(page.get_by_role("link", name="Open alerts")).to_be_visible()

    page = admin.go("alerts")
    row = page.locator("tr", has_text="Many rows deleted by one user").last
    row.get_by_role("link", name="Try on the past").click()
    expect(page.locator("main")).to_contain_text("Nothing is raised or told by looking")
    expect(page.locator("tbody tr")).not_to_have_count(0)


def test_a_job_that_waits_is_seen_and_cancelled(site: Site, admin: Visitor) -> None:
    """WA-308: a deletion in bulk that begins later."""
    value = {"Value": "nothing like this", "Type": "System.String"}
    criteria = {"AttributeName": "name", "Operator": "Equal", "Values": [value]}
    query = {
        "EntityName": "account",
        "ColumnSet": {"AllColumns": False, "Columns": ["name"]},
        "Criteria": {"FilterOperator": "And", "Conditions": [criteria]},
    }
    asked = {
        "QuerySet": [query],
        "JobName": "Clean up later",
        "SendEmailNotification": False,
        "ToRecipients": [],
        "CCRecipients": [],
        "RecurrencePattern": "",
        "StartDateTime": iso(datetime.now(UTC) + timedelta(days=30)),
    }
    with site.api() as client:
        begun = client.post("BulkDelete", json=asked)
        assert begun.status_code == 200, begun.text
    page = admin.go("jobs?which=open")
    page.get_by_role("link", name="Clean up later").click()
    expect(page.locator("main")).to_contain_text("Waiting")
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    page.get_by_role("button", name="Cancel the job").click()
    expect(page.locator("main")).to_contain_text("Canceled")
    admin.go("jobs?which=open")
    expect(page.locator("main")).not_to_contain_text("Clean up later")
