"""Section 3: headers and preferences (WA-30 to WA-46)."""

import re

import pytest
from tests.wire.client import FORMATTED, NS, Api, unique

JSON_TYPE = "application/json; odata.metadata=minimal"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def row(api: Api) -> str:
    """An account with money in it."""
    return api.new("accounts", {"name": unique(), "revenue": 1500})


def test_odata_version_4_0_is_spoken_and_nothing_above(api: Api, row: str) -> None:
    """WA-30."""
    path = f"accounts({row})?$select=name"
    assert api.send("GET", path, headers={"OData-Version": "4.0", "OData-MaxVersion": "4.0"}).status_code == 200
    for version in ("4.01", "5.0"):
        api.refused("GET", path, status=400, headers={"OData-Version": version})


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "application/json;odata.metadata=none",
        "application/json; odata.metadata=full",
        "application/json;metadata=minimal",
        "*/*",
        "application/*",
        "text/html, */*;q=0.1",
        "",
    ],
)
def test_whoever_takes_json_gets_json(api: Api, row: str, accept: str) -> None:
    """WA-31, WA-37: with as much control information as it asks for."""
    wanted = next((each for each in ("none", "full") if f"odata.metadata={each}" in accept), "minimal")
    answer = api.send("GET", f"accounts({row})?$select=name", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON_TYPE.replace("minimal", wanted))


@pytest.mark.parametrize("accept", ["text/html", "application/atom+xml", "image/png"])
def test_whoever_takes_no_json_gets_406_but_metadata_counts_and_values_all_the_same(
    api: Api, row: str, accept: str
) -> None:
    """WA-31: `$metadata` answers XML whatever `Accept` says; texts are no JSON either."""
    api.refused("GET", f"accounts({row})", status=406, code="0x80060801", headers={"Accept": accept})
    metadata = api.send("GET", "$metadata", headers={"Accept": accept})
    assert (metadata.status_code, metadata.headers["Content-Type"]) == (200, "application/xml")
    for path in ("accounts/$count", f"accounts({row})/name/$value"):
        assert api.send("GET", path, headers={"Accept": accept}).status_code == 200


def test_a_body_is_json_and_says_so(api: Api, row: str) -> None:
    """WA-32: other types are 415, no body needs no type."""
    body = b'{"name":"typed"}'
    for media in ("application/json; charset=utf-8", "application/json;type=entry", "application/json;odata=verbose"):
        assert api.send("POST", "accounts", content=body, headers={"Content-Type": media}).status_code == 204
    for media in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
        headers = {"Content-Type": media}
        api.refused("POST", "accounts", content=body, status=415, code="0x80060801", headers=headers)
    for method in ("GET", "DELETE"):
        path = f"accounts({row})"
        assert api.send(method, path, headers={"Content-Type": "text/xml"}).status_code in (200, 204)


def test_bodies_are_utf8_with_or_without_bom(api: Api) -> None:
    """WA-33: escapes are read; what is cut off in the middle or in another encoding is 400."""
    headers = {"Content-Type": "application/json"}
    name = unique("Ñandú 東京 😀")
    escaped = b'{"name":"' + name.encode("ascii", "backslashreplace").replace(b"\\xd1", b"\\u00d1") + b'"}'
    escaped = escaped.replace(b"\\xfa", b"\\u00fa").replace(b"\\U0001f600", b"\\ud83d\\ude00")
    for content in (f'{{"name":"{name}"}}'.encode(), b"\xef\xbb\xbf" + f'{{"name":"{name}"}}'.encode(), escaped):
        assert api.send("POST", "accounts", content=content, headers=headers).status_code == 204
    assert len(api.rows(f"accounts?$select=name&$filter=name eq '{name}'")) == 3
    whole = '{"name":"café"}'.encode()
    for content in (b'{"name":"\xff"}', '{"name":"café"}'.encode("latin-1"), whole[:-1], whole[:-3]):
        api.refused("POST", "accounts", content=content, status=400, code="0x80048d19", headers=headers)


def test_if_none_match_null_is_no_condition(api: Api, row: str) -> None:
    """WA-34: on every verb."""
    headers = {"If-None-Match": "null"}
    assert api.send("GET", f"accounts({row})", headers=headers).status_code == 200
    assert api.send("PATCH", f"accounts({row})", {"name": "x"}, headers=headers).status_code == 204
    assert api.send("POST", "accounts", {"name": "x"}, headers=headers).status_code == 204
    assert api.send("DELETE", f"accounts({row})", headers=headers).status_code == 204


def test_headers_that_mean_nothing_are_ignored_and_requests_are_numbered(api: Api, row: str) -> None:
    """WA-35, WA-36, WA-38: on answers and on errors."""
    sent = {"x-ms-client-request-id": "mine-1", "Consistency": "Strong", "MSCRM.Foo": "x", "Cache-Control": "no-cache"}
    for path, status in ((f"accounts({row})", 200), ("nonsense", 404), ("$metadata", 200)):
        answer = api.send("GET", path, headers=sent)
        assert answer.status_code == status
        assert answer.headers["OData-Version"] == "4.0"
        assert _GUID.fullmatch(answer.headers["x-ms-service-request-id"])
        assert answer.headers["REQ_ID"] == answer.headers["x-ms-service-request-id"]
        assert answer.headers["x-ms-client-request-id"] == "mine-1"


def test_one_row_carries_its_etag_as_header(api: Api, row: str) -> None:
    """WA-40."""
    answer = api.send("GET", f"accounts({row})?$select=name")
    assert answer.headers["ETag"] == answer.json()["@odata.etag"]
    assert re.fullmatch(r'W/"\d+"', answer.headers["ETag"])


def test_204_has_no_body_and_no_type(api: Api, row: str) -> None:
    """WA-41."""
    answer = api.send("PATCH", f"accounts({row})", {"name": "x"})
    assert answer.status_code == 204
    assert "Content-Type" not in answer.headers
    assert answer.headers.get("Content-Length", "0") == "0"


@pytest.mark.parametrize(
    "prefer",
    [
        'odata.include-annotations="*", odata.maxpagesize=2',
        "odata.include-annotations=*,odata.maxpagesize=2",
        f"odata.include-annotations={FORMATTED},odata.maxpagesize=2",
        f'maxpagesize=2,include-annotations="{FORMATTED}"',
    ],
)
def test_preferences_come_quoted_or_not_with_or_without_prefix(api: Api, prefer: str) -> None:
    """WA-42, WA-43."""
    for _ in range(3):
        api.new("accounts", {"name": unique("prefer"), "revenue": 1})

    answer = api.send("GET", "accounts?$select=revenue&$filter=startswith(name,'prefer')", headers={"Prefer": prefer})

    rows = answer.json()["value"]
    assert len(rows) == 2
    assert rows[0][f"revenue@{FORMATTED}"] == "$1.00"
    assert answer.headers["Preference-Applied"] == prefer.replace(", ", ",")


def test_several_prefer_headers_are_one(api: Api) -> None:
    """WA-42."""
    headers = [
        ("Authorization", f"Bearer {api.token}"),
        ("Prefer", "odata.maxpagesize=1"),
        ("Prefer", 'odata.include-annotations="*"'),
    ]
    answer = api.http.get(api.root + "accounts?$select=name", headers=headers)
    assert answer.headers["Preference-Applied"] == 'odata.maxpagesize=1,odata.include-annotations="*"'


def test_only_what_was_honoured_is_applied(api: Api, row: str) -> None:
    """WA-39, WA-43, WA-230: in the form received; unknown and senseless preferences are not."""
    wishes = "return=representation,odata.maxpagesize=3,odata.track-changes,foo=bar,respond-async"
    for method, path, applied in (
        ("GET", "accounts?$select=name", "odata.maxpagesize=3,odata.track-changes"),
        ("GET", f"accounts({row})?$select=name", None),
        ("POST", "accounts", "return=representation"),
        ("PATCH", f"accounts({row})", "return=representation"),
        ("DELETE", f"accounts({row})", None),
    ):
        body = {"name": unique()} if method in ("POST", "PATCH") else None
        answer = api.send(method, path, body, headers={"Prefer": wishes})
        assert answer.headers.get("Preference-Applied") == applied, (method, path)
    for wish in ("odata.maxpagesize=0", "odata.maxpagesize=-1", "odata.maxpagesize=x", "return=minimal"):
        answer = api.send("GET", "accounts?$select=name", headers={"Prefer": wish})
        assert "Preference-Applied" not in answer.headers


@pytest.mark.parametrize(
    ("wanted", "present", "absent"),
    [
        ("*", (FORMATTED, f"{NS}.lookuplogicalname"), ()),
        (FORMATTED, (FORMATTED,), (f"{NS}.lookuplogicalname",)),
        (f"{NS}.*", (f"{NS}.lookuplogicalname", f"{NS}.associatednavigationproperty"), (FORMATTED,)),
        (f"*,-{NS}.*", (FORMATTED,), (f"{NS}.lookuplogicalname", f"{NS}.associatednavigationproperty")),
        (f"{NS}.lookuplogicalname", (f"{NS}.lookuplogicalname",), (FORMATTED,)),
    ],
)
def test_annotations_are_those_that_were_asked_for(
    api: Api, row: str, wanted: str, present: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    """WA-44, WA-45: patterns, exclusions; control information always."""
    shown = api.get(f"accounts({row})?$select=_ownerid_value", {"Prefer": f'odata.include-annotations="{wanted}"'})
    bare = api.get(f"accounts({row})?$select=_ownerid_value")

    assert all(f"_ownerid_value@{name}" in shown for name in present)
    assert not any(f"_ownerid_value@{name}" in shown for name in absent)
    assert {"@odata.context", "@odata.etag"} <= bare.keys()
    assert not any("@" in name[1:] for name in bare)


def test_return_representation_gives_the_row_as_get_does(api: Api) -> None:
    """WA-46: with `$select`; `$expand` on POST, not on PATCH."""
    query = "?$select=name&$expand=primarycontactid($select=lastname)"
    made = api.shown("POST", f"accounts{query}", {"name": "rep", "primarycontactid": {"lastname": "Deep"}})
    row = made["accountid"]

    assert made == api.get(f"accounts({row}){query}")
    changed = api.shown("PATCH", f"accounts({row}){query}", {"name": "rep2"})
    assert changed == api.get(f"accounts({row})?$select=name")
