"""Section 28: standard tables and columns (WA-440 to WA-448)."""

import pytest
from tests.wire.client import Api, Json, unique

SETS = {
    "accounts",
    "contacts",
    "tasks",
    "annotations",
    "systemusers",
    "teams",
    "businessunits",
    "roles",
    "privileges",
    "fieldsecurityprofiles",
    "fieldpermissions",
    "organizations",
    "transactioncurrencies",
    "publishers",
    "solutions",
    "savedqueries",
    "userqueries",
    "audits",
    "sdkmessages",
    "sdkmessagefilters",
    "asyncoperations",
    "bulkdeleteoperations",
    "activityparties",
    "queues",
    "systemuserrolescollection",
    "teamrolescollection",
    "teammemberships",
    "roleprivilegescollection",
    "systemuserprofilescollection",
    "teamprofilescollection",
}
OWNED = {
    **dict.fromkeys(("createdon", "modifiedon", "overriddencreatedon"), "DateTime"),
    **dict.fromkeys(("createdby", "modifiedby", "createdonbehalfby", "modifiedonbehalfby"), "Lookup"),
    **dict.fromkeys(("owningbusinessunit", "owninguser", "owningteam"), "Lookup"),
    **dict.fromkeys(("importsequencenumber", "timezoneruleversionnumber", "utcconversiontimezonecode"), "Integer"),
    "ownerid": "Owner",
    "statecode": "State",
    "statuscode": "Status",
    "versionnumber": "BigInt",
}
LENGTHS = {
    "account": (
        "name 160 accountnumber 20 telephone1 50 fax 50 emailaddress1 100 websiteurl 200 description 2000 "
        "address1_line1 250 address1_city 80 address1_stateorprovince 50 address1_postalcode 20 address1_country 80"
    ),
    "contact": (
        "firstname 50 lastname 50 emailaddress1 100 telephone1 50 mobilephone 50 jobtitle 100 description 2000 "
        "address1_city 80"
    ),
    "task": "subject 200 description 2000",
    "team": "name 160",
}
TYPES = {
    "account": (
        "accountid Uniqueidentifier numberofemployees Integer revenue Money creditlimit Money creditonhold Boolean "
        "donotemail Boolean address1_latitude Double address1_longitude Double exchangerate Decimal "
        "primarycontactid Lookup parentaccountid Lookup transactioncurrencyid Lookup entityimage Virtual"
    ),
    "contact": (
        "birthdate DateTime annualincome Money creditlimit Money parentcustomerid Customer donotemail Boolean "
        "fullname String transactioncurrencyid Lookup"
    ),
    "task": (
        "activityid Uniqueidentifier regardingobjectid Lookup percentcomplete Integer scheduledstart DateTime "
        "scheduledend DateTime"
    ),
    "team": (
        "businessunitid Lookup administratorid Lookup isdefault Boolean description Memo membershiptype Picklist "
        "azureactivedirectoryobjectid Uniqueidentifier"
    ),
    "systemuser": (
        "fullname String firstname String lastname String domainname String internalemailaddress String "
        "isdisabled Boolean businessunitid Lookup parentsystemuserid Lookup applicationid Uniqueidentifier "
        "azureactivedirectoryobjectid Uniqueidentifier"
    ),
    "businessunit": "name String parentbusinessunitid Lookup isdisabled Boolean",
    "role": (
        "name String roleid Uniqueidentifier parentrootroleid Lookup parentroleid Lookup businessunitid Lookup "
        "isinherited Picklist"
    ),
}
CHOICES: dict[tuple[str, str, str], dict[int, str]] = {
    ("account", "accountcategorycode", "Picklist"): {1: "Preferred Customer", 2: "Standard"},
    ("account", "industrycode", "Picklist"): {
        1: "Accounting",
        2: "Agriculture and Non-petrol Natural Resource Extraction",
    },
    ("account", "customertypecode", "Picklist"): {1: "Competitor", 12: "Other"},
    ("account", "statecode", "State"): {0: "Active", 1: "Inactive"},
    ("account", "statuscode", "Status"): {1: "Active", 2: "Inactive"},
    ("contact", "gendercode", "Picklist"): {1: "Male", 2: "Female"},
    ("task", "prioritycode", "Picklist"): {0: "Low", 1: "Normal", 2: "High"},
    ("task", "statecode", "State"): {0: "Open", 1: "Completed", 2: "Canceled"},
    ("task", "statuscode", "Status"): {
        2: "Not Started",
        3: "In Progress",
        4: "Waiting on someone else",
        5: "Completed",
        6: "Canceled",
        7: "Deferred",
    },
    ("team", "teamtype", "Picklist"): {0: "Owner", 1: "Access", 2: "Security Group", 3: "Office Group"},
    ("systemuser", "accessmode", "Picklist"): {
        0: "Read-Write",
        1: "Administrative",
        2: "Read",
        3: "Support User",
        4: "Non-interactive",
        5: "Delegated Admin",
    },
}


def _pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def _attributes(api: Api, table: str) -> dict[str, Json]:
    rows = api.rows(f"EntityDefinitions(LogicalName='{table}')/Attributes")
    return {row["LogicalName"]: row for row in rows}


def test_every_promised_entity_set_is_there(api: Api) -> None:
    """WA-440: the table `queue` is of a later tier."""
    names = {entry["name"] for entry in api.get("")["value"]}
    assert SETS - names <= {"queues"}


@pytest.mark.parametrize("table", ["account", "contact", "task"])
def test_owned_tables_have_the_bookkeeping_columns(api: Api, table: str) -> None:
    """WA-441."""
    attributes = _attributes(api, table)
    assert {name: attributes[name]["AttributeType"] for name in OWNED} == OWNED
    assert "organizationid" not in attributes


def test_tables_of_the_organization_have_no_owner(api: Api) -> None:
    """WA-441."""
    for table in ("transactioncurrency", "publisher"):
        attributes = _attributes(api, table)
        assert "organizationid" in attributes
        assert "ownerid" not in attributes


@pytest.mark.parametrize("table", sorted(TYPES))
def test_columns_have_the_promised_types_and_lengths(api: Api, table: str) -> None:
    """WA-442, WA-443, WA-444, WA-448."""
    attributes = _attributes(api, table)
    types = _pairs(TYPES[table])
    assert {name: attributes[name]["AttributeType"] for name in types} == types
    lengths = _pairs(LENGTHS.get(table, ""))
    assert {name: str(attributes[name]["MaxLength"]) for name in lengths} == lengths


@pytest.mark.parametrize(("table", "column", "kind"), sorted(CHOICES))
def test_choices_have_the_promised_options(api: Api, table: str, column: str, kind: str) -> None:
    """WA-441, WA-442, WA-443, WA-444, WA-448."""
    path = f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{column}')"
    cast = f"Microsoft.Dynamics.CRM.{kind}AttributeMetadata?$select=LogicalName&$expand=OptionSet"
    options = api.get(f"{path}/{cast}")["OptionSet"]["Options"]
    found = {option["Value"]: option["Label"]["UserLocalizedLabel"]["Label"] for option in options}
    expected = CHOICES[table, column, kind]
    assert {value: found[value] for value in expected} == expected
    assert column != "industrycode" or len(found) == 33


def test_numbers_have_the_promised_limits(api: Api) -> None:
    """WA-442, WA-444."""
    accounts, tasks = _attributes(api, "account"), _attributes(api, "task")
    employees, percent = accounts["numberofemployees"], tasks["percentcomplete"]
    assert (employees["MinValue"], employees["MaxValue"]) == (0, 1_000_000_000)
    assert (percent["MinValue"], percent["MaxValue"]) == (0, 100)
    assert accounts["address1_latitude"]["Precision"] == 5
    assert accounts["exchangerate"]["Precision"] == 10


def test_a_full_name_is_made_of_first_and_last(api: Api) -> None:
    """WA-443: read-only, and a birthday has no time."""
    query = "contacts?$select=fullname,birthdate"
    row = api.shown("POST", query, {"firstname": "Ada", "lastname": "Lovelace", "birthdate": "1815-12-10"})
    assert (row["fullname"], row["birthdate"]) == ("Ada Lovelace", "1815-12-10")
    path = query.replace("contacts", f"contacts({row['contactid']})")
    assert api.shown("PATCH", path, {"lastname": "King"})["fullname"] == "Ada King"


def test_navigation_properties_have_the_promised_names(api: Api) -> None:
    """WA-445: in both directions."""
    me = api.get("WhoAmI")["UserId"]
    contact = api.new("contacts", {"lastname": unique()})
    account = api.new("accounts", {"name": unique(), "primarycontactid@odata.bind": f"/contacts({contact})"})
    child = api.new("accounts", {"name": unique(), "parentaccountid@odata.bind": f"/accounts({account})"})
    employee = api.new("contacts", {"lastname": "x", "parentcustomerid_account@odata.bind": f"/accounts({account})"})
    of_account = api.new(
        "tasks", {"subject": "x", "regardingobjectid_account_task@odata.bind": f"/accounts({account})"}
    )
    of_contact = api.new(
        "tasks", {"subject": "x", "regardingobjectid_contact_task@odata.bind": f"/contacts({contact})"}
    )
    for path, key, row in (
        (f"contacts({contact})/account_primary_contact", "accountid", account),
        (f"accounts({account})/account_parent_account", "accountid", child),
        (f"accounts({account})/contact_customer_accounts", "contactid", employee),
        (f"accounts({account})/Account_Tasks", "activityid", of_account),
        (f"contacts({contact})/Contact_Tasks", "activityid", of_contact),
        (f"systemusers({me})/user_accounts", "accountid", account),
        (f"systemusers({me})/lk_accountbase_createdby", "accountid", account),
    ):
        assert row in [found[key] for found in api.rows(path)], path
    for name in ("teammembership_association", "systemuserroles_association"):
        assert api.send("GET", f"systemusers({me})/{name}").status_code == 200
    role = api.rows(f"systemusers({me})/systemuserroles_association?$select=roleid")[0]["roleid"]
    assert api.rows(f"roles({role})/roleprivileges_association?$select=name&$top=1")


def test_money_without_a_currency_is_in_the_base_currency(api: Api) -> None:
    """WA-446."""
    currencies = api.rows("transactioncurrencies?$select=isocurrencycode")
    assert len(currencies) == 1
    row = api.shown("POST", "accounts?$select=revenue,revenue_base", {"revenue": 12.5})
    assert row["_transactioncurrencyid_value"] == currencies[0]["transactioncurrencyid"]
    assert row["revenue"] == row["revenue_base"] == 12.5


def test_publishers_and_solutions_are_made(api: Api) -> None:
    """WA-447: the prefix `new` and the solution `Default` are there; the lookup is `publisherid`."""
    assert "new" in [row["customizationprefix"] for row in api.rows("publishers?$select=customizationprefix")]
    assert "Default" in [row["uniquename"] for row in api.rows("solutions?$select=uniquename")]
    body = {"friendlyname": "Wire", "uniquename": "wirepublisher", "customizationprefix": "wire"}
    publisher = api.new("publishers", {**body, "customizationoptionvalueprefix": 71234})
    solution = {"friendlyname": "Wire", "uniquename": "wiresolution", "version": "1.0.0.0"}
    bind = f"/publishers({publisher})"
    assert api.new("solutions", {**solution, "publisherid@odata.bind": bind})
    says = "An undeclared property 'publisher'"
    api.refused("POST", "solutions", {**solution, "publisher@odata.bind": bind}, status=400, says=says)


def test_a_team_needs_a_name_a_unit_an_administrator_and_a_type(api: Api, unit: str) -> None:
    """WA-448."""
    me = api.get("WhoAmI")["UserId"]
    body = {
        "name": unique("team"),
        "teamtype": 0,
        "businessunitid@odata.bind": f"/businessunits({unit})",
        "administratorid@odata.bind": f"/systemusers({me})",
    }
    assert api.shown("POST", "teams?$select=name", body)["ownerid"]
    for name in ("name", "businessunitid@odata.bind", "administratorid@odata.bind"):
        rest = {**body, "name": unique("team")}
        del rest[name]
        api.refused("POST", "teams", rest, status=400)
