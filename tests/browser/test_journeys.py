"""What people come to do, from the first click to what the Web API says afterwards."""

import json
from urllib.parse import quote

from playwright.sync_api import Browser, expect
from tests.browser.conftest import ADMIN, SELLER, Site, Visitor, visiting


def test_signing_in_leads_to_where_one_wanted_to_go(site: Site, chromium: Browser) -> None:
    with visiting(site, chromium, None) as visitor:
        page = visitor.go("tables/account?q=a")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

        page.get_by_label("Token").fill("no token at all")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("opens nothing here")

        visitor.go("tables/account?q=a")
        page.get_by_label("Token").fill(site.token(SELLER))
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Accounts")).to_be_visible()
        assert page.url.endswith("?q=a")

        page.locator("details.me summary").click()
        page.get_by_role("button", name="Sign out").click()
        visitor.go("tables/account")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_list_is_searched_sorted_filtered_and_paged(admin: Visitor) -> None:
    page = admin.go("tables/contact")
    first = page.locator("tbody th a").first.inner_text()
    page.get_by_role("link", name="Next page").click()
    assert page.locator("tbody th a").first.inner_text() != first

    page.get_by_role("link", name="Full Name").click()
    page.get_by_role("link", name="Full Name").click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Full Name")
    names = page.locator("tbody th a").all_inner_texts()
    assert len(names) == 50

    page.get_by_text("Conditions and columns").click()
    page.locator("#c1").select_option("jobtitle")
    page.locator("#o1").select_option("null")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".card.empty, tbody")).to_be_visible()

    admin.go("tables/contact?c1=nothing&o1=eq&v1=x")
    expect(page.get_by_role("alert")).to_contain_text("is no condition")


def test_a_chart_counts_what_the_list_holds(admin: Visitor) -> None:
    page = admin.go("tables/account?chart=industrycode")
    chart = page.locator("section", has=page.get_by_role("heading", name="Rows by Industry"))
    numbers = [int(text.replace(",", "")) for text in chart.locator("td.number").all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)
    assert sum(numbers) <= 300


def test_a_row_is_made_changed_shared_assigned_closed_and_deleted(site: Site, admin: Visitor) -> None:
    page = admin.go("tables/account/new")
    page.locator("#f-name").fill("Journey & Sons <Ltd>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("created")
    expect(page.get_by_role("heading", level=1)).to_have_text("Journey & Sons <Ltd>")
    row = admin.path

    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Main Phone").fill("+49 30 1234")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("+49 30 1234")

    page.get_by_role("link", name="Share", exact=True).click()
    page.get_by_label("A user or a team").fill(site.name(SELLER))
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.locator("main")).to_contain_text("shared")
    expect(page.get_by_role("button", name="End this share")).to_be_visible()

    admin.go(f"{row}/assign")
    page.get_by_label("New owner: a user or a team").fill("nobody of this name")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_role("alert")).to_contain_text("No row that you may see")
    page.get_by_label("New owner: a user or a team").fill(site.name("amara@meridian.example"))
    page.get_by_role("button", name="Assign").click()
    expect(page.locator("main")).to_contain_text(site.name("amara@meridian.example"))

    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_role("button", name="Activate")).to_be_visible()

    admin.go(f"{row}/history")
    expect(page.locator(".timeline")).to_contain_text("+49 30 1234")
    changed = page.locator(".timeline > li", has_text="+49 30 1234").first
    changed.get_by_role("link", name="Back to before this").click()
    expect(page.locator("tbody")).to_contain_text("+49 30 1234")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("status")).to_contain_text("The earlier value is back")
    expect(page.locator("main")).not_to_contain_text("+49 30 1234")

    admin.go(f"{row}/delete")
    expect(page.locator("main")).to_contain_text("Deleted with it")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("deleted")


def test_somebody_else_was_faster_shows_both_and_loses_nothing(site: Site, admin: Visitor) -> None:
    with site.api() as api:
        made = api.post("accounts", json={"name": "Contested", "telephone1": "1"})
        row = made.headers["OData-EntityId"][-37:-1]
        page = admin.go(f"tables/account/{row}/edit")
        page.get_by_label("Main Phone").fill("mine")
        assert api.patch(f"accounts({row})", json={"telephone1": "theirs", "fax": "kept"}).status_code == 204
        page.get_by_role("button", name="Save").click()

        expect(page.get_by_role("alert")).to_contain_text("Somebody else changed this row")
        expect(page.get_by_role("alert")).to_contain_text("theirs")
        expect(page.get_by_label("Main Phone")).to_have_value("mine")
        page.get_by_role("button", name="Save").click()
        stored = api.get(f"accounts({row})?$select=telephone1,fax").json()
        assert (stored["telephone1"], stored["fax"]) == ("mine", "kept")


def test_why_and_why_not_are_told_in_words(site: Site, admin: Visitor) -> None:
    with site.api(SELLER) as api:
        mine = api.get("accounts?$select=accountid&$top=1").json()["value"][0]["accountid"]
    page = admin.go(f"why?user=nobody&table=account&row={mine}")
    expect(page.get_by_role("alert")).to_contain_text("No row that you may see is called 'nobody'")

    page.get_by_label("User or team").fill(site.name(SELLER))
    page.get_by_role("button", name="Explain").click()
    expect(page.locator(".notice.good")).to_contain_text("Allowed.")
    expect(page.locator(".path").first).to_contain_text(site.name(SELLER))

    with site.api() as api:
        seen = {mine}
        for each in api.get("accounts?$select=accountid").json()["value"]:
            if each["accountid"] not in seen and _denied(site, each["accountid"]):
                admin.go(f"why?user={quote(site.name(SELLER))}&table=account&row={each['accountid']}")
                break
    expect(page.locator(".notice.bad")).to_contain_text("Denied.")
    expect(page.locator("main")).to_contain_text("Share the row")


def _denied(site: Site, account: str) -> bool:
    with site.api(SELLER) as api:
        return api.get(f"accounts({account})?$select=name").status_code in (403, 404)


def test_who_can_see_a_row_lists_people_with_their_reasons(site: Site, admin: Visitor) -> None:
    account = site.one("accounts?$select=accountid&$top=1")["accountid"]
    page = admin.go(f"tables/account/{account}/access")
    expect(page.locator("tbody")).to_contain_text("System Administrators may do everything")
    page.locator("tbody th a").first.click()
    expect(page.locator(".notice")).to_contain_text("Allowed.")


def test_a_role_shows_its_effect_before_it_is_saved_and_holds_at_once(site: Site, admin: Visitor) -> None:
    role = site.one("roles?$filter=name eq 'Salesperson' and _parentroleid_value eq null")["roleid"]
    with site.api(SELLER) as api:
        before = api.get("accounts/$count").text.lstrip("\ufeff")
        page = admin.go(f"roles/{role}?q=account")
        cell = page.get_by_label("Read Account", exact=True)
        cell.select_option("Global")
        expect(cell).to_have_class("changed")
        page.get_by_role("button", name="See the effect").click()
        expect(page.locator("main")).to_contain_text("Rows gained")
        expect(page.locator("main")).to_contain_text(site.name(SELLER))
        assert api.get("accounts/$count").text.lstrip("\ufeff") == before

        page.get_by_role("button", name="Save the role").click()
        expect(page.get_by_role("status")).to_contain_text("The role is saved")
        assert int(api.get("accounts/$count").text.lstrip("\ufeff")) > int(before)

        admin.go(f"roles/{role}?q=account")
        page.get_by_label("Read Account", exact=True).select_option("Basic")
        page.get_by_role("button", name="See the effect").click()
        page.get_by_role("button", name="Save the role").click()
        assert api.get("accounts/$count").text.lstrip("\ufeff") == before


def test_two_roles_are_compared_and_one_is_copied(admin: Visitor) -> None:
    page = admin.go("roles/compare?a=Salesperson&b=Service+Agent")
    expect(page.locator("tbody")).to_contain_text("prv")

    admin.go("roles")
    page.get_by_role("link", name="Salesperson").click()
    page.get_by_text("Copy this role").click()
    page.get_by_label("Name of the copy").fill("Salesperson, copied")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Salesperson, copied")
    admin.go("roles/compare?a=Salesperson&b=Salesperson%2C+copied")
    expect(page.locator(".notice.good")).to_contain_text("same privileges")


def test_people_show_their_roles_and_what_they_see(admin: Visitor) -> None:
    page = admin.go(f"people?q={SELLER}")
    page.locator("tbody th a").first.click()
    expect(page.locator("main")).to_contain_text("Salesperson")
    expect(page.locator("main")).to_contain_text("Rows seen")


def test_the_trail_is_searched(admin: Visitor) -> None:
    page = admin.go("audit?table=account&action=1")
    expect(page.locator("tbody tr").first).to_contain_text("Create")
    with page.expect_download() as download:
        page.get_by_role("link", name="proof").first.click()
    proof = json.loads(download.value.path().read_text())
    assert proof["Proof"]["TreeSize"] == proof["Head"]["TreeSize"]
    page.get_by_role("link", name="Older entries").click()
    expect(page.locator("tbody tr").first).to_contain_text("Create")


def test_a_seller_sees_their_own_and_is_told_what_they_may_not(site: Site, seller: Visitor) -> None:
    page = seller.go()
    expect(page.get_by_role("heading", name="My work")).to_be_visible()
    page.get_by_role("link", name="Accounts").first.click()
    with site.api(SELLER) as api:
        mine = {each["name"] for each in api.get("accounts?$select=name").json()["value"]}
    assert set(page.locator("tbody th a").all_inner_texts()) <= mine

    answer = seller.page.goto(f"{site.root}/roles/{site.one('roles?$top=1')['roleid']}")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_role("heading", level=1)).to_have_text("You may not see this")


def test_everything_works_without_scripts(site: Site, chromium: Browser) -> None:
    with visiting(site, chromium, ADMIN, scripts=False) as visitor:
        page = visitor.go("tables/account/new")
        page.locator("#f-name").fill("Without scripts")
        page.get_by_label("Primary Contact").fill("nobody called so")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".wrong")).to_contain_text("No row that you may see")
        expect(page.locator("#f-name")).to_have_value("Without scripts")
        page.get_by_label("Primary Contact").fill("")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Without scripts")


def test_the_keyboard_is_enough(admin: Visitor) -> None:
    page = admin.go("tables/account")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#find-all")).to_be_focused()
    page.keyboard.type("Amara")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Amara")


def test_the_console_speaks_the_language_that_one_chooses(site: Site, chromium: Browser) -> None:
    with visiting(site, chromium, ADMIN, width=360, theme="dark", checks=True) as visitor:
        page = visitor.go("tables/account")
        page.locator("details.me summary").click()
        page.get_by_label("Language").select_option("de")
        page.get_by_role("button", name="Use").click()
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.get_by_role("link", name="Exportieren")).to_be_visible()
        assert visitor.violations() == []
        assert not visitor.overflows()
        visitor.go("")
        expect(page.get_by_role("heading", name="Vertrauen auf einen Blick")).to_be_visible()
        assert not visitor.overflows()
    with site.pages() as pages:
        assert '<html lang="de">' in pages.get("tables", headers={"Accept-Language": "de-CH"}).text
