"""Attempts to open secured columns to oneself: by profiles, by what they permit, by sharing single values."""

from uuid import uuid4

import pytest
from tests.security.realm import Realm

from strongroom.records import change_schema
from strongroom.schema.changes import NewColumn, create_column
from strongroom.schema.model import ColumnType

NO_PRIVILEGE = (403, "0x80040220")


@pytest.fixture(scope="module", autouse=True)
def secured(realm: Realm) -> None:
    """A secured column `new_code` on accounts, with a value on Ann's; Ann has no profile."""
    with realm.acting_as_admin() as session:
        column = NewColumn("new_Code", ColumnType.STRING, is_secured=True)
        change_schema(session, create_column(session.schema, "account", column))
    realm.must("admin", "PATCH", f"accounts({realm.ids['account of ann']})", {"new_code": "4711-secret"})


def opening(realm: Realm) -> str:
    """A profile that opens the secured column of accounts."""
    profile = realm.create("fieldsecurityprofiles", {"name": f"p{uuid4()}"})
    realm.create("fieldpermissions", permission(profile))
    return profile


def permission(profile: str) -> dict[str, object]:
    """Everything on the secured column."""
    return {
        "fieldsecurityprofileid@odata.bind": f"/fieldsecurityprofiles({profile})",
        "entityname": "account",
        "attributelogicalname": "new_code",
        **dict.fromkeys(("cancreate", "canread", "canupdate"), 4),
    }


@pytest.mark.parametrize("who", ["ann", "hal"])
def test_nobody_gives_oneself_a_column_profile(realm: Realm, who: str) -> None:
    """SM-131: from neither end, and not through a team; looking after users and teams is not enough."""
    profile, me = opening(realm), realm.people[who]
    team = realm.team(f"t{uuid4()}", realm.ids["north"], members=[who])
    attempts = (
        (f"systemusers({me})/systemuserprofiles_association/$ref", realm.ref("fieldsecurityprofiles", profile)),
        (f"fieldsecurityprofiles({profile})/systemuserprofiles_association/$ref", realm.ref("systemusers", me)),
        (f"teams({team})/teamprofiles_association/$ref", realm.ref("fieldsecurityprofiles", profile)),
        (f"fieldsecurityprofiles({profile})/teamprofiles_association/$ref", realm.ref("teams", team)),
    )
    for path, body in attempts:
        assert realm.send(who, "POST", path, body).refusal == NO_PRIVILEGE, path
    assert realm.get("admin", f"systemusers({me})/systemuserprofiles_association").rows == []
    assert realm.get("admin", f"teams({team})/teamprofiles_association").rows == []


@pytest.mark.parametrize("who", ["ann", "hal"])
def test_nobody_makes_or_widens_a_column_profile_without_its_privilege(realm: Realm, who: str) -> None:
    """SM-131: neither the profile nor what it opens."""
    profile = opening(realm)
    realm.must(
        "admin",
        "POST",
        f"systemusers({realm.people[who]})/systemuserprofiles_association/$ref",
        realm.ref("fieldsecurityprofiles", profile),
    )
    rows = realm.get("admin", f"fieldpermissions?$filter=_fieldsecurityprofileid_value eq {profile}").rows
    path = f"fieldpermissions({rows[0]['fieldpermissionid']})"
    realm.must("admin", "PATCH", path, dict.fromkeys(("cancreate", "canread", "canupdate"), 0))

    assert realm.send(who, "POST", "fieldsecurityprofiles", {"name": "mine"}).refusal == NO_PRIVILEGE
    assert realm.send(who, "POST", "fieldpermissions", permission(profile)).refusal == NO_PRIVILEGE
    assert realm.send(who, "PATCH", path, {"canread": 4}).refusal == NO_PRIVILEGE
    assert realm.send(who, "DELETE", f"fieldsecurityprofiles({profile})").refusal == NO_PRIVILEGE


def test_nobody_shares_a_value_that_they_may_not_read(realm: Realm) -> None:
    """SM-134: the sharer needs Share on the row, which Ann has, and the permission that is shared, which she lacks."""
    column = realm.schema.tables["account"].columns["new_code"].metadata_id
    body = {
        "attributeid": column,
        "objectid_account@odata.bind": f"/accounts({realm.ids['account of ann']})",
        "principalid_systemuser@odata.bind": f"/systemusers({realm.people['ann']})",
        "readaccess": True,
        "updateaccess": True,
    }
    answer = realm.send("ann", "POST", "principalobjectattributeaccessset", body)
    assert answer.status == 403, answer.text
    assert realm.get("ann", f"accounts({realm.ids['account of ann']})?$select=new_code").json["new_code"] is None
