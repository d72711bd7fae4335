"""One client for each engine, and a table that has a column of every type."""

from collections.abc import Iterator

import httpx
import pytest
from tests.servers import RunningServer
from tests.wire.client import NS, Api, Person, column, label, table

_TABLES = "EntityDefinitions"
_OPTIONS = [{"Value": value, "Label": label(text)} for value, text in ((1, "A"), (3, "C"), (9, "I"))]
_CHOICE = {
    "@odata.type": f"{NS}.OptionSetMetadata",
    "IsGlobal": False,
    "OptionSetType": "Picklist",
    "Options": _OPTIONS,
}
_YES_NO = {
    "@odata.type": f"{NS}.BooleanOptionSetMetadata",
    "OptionSetType": "Boolean",
    "TrueOption": {"Value": 1, "Label": label("Ja")},
    "FalseOption": {"Value": 0, "Label": label("Nein")},
}


@pytest.fixture(scope="session")
def api(server: RunningServer) -> Iterator[Api]:
    """The administrator's connection."""
    with httpx.Client(timeout=60) as http:
        yield Api(server.api, server.token(), http)


@pytest.fixture(scope="session")
def boxes(api: Api) -> str:
    """The entity set `wire_boxes`: every type of column, a lookup to itself, and two
    alternate keys, of one column and of two."""
    dates = [
        column("DateTime", "wire_Local", Format="DateAndTime", DateTimeBehavior={"Value": "UserLocal"}),
        column("DateTime", "wire_Clock", Format="DateAndTime", DateTimeBehavior={"Value": "TimeZoneIndependent"}),
        column("DateTime", "wire_Day", Format="DateOnly", DateTimeBehavior={"Value": "DateOnly"}),
        column("DateTime", "wire_LocalDay", Format="DateOnly", DateTimeBehavior={"Value": "UserLocal"}),
    ]
    columns = [
        column("String", "wire_Code", MaxLength=50, FormatName={"Value": "Text"}),
        column("String", "wire_Part", MaxLength=50, FormatName={"Value": "Text"}),
        column("Integer", "wire_Slot", MinValue=0, MaxValue=1000),
        column("Memo", "wire_Memo", MaxLength=2000),
        column("Integer", "wire_Int", MinValue=-2147483648, MaxValue=2147483647),
        column("BigInt", "wire_Big"),
        column("Decimal", "wire_Dec", Precision=3, MinValue=-100, MaxValue=100),
        column("Double", "wire_Dou", Precision=2, MinValue=-1000000, MaxValue=1000000),
        column("Money", "wire_Mon", Precision=2),
        column("Boolean", "wire_Boo", DefaultValue=False, OptionSet=_YES_NO),
        column("Picklist", "wire_Pick", OptionSet=_CHOICE),
        column("MultiSelectPicklist", "wire_Multi", OptionSet=_CHOICE),
        column("File", "wire_File", MaxSizeInKB=64),
        *dates,
    ]
    made = api.send("POST", _TABLES, table("wire_Box", *columns))
    assert made.status_code == 204, made.text
    parent = {
        "@odata.type": f"{NS}.OneToManyRelationshipMetadata",
        "SchemaName": "wire_Box_Box_Parent",
        "ReferencedEntity": "wire_box",
        "ReferencingEntity": "wire_box",
        "Lookup": column("Lookup", "wire_ParentBox"),
    }
    assert api.send("POST", "RelationshipDefinitions", parent).status_code == 204
    keys = f"{_TABLES}(LogicalName='wire_box')/Keys"
    for name, parts in (("wire_ByCode", ["wire_code"]), ("wire_ByPart", ["wire_part", "wire_slot"])):
        body = {"SchemaName": name, "DisplayName": label(name), "KeyAttributes": parts}
        assert api.send("POST", keys, body).status_code == 204
    return "wire_boxes"


@pytest.fixture(scope="session")
def unit(api: Api) -> str:
    """The root business unit."""
    return str(api.get("WhoAmI")["BusinessUnitId"])


@pytest.fixture(scope="session")
def reader(api: Api, unit: str) -> Person:
    """A user who may read and create own accounts and contacts, and nothing else."""
    role = api.new("roles", {"name": "Wire reader", "businessunitid@odata.bind": f"businessunits({unit})"})
    names = ["prvReadAccount", "prvCreateAccount", "prvReadContact", "prvReadUser", "prvReadOrganization"]
    wanted = " or ".join(f"name eq '{name}'" for name in names)
    privileges = [
        {"PrivilegeId": row["privilegeid"], "Depth": "Global" if row["name"] != "prvReadAccount" else "Basic"}
        for row in api.rows(f"privileges?$select=privilegeid,name&$filter={wanted}")
    ]
    added = api.send("POST", f"roles({role})/{NS}.AddPrivilegesRole", {"Privileges": privileges})
    assert added.status_code == 204, added.text
    object_id = "7d9f6a52-5a3e-4c1b-9d3f-0a1b2c3d4e5f"
    user = api.new(
        "systemusers",
        {
            "firstname": "Rea",
            "lastname": "Der",
            "domainname": "reader@wire",
            "internalemailaddress": "reader@wire.example",
            "azureactivedirectoryobjectid": object_id,
            "businessunitid@odata.bind": f"businessunits({unit})",
        },
    )
    tied = api.send("POST", f"systemusers({user})/systemuserroles_association/$ref", {"@odata.id": f"roles({role})"})
    assert tied.status_code == 204, tied.text
    return Person(user, object_id, role)
