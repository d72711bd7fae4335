"""Whatever the edge lets in comes back unchanged, whichever engine keeps it."""

from collections.abc import Callable
from decimal import Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.profiles import examples
from tests.unit.store.people import add, found, guid

from strongroom.errors import InvalidRequest
from strongroom.ids import Guid, Key, Reference
from strongroom.schema.model import Column, ColumnType, Table
from strongroom.schema.standard_tables import standard_schema
from strongroom.store.database import StoreDatabase
from strongroom.store.layout import OWNER_COLUMNS, is_stored, scale
from strongroom.store.protocol import Row, Value

_TABLES = ("account", "contact", "opportunity", "annotation")
_NUMBERS = count(10_000)

_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=40)
_guids = st.uuids().map(lambda value: Guid(str(value)))
_dates = st.dates().map(lambda value: value.isoformat())
_moments = st.datetimes().map(lambda value: value.strftime("%Y").zfill(4) + value.strftime("-%m-%dT%H:%M:%SZ"))


def _values_of(column: Column) -> st.SearchStrategy[Value]:
    match column.type:
        case ColumnType.INTEGER | ColumnType.PICKLIST | ColumnType.STATE | ColumnType.STATUS:
            return st.integers(-(2**31), 2**31 - 1)
        case ColumnType.BIGINT:
            return st.integers(-(2**63), 2**63 - 1)
        case ColumnType.BOOLEAN:
            return st.booleans()
        case ColumnType.MONEY | ColumnType.DECIMAL:
            most = Decimal(2**63 - 1).scaleb(-scale(column))
            return st.decimals(-most, most, allow_nan=False, places=scale(column))
        case ColumnType.DOUBLE:
            return st.floats(allow_nan=False, allow_infinity=False)
        case ColumnType.DATETIME:
            return _dates if column.is_date_only else _moments
        case ColumnType.UNIQUEIDENTIFIER:
            return _guids
        case kind if kind.is_lookup:
            targets = column.targets or ("account", "contact")
            return st.builds(Reference, st.sampled_from(targets), _guids)
        case _:
            return _texts


def _rows_of(table: Table) -> st.SearchStrategy[dict[str, Value]]:
    columns = {
        name: _values_of(column)
        for name, column in table.columns.items()
        if is_stored(table, column) and name not in (table.primary_id, "versionnumber", *OWNER_COLUMNS)
    }
    return st.fixed_dictionaries({}, optional=columns)


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_row_comes_back_as_it_was_written(database: StoreDatabase, data: st.DataObject) -> None:
    table = standard_schema().tables[data.draw(st.sampled_from(_TABLES))]
    values = data.draw(_rows_of(table))
    number = next(_NUMBERS)
    with database.write() as tx:
        ada = tx.row(tx.schema.tables["systemuser"], guid(11)) or found(tx).ada
        add(tx, table.logical_name, number, ada, **values)

    with database.read() as tx:
        read = tx.row(table, guid(number))

    assert read is not None
    kept = {name: value for name, value in read.values.items() if value is not None}
    assert kept == {**values, table.primary_id: guid(number), "versionnumber": read.version}
    assert {name: type(value) for name, value in values.items()} == {name: type(kept[name]) for name in values}


@pytest.mark.parametrize("text", ["nul \0 inside", "half \ud800 a pair"])
def test_text_that_is_no_text_is_refused(database: StoreDatabase, text: str) -> None:
    with pytest.raises(InvalidRequest), database.write() as tx:
        add(tx, "account", 101, found(tx).ada, name=text)


@pytest.mark.parametrize("rows", [1, 40])
@pytest.mark.parametrize(
    ("column", "value"), [("numberofemployees", 2**70), ("revenue", Decimal(10) ** 40)], ids=["integer", "money"]
)
def test_a_number_that_does_not_fit_is_refused(database: StoreDatabase, column: str, value: Value, rows: int) -> None:
    """Rooms above check the ranges; the store still never keeps another number than it was given."""
    make: Callable[[Row, int], Row] = lambda owner, n: Row(  # noqa: E731
        standard_schema().tables["account"], Key(0), guid(500 + n), owner.key, owner.unit, 0, {column: value}
    )
    with pytest.raises(InvalidRequest), database.write() as tx:
        ada = found(tx).ada
        tx.insert(tx.schema.tables["account"], [make(ada, n) for n in range(rows)])
