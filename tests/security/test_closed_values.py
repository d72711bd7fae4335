"""Values that a caller may not read do not come out by a side door: secured columns, the audit trail, rows between
readable ones."""

from collections.abc import Iterator

import pytest
from tests.security.realm import NS, Realm, privileges
from tests.security.test_escalation import new_name

from strongroom.ids import Guid, Reference
from strongroom.records import change_schema
from strongroom.records.create import store_new
from strongroom.schema.changes import NewColumn, create_column
from strongroom.schema.model import ColumnType
from strongroom.store.protocol import Value

CLOSED = (403, "0x8004f504")
SECRET = "4711-secret"


@pytest.fixture(scope="module", autouse=True)
def secured(realm: Realm) -> Iterator[None]:
    """A secured column `new_pin` on accounts, with a value on Ann's; Ann has no profile."""
    with realm.acting_as_admin() as session:
        column = NewColumn("new_Pin", ColumnType.STRING, is_secured=True)
        change_schema(session, create_column(session.schema, "account", column))
    realm.must("admin", "PATCH", f"accounts({realm.ids['account of ann']})", {"new_pin": SECRET})
    yield


def fetch(inside: str, attributes: str = "") -> str:
    """A FetchXML address over accounts."""
    xml = f"<fetch{attributes}><entity name='account'>{inside}</entity></fetch>"
    return "accounts?fetchXml=" + xml.replace("<", "%3C").replace(">", "%3E").replace("'", "%27")


@pytest.mark.parametrize(
    "path",
    [
        "accounts?$select=new_pin",
        "accounts?$select=name,new_pin&$orderby=name",
        "contacts?$expand=account_primary_contact($select=new_pin)",
        "accounts?sql=select new_pin from account",
        fetch("<attribute name='new_pin'/>"),
        fetch("<all-attributes/>"),
        "accounts",
    ],
)
def test_a_closed_column_is_null_in_every_projection(realm: Realm, path: str) -> None:
    """SM-132."""
    answer = realm.get("ann", path, Prefer='odata.include-annotations="*"')
    assert answer.status == 200
    assert SECRET not in answer.text
    assert SECRET not in realm.get("ann", f"accounts({realm.ids['account of ann']})/new_pin").text


@pytest.mark.parametrize(
    "path",
    [
        "accounts?$filter=new_pin eq 'x'",
        "accounts?$filter=new_pin eq name",
        "accounts?$filter=contains(new_pin,'4711')",
        "accounts?$filter=name eq 'x' or not(new_pin ne null)",
        "accounts?$orderby=new_pin",
        "accounts/$count?$filter=new_pin eq 'x'",
        "accounts?$apply=groupby((new_pin))",
        "accounts?$apply=groupby((name),aggregate(new_pin with countdistinct as n))",
        "accounts?$apply=filter(new_pin eq 'x')/aggregate($count as n)",
        "tasks?$filter=regardingobjectid_account_task/new_pin eq 'x'",
        "tasks?$orderby=regardingobjectid_account_task/new_pin",
        "tasks?$apply=groupby((regardingobjectid_account_task/new_pin))",
        "contacts?$filter=account_primary_contact/any(a:a/new_pin eq 'x')",
        "contacts?$expand=account_primary_contact($filter=new_pin eq 'x')",
        "contacts?$expand=account_primary_contact($orderby=new_pin)",
        "accounts?sql=select name from account where new_pin = 'x'",
        "accounts?sql=select name from account order by new_pin",
        fetch("<filter><condition attribute='new_pin' operator='not-null'/></filter>"),
        fetch("<filter><condition attribute='name' operator='eq' valueof='new_pin'/></filter>"),
        fetch("<order attribute='new_pin'/>"),
        fetch("<attribute name='new_pin' alias='p' groupby='true'/>", " aggregate='true'"),
        fetch("<attribute name='new_pin' alias='p' aggregate='countcolumn'/>", " aggregate='true'"),
        fetch("<link-entity name='account' from='new_pin' to='new_pin'/>"),
    ],
)
def test_a_closed_column_decides_nothing(realm: Realm, path: str) -> None:
    """SM-136."""
    assert realm.get("ann", path).refusal == CLOSED


def test_a_closed_column_is_not_written(realm: Realm) -> None:
    """SM-133: nor with the value that it has, nor by other doors to the row."""
    mine = realm.ids["account of ann"]
    many = {"Targets": [{"@odata.type": f"{NS}account", "accountid": mine, "new_pin": None}]}
    assert realm.send("ann", "POST", "accounts", {"name": "x", "new_pin": "1"}).refusal == (403, "0x8004f502")
    for asked in (
        ("PATCH", f"accounts({mine})", {"name": "x", "new_pin": SECRET}),
        ("PUT", f"accounts({mine})/new_pin", {"value": "1"}),
        ("DELETE", f"accounts({mine})/new_pin", None),
        ("POST", f"accounts/{NS}UpdateMultiple", many),
        ("POST", f"accounts/{NS}UpsertMultiple", many),
    ):
        assert realm.send("ann", *asked).refusal == (403, "0x8004f507"), asked
    assert realm.get("admin", f"accounts({mine})").json["new_pin"] == SECRET


def test_acting_for_an_administrator_does_not_open_closed_columns(realm: Realm) -> None:
    """SM-68, WA-420: a column is open when it is open to both."""
    who = new_name()
    rights = {"prvActOnBehalfOfAnotherUser": "Global", "prvReadAccount": "Basic"}
    realm.user(who, realm.ids["north"], realm.role(new_name(), realm.ids["root"], rights))
    path = f"accounts({realm.ids['account of ann']})?$select=name,new_pin"
    answer = realm.send(who, "GET", path, headers={"MSCRMCallerID": str(realm.people["admin"])})
    assert answer.json["name"] == "Account of ann"
    assert answer.json["new_pin"] is None
    assert realm.get("admin", path).json["new_pin"] == SECRET


# --- the trail -----------------------------------------------------------------------------------------------


def auditor(realm: Realm, more: dict[str, str]) -> str:
    """Somebody who may read the trail, with `more` privileges."""
    who = new_name()
    rights = {"prvReadAuditSummary": "Global", "prvReadRecordAuditHistory": "Global", **more}
    realm.user(who, realm.ids["north"], realm.role(new_name(), realm.ids["root"], rights))
    return who


def entries(realm: Realm) -> list[str]:
    """The entries about Ann's account."""
    found = realm.get("admin", f"audits?$select=auditid&$filter=_objectid_value eq {realm.ids['account of ann']}")
    assert found.rows
    return [row["auditid"] for row in found.rows]


def test_the_list_of_the_trail_shows_no_values(realm: Realm) -> None:
    """SM-132, SM-173: prvReadAuditSummary opens the trail and not the data."""
    who = auditor(realm, {})
    answer = realm.get(who, f"audits?$filter=_objectid_value eq {realm.ids['account of ann']}")
    assert answer.rows
    assert all(row["changedata"] is None for row in answer.rows)
    assert realm.get(who, "audits?$filter=contains(changedata,'4711')").refusal == CLOSED
    assert realm.get(who, "audits?$orderby=changedata").refusal == CLOSED
    assert realm.get(who, f"audits({entries(realm)[0]})").json["changedata"] is None


@pytest.mark.parametrize("more", [{}, {"prvReadAccount": "Basic"}, {"prvReadAccount": "Global"}])
def test_an_entry_of_the_trail_shows_what_its_reader_may_see(realm: Realm, more: dict[str, str]) -> None:
    """SM-132, SM-173: no values of rows out of reach, and never those of closed columns."""
    who = auditor(realm, more)
    texts = [realm.get(who, f"audits({each})/{NS}RetrieveAuditDetails()").text for each in entries(realm)]
    assert not any(SECRET in text for text in texts)
    is_reader = more.get("prvReadAccount") == "Global"
    assert any("Account of ann" in text for text in texts) == is_reader
    target = f"{{'@odata.id':'accounts({realm.ids['account of ann']})'}}"
    history = realm.get(who, f"RetrieveRecordChangeHistory(Target=@t)?@t={target}")
    assert history.status == (200 if is_reader else 403)
    assert SECRET not in history.text


def test_the_history_of_a_deleted_row_takes_read_on_every_row(realm: Realm) -> None:
    """SM-7, SM-173: nobody can say any more who reached it."""
    row = realm.create("accounts", {"name": new_name(), "ownerid@odata.bind": f"/systemusers({realm.people['bob']})"})
    realm.must("admin", "DELETE", f"accounts({row})")
    path = f"RetrieveRecordChangeHistory(Target=@t)?@t={{'@odata.id':'accounts({row})'}}"
    assert realm.get(auditor(realm, {"prvReadAccount": "Basic"}), path).refusal == (403, "0x80048306")
    assert realm.get(auditor(realm, {"prvReadAccount": "Global"}), path).status == 200


# --- rows between ----------------------------------------------------------------------------------------------


def test_a_condition_on_a_hierarchy_does_not_lead_through_rows_out_of_reach(realm: Realm) -> None:
    """I-6, WA-206: that a row of Ann's lies below another of hers by way of Bob's is Bob's to know."""
    ids: list[Guid] = []
    for owner in ("ann", "bob", "ann"):
        values: dict[str, Value] = {"name": new_name(), "ownerid": Reference("systemuser", realm.people[owner])}
        if ids:
            values["parentaccountid"] = Reference("account", ids[-1])
        with realm.acting_as_admin() as session:
            ids.append(store_new(session, session.table("account"), values).id)
    for operator, root, below in (("Under", ids[0], ids[2]), ("Above", ids[2], ids[0])):
        asked = f"accounts?$select=accountid&$filter={NS}{operator}(PropertyName='accountid',PropertyValue='{root}')"
        assert below in [row["accountid"] for row in realm.get("admin", asked).rows]
        assert below not in [row["accountid"] for row in realm.get("ann", asked).rows]


def test_reading_everything_takes_reading_everything(realm: Realm) -> None:
    """SM-35: the role of Rex reaches all rows, and still no closed column."""
    assert privileges(("account",), "Global", realm.schema, ("Read",)) == {"prvReadAccount": "Global"}
    assert realm.get("rex", f"accounts({realm.ids['account of bob']})").json["new_pin"] is None


def test_the_amount_in_the_base_currency_is_as_closed_as_the_amount(realm: Realm) -> None:
    """SM-132, SM-136: it would tell of the secured one, by value, by filter and by order."""
    with realm.acting_as_admin() as session:
        column = NewColumn("new_Pay", ColumnType.MONEY, is_secured=True)
        change_schema(session, create_column(session.schema, "account", column))
    mine = realm.ids["account of ann"]
    realm.must("admin", "PATCH", f"accounts({mine})", {"new_pay": 4711})
    assert realm.get("admin", f"accounts({mine})?$select=new_pay_base").json["new_pay_base"] == 4711

    row = realm.get("ann", f"accounts({mine})?$select=new_pay,new_pay_base").json
    assert (row["new_pay"], row["new_pay_base"]) == (None, None)
    for asked in ("$filter=new_pay_base gt 1", "$orderby=new_pay_base", "$apply=aggregate(new_pay_base with max as m)"):
        assert realm.get("ann", f"accounts?{asked}").refusal == CLOSED, asked
