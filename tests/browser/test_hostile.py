"""What attackers and accidents send: scripts in every text, forms from elsewhere, links that lead away."""

import re

import httpx
import pytest
from playwright.sync_api import Browser
from tests.browser.conftest import ADMIN, COOKIE, SELLER, Site, visiting

from strongroom.schema.standard_tables import standard_schema

_EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg/onload=alert(3)>{{7*7}}"


def test_scripts_in_every_text_column_stay_text(site: Site, chromium: Browser) -> None:
    table = standard_schema().tables["account"]
    texts = [
        column
        for column in table.columns.values()
        if column.type.is_text
        and column.valid_for_create
        and (column.max_length or 0) >= len(_EVIL)
        and column.format in (None, "Text", "TextArea")
    ]
    assert len(texts) > 10
    with site.api() as api:
        made = api.post("accounts", json={column.logical_name: _EVIL for column in texts})
        assert made.status_code == 204, made.text
        row = made.headers["OData-EntityId"][-37:-1]
        api.post("roles", json={"name": _EVIL[:100], "businessunitid@odata.bind": f"/businessunits({_root(site)})"})
    with visiting(site, chromium, ADMIN) as visitor:
        for path in (f"tables/account/{row}{tab}" for tab in ("", "/edit", "/history", "/access", "/delete", "/share")):
            visitor.go(path)
            assert visitor.page.locator("main img, main svg[onload], main script").count() == 0, path
        for path in ("tables/account?sort=-createdon", "roles", "find?q=%3Cscript", "audit?table=account"):
            visitor.go(path)
            assert visitor.page.locator("main img, main svg[onload], main script").count() == 0, path
        assert "{{7*7}}" in visitor.go(f"tables/account/{row}").inner_text("main")
        assert visitor.complaints == []


def _root(site: Site) -> str:
    return site.one("businessunits?$select=businessunitid&$filter=_parentbusinessunitid_value eq null")[
        "businessunitid"
    ]


@pytest.mark.parametrize("path", ["", "/tables", "/nothing", "/people"])
def test_every_answer_has_the_strict_headers(site: Site, path: str) -> None:
    with site.pages() as pages:
        answer = pages.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|javascript:", answer.text)


def test_a_form_that_is_too_long_is_refused(site: Site) -> None:
    with site.pages() as pages:
        answer = pages.post("/tables/account/new", data={f"field{n}": "x" * 900 * 1024 for n in range(40)})
    assert answer.status_code == 413, answer.text
    assert "too much for one form" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ],
)
def test_a_form_from_another_site_is_refused_and_changes_nothing(site: Site, headers: dict[str, str]) -> None:
    account = site.one("accounts?$select=accountid&$top=1")["accountid"]
    with httpx.Client(cookies={COOKIE: site.token(ADMIN)}) as stranger:
        answer = stranger.post(f"{site.root}/tables/account/{account}/delete", headers=headers, data={})
    assert answer.status_code == 403
    with site.api() as api:
        assert api.get(f"accounts({account})?$select=name").status_code == 200


@pytest.mark.parametrize(
    "away", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/api/x"]
)
def test_signing_in_never_leads_to_another_site(site: Site, away: str) -> None:
    with site.pages(None) as pages:
        answer = pages.post(f"{site.server.address}/console/sign-in", data={"token": site.token(SELLER), "next": away})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/console/demo"
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_a_token_of_another_environment_opens_nothing(site: Site) -> None:
    foreign = site.server.token("admin", environment="control")
    with httpx.Client(cookies={COOKIE: foreign}) as stranger:
        answer = stranger.get(f"{site.root}/tables/account")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/console/sign-in")


@pytest.mark.parametrize(
    "path",
    [
        "/tables/account?sort=;drop table&columns=%00,name&page=-1",
        "/tables/account?after=garbage",
        "/tables/account?view=garbage&chart=garbage",
        "/tables/account?c1=name&o1=eq&v1=' or 1 eq 1 or '",
        "/why?user=%F0%9F%92%A3&table=nothing&row=x",
        "/audit?since=yesterday&user=x&action=abc&after=zzz",
        "/people/not-a-guid",
        "/lookup/nothing?q=x",
        "/find?q=" + "x" * 5000,
        "/roles/compare?a=x&b=y",
    ],
)
def test_hostile_addresses_get_a_page_and_never_an_error_of_the_server(site: Site, path: str) -> None:
    with site.pages() as pages:
        answer = pages.get(path)
    assert answer.status_code < 500
    assert "Traceback" not in answer.text


def test_a_form_without_its_fields_or_with_too_many_is_refused(site: Site) -> None:
    with site.pages() as pages:
        assert pages.post("/tables/account/new", data={}).status_code in (200, 303, 400)
        many = {f"f{number}": "x" for number in range(3000)}
        assert pages.post("/tables/account/new", data=many).status_code == 400


def test_sending_a_form_twice_makes_one_share(site: Site) -> None:
    account = site.one("accounts?$select=accountid&$top=1")["accountid"]
    with site.pages() as pages:
        for _ in range(2):
            answer = pages.post(
                f"/tables/account/{account}/share", data={"principal": "Amara Okafor", "right": "ReadAccess"}
            )
            assert answer.status_code == 303
    with site.pages() as pages:
        assert pages.get(f"/tables/account/{account}/share").text.count("End this share") == 1
