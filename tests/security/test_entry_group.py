"""The environment's security group: who is not in it cannot enter (SM-69)."""

from collections.abc import Generator
from contextlib import contextmanager

from tests.security.realm import ROOT, Realm

from strongroom.ids import new_guid


@contextmanager
def entry_by(realm: Realm, group: str) -> Generator[None]:
    """The environment names the group for the block."""
    organization = realm.get("admin", "organizations?$select=organizationid").rows[0]["organizationid"]
    realm.must("admin", "PATCH", f"organizations({organization})", {"usergroupid": group})
    try:
        yield
    finally:
        realm.must("admin", "PATCH", f"organizations({organization})", {"usergroupid": None})


def group_team(realm: Realm, name: str, *members: str) -> tuple[str, str]:
    """A group team with members: its id, and the id of its group."""
    group = str(new_guid(realm.environment.clock))
    team = realm.create(
        "teams",
        {
            "name": name,
            "teamtype": 2,
            "azureactivedirectoryobjectid": group,
            "membershiptype": 0,
            "businessunitid@odata.bind": f"/businessunits({realm.ids['root']})",
            "administratorid@odata.bind": f"/systemusers({realm.people['admin']})",
        },
    )
    for member in members:
        body = {"@odata.id": f"{ROOT}systemusers({realm.people[member]})"}
        realm.must("admin", "POST", f"teams({team})/teammembership_association/$ref", body)
    return team, group


def test_only_members_and_administrators_enter(realm: Realm) -> None:
    """SM-69: 403 0x80072560 for everything, `WhoAmI` included, and from the next request on (SM-4)."""
    _, group = group_team(realm, "Staff", "ann")
    with entry_by(realm, group):
        assert realm.get("ann", "accounts").status == 200
        assert realm.get("bob", "accounts").refusal == (403, "0x80072560")
        assert realm.get("bob", "WhoAmI").refusal == (403, "0x80072560")
        assert realm.get("admin", "accounts").status == 200
        acting = {"MSCRMCallerID": str(realm.people["bob"])}
        assert realm.send("admin", "GET", "WhoAmI", headers=acting).refusal == (403, "0x80072560")
    assert realm.get("bob", "accounts").status == 200


def test_who_is_taken_out_of_the_group_is_disabled_and_not_deleted(realm: Realm) -> None:
    """SM-69."""
    realm.user("gus", realm.ids["north"], realm.ids["seller"])
    team, group = group_team(realm, "Crew", "gus")
    with entry_by(realm, group):
        assert realm.get("gus", "accounts").status == 200
        realm.must("admin", "DELETE", f"teams({team})/teammembership_association({realm.people['gus']})/$ref")
        assert realm.get("gus", "accounts").status in (401, 403)
        user = realm.get("admin", f"systemusers({realm.people['gus']})?$select=isdisabled").json
        assert user["isdisabled"] is True
        roles = realm.get("admin", f"systemusers({realm.people['gus']})/systemuserroles_association?$select=name").rows
        assert [role["name"] for role in roles] == ["seller"]


def test_leaving_another_team_disables_nobody(realm: Realm) -> None:
    """SM-69."""
    realm.user("hue", realm.ids["north"], realm.ids["seller"])
    _, group = group_team(realm, "Everybody", "hue")
    other, _ = group_team(realm, "Others", "hue")
    with entry_by(realm, group):
        realm.must("admin", "DELETE", f"teams({other})/teammembership_association({realm.people['hue']})/$ref")
        assert realm.get("hue", "accounts").status == 200


def test_without_its_team_the_group_lets_administrators_in_only(realm: Realm) -> None:
    """SM-7, SM-69."""
    team, group = group_team(realm, "Passing", "ann")
    with entry_by(realm, group):
        realm.must("admin", "DELETE", f"teams({team})")
        assert realm.get("ann", "accounts").status == 403
        assert realm.get("admin", "accounts").status == 200


def test_a_group_without_a_team_is_refused(realm: Realm) -> None:
    """SM-69: the setting names what must be there."""
    organization = realm.get("admin", "organizations?$select=organizationid").rows[0]["organizationid"]
    unknown = str(new_guid(realm.environment.clock))
    answer = realm.send("admin", "PATCH", f"organizations({organization})", {"usergroupid": unknown})
    assert answer.status == 400
    assert "group team" in answer.text
