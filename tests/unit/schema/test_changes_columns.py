"""Making, replacing and removing columns (WA-343 to WA-345, WA-350, WA-353, SM-139)."""

import pytest

from strongroom.errors import InvalidRequest, NotFound, StrongroomError
from strongroom.schema.changes import (
    NewChoice,
    NewColumn,
    NewKey,
    NewOption,
    NewRelationship,
    NewTable,
    create_choice,
    create_column,
    create_key,
    create_lookup,
    create_table,
    delete_choice,
    delete_column,
    delete_option,
    insert_option,
    replace_column,
    update_option,
)
from strongroom.schema.model import Column, ColumnType, DateBehavior, Ownership, RequiredLevel, Schema, SourceType

TABLE = "new_bankaccount"


def made(schema: Schema, new: NewColumn) -> Column:
    return create_column(schema, TABLE, new).tables[TABLE].columns[new.schema_name.lower()]


@pytest.mark.parametrize(
    ("new", "wanted"),
    [
        (NewColumn("new_a", ColumnType.STRING), {"max_length": 100, "format": "Text"}),
        (NewColumn("new_a", ColumnType.MEMO), {"max_length": 2000, "format": "TextArea"}),
        (NewColumn("new_a", ColumnType.INTEGER), {"minimum": -2147483648.0, "maximum": 2147483647.0, "format": "None"}),
        (NewColumn("new_a", ColumnType.DECIMAL), {"minimum": -1e11, "maximum": 1e11, "precision": 2}),
        (NewColumn("new_a", ColumnType.DOUBLE, precision=5), {"precision": 5}),
        (NewColumn("new_a", ColumnType.MONEY), {"precision": 2}),
        (NewColumn("new_a", ColumnType.FILE), {"max_size_kb": 32_768}),
        (NewColumn("new_a", ColumnType.IMAGE), {"max_size_kb": 10_240}),
        (NewColumn("new_a", ColumnType.BOOLEAN), {"default": 0}),
        (
            NewColumn("new_a", ColumnType.DATETIME, format="DateOnly"),
            {"format": "DateOnly", "behavior": DateBehavior.USER_LOCAL},
        ),
        (
            NewColumn("new_a", ColumnType.DATETIME, format="DateOnly", behavior=DateBehavior.DATE_ONLY),
            {"is_date_only": True},
        ),
    ],
)
def test_what_is_left_out_takes_the_default_of_the_type(
    banked: Schema, new: NewColumn, wanted: dict[str, object]
) -> None:
    column = made(banked, new)

    assert {name: getattr(column, name) for name in wanted} == wanted
    assert column.is_custom


@pytest.mark.parametrize(
    "new",
    [
        NewColumn("new_a", ColumnType.STRING, max_length=0),
        NewColumn("new_a", ColumnType.STRING, max_length=4001),
        NewColumn("new_a", ColumnType.MEMO, max_length=1_048_577),
        NewColumn("new_a", ColumnType.STRING, format="Poem"),
        NewColumn("new_a", ColumnType.INTEGER, minimum=5, maximum=4),
        NewColumn("new_a", ColumnType.INTEGER, minimum=0.5),
        NewColumn("new_a", ColumnType.INTEGER, maximum=2**31),
        NewColumn("new_a", ColumnType.DECIMAL, precision=11),
        NewColumn("new_a", ColumnType.DOUBLE, precision=6),
        NewColumn("new_a", ColumnType.DECIMAL, maximum=1e12),
        NewColumn("new_a", ColumnType.FILE, max_size_kb=0),
        NewColumn("new_a", ColumnType.PICKLIST),
        NewColumn("new_a", ColumnType.PICKLIST, global_choice="new_nothing"),
        NewColumn("new_a", ColumnType.PICKLIST, options=(NewOption("A", 1), NewOption("B", 1))),
        NewColumn("new_a", ColumnType.PICKLIST, options=(NewOption("A", 2**31),)),
        NewColumn("new_a", ColumnType.PICKLIST, options=(NewOption("A", 1),), default=2),
        NewColumn("new_a", ColumnType.BOOLEAN, options=(NewOption("A", 1), NewOption("B", 2))),
        NewColumn("new_a", ColumnType.DATETIME, format="DateAndTime", behavior=DateBehavior.DATE_ONLY),
        NewColumn("new_a", ColumnType.STRING, required=RequiredLevel.SYSTEM_REQUIRED),
        NewColumn("new_a", ColumnType.INTEGER, auto_number_format="X{SEQNUM:4}"),
        NewColumn("new_a", ColumnType.LOOKUP),
        NewColumn("new_a", ColumnType.STATE),
        NewColumn("new_a", ColumnType.STRING, source_type=SourceType.CALCULATED),
        NewColumn("new_a", ColumnType.PICKLIST, options=(NewOption(" ", 1),)),
        NewColumn("a", ColumnType.STRING),
        NewColumn("", ColumnType.STRING),
    ],
    ids=lambda new: f"{new.type.value}-{new.schema_name}",
)
def test_what_a_type_does_not_allow_is_refused(banked: Schema, new: NewColumn) -> None:
    """WA-353."""
    with pytest.raises(InvalidRequest):
        create_column(banked, TABLE, new)


def test_a_taken_name_is_refused_with_0x80047013(banked: Schema) -> None:
    with pytest.raises(InvalidRequest) as caught:
        create_column(banked, TABLE, NewColumn("New_CODE", ColumnType.STRING))

    assert caught.value.code == "0x80047013"


def test_option_values_are_kept_or_counted_up_from_the_publishers_prefix(banked: Schema) -> None:
    """WA-350."""
    options = (NewOption("A"), NewOption("B", 7), NewOption("C"), NewOption("D", 100_000_000))
    schema = create_column(banked, TABLE, NewColumn("new_a", ColumnType.PICKLIST, options=options))

    assert [o.value for o in schema.tables[TABLE].columns["new_a"].options] == [
        100_000_001,
        7,
        100_000_002,
        100_000_000,
    ]


def test_the_first_money_column_brings_currency_and_base_amount(banked: Schema) -> None:
    """WA-85."""
    schema = create_column(banked, TABLE, NewColumn("new_Balance", ColumnType.MONEY))
    table = schema.tables[TABLE]

    assert {"new_balance", "new_balance_base", "transactioncurrencyid", "exchangerate"} <= table.columns.keys()
    assert not table.columns["new_balance_base"].valid_for_update
    assert schema.lookup_nav(TABLE, "transactioncurrencyid") is not None


def test_a_money_column_takes_its_base_amount_along(banked: Schema) -> None:
    schema = create_column(banked, TABLE, NewColumn("new_Balance", ColumnType.MONEY))
    schema = delete_column(schema, TABLE, "new_balance")

    assert "new_balance_base" not in schema.tables[TABLE].columns
    assert "transactioncurrencyid" in schema.tables[TABLE].columns


def test_a_file_column_brings_its_name_and_takes_it_along(banked: Schema) -> None:
    """WA-97."""
    schema = create_column(banked, TABLE, NewColumn("new_Scan", ColumnType.FILE))
    assert "new_scan_name" in schema.tables[TABLE].columns

    schema = delete_column(schema, TABLE, "new_scan")

    assert schema.tables[TABLE].columns == banked.tables[TABLE].columns


def test_a_first_image_becomes_the_primary_image(banked: Schema) -> None:
    schema = create_column(banked, TABLE, NewColumn("new_Photo", ColumnType.IMAGE))

    assert schema.tables[TABLE].primary_image == "new_photo"
    assert "new_photo_url" in schema.tables[TABLE].columns
    assert delete_column(schema, TABLE, "new_photo").tables[TABLE].primary_image is None


def test_column_security_is_switched_on_and_off(banked: Schema) -> None:
    """SM-130."""
    on = replace_column(banked, TABLE, "new_code", NewColumn("new_Code", ColumnType.STRING, is_secured=True))
    off = replace_column(on, TABLE, "new_code", NewColumn("new_Code", ColumnType.STRING, is_secured=False))

    assert on.tables[TABLE].columns["new_code"].is_secured
    assert not off.tables[TABLE].columns["new_code"].is_secured


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        ("new_bankaccountid", ColumnType.UNIQUEIDENTIFIER),
        ("ownerid", ColumnType.OWNER),
        ("statecode", ColumnType.STATE),
        ("statuscode", ColumnType.STATUS),
        ("createdon", ColumnType.DATETIME),
        ("versionnumber", ColumnType.BIGINT),
        ("new_name", ColumnType.STRING),
    ],
)
def test_bookkeeping_columns_cannot_be_secured(banked: Schema, column: str, type_: ColumnType) -> None:
    """SM-139."""
    with pytest.raises(InvalidRequest) as caught:
        replace_column(banked, TABLE, column, NewColumn(column, type_, is_secured=True))

    assert caught.value.code == "0x8004f501"


def test_columns_of_a_key_cannot_be_secured_nor_secured_ones_be_in_a_key(banked: Schema) -> None:
    """SM-139."""
    keyed = create_key(banked, TABLE, NewKey("new_k", ("new_code",)))
    with pytest.raises(InvalidRequest) as caught:
        replace_column(keyed, TABLE, "new_code", NewColumn("new_Code", ColumnType.STRING, is_secured=True))
    assert caught.value.code == "0x80060896"

    secured = replace_column(banked, TABLE, "new_code", NewColumn("new_Code", ColumnType.STRING, is_secured=True))
    with pytest.raises(InvalidRequest) as caught:
        create_key(secured, TABLE, NewKey("new_k", ("new_code",)))
    assert caught.value.code == "0x80060896"


def test_a_replaced_column_keeps_what_is_not_named(banked: Schema) -> None:
    """WA-344."""
    change = NewColumn("new_Code", ColumnType.STRING, label="Code", max_length=30)

    before, after = banked, replace_column(banked, TABLE, "new_code", change)

    old, new = before.tables[TABLE].columns["new_code"], after.tables[TABLE].columns["new_code"]
    assert (new.label, new.max_length) == ("Code", 30)
    assert (new.metadata_id, new.schema_name, new.format) == (old.metadata_id, old.schema_name, old.format)


@pytest.mark.parametrize("change", [NewColumn("new_Code", ColumnType.MEMO), NewColumn("new_Other", ColumnType.STRING)])
def test_neither_type_nor_name_of_a_column_can_change(banked: Schema, change: NewColumn) -> None:
    with pytest.raises(InvalidRequest):
        replace_column(banked, TABLE, "new_code", change)


@pytest.mark.parametrize("column", ["new_name", "new_bankaccountid", "createdon", "ownerid", "statecode"])
def test_primary_and_system_columns_cannot_be_deleted(banked: Schema, column: str) -> None:
    """WA-345."""
    with pytest.raises(InvalidRequest):
        delete_column(banked, TABLE, column)


def test_a_column_in_a_key_cannot_be_deleted_and_the_key_is_named(banked: Schema) -> None:
    """WA-345."""
    keyed = create_key(banked, TABLE, NewKey("new_TheKey", ("new_code",)))

    with pytest.raises(InvalidRequest, match="new_TheKey"):
        delete_column(keyed, TABLE, "new_code")


def test_unknown_columns_and_tables_are_404(banked: Schema) -> None:
    with pytest.raises(NotFound):
        delete_column(banked, TABLE, "new_nothing")
    with pytest.raises(NotFound):
        create_column(banked, "new_nothing", NewColumn("new_a", ColumnType.STRING))


def test_a_global_choice_gives_its_options_to_columns_also_later(banked: Schema) -> None:
    """WA-349."""
    schema = create_choice(banked, NewChoice("new_Colour", (NewOption("Red", 1), NewOption("Blue", 2))))
    schema = create_column(schema, TABLE, NewColumn("new_a", ColumnType.PICKLIST, global_choice="new_colour"))

    schema, value = insert_option(schema, (TABLE, "new_a"), "Green")
    schema = update_option(schema, "new_colour", 1, "Rot")
    schema = delete_option(schema, "new_colour", 2)

    wanted = [(1, "Rot"), (value, "Green")]
    assert value == 100_000_000
    assert [(o.value, o.label) for o in schema.choices["new_colour"].options] == wanted
    assert [(o.value, o.label) for o in schema.tables[TABLE].columns["new_a"].options] == wanted
    with pytest.raises(InvalidRequest, match="new_a"):
        delete_choice(schema, "new_colour")
    assert "new_colour" not in delete_choice(delete_column(schema, TABLE, "new_a"), "new_colour").choices


def test_options_of_one_column_change_by_themselves_and_states_keep_what_ties_them(banked: Schema) -> None:
    """WA-349."""
    options = (NewOption("A", 1), NewOption("B", 2))
    schema = create_column(banked, TABLE, NewColumn("new_a", ColumnType.PICKLIST, options=options))
    schema = update_option(schema, (TABLE, "new_a"), 2, "Z")
    states = (NewOption("Open", 0), NewOption("Shut", 1))
    schema = replace_column(schema, TABLE, "statecode", NewColumn("statecode", ColumnType.STATE, options=states))

    assert [o.label for o in schema.tables[TABLE].columns["new_a"].options] == ["A", "Z"]
    assert [(o.label, o.default_status) for o in schema.tables[TABLE].columns["statecode"].options] == [
        ("Open", 1),
        ("Shut", 2),
    ]
    with pytest.raises(InvalidRequest):
        replace_column(schema, TABLE, "statecode", NewColumn("statecode", ColumnType.STATE, options=states[:1]))


def test_unknown_choices_are_404(banked: Schema) -> None:
    with pytest.raises(NotFound):
        delete_choice(banked, "new_nothing")


def test_a_choice_that_is_taken_or_of_the_platform_is_refused(banked: Schema) -> None:
    with pytest.raises(StrongroomError):
        delete_choice(banked, "componentstate")
    with pytest.raises(InvalidRequest):
        update_option(banked, "componentstate", 77, "x")


@pytest.mark.parametrize("name", ["new_code__fold", "new_x__Table"])
def test_names_of_the_stores_companions_are_refused(banked: Schema, name: str) -> None:
    with pytest.raises(InvalidRequest, match="__fold"):
        create_column(banked, TABLE, NewColumn(name, ColumnType.STRING))


def test_a_column_cannot_take_the_name_of_a_navigation_property(banked: Schema) -> None:
    """WA-69: a type has each name once."""
    schema = create_lookup(
        banked, NewColumn("new_Bank", ColumnType.LOOKUP), [NewRelationship("new_children", TABLE, "contact")]
    )

    with pytest.raises(InvalidRequest) as caught:
        create_column(schema, TABLE, NewColumn("new_Children", ColumnType.STRING))

    assert caught.value.code == "0x80047013"


def test_a_table_has_at_most_a_thousand_columns(standard: Schema) -> None:
    columns = tuple(NewColumn(f"new_c{number}", ColumnType.INTEGER) for number in range(1_000))

    with pytest.raises(InvalidRequest, match="1000"):
        create_table(
            standard, NewTable("new_Wide", Ownership.USER, NewColumn("new_Name", ColumnType.STRING), columns=columns)
        )
