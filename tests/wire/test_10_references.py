"""Section 10: references (WA-160 to WA-169)."""

from dataclasses import dataclass
from urllib.parse import quote

import pytest
from tests.wire.client import NOBODY, Api, Person, unique


@dataclass(frozen=True, slots=True)
class Pair:
    """The addresses of an account and of a task that is not tied to it."""

    account: str
    task: str


@pytest.fixture
def pair(api: Api) -> Pair:
    return Pair(
        f"accounts({api.new('accounts', {'name': unique()})})", f"tasks({api.new('tasks', {'subject': unique()})})"
    )


def _tied(api: Api, account: str) -> list[str]:
    return [row["@odata.id"] for row in api.rows(f"{account}/Account_Tasks/$ref")]


def test_a_child_is_tied_by_any_form_of_its_address(api: Api, pair: Pair) -> None:
    """WA-160, WA-161: 1:N may be repeated."""
    for text in (api.root + pair.task, pair.task, f"/{pair.task}", f"https:/h.example/api/data/v9.1/{pair.task}"):
        body = {"@odata.context": f"{api.root}$metadata#$ref", "@odata.id": text}
        assert api.send("POST", f"{pair.account}/Account_Tasks/$ref", body).status_code == 204, text
        assert _tied(api, pair.account) == [api.root + pair.task]


def test_a_child_is_freed_by_address_or_by_key(api: Api, pair: Pair) -> None:
    """WA-163."""
    path = f"{pair.account}/Account_Tasks"
    for untie in (
        f"{path}({pair.task[6:-1]})/$ref",
        f"{path}/$ref?$id={api.root}{pair.task}",
        f"{path}/$ref?$id={pair.task}",
        f"{path}/$ref?$id={quote(api.root + pair.task, safe='')}",
    ):
        api.send("POST", f"{path}/$ref", {"@odata.id": pair.task})
        assert api.send("DELETE", untie).status_code == 204, untie
        assert _tied(api, pair.account) == []
        api.refused("DELETE", untie, status=404)


def test_a_child_that_is_tied_elsewhere_stays_there(api: Api, pair: Pair) -> None:
    """WA-163."""
    other = f"accounts({api.new('accounts', {'name': unique()})})"
    api.send("POST", f"{other}/Account_Tasks/$ref", {"@odata.id": pair.task})
    api.refused("DELETE", f"{pair.account}/Account_Tasks({pair.task[6:-1]})/$ref", status=404)
    assert _tied(api, other) == [api.root + pair.task]


def test_a_lookup_is_put_and_deleted(api: Api) -> None:
    """WA-162, WA-164: also when it is empty; one of several navigation properties leaves the others alone."""
    account = f"accounts({api.new('accounts', {'name': unique()})})"
    deal = f"opportunities({api.new('opportunities', {'name': unique()})})"
    assert api.send("PUT", f"{deal}/customerid_account/$ref", {"@odata.id": account}).status_code == 204
    assert api.get(f"{deal}/customerid_account/$ref")["@odata.id"] == api.root + account
    assert api.send("DELETE", f"{deal}/customerid_contact/$ref").status_code == 204
    assert api.send("GET", f"{deal}/customerid_account/$ref").status_code == 200
    for _ in range(2):
        assert api.send("DELETE", f"{deal}/customerid_account/$ref").status_code == 204
        assert api.send("GET", f"{deal}/customerid_account/$ref").status_code == 204
    api.refused("DELETE", f"{account}/ownerid/$ref", status=400)


@pytest.mark.parametrize(
    "content", [b"{}", b"[]", b"", b'{"@odata.id":null}', b'{"@odata.id":5}', b'{"@odata.id":"x"}']
)
def test_a_reference_that_cannot_be_read_is_400(api: Api, pair: Pair, content: bytes) -> None:
    """WA-165."""
    headers = {"Content-Type": "application/json"}
    api.refused("POST", f"{pair.account}/Account_Tasks/$ref", content=content, status=400, headers=headers)
    api.refused("PUT", f"{pair.account}/primarycontactid/$ref", content=content, status=400, headers=headers)


def test_a_reference_to_another_set_is_400_and_to_nothing_404(api: Api, pair: Pair) -> None:
    """WA-165."""
    tasks, contact = f"{pair.account}/Account_Tasks/$ref", f"{pair.account}/primarycontactid/$ref"
    api.refused("POST", tasks, {"@odata.id": pair.account}, status=400)
    api.refused("PUT", contact, {"@odata.id": pair.account}, status=400)
    api.refused("DELETE", f"{tasks}?$id={pair.account}", status=400)
    api.refused("DELETE", tasks, status=400)
    api.refused("POST", tasks, {"@odata.id": f"tasks({NOBODY})"}, status=404, code="0x80040217")
    api.refused("PUT", contact, {"@odata.id": f"contacts({NOBODY})"}, status=404, code="0x80040217")
    api.refused("POST", f"accounts({NOBODY})/Account_Tasks/$ref", {"@odata.id": pair.task}, status=404)


def test_tying_needs_append_and_append_to(api: Api, reader: Person) -> None:
    """WA-166."""
    account = api.new("accounts", {"name": unique(), "ownerid@odata.bind": f"/systemusers({reader.id})"})
    contact = api.new("contacts", {"lastname": unique()})
    body = {"@odata.id": f"contacts({contact})"}
    path = f"accounts({account})/primarycontactid/$ref"
    api.refused("PUT", path, body, status=403, code="0x80040220", headers=reader.acting)


def test_members_roles_and_profiles_are_tied_in_both_directions(api: Api, unit: str, reader: Person) -> None:
    """WA-161, WA-163, WA-167: an N:N link is there once."""
    me = api.get("WhoAmI")["UserId"]
    binds = {"businessunitid@odata.bind": f"businessunits({unit})", "administratorid@odata.bind": f"systemusers({me})"}
    team = f"teams({api.new('teams', {'name': unique('team'), 'teamtype': 0, **binds})})"
    profile = f"fieldsecurityprofiles({api.new('fieldsecurityprofiles', {'name': unique('profile')})})"
    role, user = f"roles({reader.role})", f"systemusers({reader.id})"
    for one, nav, other in (
        (team, "teammembership_association", user),
        (user, "teammembership_association", team),
        (team, "teamroles_association", role),
        (profile, "systemuserprofiles_association", user),
        (profile, "teamprofiles_association", team),
    ):
        path, body = f"{one}/{nav}/$ref", {"@odata.id": other}
        assert api.send("POST", path, body).status_code == 204, path
        says = "Cannot insert duplicate key"
        api.refused("POST", path, body, status=412, code="0x80040237", says=says)
        assert api.root + other in [row["@odata.id"] for row in api.rows(path)]
        assert api.send("DELETE", f"{path}?$id={other}").status_code == 204
        api.refused("DELETE", f"{path}?$id={other}", status=404)


def test_a_role_of_another_unit_is_400(api: Api, unit: str, reader: Person) -> None:
    """WA-167: unless ownership across business units is on."""
    parent = {"name": unique("unit"), "parentbusinessunitid@odata.bind": f"businessunits({unit})"}
    other = api.new("businessunits", parent)
    role = api.new("roles", {"name": unique("role"), "businessunitid@odata.bind": f"businessunits({other})"})
    body = {"@odata.id": f"roles({role})"}
    api.refused("POST", f"systemusers({reader.id})/systemuserroles_association/$ref", body, status=400)


def test_intersect_tables_are_read_and_never_written(api: Api) -> None:
    """WA-169."""
    for entity_set, key in (("teammemberships", "teammembershipid"), ("systemuserrolescollection", "systemuserroleid")):
        row = api.rows(f"{entity_set}?$top=1")[0][key]
        api.refused("POST", entity_set, {}, status=400)
        api.refused("PATCH", f"{entity_set}({row})", {}, status=400)
        api.refused("DELETE", f"{entity_set}({row})", status=400)
