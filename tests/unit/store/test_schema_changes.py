"""The database follows the schema, online: what exists keeps its values, what is gone is gone, keys are enforced."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.engines import Stores
from tests.unit.store.people import add, below, found, guid, reference

from strongroom.errors import InvalidRequest, PreconditionFailed
from strongroom.ids import Guid, Reference
from strongroom.schema.model import AlternateKey, Column, ColumnType, DateBehavior, Schema, Table
from strongroom.schema.standard_tables import standard_schema
from strongroom.store.database import StoreDatabase
from strongroom.store.transaction import StoreTransaction

_ID = Guid("aaaaaaaa-0000-0000-0000-000000000000")


def _column(name: str, kind: ColumnType, **more: object) -> Column:
    return replace(Column(name, name, kind, _ID), **more)  # pyright: ignore[reportArgumentType] (named fields of Column)


def _with_columns(schema: Schema, table: str, *columns: Column, without: tuple[str, ...] = ()) -> Schema:
    old = schema.tables[table]
    kept = {name: column for name, column in old.columns.items() if name not in without}
    return _with_table(schema, replace(old, columns=kept | {column.logical_name: column for column in columns}))


def _with_table(schema: Schema, table: Table) -> Schema:
    return replace(schema, version=schema.version + 1, tables={**schema.tables, table.logical_name: table})


def _change(database: StoreDatabase, column: Column) -> None:
    with database.write() as tx:
        tx.change_schema(_with_columns(tx.schema, "account", column))


def _value(database: StoreDatabase, name: str) -> object:
    with database.read() as tx:
        row = tx.row(tx.schema.tables["account"], guid(101))
    assert row is not None
    return row.values[name]


def _with_account(database: StoreDatabase, **values: object) -> None:
    with database.write() as tx:
        ada = tx.row(tx.schema.tables["systemuser"], guid(11)) or found(tx).ada
        add(tx, "account", 101, ada, **values)


def test_a_new_column_is_there_for_old_and_new_rows(database: StoreDatabase) -> None:
    _with_account(database, name="Old")
    _change(database, _column("new_colour", ColumnType.STRING))

    with database.write() as tx:
        ada = tx.row(tx.schema.tables["systemuser"], guid(11))
        add(tx, "account", 102, ada, name="New", new_colour="red")
        read = tx.rows(tx.schema.tables["account"], [guid(101), guid(102)])
    assert [read[guid(n)].values["new_colour"] for n in (101, 102)] == [None, "red"]


def test_another_process_works_with_the_new_schema_at_once(stores: Stores, engine: str) -> None:
    place = stores.place(engine)
    first, second = stores.open(place), stores.open(place)
    try:
        _change(first, _column("new_colour", ColumnType.STRING))
        _with_account(second, name="A", new_colour="red")

        assert _value(first, "new_colour") == "red"
        with second.read() as tx:
            assert tx.schema.version == tx.stamp.metadata_version
    finally:
        first.close()
        second.close()


def test_a_dropped_column_comes_back_empty(database: StoreDatabase) -> None:
    column = _column("new_colour", ColumnType.STRING, is_indexed=True)
    _change(database, column)
    _with_account(database, new_colour="red")
    with database.write() as tx:
        tx.change_schema(_with_columns(tx.schema, "account", without=("new_colour",)))
    _change(database, column)

    assert _value(database, "new_colour") is None


def test_a_column_that_becomes_indexed_gets_folded_values_for_old_rows(database: StoreDatabase) -> None:
    _with_account(database, tickersymbol="ÄBC")
    with database.write() as tx:
        column = tx.schema.tables["account"].columns["tickersymbol"]
        tx.change_schema(_with_columns(tx.schema, "account", replace(column, is_indexed=True)))

        found_row = tx.row_by_key(tx.schema.tables["account"], {"tickersymbol": "äbc"})

    assert found_row is not None
    assert database.check() == []


def test_a_lookup_that_gets_a_second_target_keeps_pointing_to_the_first(database: StoreDatabase) -> None:
    column = _column("new_partnerid", ColumnType.LOOKUP, targets=("contact",))
    _change(database, column)
    _with_account(database, new_partnerid=reference("contact", 201))
    _change(database, replace(column, targets=("contact", "lead")))

    assert _value(database, "new_partnerid") == Reference("contact", guid(201))


@pytest.mark.parametrize(("digits", "kept"), [(5, "12.34500"), (1, "12.3")])
def test_a_decimal_keeps_its_value_when_its_precision_changes(database: StoreDatabase, digits: int, kept: str) -> None:
    column = _column("new_rate", ColumnType.DECIMAL, precision=3)
    _change(database, column)
    _with_account(database, new_rate=Decimal("12.345"))
    _change(database, replace(column, precision=digits))

    assert str(_value(database, "new_rate")) == kept


def test_a_date_time_that_becomes_a_date_loses_its_time_only(database: StoreDatabase) -> None:
    column = _column("new_day", ColumnType.DATETIME)
    _change(database, column)
    _with_account(database, new_day="2024-05-01T22:15:00Z")
    _change(database, replace(column, behavior=DateBehavior.DATE_ONLY))
    as_date = _value(database, "new_day")
    _change(database, column)

    assert as_date == "2024-05-01"
    assert _value(database, "new_day") == "2024-05-01T00:00:00Z"


def test_statements_that_another_process_has_prepared_survive_a_change_of_their_columns(
    stores: Stores, engine: str
) -> None:
    place = stores.place(engine)
    writer, reader = stores.open(place), stores.open(place)
    try:
        column = _column("new_rate", ColumnType.DECIMAL, precision=3)
        _change(writer, column)
        _with_account(writer, new_rate=Decimal("12.345"))
        before = [str(_value(reader, "new_rate")) for _ in range(8)]
        _change(writer, replace(column, precision=1))
        after = [str(_value(reader, "new_rate")) for _ in range(8)]
    finally:
        writer.close()
        reader.close()

    assert (set(before), set(after)) == ({"12.345"}, {"12.3"})


def test_a_column_cannot_change_its_type_and_nothing_is_changed(database: StoreDatabase) -> None:
    with database.read() as tx:
        before = tx.stamp
    with pytest.raises(InvalidRequest):
        _change(database, _column("name", ColumnType.INTEGER))

    with database.read() as tx:
        assert tx.stamp == before
        assert tx.schema.tables["account"].columns["name"].type is ColumnType.STRING


def test_a_name_too_long_for_a_database_is_refused_with_the_limit(database: StoreDatabase) -> None:
    with pytest.raises(InvalidRequest, match="55 characters"):
        _change(database, _column("new_" + "x" * 60, ColumnType.STRING))


def test_a_table_comes_and_goes_with_its_shares_and_counters(database: StoreDatabase) -> None:
    with database.write() as tx:
        tx.change_schema(_with_table(tx.schema, _pets(tx)))
        pet = add(tx, "new_pet", 301, found(tx).ada, new_name="Rex")
        assert tx.row(pet.table, pet.id) is not None
    with database.write() as tx:
        tables = {name: table for name, table in tx.schema.tables.items() if name != "new_pet"}
        tx.change_schema(replace(tx.schema, tables=tables))

        assert "new_pet" not in below(tx).engine.tables(below(tx).connection)
    assert database.check() == []


def _pets(tx: StoreTransaction) -> Table:
    columns = (
        _column("new_petid", ColumnType.UNIQUEIDENTIFIER),
        _column("new_name", ColumnType.STRING),
        _column("versionnumber", ColumnType.BIGINT),
    )
    return replace(
        tx.schema.tables["account"],
        logical_name="new_pet",
        entity_set_name="new_pets",
        object_type_code=10_001,
        primary_id="new_petid",
        primary_name="new_name",
        columns={column.logical_name: column for column in columns},
        keys=(),
        privileges={},
    )


def _key(*columns: str) -> AlternateKey:
    return AlternateKey("new_key", "new_Key", _ID, "Key", columns)


def _with_key(database: StoreDatabase, key: AlternateKey) -> AlternateKey:
    with database.write() as tx:
        account = tx.schema.tables["account"]
        tx.change_schema(_with_table(tx.schema, replace(account, keys=(*account.keys, key))))
        return next(kept for kept in tx.schema.tables["account"].keys if kept.logical_name == key.logical_name)


def test_an_alternate_key_is_unique_without_regard_to_case(database: StoreDatabase) -> None:
    """WA-101: 'ABC' and 'abc' are the same key value."""
    _with_account(database, accountnumber="ABC")
    _with_key(database, _key("accountnumber"))

    with pytest.raises(PreconditionFailed) as refused, database.write() as tx:
        add(tx, "account", 102, tx.row(tx.schema.tables["systemuser"], guid(11)), accountnumber="abc")

    assert refused.value.code == "0x80060892"


def test_a_key_of_several_columns_compares_nulls_unless_all_are_null(database: StoreDatabase) -> None:
    """WA-346: rows where every key column is null are not compared."""
    _with_account(database, accountnumber="A", sic=None)
    _with_key(database, _key("accountnumber", "sic"))

    with database.write() as tx:
        ada = tx.row(tx.schema.tables["systemuser"], guid(11))
        for number in (102, 103):
            add(tx, "account", number, ada)
        add(tx, "account", 104, ada, accountnumber="A", sic="1")
    for number, values in ((105, {"accountnumber": "a"}), (106, {"accountnumber": "a", "sic": "1"})):
        with pytest.raises(PreconditionFailed) as refused, database.write() as tx:
            add(tx, "account", number, ada, **values)
        assert refused.value.code == "0x80060892"


def test_a_key_that_existing_rows_break_is_stored_as_not_active(database: StoreDatabase) -> None:
    """WA-346: status Failed, and the key is not usable; it becomes active when it is made again later."""
    _with_account(database, accountnumber="A")
    with database.write() as tx:
        twin = add(tx, "account", 102, tx.row(tx.schema.tables["systemuser"], guid(11)), accountnumber="a")
    failed = _with_key(database, _key("accountnumber"))
    with database.write() as tx:
        tx.update(twin, {"accountnumber": "b"})
        tx.change_schema(tx.schema)
        active = tx.schema.tables["account"].keys[-1]

    assert (failed.is_active, active.is_active) == (False, True)


def test_an_environment_made_by_an_older_program_gets_the_new_standard_tables(stores: Stores, engine: str) -> None:
    """The standard catalogue is not stored; a newer one is fitted when the environment is opened."""
    place = stores.place(engine)
    older = stores.open(place)
    with older.write() as tx:
        add(tx, "account", 101, found(tx).ada, name="Kept")
        work = below(tx)
        work.connection.execute("alter table account drop column sic")
        work.connection.execute("drop table competitor")
        work.connection.execute("update metadata set body = 'older' where kind = 'fingerprint'")
    older.close()

    newer = stores.open(place)
    try:
        assert newer.check() == []
        assert _value(newer, "name") == "Kept"
        assert _value(newer, "sic") is None
    finally:
        newer.close()


def test_privileges_and_messages_can_be_queried_as_rows(database: StoreDatabase) -> None:
    """SM-20, WA-307."""
    with database.read() as tx:
        tables = tx.schema.tables
        read_account = tx.row_by_key(tables["privilege"], {"name": "prvReadAccount"})
        create_multiple = tx.row_by_key(tables["sdkmessage"], {"name": "CreateMultiple"})
        assert read_account is not None
        assert create_multiple is not None
        announced = tx.row_by_key(
            tables["sdkmessagefilter"],
            {"sdkmessageid": create_multiple.reference(), "primaryobjecttypecode": "account"},
        )

    assert read_account.id == standard_schema().privileges_by_name["prvReadAccount"].id
    assert (read_account.values["accessright"], read_account.values["canbedeep"]) == (1, True)
    assert announced is not None


def test_privileges_of_a_dropped_table_are_dropped(database: StoreDatabase) -> None:
    with database.write() as tx:
        gone = tx.schema.tables["competitor"]
        tables = {name: table for name, table in tx.schema.tables.items() if name != "competitor"}
        tx.change_schema(replace(tx.schema, tables=tables))

        assert gone.privileges
        for privilege in gone.privileges.values():
            assert tx.row(tx.schema.tables["privilege"], privilege.id) is None
