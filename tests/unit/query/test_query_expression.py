"""QueryExpression JSON is read for BulkDelete as WA-308 says."""

import pytest
import spoken

from strongroom.errors import InvalidRequest
from strongroom.query.ast import ReadContext, Select
from strongroom.query.query_expression import read_query_expression
from strongroom.schema.standard_tables import standard_schema

SCHEMA = standard_schema()
CONTEXT = ReadContext("u", "b", (), "2024-05-01T10:15:00Z")
NO_LIST: list[object] = []
NO_OBJECT: dict[str, object] = {}
GUID = "0a1b2c3d-0000-0000-0000-00000000000f"


def read(**query: object) -> Select:
    return read_query_expression(SCHEMA, {"EntityName": "account", **query}, CONTEXT)


def one(operator: str, *values: object, column: str = "name") -> dict[str, object]:
    return {"AttributeName": column, "Operator": operator, "Values": list(values)}


def test_the_python_clients_query_is_read_with_wrapped_values():
    found = read(
        **{
            "@odata.type": "Microsoft.Dynamics.CRM.QueryExpression",
            "ColumnSet": {"@odata.type": "Microsoft.Dynamics.CRM.ColumnSet", "AllColumns": False, "Columns": NO_LIST},
            "Criteria": {
                "FilterOperator": "And",
                "Conditions": [one("In", {"Value": GUID.upper(), "Type": "System.Guid"}, column="accountid")],
            },
        }
    )

    assert spoken.outputs(found) == {"accountid": "accountid"}
    assert spoken.predicate(found.where) == f"accountid in ('{GUID}')"


def test_filters_nest_and_orders_and_columns_are_read():
    found = read(
        ColumnSet={"Columns": ["name", "ownerid"]},
        Criteria={
            "FilterOperator": "Or",
            "Conditions": [one("Equal", "x"), one("GreaterEqual", 5, column="numberofemployees")],
            "Filters": [{"Conditions": [one("Null"), one("LastXDays", 1, column="createdon")]}, {}],
        },
        Orders=[{"AttributeName": "name", "OrderType": "Descending"}, {"AttributeName": "ownerid"}],
        TopCount=7,
    )

    assert spoken.predicate(found.where) == (
        "(name = 'x' or numberofemployees >= 5 or (name is null and"
        " (createdon >= '2024-04-30T00:00:00Z' and createdon <= '2024-05-01T10:15:00Z')))"
    )
    assert spoken.outputs(found) == {"accountid": "accountid", "name": "name", "_ownerid_value": "ownerid"}
    assert [spoken.order(order) for order in found.order] == ["name desc", "name of ownerid"]
    assert found.top == 7


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ({"EntityName": "acount"}, "Did you mean 'account'?"),
        ({"EntityName": None}, "'EntityName' must be a text"),
        ({"Criteria": NO_LIST}, "JSON object"),
        ({"Criterias": NO_OBJECT}, "no member 'Criterias'. Did you mean 'Criteria'?"),
        ({"LinkEntities": [NO_OBJECT]}, "not offered"),
        ({"Criteria": {"FilterOperator": "Xor"}}, "'And' or 'Or'"),
        ({"Criteria": {"Conditions": NO_OBJECT}}, "JSON array"),
        ({"Criteria": {"Conditions": [one("Equals", "x")]}}, "Did you mean 'Equal'?"),
        ({"Criteria": {"Conditions": [one("eq", "x")]}}, "no condition operator"),
        ({"Criteria": {"Conditions": [one("Equal", "x", column="nam")]}}, "doesn't contain attribute"),
        ({"Criteria": {"Conditions": [one("Equal", None)]}}, "null is asked for with 'Null'"),
        ({"Criteria": {"Conditions": [one("Equal", "x", column="accountid")]}}, "GUID"),
        ({"Criteria": {"Conditions": [one("Null")] * 501}}, "500 conditions"),
        ({"Criteria": {"AnyAllFilterLinkEntity": {"x": 1}}}, "not offered"),
        ({"Criteria": {"Conditions": [one("Null") | {"EntityName": "contact"}]}}, "links are not offered"),
        ({"Criteria": {"Conditions": [one("Equal", "fax") | {"CompareColumns": True}]}}, "'CompareColumns'"),
        ({"ColumnSet": {"AttributeExpressions": [1]}}, "not offered"),
        ({"Orders": [{"AttributeName": "entityimage"}]}, "cannot be sorted by"),
        ({"ColumnSet": {"Columns": ["x"]}}, "doesn't contain attribute"),
        ({"TopCount": True}, "TopCount"),
        ({"Orders": [{"AttributeName": "name", "OrderType": "Up"}]}, "OrderType"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(query: dict[str, object], part: str):
    with pytest.raises(InvalidRequest) as caught:
        read(**query)

    assert part in caught.value.message


def test_all_columns_and_booleans_are_understood():
    found = read(
        ColumnSet={"AllColumns": True, "Columns": None},
        Criteria={"Conditions": [one("Equal", True, column="donotemail")]},
    )

    assert {"accountid", "name", "_ownerid_value"} <= spoken.outputs(found).keys()
    assert spoken.predicate(found.where) == "donotemail = True"


def test_filters_nested_too_deeply_are_refused():
    criteria: dict[str, object] = {}
    for _ in range(150):
        criteria = {"Filters": [criteria]}

    with pytest.raises(InvalidRequest, match="nested deeper"):
        read(Criteria=criteria)


def test_a_query_must_be_an_object():
    with pytest.raises(InvalidRequest, match="JSON object"):
        read_query_expression(SCHEMA, "account", CONTEXT)
