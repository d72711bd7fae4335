"""Many rows at once: changed, deleted, taken out as a file and brought back, with what is refused told row by row."""

import csv
from pathlib import Path

from playwright.sync_api import Browser, expect
from tests.browser.conftest import ADMIN, SELLER, Site, Visitor, visiting


def _made(site: Site, names: list[str]) -> list[str]:
    with site.api() as client:
        answers = [client.post("accounts", json={"name": name}) for name in names]
        assert [each.status_code for each in answers] == [204] * len(names)
        return [each.headers["OData-EntityId"].rpartition("(")[2].rstrip(")") for each in answers]


def test_chosen_rows_are_edited_emptied_and_deleted_together(site: Site, admin: Visitor) -> None:
    ids = _made(site, ["Together 1", "Together 2", "Together 3"])
    page = admin.go("tables/account?q=Together")
    page.get_by_label("Choose Together 1").check()
    page.get_by_label("Choose Together 3").check()
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Edit 2 rows: Accounts")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("at least one field")

    page.locator("#f-telephone1").fill("+1 555 0100")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("2 rows are changed")
    with site.api() as client:
        phones = [client.get(f"accounts({each})?$select=telephone1").json()["telephone1"] for each in ids]
    assert phones == ["+1 555 0100", None, "+1 555 0100"]

    page = admin.go("tables/account?q=Together")
    page.get_by_label("Choose all rows of this page").check()
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("Empty these fields").click()
    page.get_by_role("checkbox", name="Main Phone").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("3 rows are changed")

    page = admin.go("tables/account?q=Together")
    page.get_by_label("Choose all rows of this page").check()
    page.get_by_label("With the chosen rows").select_option("delete")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("3 rows are deleted")
    with site.api() as client:
        assert [client.get(f"accounts({each})").status_code for each in ids] == [404] * 3


def test_what_is_refused_takes_no_other_row_with_it(site: Site, chromium: Browser) -> None:
    """A seller may change the own account and read, but not change, the shared one."""
    (foreign,) = _made(site, ["Refused Together"])
    seller = site.one(f"systemusers?$filter=domainname eq '{SELLER}'")["systemuserid"]
    with site.api() as client:
        access = {
            "Principal": {"@odata.type": "Microsoft.Dynamics.CRM.systemuser", "systemuserid": seller},
            "AccessMask": "ReadAccess",
        }
        target = {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": foreign}
        shared = client.post("GrantAccess", json={"Target": target, "PrincipalAccess": access})
        assert shared.status_code == 204, shared.text
    with site.api(SELLER) as client:
        own = client.post("accounts", json={"name": "Allowed Together"})
        assert own.status_code == 204
    with visiting(site, chromium, SELLER) as visitor:
        page = visitor.go("tables/account?q=*Together")
        page.get_by_label("Choose Refused Together").check()
        page.get_by_label("Choose Allowed Together").check()
        page.get_by_role("button", name="Go on").click()
        page.locator("#f-telephone1").fill("+34 1")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("1 row is changed")
        expect(page.get_by_role("alert")).to_contain_text("Refused Together")
    with site.api() as client:
        assert client.get(f"accounts({foreign})?$select=telephone1").json()["telephone1"] is None


def test_a_list_becomes_a_file_and_the_file_becomes_rows(site: Site, admin: Visitor, tmp_path: Path) -> None:
    _made(site, ["Filed 1", 'Filed "2", =1+1', "Other"])
    page = admin.go("tables/account?q=Filed&columns=name,telephone1")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    exported = tmp_path / "account.csv"
    download.value.save_as(exported)
    with exported.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["Filed 1", 'Filed "2", =1+1'] or len(rows) == 2
    assert set(rows[0]) == {"accountid", "name", "telephone1"}

    lines = [f"{row['accountid']},{number}" for number, row in enumerate(rows, 1)]
    changed = tmp_path / "changed.csv"
    changed.write_text("accountid,Phone,revenue\n" + "".join(f"{line},\n" for line in lines) + ",3,no number\n")
    page = admin.go("tables/account/import")
    page.get_by_label("A file:").set_input_files(changed)
    page.get_by_text("Columns with other names").click()
    page.get_by_label("One line for each").fill("Phone=telephone1")
    page.locator("main").get_by_role("button", name="Import").click()
    outcome = page.get_by_role("status")
    expect(outcome).to_be_visible()
    assert outcome.locator("tbody td").all_inner_texts() == ["0", "2", "0", "1", "0"]
    expect(page.locator("main")).to_contain_text("takes a number")
    with site.api() as client:
        found = client.get(f"accounts({rows[0]['accountid']})?$select=telephone1,name").json()
    assert (found["telephone1"], found["name"]) == ("1", rows[0]["name"])
    assert admin.complaints == []


def test_files_that_do_not_fit_change_nothing_and_say_why(site: Site, admin: Visitor, tmp_path: Path) -> None:
    for name, content, said in (
        ("rows.exe", "x", "is none of"),
        ("rows.csv", "nothing\n1\n", "has no column"),
        ("rows.xlsx", "no workbook", "rows.xlsx"),
    ):
        file = tmp_path / name
        file.write_text(content)
        page = admin.go("tables/account/import")
        page.get_by_label("A file:").set_input_files(file)
        page.locator("main").get_by_role("button", name="Import").click()
        expect(page.get_by_role("alert")).to_contain_text(said)
    with site.pages() as pages:
        assert pages.get("tables/account/export?format=exe").status_code == 400
        assert pages.get("tables/account/export?c1=nothing&o1=eq&v1=x").status_code == 400
        assert pages.post("tables/account/bulk", data={"act": "edit"}).status_code == 400
        assert pages.post("tables/account/bulk", data={"act": "fly", "row": "x"}).status_code == 400


def test_an_export_holds_no_row_that_its_reader_may_not_see(site: Site) -> None:
    _made(site, ["Unseen by sellers"])
    with site.pages(SELLER) as pages:
        exported = pages.get("tables/account/export?format=jsonl").text
    with site.api(SELLER) as client:
        seen = client.get("accounts?$select=name&$count=true").json()["@odata.count"]
    assert len(exported.splitlines()) == seen
    assert "Unseen by sellers" not in exported


def test_looking_as_somebody_shows_what_they_see_and_changes_nothing(site: Site, admin: Visitor) -> None:
    seller = site.one(f"systemusers?$filter=domainname eq '{SELLER}'")["systemuserid"]
    _made(site, ["Hidden from Sofia"])
    page = admin.go(f"people/{seller}")
    page.get_by_role("button", name="See the console as").click()
    expect(page.get_by_role("status").first).to_contain_text(f"You see what {site.name(SELLER)} sees")
    admin.go("tables/account?q=Hidden from Sofia")
    expect(page.locator("main")).to_contain_text("No row here that you may see")
    admin.go("tables/account/new")
    page.locator("#f-name").fill("Written as somebody else")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Nothing can be changed while you look as somebody else")
    admin.go("tables")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("form.acting")).to_have_count(0)
    admin.go("tables/account?q=Hidden from Sofia")
    expect(page.locator("main")).to_contain_text("1 row")
    with site.api() as client:
        told = client.get(f"audits?$filter=_objectid_value eq {seller}&$orderby=createdon desc&$top=20").text
    assert "sr_ViewAs" in told


def test_who_may_not_act_for_others_cannot_look_as_them(site: Site, chromium: Browser) -> None:
    boss = site.one("systemusers?$filter=startswith(domainname,'admin@')")["systemuserid"]
    with visiting(site, chromium, SELLER) as visitor:
        page = visitor.go(f"people/{boss}")
        page.get_by_role("button", name="See the console as").click()
        expect(page.locator("main")).to_contain_text("act on behalf")
        visitor.go("tables")
        expect(page.locator("form.acting")).to_have_count(0)

        # A cookie made by hand opens nothing, and does not lock anybody out.
        visitor.context.add_cookies(
            [{"name": "strongroom-view-as", "value": f"demo:{boss}", "domain": "127.0.0.1", "path": "/console"}]
        )
        answer = page.goto(f"{site.root}/tables")
        assert answer is not None
        assert answer.status == 403
        answer = page.goto(f"{site.root}/tables")
        assert answer is not None
        assert answer.status == 200


def test_the_hierarchy_and_the_shares_are_drawn(site: Site, admin: Visitor) -> None:
    page = admin.go("hierarchy")
    expect(page.locator("main")).to_contain_text("Hierarchy security is off")
    where = f"$filter=domainname eq '{SELLER}'&$expand=parentsystemuserid($select=fullname)"
    with site.api(ADMIN) as client:
        reports = client.get(f"systemusers?{where}").json()["value"]
    manager = reports[0]["parentsystemuserid"]["fullname"]
    inside = page.locator("li", has=page.get_by_role("link", name=manager, exact=True)).last
    expect(inside.get_by_role("link", name=site.name(SELLER))).to_be_visible()

    page = admin.go("shares")
    with site.api(ADMIN) as client:
        counted = client.get("principalobjectaccessset?$count=true&$top=1").json()["@odata.count"]
    expect(page.locator("main")).to_contain_text(f"{counted:,} shares")
    page.get_by_role("link", name="Accounts").click()
    expect(page.get_by_role("heading", name="Newest shares")).to_be_visible()
