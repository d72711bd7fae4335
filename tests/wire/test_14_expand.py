"""Section 14: `$expand` (WA-210 to WA-217)."""

import pytest
from tests.wire.client import Api, Json
from tests.wire.conftest import Person
from tests.wire.sample import Sample, make_sample

_MANY = "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship or nested "


@pytest.fixture(scope="module")
def sample(api: Api) -> Sample:
    return make_sample(api)


def expanded(sample: Sample, expand: str, name: str = "ada") -> Json:
    """One account with what is expanded."""
    return sample.api.get(f"accounts({sample.ids[name]})?$select=name&$expand={expand}")


def refused(sample: Sample, expand: str, says: str = "") -> None:
    where = f"accounts({sample.ids['ada']})?$select=name&$expand={expand}"
    sample.api.refused("GET", where, status=400, code="0x80060888", says=says)


def test_several_expands_with_their_options(sample: Sample) -> None:
    """WA-210, WA-217: by comma, options by semicolon."""
    row = expanded(
        sample,
        "primarycontactid($select=firstname),"
        "Account_Tasks($select=subject;$filter=statecode eq 0 or statecode eq 1;$orderby=subject desc;$top=1)",
    )

    assert row["primarycontactid"]["firstname"] == "Grace"
    assert [task["subject"] for task in row["Account_Tasks"]] == [f"{sample.stem}Mail"]
    for option in ("$skip=1", "$count=true", "$search=a", "$levels=2"):
        refused(sample, f"Account_Tasks({option})")


def test_more_than_15_expands_are_400(sample: Sample) -> None:
    """WA-210: nested ones count."""
    fifteen = ["parentaccountid($select=name;$expand=primarycontactid($select=fullname))"]
    names = (
        "primarycontactid,createdby,modifiedby,owninguser,owningteam,owningbusinessunit,transactioncurrencyid,"
        "createdonbehalfby,modifiedonbehalfby,Account_Tasks,contact_customer_accounts,account_parent_account,"
        "Account_Annotation"
    )
    most = ",".join([*fifteen, names])

    assert expanded(sample, most)["name"]
    refused(sample, f"{most},ownerid", "15")


def test_single_valued_properties_are_objects(api: Api, sample: Sample) -> None:
    """WA-211: with ETag and primary key; null when empty; users have `ownerid` besides."""
    contact = expanded(sample, "primarycontactid($select=fullname)")["primarycontactid"]
    assert set(contact) == {"@odata.etag", "fullname", "contactid"}
    assert expanded(sample, "primarycontactid", "Éva")["primarycontactid"] is None
    user = expanded(sample, "owninguser($select=fullname)")["owninguser"]
    assert user["systemuserid"] == user["ownerid"] == api.get("WhoAmI")["UserId"]
    listed = api.rows(f"accounts?$select=name&$filter=accountid eq {sample.ids['ada']}&$expand=primarycontactid")
    assert listed[0]["primarycontactid"]["contactid"] == contact["contactid"]


def test_what_the_caller_may_not_read_is_not_expanded(api: Api, sample: Sample, reader: Person) -> None:
    """WA-211, WA-194: null for a single row, absent from a collection."""
    own = api.new(
        "accounts",
        {
            "name": f"{sample.stem}own",
            "ownerid@odata.bind": f"systemusers({reader.id})",
            "parentaccountid@odata.bind": f"accounts({sample.ids['ada']})",
        },
    )
    contact = sample.contacts["Linus"]

    row = api.get(f"accounts({own})?$select=name&$expand=parentaccountid($select=name)", reader.acting)
    person = api.get(f"contacts({contact})?$select=fullname&$expand=account_primary_contact", reader.acting)

    assert row["parentaccountid"] is None
    assert person["account_primary_contact"] == []
    assert len(api.get(f"contacts({contact})?$expand=account_primary_contact")["account_primary_contact"]) == 1


def test_collections_have_a_next_link_without_a_token(api: Api, sample: Sample) -> None:
    """WA-212: it leads to the collection, with the options that the expand has."""
    row = expanded(sample, "Account_Tasks($select=subject)")
    link = row["Account_Tasks@odata.nextLink"]

    assert link == f"{api.root}accounts({sample.ids['ada']})/Account_Tasks?$select=subject"
    assert len(api.rows(link)) == len(row["Account_Tasks"]) == 2
    filtered = expanded(sample, "Account_Tasks($select=subject;$filter=statecode eq 1)")
    assert api.rows(filtered["Account_Tasks@odata.nextLink"]) == filtered["Account_Tasks"]
    assert len(filtered["Account_Tasks"]) == 1


def test_nested_expands_page_each_collection(api: Api, sample: Sample) -> None:
    """WA-212: with a nested expand and a page size, the link of each collection has a token."""
    query = (
        f"accounts?$select=name&$filter=accountid eq {sample.ids['ada']}"
        "&$expand=Account_Tasks($select=subject;$expand=createdby($select=fullname))"
    )
    size = {"Prefer": "odata.maxpagesize=1"}

    row = api.rows(query, size)[0]
    following = api.get(row["Account_Tasks@odata.nextLink"], size)

    assert len(row["Account_Tasks"]) == 1
    assert "$skiptoken=" in row["Account_Tasks@odata.nextLink"]
    assert row["Account_Tasks"][0]["createdby"]["fullname"]
    subjects = {task["subject"] for task in (*row["Account_Tasks"], *following["value"])}
    assert subjects == {f"{sample.stem}Call", f"{sample.stem}Mail"}
    assert following["value"][0]["createdby"]["fullname"]
    assert "@odata.nextLink" not in following
    assert len(api.rows(query)[0]["Account_Tasks"]) == 2


def walked(api: Api, row: Json, name: str, size: dict[str, str]) -> list[Json]:
    """All rows of an expanded collection, by its links."""
    rows, link = list(row[name]), row.get(f"{name}@odata.nextLink")
    while link:
        page = api.get(link, size)
        assert page["value"]
        rows += page["value"]
        link = page.get("@odata.nextLink")
    return rows


def test_pages_of_nested_collections_lead_to_all_rows(api: Api, sample: Sample) -> None:
    """WA-212: of single rows too, with filters, over many-to-many relationships; each row once, whatever the size."""
    for number in range(5):
        task = {"subject": f"{sample.stem}paged {number}"}
        api.new("tasks", {**task, "regardingobjectid_account_task@odata.bind": f"/accounts({sample.ids['Éva']})"})
    tasks = (
        f"accounts({sample.ids['Éva']})?$select=name&$expand=Account_Tasks($select=subject;"
        f"$filter=startswith(subject,'{sample.stem}paged') and createdby/fullname ne null;"
        "$expand=createdby($select=fullname))",
        "Account_Tasks",
    )
    who = api.get("WhoAmI")
    me, unit = who["UserId"], {"businessunitid@odata.bind": f"/businessunits({who['BusinessUnitId']})"}
    given = [api.new("roles", {"name": f"{sample.stem}role {number}", **unit}) for number in range(3)]
    for role in given:
        reference = {"@odata.id": f"{api.root}roles({role})"}
        assert api.send("POST", f"systemusers({me})/systemuserroles_association/$ref", reference).status_code == 204
    roles = (
        f"systemusers({me})?$select=fullname&$expand=systemuserroles_association($select=name;"
        "$expand=businessunitid($select=name))",
        "systemuserroles_association",
    )

    for (query, name), least in ((tasks, 5), (roles, 1 + len(given))):
        whole = api.get(query)[name]
        assert len(whole) >= least > 1
        for most in (1, 2, len(whole), len(whole) + 1):
            size = {"Prefer": f"odata.maxpagesize={most}"}
            row = api.get(query, size)
            assert len(row[name]) == min(most, len(whole))
            assert (f"{name}@odata.nextLink" in row) == (most < len(whole))
            assert walked(api, row, name, size) == whole
    for role in given:
        done = api.send("DELETE", f"systemusers({me})/systemuserroles_association({role})/$ref")
        assert done.status_code == 204


def test_the_token_of_one_parents_collection_is_of_no_use_elsewhere(api: Api, sample: Sample) -> None:
    """WA-234, WA-212."""
    size = {"Prefer": "odata.maxpagesize=1"}
    row = api.get(
        f"accounts({sample.ids['ada']})?$expand=Account_Tasks($select=subject;$expand=createdby($select=fullname))",
        size,
    )
    link: str = row["Account_Tasks@odata.nextLink"]

    assert api.rows(link, size)
    for other in (link.replace(sample.ids["ada"], sample.ids["Éva"]), link.replace("fullname", "lastname")):
        api.refused("GET", other, status=400, code="0x80040203", headers=size)


def test_order_and_top_do_not_nest(sample: Sample) -> None:
    """WA-213."""
    for expand in (
        "primarycontactid($orderby=fullname)",
        "primarycontactid($top=1)",
        "Account_Tasks($top=1;$expand=createdby($select=fullname))",
        "Account_Tasks($orderby=subject;$expand=createdby)",
        "Account_Tasks($expand=regardingobjectid_account_task($expand=primarycontactid($orderby=fullname)))",
    ):
        refused(sample, expand, f"{_MANY}one-to-many relationship.")


def test_references_of_single_valued_properties(api: Api, sample: Sample) -> None:
    """WA-214."""
    row = expanded(sample, "primarycontactid/$ref")

    assert row["primarycontactid"] == {"@odata.id": f"{api.root}contacts({sample.contacts['Grace']})"}
    refused(sample, "Account_Tasks/$ref", "Expand with $ref is only supported on lookup type navigation property.")


def test_a_star_and_unknown_names_are_400(sample: Sample) -> None:
    """WA-215, WA-210."""
    refused(sample, "*")
    refused(sample, "nope", "Could not find a property named 'nope' on type 'Microsoft.Dynamics.CRM.account'.")
    refused(sample, "name")
    refused(sample, "primarycontactid($select=nope)")
    refused(sample, "primarycontactid($select=fullname")


def test_the_context_lists_what_is_expanded(api: Api, sample: Sample) -> None:
    """WA-216."""
    query = "accounts?$select=name&$top=1&$expand=primarycontactid($select=fullname),Account_Tasks($select=subject)"

    context = api.get(query)["@odata.context"]

    assert context == f"{api.root}$metadata#accounts(name,primarycontactid(fullname),Account_Tasks(subject))"
    assert sample.stem


def test_many_to_many_collections(api: Api) -> None:
    """WA-210: users with their roles."""
    me = api.get("WhoAmI")["UserId"]

    row = api.get(f"systemusers({me})?$select=fullname&$expand=systemuserroles_association($select=name)")

    assert "System Administrator" in [role["name"] for role in row["systemuserroles_association"]]
