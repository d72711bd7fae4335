"""What an entry of the trail holds (WA-395 to WA-397, WA-421, WA-425)."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.audit.entries import Action, Author, Operation, creation, entry, parse_value
from strongroom.ids import Guid, Reference
from strongroom.schema.model import ColumnType, Table
from strongroom.schema.standard_tables import standard_schema
from strongroom.store.protocol import Value

ROW = Guid("11111111-1111-4111-8111-111111111111")
ANN = Reference("systemuser", Guid("22222222-2222-4222-8222-222222222222"))
BOB = Reference("systemuser", Guid("33333333-3333-4333-8333-333333333333"))
AUTHOR = Author(ANN, BOB, ROW, "2026-01-05T09:30:00Z", "import")
ACCOUNT = standard_schema().tables["account"]


def changes_of(found: dict[str, Value] | None) -> list[dict[str, Value]]:
    assert found is not None
    return orjson.loads(str(found["changedata"]))["changedAttributes"]


def test_an_entry_says_who_did_what_to_which_row() -> None:
    """WA-421: both users of an impersonation, and the client's tag (WA-425)."""
    found = entry(AUTHOR, ACCOUNT, ROW, Operation.UPDATE, Action.UPDATE, {"name": ("A", "B")})
    assert found is not None
    assert (found["userid"], found["callinguserid"]) == (ANN, BOB)
    assert (found["operation"], found["action"]) == (2, 2)
    assert found["objectid"] == Reference("account", ROW)
    assert found["objecttypecode"] == "account"
    assert found["createdon"] == "2026-01-05T09:30:00Z"
    assert found["useradditionalinfo"] == "import"
    assert found["attributemask"] == str(ACCOUNT.columns["name"].column_number)


def test_old_and_new_values_are_told_without_losing_anything() -> None:
    """Lookups with their table, money with all digits."""
    contact = Reference("contact", ROW)
    found = entry(
        AUTHOR,
        ACCOUNT,
        ROW,
        Operation.UPDATE,
        Action.UPDATE,
        {"revenue": (Decimal("0.1000"), None), "primarycontactid": (None, contact)},
    )
    assert changes_of(found) == [
        {"logicalName": "revenue", "oldValue": "0.1000", "newValue": None},
        {"logicalName": "primarycontactid", "oldValue": None, "newValue": f"contact,{ROW}"},
    ]


def test_columns_and_tables_that_are_not_audited_are_left_out() -> None:
    changes = {"modifiedon": ("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), "name": ("A", "B")}
    found = entry(AUTHOR, ACCOUNT, ROW, Operation.UPDATE, Action.UPDATE, changes)
    assert [change["logicalName"] for change in changes_of(found)] == ["name"]

    silent = standard_schema().tables["audit"]
    assert entry(AUTHOR, silent, ROW, Operation.UPDATE, Action.UPDATE) is None
    assert creation(AUTHOR, silent, ROW, {"action": 1}) is None


def test_a_creation_tells_what_somebody_gave() -> None:
    """Nulls, defaults and what the platform works out follow from the metadata."""
    worked_out = {"telephone1": None, "creditonhold": False, "revenue_base": Decimal(1), "statecode": 0}
    found = creation(AUTHOR, ACCOUNT, ROW, {"name": "A", "donotemail": True, "statuscode": 1, **worked_out})
    assert [(change["logicalName"], change["newValue"]) for change in changes_of(found)] == [
        ("name", "A"),
        ("donotemail", True),
        ("statuscode", 1),
    ]


def test_names_that_are_no_columns_are_kept_for_acts() -> None:
    """The principal of a share, the relationship of a link."""
    found = entry(AUTHOR, ACCOUNT, ROW, Operation.UPDATE, Action.SHARE, {"principalid": (None, ANN)})
    assert changes_of(found)[0]["newValue"] == f"systemuser,{ANN.id}"


def test_what_is_no_value_cannot_be_written() -> None:
    with pytest.raises(TypeError):
        entry(AUTHOR, ACCOUNT, ROW, Operation.UPDATE, Action.UPDATE, {"name": (None, object())})


def columns(table: Table, type: ColumnType) -> str:
    return next(name for name, column in table.columns.items() if column.type is type and column.is_audited)


VALUES: dict[ColumnType, st.SearchStrategy[Value]] = {
    ColumnType.STRING: st.text(st.characters(exclude_categories=["Cs"])),
    ColumnType.INTEGER: st.integers(-(2**31), 2**31 - 1),
    ColumnType.BOOLEAN: st.booleans(),
    ColumnType.MONEY: st.decimals(-(10**9), 10**9, places=4),
    ColumnType.DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    ColumnType.LOOKUP: st.uuids().map(lambda u: Reference("contact", Guid(str(u)))),
}


@pytest.mark.parametrize("type", list(VALUES))
@given(data=st.data())
def test_every_value_comes_back_as_it_went_in(type: ColumnType, data: st.DataObject) -> None:
    """What is written to the trail can be read from it."""
    value = data.draw(VALUES[type])
    name = columns(ACCOUNT, type)
    (change,) = changes_of(entry(AUTHOR, ACCOUNT, ROW, Operation.UPDATE, Action.UPDATE, {name: (value, None)}))
    assert parse_value(ACCOUNT.columns[name], change["oldValue"]) == value
