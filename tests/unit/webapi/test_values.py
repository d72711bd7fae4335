"""One JSON value becomes the value of a column, or a precise error (WA-33, WA-81 to WA-100, WA-108, WA-113)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import PayloadError, ValueOutOfRange
from strongroom.ids import Guid
from strongroom.schema.model import Column, ColumnType, DateBehavior
from strongroom.webapi.values import Json, convert, read_json, read_object


def column(kind: ColumnType, behavior: DateBehavior = DateBehavior.USER_LOCAL) -> Column:
    return Column("x", "X", kind, Guid("00000000-0000-0000-0000-000000000001"), behavior=behavior)


@pytest.mark.parametrize(
    ("kind", "given_value", "stored"),
    [
        (ColumnType.STRING, "O'Brien ✓", "O'Brien ✓"),
        (ColumnType.STRING, "", None),
        (ColumnType.INTEGER, 5, 5),
        (ColumnType.INTEGER, Decimal("5.0"), 5),
        (ColumnType.INTEGER, "12", 12),
        (ColumnType.BIGINT, 2**62, 2**62),
        (ColumnType.MONEY, Decimal("12.5"), Decimal("12.5")),
        (ColumnType.MONEY, 12, Decimal(12)),
        (ColumnType.DOUBLE, Decimal("47.63"), 47.63),
        (ColumnType.BOOLEAN, True, True),
        (ColumnType.BOOLEAN, 0, False),
        (ColumnType.PICKLIST, 3, 3),
        (ColumnType.MULTISELECT, "9,1,3,1", "1,3,9"),
        (ColumnType.MULTISELECT, "", None),
        (ColumnType.UNIQUEIDENTIFIER, "{6F0C6F3E-5D3B-4B7A-9B8E-0A1B2C3D4E5F}", "6f0c6f3e-5d3b-4b7a-9b8e-0a1b2c3d4e5f"),
        (ColumnType.DATETIME, "2024-05-01T10:15:30.5Z", "2024-05-01T10:15:30Z"),
        (ColumnType.DATETIME, "2024-05-01T10:15:30+02:00", "2024-05-01T08:15:30Z"),
        (ColumnType.DATETIME, "2024-05-01", "2024-05-01T00:00:00Z"),
        (ColumnType.STRING, None, None),
    ],
)
def test_values_take_the_form_of_their_column(kind: ColumnType, given_value: Json, stored: object) -> None:
    assert convert(column(kind), given_value) == stored


@pytest.mark.parametrize(
    ("kind", "given_value"),
    [
        (ColumnType.STRING, 5),
        (ColumnType.STRING, "half \ud800"),
        (ColumnType.STRING, "nul \x00"),
        (ColumnType.INTEGER, "many"),
        (ColumnType.INTEGER, Decimal("5.5")),
        (ColumnType.INTEGER, True),
        (ColumnType.MONEY, {}),
        (ColumnType.DOUBLE, "x"),
        (ColumnType.BOOLEAN, "yes"),
        (ColumnType.BOOLEAN, 2),
        (ColumnType.PICKLIST, "one"),
        (ColumnType.MULTISELECT, "1;2"),
        (ColumnType.UNIQUEIDENTIFIER, "1"),
        (ColumnType.DATETIME, "2024-02-30"),
        (ColumnType.DATETIME, "01/05/2024"),
        (ColumnType.DATETIME, 20240501),
        (ColumnType.FILE, "x"),
    ],
)
def test_values_of_another_type_are_refused_by_name(kind: ColumnType, given_value: Json) -> None:
    """WA-113."""
    with pytest.raises(PayloadError, match="'x'"):
        convert(column(kind), given_value)


def test_numbers_beyond_the_type_are_out_of_range() -> None:
    with pytest.raises(ValueOutOfRange):
        convert(column(ColumnType.INTEGER), 2**31)
    with pytest.raises(ValueOutOfRange):
        convert(column(ColumnType.MONEY), Decimal("1e400"))


def test_dates_without_time_take_midnight_only() -> None:
    """WA-91."""
    day = column(ColumnType.DATETIME, DateBehavior.DATE_ONLY)

    assert convert(day, "2024-05-01T00:00:00Z") == convert(day, "2024-05-01") == "2024-05-01"
    with pytest.raises(PayloadError):
        convert(day, "2024-05-01T00:00:01Z")


def test_time_zone_independent_values_keep_the_clock() -> None:
    """WA-90."""
    assert convert(column(ColumnType.DATETIME, DateBehavior.TIME_ZONE_INDEPENDENT), "2024-05-01T10:15:00+05:00") == (
        "2024-05-01T10:15:00Z"
    )


def test_bodies_with_a_byte_order_mark_are_read() -> None:
    """WA-33."""
    assert read_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    assert read_object(b"  ") == {}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"a": 1, "a": 2}', "occurs twice"),
        (b'{"a": NaN}', "NaN"),
        (b"{", "line 1 column 2"),
        (b'"\xff"', "byte 1"),
        (b"[" * 200 + b"]" * 200, "deeper than 100"),
        (b"[1]", "must be a JSON object, not an array"),
        (b"null", "not null"),
    ],
)
def test_bodies_that_are_no_object_are_refused_with_the_place(body: bytes, message: str) -> None:
    """WA-108."""
    with pytest.raises(PayloadError, match=message):
        read_object(body)


@given(st.binary(max_size=300))
def test_random_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        read_json(body)
    except PayloadError as error:
        assert error.message
