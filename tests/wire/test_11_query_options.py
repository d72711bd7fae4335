"""Section 11: query options (WA-170 to WA-180)."""

from collections.abc import Iterator

import pytest
from tests.wire.client import FORMATTED, NS, Api, Person, unique


@pytest.fixture(scope="session")
def mine(api: Api, boxes: str) -> str:
    """A condition that holds for four boxes: a 1 (two of them), b 3 and one without name and number."""
    part = unique("options")
    names = (("a", 1, "2024-01-01"), ("a", 1, "2024-01-02"), ("b", 3, None), (None, None, None))
    for slot, (name, number, day) in enumerate(names):
        values = {"wire_name": name, "wire_int": number, "wire_day": day, "wire_mon": number}
        api.new(boxes, {"wire_part": part, "wire_slot": slot, **values})
    return f"wire_part eq '{part}'"


def _slots(api: Api, boxes: str, mine: str, rest: str) -> list[int]:
    return [row["wire_slot"] for row in api.rows(f"{boxes}?$select=wire_slot&$filter={mine}&{rest}")]


@pytest.mark.parametrize(
    "option",
    [
        "$skip=1",
        "$search=x",
        "$format=json",
        "$compute=x",
        "$levels=1",
        "$index=1",
        "$foo=1",
        "$Select=name",
    ],
)
def test_other_system_options_are_400_by_name(api: Api, option: str) -> None:
    """WA-170, WA-171, WA-172."""
    says = "Skip Clause is not supported in CRM" if option == "$skip=1" else option.partition("=")[0]
    api.refused("GET", f"accounts?{option}", status=400, code="0x80060888", says=says)


def test_options_of_others_are_ignored_and_system_options_come_once(api: Api) -> None:
    """WA-171, WA-177: also empty parts of the query."""
    for query in ("tag=x&partitionId=1&api-version=9&$top=1", "$top=1&", "&&$top=1&$select=name"):
        assert api.send("GET", f"accounts?{query}").status_code == 200
    for option in ("$top=1", "$select=name", "$filter=name eq 'x'", "$count=true"):
        api.refused("GET", f"accounts?{option}&{option}", status=400, says="more than once")


@pytest.mark.parametrize(
    ("select", "context", "columns"),
    [
        ("wire_name,wire_int", "(wire_name,wire_int)", {"wire_name", "wire_int"}),
        ("wire_name, wire_int ,wire_name", "(wire_name,wire_int)", {"wire_name", "wire_int"}),
        ("wire_mon", "(wire_mon)", {"wire_mon", "_transactioncurrencyid_value"}),
        ("wire_boxid", "(wire_boxid)", set[str]()),
    ],
)
def test_what_is_selected_comes_with_id_and_etag(
    api: Api, boxes: str, mine: str, select: str, context: str, columns: set[str]
) -> None:
    """WA-173, WA-178."""
    page = api.get(f"{boxes}?$select={select}&$filter={mine}")
    assert page["@odata.context"] == f"{api.root}$metadata#{boxes}{context}"
    assert page["value"][0].keys() == {"@odata.etag", "wire_boxid"} | columns


def test_all_columns_are_not_listed_in_the_context(api: Api, boxes: str, mine: str) -> None:
    """WA-173, WA-178."""
    for query in ("", "&$select=", "&$select=*"):
        assert api.get(f"{boxes}?$filter={mine}{query}")["@odata.context"] == f"{api.root}$metadata#{boxes}"
    assert api.get("accounts?$top=1")["@odata.context"] == f"{api.root}$metadata#accounts"
    assert api.get(f"{boxes}?$select=wire_int&$filter=wire_code eq 'nobody'")["value"] == []


def test_expanded_columns_are_in_the_context(api: Api) -> None:
    """WA-178, WA-216, WA-212: and the nextLink of a collection selects what was selected."""
    account = api.new("accounts", {"name": unique(), "Account_Tasks": [{"subject": "x"}]})
    query = "$select=name&$expand=primarycontactid($select=fullname),Account_Tasks($select=subject)"
    page = api.get(f"accounts?{query}&$filter=accountid eq {account}")
    shape = "(name,primarycontactid(fullname),Account_Tasks(subject))"
    assert page["@odata.context"] == f"{api.root}$metadata#accounts{shape}"
    link = page["value"][0]["Account_Tasks@odata.nextLink"]
    assert link == f"{api.root}accounts({account})/Account_Tasks?$select=subject"
    assert api.rows(link)[0]["subject"] == "x"


@pytest.mark.parametrize(
    ("order", "slots"),
    [
        ("wire_name desc,wire_day desc", [2, 1, 0, 3]),
        ("wire_name,wire_slot desc", [3, 1, 0, 2]),
        ("wire_int asc, wire_slot", [3, 0, 1, 2]),
        ("wire_int desc,wire_slot", [2, 0, 1, 3]),
        ("owninguser/fullname,wire_slot desc", [3, 2, 1, 0]),
        ("wire_boo,_ownerid_value,wire_slot", [0, 1, 2, 3]),
    ],
)
def test_rows_are_ordered_with_nulls_first_ascending(
    api: Api, boxes: str, mine: str, order: str, slots: list[int]
) -> None:
    """WA-174."""
    assert _slots(api, boxes, mine, f"$orderby={order}") == slots


def test_lookups_order_by_name_and_choices_by_number(api: Api) -> None:
    """WA-174."""
    group = unique("sorted")
    for last, preference in (("Zulu", 1), ("Alpha", 4)):
        contact = api.new("contacts", {"lastname": f"{last} {group}"})
        body = {"name": group, "primarycontactid@odata.bind": f"/contacts({contact})"}
        api.new("accounts", {**body, "preferredcontactmethodcode": preference, "numberofemployees": preference})
    query = f"accounts?$select=numberofemployees&$filter=name eq '{group}'&$orderby="
    by_name = [row["numberofemployees"] for row in api.rows(query + "_primarycontactid_value")]
    by_choice = [row["numberofemployees"] for row in api.rows(query + "preferredcontactmethodcode desc")]
    assert (by_name, by_choice) == ([4, 1], [4, 1])


@pytest.mark.parametrize(
    "order", ["nonsense", "wire_name foo", "wire_name desc desc", ",", "wire_file", "wire_parentbox/nope"]
)
def test_orders_that_make_no_sense_are_400(api: Api, boxes: str, order: str) -> None:
    """WA-174."""
    api.refused("GET", f"{boxes}?$orderby={order}", status=400, code="0x80060888")


def test_top_counts_from_1_to_5000(api: Api, boxes: str, mine: str) -> None:
    """WA-175: a preference for pages wins."""
    assert _slots(api, boxes, mine, "$top=2&$orderby=wire_slot") == [0, 1]
    assert len(_slots(api, boxes, mine, "$top=6000")) == 4
    for number in ("0", "-1", "1.5", "abc", ""):
        api.refused("GET", f"{boxes}?$top={number}", status=400, code="0x80060888", says="$top")
    page = api.get(f"{boxes}?$select=wire_int&$filter={mine}&$top=1", {"Prefer": "odata.maxpagesize=3"})
    assert len(page["value"]) == 3
    assert len(api.rows(page["@odata.nextLink"])) == 1
    assert "@odata.nextLink" not in api.get(f"{boxes}?$select=wire_int&$filter={mine}&$top=1")


def test_aliases_stand_for_values_and_properties(api: Api, boxes: str, mine: str) -> None:
    """WA-176: unset ones are null; not inside `$expand`."""
    value = mine.partition("eq ")[2]
    query = f"{boxes}?$select=wire_slot&$filter=wire_part eq @v and @p ne @n&@p=wire_int&@n=null&@v={value}"
    assert sorted(row["wire_slot"] for row in api.rows(query)) == [0, 1, 2]
    assert _slots(api, boxes, f"{mine} and wire_int eq @unset", "$top=9") == [3]
    assert _slots(api, boxes, mine, "$orderby=@o desc&@o=wire_slot") == [3, 2, 1, 0]
    function = f"{NS}.In(PropertyName=@p,PropertyValues=@v)"
    assert _slots(api, boxes, f"{mine} and {function}", "@p='wire_int'&@v=[\"3\"]") == [2]
    api.refused("GET", "accounts?$expand=Account_Tasks($filter=subject eq @x)&@x='a'", status=400, says="@x")


def test_the_root_is_annotated_with_totals(api: Api, boxes: str, mine: str) -> None:
    """WA-178, WA-179: -1 without `$count`."""
    headers = {"Prefer": 'odata.include-annotations="*"'}
    query = f"{boxes}?$select=wire_int&$filter={mine}&$top=1"
    plain, counted = api.get(query, headers), api.get(f"{query}&$count=true", headers)
    assert plain[f"@{NS}.totalrecordcount"] == -1
    assert counted[f"@{NS}.totalrecordcount"] == 4 == counted["@odata.count"]
    assert counted[f"@{NS}.totalrecordcountlimitexceeded"] is False
    assert counted[f"@{NS}.globalmetadataversion"].isdigit()
    assert plain["value"][0].keys() >= {f"wire_int@{FORMATTED}", "wire_int"} or plain["value"][0]["wire_int"] is None


def test_rows_that_may_not_be_read_are_absent_and_not_counted(api: Api, reader: Person) -> None:
    """WA-180."""
    name = unique("hidden")
    api.new("accounts", {"name": name})
    own = api.new("accounts", {"name": name, "ownerid@odata.bind": f"/systemusers({reader.id})"})
    query = f"accounts?$select=name&$filter=name eq '{name}'&$count=true"
    page = api.get(query, reader.acting)
    assert ([row["accountid"] for row in page["value"]], page["@odata.count"]) == ([own], 1)
    count = api.send("GET", f"accounts/$count?$filter=name eq '{name}'", headers=reader.acting)
    assert count.text == "1"
    assert api.get(query)["@odata.count"] == 2


@pytest.fixture
def secured_fax(api: Api) -> Iterator[str]:
    """The column `fax` of accounts, secured for one test."""
    attribute = "EntityDefinitions(LogicalName='account')/Attributes(LogicalName='fax')"
    definition = api.get(f"{attribute}/{NS}.StringAttributeMetadata")

    def secure(value: bool) -> None:
        body = {**definition, "@odata.type": f"{NS}.StringAttributeMetadata", "IsSecured": value}
        answer = api.send("PUT", attribute, body, headers={"MSCRM.MergeLabels": "true"})
        assert answer.status_code == 204, answer.text

    secure(True)
    yield "fax"
    secure(False)


def test_secured_columns_are_null_and_no_oracle(api: Api, reader: Person, secured_fax: str) -> None:
    """WA-180."""
    owner = {"ownerid@odata.bind": f"/systemusers({reader.id})"}
    row = api.new("accounts", {"name": unique(), secured_fax: "secret", **owner})
    assert api.get(f"accounts({row})?$select=fax")["fax"] == "secret"
    assert api.get(f"accounts({row})?$select=fax,name", reader.acting)["fax"] is None
    assert api.get(f"accounts({row})", reader.acting)["fax"] is None
    for query in (
        "$filter=fax eq 'secret'",
        "$filter=contains(fax,'s')",
        "$orderby=fax",
        "$apply=groupby((fax))",
        "$apply=aggregate(fax with countdistinct as n)",
    ):
        api.refused("GET", f"accounts?{query}", status=403, code="0x8004f504", headers=reader.acting)
    api.refused("POST", "accounts", {"fax": "x"}, status=403, code="0x8004f502", headers=reader.acting)
