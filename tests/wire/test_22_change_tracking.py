"""Section 22: change tracking (WA-310 to WA-314)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.wire.client import NS, Api, Json, Person, column, label, table, unique, without_etag

TRACK = {"Prefer": "odata.track-changes"}
LINK = re.compile(r"\$deltatoken=\d+%21\d\d%2F\d\d%2F\d{4}%20\d\d%3A\d\d%3A\d\d%21[\w-]+$")


@dataclass(frozen=True, slots=True)
class Copy:
    """A client's copy of a table: it applies what it is told and nothing else."""

    rows: dict[str, Json]
    link: str | None

    def after(self, api: Api, headers: dict[str, str] | None = None) -> "Copy":
        """The copy when it has followed its link, page by page."""
        rows = dict(self.rows)
        entries, link = _entries(api, self.link or "", headers)
        for entry in entries:
            if entry.get("reason"):
                rows.pop(entry["id"], None)
            else:
                rows[entry["wire_trackid"]] = without_etag(entry)
        return Copy(rows, link)


def _entries(api: Api, link: str | None, headers: dict[str, str] | None = None) -> tuple[list[Json], str | None]:
    """Everything that a walk gives, and the delta link at its end."""
    found: list[Json] = []
    page: Json = {}
    while link is not None:
        page = api.get(link, headers)
        found += page["value"]
        link = page.get("@odata.nextLink")
        assert not (link and "@odata.deltaLink" in page)
    return found, page.get("@odata.deltaLink")


def _whole(api: Api, path: str, headers: dict[str, str] | None = None) -> Copy:
    rows, link = _entries(api, path, {**TRACK, **(headers or {})})
    return Copy({row["wire_trackid"]: without_etag(row) for row in rows}, link)


@pytest.fixture(scope="session")
def tracks(api: Api) -> str:
    """A custom table with change tracking."""
    made = api.send("POST", "EntityDefinitions", table("wire_Track", ChangeTrackingEnabled=True))
    assert made.status_code == 204, made.text
    return "wire_tracks"


@pytest.fixture
def follower(api: Api, unit: str, tracks: str) -> Iterator[tuple[dict[str, str], str]]:
    """A user who reads all of the table: the header by which the administrator acts for him, and his role."""
    role = api.new("roles", {"name": unique("Follower"), "businessunitid@odata.bind": f"businessunits({unit})"})
    user = api.new(
        "systemusers",
        {
            "firstname": "Fol",
            "lastname": "Low",
            "domainname": f"{unique('follower').replace(' ', '')}@wire",
            "businessunitid@odata.bind": f"businessunits({unit})",
        },
    )
    _set_depth(api, role, "Global")
    tied = api.send("POST", f"systemusers({user})/systemuserroles_association/$ref", {"@odata.id": f"roles({role})"})
    assert tied.status_code == 204, tied.text
    yield {"MSCRMCallerID": user}, role


def _set_depth(api: Api, role: str, depth: str | None) -> None:
    names = {"prvReadwire_Track": depth, "prvReadUser": "Global"}
    where = " or ".join(f"name eq '{name}'" for name in names)
    privileges = [
        {"PrivilegeId": row["privilegeid"], "Depth": names[row["name"]]}
        for row in api.rows(f"privileges?$select=privilegeid,name&$filter={where}")
        if names[row["name"]]
    ]
    answer = api.send("POST", f"roles({role})/{NS}.ReplacePrivilegesRole", {"Privileges": privileges})
    assert answer.status_code == 204, answer.text


def test_a_copy_follows_the_table(api: Api, tracks: str) -> None:
    """WA-310, WA-312: new, changed and deleted rows; no change is an empty answer and a new link."""
    kept, changed, deleted = (api.new(tracks, {"wire_name": unique("kept")}) for _ in range(3))
    first = api.send("GET", f"{tracks}?$select=wire_name", headers=TRACK)
    assert first.headers["Preference-Applied"] == "odata.track-changes"
    assert LINK.search(first.json()["@odata.deltaLink"])
    copy = _whole(api, f"{tracks}?$select=wire_name")
    assert {kept, changed, deleted} <= copy.rows.keys()

    api.send("PATCH", f"{tracks}({changed})", {"wire_name": "changed"})
    api.send("DELETE", f"{tracks}({deleted})")
    new = api.new(tracks, {"wire_name": "new"})
    answer = api.get(copy.link or "")

    assert answer["@odata.context"] == f"{api.root}$metadata#{tracks}(wire_name)/$delta"
    assert [row.get("wire_trackid", row.get("id")) for row in answer["value"]] == [changed, new, deleted]
    assert answer["value"][2] == {
        "@odata.context": f"{api.root}$metadata#{tracks}/$deletedEntity",
        "id": deleted,
        "reason": "deleted",
    }
    assert api.send("GET", f"{tracks}/$count?{(copy.link or '').partition('?')[2]}").text == "3"
    followed = copy.after(api)
    assert followed.rows == _whole(api, f"{tracks}?$select=wire_name").rows
    assert api.get(followed.link or "")["value"] == []


def test_a_walk_in_pages_misses_nothing(api: Api, tracks: str) -> None:
    """WA-310, WA-312: whatever changes while the pages are turned is in the whole or in the difference, and the last
    page alone has the link."""
    ids = [api.new(tracks, {"wire_name": unique("page")}) for _ in range(6)]
    two = {"Prefer": "odata.track-changes,odata.maxpagesize=2"}
    page = api.get(f"{tracks}?$select=wire_name", two)
    seen = {row["wire_trackid"]: without_etag(row) for row in page["value"]}
    api.send("PATCH", f"{tracks}({ids[0]})", {"wire_name": "turned"})
    api.send("DELETE", f"{tracks}({ids[-1]})")
    late = api.new(tracks, {"wire_name": "late"})
    rest, link = _entries(api, page["@odata.nextLink"], {"Prefer": "odata.maxpagesize=2"})
    seen |= {row["wire_trackid"]: without_etag(row) for row in rest}

    followed = Copy(seen, link).after(api, {"Prefer": "odata.maxpagesize=2"})

    assert late in followed.rows
    assert followed.rows == _whole(api, f"{tracks}?$select=wire_name").rows


def test_an_id_that_is_there_again_is_not_deleted(api: Api, tracks: str) -> None:
    """WA-312: the row of now counts."""
    row = api.new(tracks, {"wire_name": "first"})
    copy = _whole(api, f"{tracks}?$select=wire_name")
    api.send("DELETE", f"{tracks}({row})")
    api.new(tracks, {"wire_name": "second", "wire_trackid": row})

    assert copy.after(api).rows[row]["wire_name"] == "second"


@pytest.mark.parametrize(
    "option",
    ["$filter=wire_name eq 'x'", "$orderby=wire_name", "$expand=owninguser", "$top=3", "$apply=groupby((wire_name))"],
)
def test_a_tracked_list_is_the_whole_table(api: Api, tracks: str, option: str) -> None:
    """WA-311."""
    name = option.partition("=")[0].removeprefix("$")
    says = f'The "${{{name}}}" query parameter isn\'t supported when Change Tracking is enabled.'
    api.refused("GET", f"{tracks}?$select=wire_name&{option}", status=400, headers=TRACK, says=says)


def test_only_tables_that_track_changes_are_tracked(api: Api) -> None:
    """WA-310: the switch of the definition counts, and can be set later."""
    made = api.send("POST", "EntityDefinitions", table("wire_Untracked", ChangeTrackingEnabled=False))
    assert made.status_code == 204, made.text
    path = "wire_untrackeds?$select=wire_name"
    api.refused("GET", path, status=400, headers=TRACK, says="Change tracking is not enabled")
    api.refused("GET", "audits?$select=action", status=400, headers=TRACK, says="Change tracking is not enabled")

    definition = {
        "@odata.type": f"{NS}.EntityMetadata",
        "SchemaName": "wire_Untracked",
        "DisplayName": label("Tracked now"),
        "ChangeTrackingEnabled": True,
    }
    assert api.send("PUT", "EntityDefinitions(LogicalName='wire_untracked')", definition).status_code == 204
    assert "@odata.deltaLink" in api.get(path, TRACK)


def test_a_token_that_is_no_token_of_the_table_is_refused(api: Api, tracks: str) -> None:
    """WA-313: cut, changed, another table's, too old, or none at all."""
    link = _whole(api, f"{tracks}?$select=wire_name").link or ""
    token = link.rpartition("$deltatoken=")[2]
    version, _, rest = token.partition("%21")
    for wrong in ("", "x", "919042%2108%2F22%2F2017%2008%3A10%3A44", token[:-1], f"{int(version) - 1}%21{rest}"):
        api.refused("GET", f"{tracks}?$select=wire_name&$deltatoken={wrong}", status=400, says="delta token")
    api.refused("GET", f"accounts?$select=name&$deltatoken={token}", status=400, says="not made for this table")

    organization = api.rows("organizations?$select=organizationid")[0]["organizationid"]
    api.send("PATCH", f"organizations({organization})", {"expirechangetrackingindays": 0})
    try:
        api.refused("GET", link, status=400, says="Read the table anew")
    finally:
        api.send("PATCH", f"organizations({organization})", {"expirechangetrackingindays": 7})
    assert api.get(link)["value"] == []


def test_following_takes_read_of_the_whole_table(api: Api, reader: Person, tracks: str) -> None:
    """WA-314: who reads some rows, or none, is told so, with a token of somebody else too."""
    own = api.new("accounts", {"name": unique("own")}, headers=reader.acting)
    assert own
    path = "accounts?$select=name"
    refused = {**TRACK, **reader.acting}
    api.refused("GET", path, status=403, code="0x80040220", headers=refused, says="level of the organization")
    api.refused("GET", f"{tracks}?$select=wire_name", status=403, code="0x80040220", headers=refused)
    link = api.get(f"{path}&$count=true", {"Prefer": "odata.track-changes,odata.maxpagesize=5000"})["@odata.deltaLink"]
    api.refused("GET", link, status=403, headers=reader.acting, says="level of the organization")
    api.refused("GET", link.replace("?", "/$count?"), status=403, headers=reader.acting)


def test_rows_that_the_caller_lost_are_removed_and_not_shown(
    api: Api, tracks: str, follower: tuple[dict[str, str], str]
) -> None:
    """WA-312, WA-314: one last difference takes away what is not reached any more; nothing of it is revealed, not even
    the id of a row that came afterwards."""
    acting, role = follower
    own = api.new(tracks, {"wire_name": "own", "ownerid@odata.bind": f"systemusers({acting['MSCRMCallerID']})"})
    foreign = api.new(tracks, {"wire_name": "foreign"})
    copy = _whole(api, f"{tracks}?$select=wire_name", acting)
    assert {own, foreign} <= copy.rows.keys()

    _set_depth(api, role, "Basic")
    api.send("PATCH", f"{tracks}({foreign})", {"wire_name": "secret"})
    api.send("PATCH", f"{tracks}({own})", {"wire_name": "seen"})
    never_seen = api.new(tracks, {"wire_name": "never seen"})
    entries, link = _entries(api, copy.link, {**acting, "Prefer": "odata.maxpagesize=3"})

    assert link is None
    assert [row["wire_name"] for row in entries if "wire_name" in row] == ["seen"]
    removed = {row["id"]: row["reason"] for row in entries if "reason" in row}
    assert removed == dict.fromkeys(copy.rows.keys() - {own}, "changed")
    assert never_seen not in str(entries)
    assert copy.after(api, acting).rows == {own: {"wire_name": "seen", "wire_trackid": own}}
    api.refused("GET", f"{tracks}?$select=wire_name", status=403, headers={**TRACK, **acting})

    _set_depth(api, role, None)
    api.refused("GET", copy.link or "", status=403, headers=acting)


def test_a_secured_column_is_not_revealed_by_a_difference(
    api: Api, tracks: str, follower: tuple[dict[str, str], str]
) -> None:
    """WA-312, SM-132: the difference is read under the plan of a list."""
    acting, _ = follower
    made = api.send(
        "POST",
        "EntityDefinitions(LogicalName='wire_track')/Attributes",
        column("String", f"wire_{unique('Secret').replace(' ', '')}", MaxLength=50, IsSecured=True),
    )
    assert made.status_code == 204, made.text
    names = api.rows("EntityDefinitions(LogicalName='wire_track')/Attributes?$select=LogicalName,IsSecured")
    secret = next(item["LogicalName"] for item in names if item["IsSecured"])
    link = _whole(api, f"{tracks}?$select=wire_name,{secret}", acting).link
    row = api.new(tracks, {"wire_name": "open", secret: "closed"})

    found = next(entry for entry in _entries(api, link, acting)[0] if entry.get("wire_trackid") == row)

    assert (found["wire_name"], found[secret]) == ("open", None)


def _message(api: Api, arguments: str, values: dict[str, str]) -> Json:
    aliases = "&".join(f"@{name}={value}" for name, value in values.items())
    return dict(api.get(f"RetrieveEntityChanges({arguments})?{aliases}")["EntityChanges"])


def test_the_message_gives_the_same_difference(api: Api, tracks: str) -> None:
    """WA-403, WA-312: every row is new without a token; then what changed, page by page."""
    first, second = (api.new(tracks, {"wire_name": unique("message")}) for _ in range(2))
    names = {"c": '{"Columns":["wire_name"]}'}
    begun = _message(api, "EntityName='wire_track',Columns=@c", names)
    items = {item["NewOrUpdatedEntity"]["wire_trackid"]: item["NewOrUpdatedEntity"] for item in begun["Changes"]}
    assert {first, second} <= items.keys()
    assert items[first]["@odata.type"] == "#Microsoft.Dynamics.CRM.wire_track"
    assert not begun["MoreRecords"]

    api.send("DELETE", f"{tracks}({first})")
    api.send("PATCH", f"{tracks}({second})", {"wire_name": "changed"})
    values = {**names, "v": f"'{begun['DataToken']}'", "p": '{"Count":1}'}
    call = "EntityName='wire_track',Columns=@c,DataVersion=@v,PageInfo=@p"
    page = _message(api, call, values)
    rest = _message(api, call, {**values, "p": f'{{"Count":5,"PagingCookie":"{page["PagingCookie"]}"}}'})

    assert page["MoreRecords"]
    assert [item["NewOrUpdatedEntity"]["wire_name"] for item in page["Changes"]] == ["changed"]
    assert rest["Changes"] == [{"Type": "RemoveOrDeleted", "RemovedItem": {"LogicalName": "wire_track", "Id": first}}]
    assert not rest["MoreRecords"]


def test_the_message_refuses_what_it_cannot_follow(api: Api, reader: Person) -> None:
    """WA-313, WA-314."""
    for arguments in (
        "EntityName='account',DataVersion='1!x'",
        "EntityName='account',DataVersion='1!2001-01-01T00:00:00Z'",
    ):
        api.refused("GET", f"RetrieveEntityChanges({arguments})", status=400, says="delta token")
    api.refused("GET", "RetrieveEntityChanges(EntityName='audit')", status=400, says="not enabled")
    api.refused("GET", "RetrieveEntityChanges(EntityName='nothing')", status=400, code="0x80041102")
    missing = 'RetrieveEntityChanges(EntityName=\'account\',Columns=@c)?@c={"Columns":["nothing"]}'
    api.refused("GET", missing, status=400, code="0x80041103")
    wrong = 'RetrieveEntityChanges(EntityName=\'account\',PageInfo=@p)?@p={"PagingCookie":"x"}'
    api.refused("GET", wrong, status=400, says="PagingCookie")
    api.refused("GET", "RetrieveEntityChanges(EntityName='account')", status=403, headers=reader.acting)
