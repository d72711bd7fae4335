"""Section 16: paging and counting (WA-230 to WA-238)."""

import re
from urllib.parse import unquote

import pytest
from tests.wire.client import Api, Person, unique

TWO = {"Prefer": "odata.maxpagesize=2"}
TOKEN = re.compile(r'<cookie pagenumber="(\d+)" pagingcookie="([^"]+)" istracking="False" />')


@pytest.fixture(scope="session")
def walked(api: Api) -> str:
    """A query for five accounts whose names differ and whose number of employees does not."""
    name = unique("walk")
    for number in range(5):
        api.new("accounts", {"name": f"{name} {number}", "numberofemployees": 7})
    return f"accounts?$select=name&$filter=startswith(name,'{name}')"


def _walk(api: Api, path: str, headers: dict[str, str]) -> list[list[str]]:
    pages: list[list[str]] = []
    link: str | None = path
    while link is not None:
        page = api.get(link, headers)
        pages.append([row["name"][-1] for row in page["value"]])
        link = page.get("@odata.nextLink")
    return pages


@pytest.mark.parametrize("order", ["", "&$orderby=name", "&$orderby=numberofemployees", "&$orderby=name desc"])
def test_a_walk_gives_every_row_once(api: Api, walked: str, order: str) -> None:
    """WA-230, WA-232, WA-233: no empty last page; equal values are told apart by the id."""
    pages = _walk(api, walked + order, TWO)
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(name for page in pages for name in page) == ["0", "1", "2", "3", "4"]


def test_a_full_last_page_is_the_last(api: Api, walked: str) -> None:
    """WA-232."""
    assert [len(page) for page in _walk(api, walked, {"Prefer": "odata.maxpagesize=5"})] == [5]


def test_the_client_repeats_the_page_size(api: Api, walked: str) -> None:
    """WA-230: a page without the preference takes all that is left."""
    link = api.get(walked, TWO)["@odata.nextLink"]
    assert len(api.rows(link)) == 3


def test_the_next_link_is_the_request_with_a_cookie(api: Api, walked: str) -> None:
    """WA-231: in the form that clients parse; every page has another cookie."""
    link = api.get(f"{walked}&$orderby=name", TWO)["@odata.nextLink"]
    second = api.get(link, TWO)["@odata.nextLink"]

    assert link.startswith(f"{api.root}accounts?$select=name&$filter=")
    cookies = [TOKEN.fullmatch(unquote(text.partition("$skiptoken=")[2])) for text in (link, second)]
    first, following = (cookie for cookie in cookies if cookie is not None)
    assert (first[1], following[1]) == ("2", "3")
    assert first[2] != following[2]
    inner = unquote(unquote(first[2]))
    assert re.match(r'<cookie page="1"><accountid last="\{[0-9A-F-]{36}\}" first="\{[0-9A-F-]{36}\}" />', inner), inner


def test_rows_that_come_and_go_do_not_shift_others(api: Api) -> None:
    """WA-233: the row after which a page ended may even be gone."""
    name = unique("shift")
    rows = [api.new("accounts", {"name": f"{name} {number}"}) for number in range(1, 6)]
    query = f"accounts?$select=name&$filter=startswith(name,'{name}')&$orderby=name"
    page = api.get(query, TWO)
    assert api.send("DELETE", f"accounts({rows[1]})").status_code == 204
    api.new("accounts", {"name": f"{name} 0"})

    assert _walk(api, page["@odata.nextLink"], TWO) == [["3", "4"], ["5"]]


def test_tokens_are_not_made_by_hand(api: Api, walked: str) -> None:
    """WA-234: tampered, cut off, of another query; a slash at the end is forgiven."""
    link = str(api.get(walked, TWO)["@odata.nextLink"])
    says = "Malformed XML in the Paging Cookie"
    for broken in (
        link[:-10],
        link.replace("pagenumber%3d%222", "pagenumber%3d%223"),
        link.replace("$select=name", "$select=accountnumber"),
        link.replace("/accounts?", "/contacts?").replace("name", "lastname"),
        f"{walked}&$skiptoken=abc",
        f"{walked}&$skiptoken=",
        f"{walked}&$skiptoken=%3ccookie%20pagenumber%3d%222%22%20pagingcookie%3d%22x%22%20istracking%3d%22False%22%20/%3e",
    ):
        answer = api.send("GET", broken, headers=TWO)
        assert answer.status_code == 400, broken
        assert says in answer.text or "lastname" in broken
    assert api.get(link + "/", TWO)["value"] == api.get(link, TWO)["value"]


def test_a_token_does_not_widen_rights(api: Api, walked: str, reader: Person) -> None:
    """WA-235."""
    link = api.get(walked, TWO)["@odata.nextLink"]
    assert api.rows(link, {**reader.acting, **TWO}) == []


def test_counts_are_of_matching_rows(api: Api, walked: str) -> None:
    """WA-236, WA-237: whatever the page; as text without a byte order mark."""
    page = api.get(f"{walked}&$count=true", TWO)
    assert (page["@odata.count"], len(page["value"])) == (5, 2)
    filtered = walked.partition("&")[2]
    answer = api.send("GET", f"accounts/$count?{filtered}")
    assert (answer.content, answer.headers["Content-Type"]) == (b"5", "text/plain")
    assert "@odata.count" not in api.get(f"{walked}&$count=false")
    api.refused("GET", "accounts?$count=abc", status=400, says="$count")
    api.refused("GET", "accounts/$count?$filter=nonsense eq 1", status=400)


def test_pages_and_counts_end_at_5000(api: Api) -> None:
    """WA-230, WA-236, WA-237: with the sign that there are more."""
    rows = [{"@odata.type": "Microsoft.Dynamics.CRM.lead", "lastname": f"many {n}"} for n in range(1000)]
    for _ in range(5):
        answer = api.send("POST", "leads/Microsoft.Dynamics.CRM.CreateMultiple", {"Targets": rows})
        assert answer.status_code == 200, answer.text[:300]
    api.new("leads", {"lastname": "many and one"})
    query = "leads?$select=lastname&$filter=startswith(lastname,'many')"

    for size in ("odata.maxpagesize=9999", "odata.maxpagesize=0", "odata.maxpagesize=x"):
        headers = {"Prefer": f'{size},odata.include-annotations="*"'}
        page = api.get(f"{query}&$count=true", headers)
        assert len(page["value"]) == 5000
        assert len(api.rows(page["@odata.nextLink"], headers)) == 1
        assert page["@odata.count"] == 5000 == page["@Microsoft.Dynamics.CRM.totalrecordcount"]
        assert page["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is True
    assert api.send("GET", "leads/$count?$filter=startswith(lastname,'many')").text == "5000"
