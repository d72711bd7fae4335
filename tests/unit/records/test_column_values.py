"""Values made to fit their columns (WA-81 to WA-100). No store needed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import InvalidRequest, PayloadError, ValueOutOfRange
from strongroom.ids import Guid, Reference
from strongroom.records.column_values import check_for, utf16_length
from strongroom.schema.model import Column, ColumnType, DateBehavior, Option
from strongroom.store.protocol import Value

ID = Guid("11111111-1111-4111-8111-111111111111")


def column(type: ColumnType, **facets: object) -> Column:
    return Column("c", "C", type, ID, **facets)  # pyright: ignore[reportArgumentType]


def checked(type: ColumnType, value: Value, **facets: object) -> Value:
    return check_for(column(type, **facets), "task")(value)


@pytest.mark.parametrize("type", list(ColumnType))
def test_null_passes_every_check(type: ColumnType) -> None:
    """Whether it may stay is a question of the row (WA-112)."""
    assert checked(type, None) is None


# --- text ---


def test_empty_text_is_null() -> None:
    """WA-81."""
    assert checked(ColumnType.STRING, "") is None


@pytest.mark.parametrize("value", [5, True, 1.5, ["a"], {"a": 1}])
def test_text_takes_only_strings(value: Value) -> None:
    """WA-113: 0x80048d19."""
    with pytest.raises(PayloadError) as refusal:
        checked(ColumnType.STRING, value)
    assert refusal.value.code == "0x80048d19"


def test_length_counts_utf16_units() -> None:
    """WA-81: a character beyond the basic plane counts twice."""
    assert checked(ColumnType.STRING, "😀😀", max_length=4) == "😀😀"
    with pytest.raises(
        ValueOutOfRange,
        match=r"'c' attribute of the 'task' entity exceeded the maximum allowed length of '3'\. It is 4",
    ) as refusal:
        checked(ColumnType.STRING, "😀😀", max_length=3)
    assert refusal.value.code == "0x80044331"


@given(
    st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1),
    st.integers(1, 30),
)
def test_text_is_kept_as_it_is_exactly_when_it_is_short_enough(text: str, limit: int) -> None:
    """WA-81: no trimming; the unit of length is that of UTF-16."""
    fits = len(text.encode("utf-16-le")) // 2 <= limit
    assert utf16_length(text) == len(text.encode("utf-16-le")) // 2
    if fits:
        assert checked(ColumnType.MEMO, text, max_length=limit) == text
    else:
        with pytest.raises(ValueOutOfRange):
            checked(ColumnType.MEMO, text, max_length=limit)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_text_that_no_store_can_keep_is_refused(text: str) -> None:
    """Null characters and lone surrogates are 400, never 500 (WA-434)."""
    with pytest.raises(PayloadError):
        checked(ColumnType.STRING, text)


# --- numbers ---


@pytest.mark.parametrize(("given_value", "kept"), [(5, 5), ("5", 5), ("-7", -7), (5.0, 5), (Decimal("5.0"), 5)])
def test_whole_numbers_may_be_written_in_several_ways(given_value: Value, kept: int) -> None:
    """WA-82."""
    assert checked(ColumnType.INTEGER, given_value) == kept


@pytest.mark.parametrize("value", [5.5, "5.5", "many", "", True, float("nan"), "²", "--5"])
def test_what_is_no_whole_number_is_refused(value: Value) -> None:
    """WA-82, WA-113."""
    with pytest.raises(PayloadError):
        checked(ColumnType.INTEGER, value)


@pytest.mark.parametrize(
    ("value", "facets"),
    [(2**31, {}), (-(2**31) - 1, {}), (11, {"minimum": 0.0, "maximum": 10.0}), (-1, {"minimum": 0.0, "maximum": 10.0})],
)
def test_numbers_outside_the_range_are_refused(value: int, facets: dict[str, object]) -> None:
    with pytest.raises(ValueOutOfRange, match="outside the valid range"):
        checked(ColumnType.INTEGER, value, **facets)


@pytest.mark.parametrize(
    ("number", "kept"), [("1.005", "1.01"), ("-1.005", "-1.01"), ("2.994999", "2.99"), ("0.125", "0.13")]
)
def test_decimals_round_half_away_from_zero(number: str, kept: str) -> None:
    """WA-84: of the number that was written, not of the binary number nearest to it."""
    assert checked(ColumnType.DECIMAL, Decimal(number), precision=2) == Decimal(kept)
    assert checked(ColumnType.DECIMAL, float(number), precision=2) == Decimal(kept)


def test_decimals_out_of_range_have_their_own_code() -> None:
    """WA-56."""
    with pytest.raises(ValueOutOfRange) as refusal:
        checked(ColumnType.DECIMAL, 11, precision=2, minimum=0.0, maximum=10.0)
    assert refusal.value.code == "0x80044330"


def test_money_keeps_four_decimals() -> None:
    """WA-85."""
    assert checked(ColumnType.MONEY, Decimal("5000000.12345"), precision=2) == Decimal("5000000.1235")


@pytest.mark.parametrize("value", [float("inf"), float("nan"), Decimal("NaN"), "12", True, {}])
def test_money_takes_only_finite_numbers(value: Value) -> None:
    """WA-113."""
    with pytest.raises(PayloadError):
        checked(ColumnType.MONEY, value)


def test_an_absurd_number_is_refused_and_not_a_failure() -> None:
    with pytest.raises(ValueOutOfRange):
        checked(ColumnType.DECIMAL, Decimal("1e400"), precision=2)
    with pytest.raises(ValueOutOfRange):
        checked(ColumnType.MONEY, 1e300)


def test_doubles_round_to_their_precision() -> None:
    """WA-86."""
    assert checked(ColumnType.DOUBLE, 47.630005, precision=5) == 47.63001


@pytest.mark.parametrize(("value", "kept"), [(True, True), (False, False), (1, True), (0, False)])
def test_booleans_may_be_written_as_zero_and_one(value: Value, kept: bool) -> None:
    """WA-87."""
    assert checked(ColumnType.BOOLEAN, value) is kept


@pytest.mark.parametrize("value", ["yes", "true", 2, 1.0])
def test_other_booleans_are_refused(value: Value) -> None:
    """WA-113."""
    with pytest.raises(PayloadError):
        checked(ColumnType.BOOLEAN, value)


# --- choices ---

COLOURS = (Option(1, "A"), Option(3, "C"), Option(9, "I"))


def test_unknown_options_are_refused_and_the_known_ones_told() -> None:
    """WA-88."""
    assert checked(ColumnType.PICKLIST, 3, options=COLOURS) == 3
    with pytest.raises(ValueOutOfRange, match="Accepted values: 1, 3, 9"):
        checked(ColumnType.PICKLIST, 2, options=COLOURS)


def test_multi_select_is_kept_ascending_without_duplicates() -> None:
    """WA-89."""
    assert checked(ColumnType.MULTISELECT, "9, 1,9,3", options=COLOURS) == "1,3,9"
    assert checked(ColumnType.MULTISELECT, "", options=COLOURS) is None
    with pytest.raises(ValueOutOfRange):
        checked(ColumnType.MULTISELECT, "1,2", options=COLOURS)
    with pytest.raises(PayloadError):
        checked(ColumnType.MULTISELECT, "1,,3", options=COLOURS)


# --- dates ---


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2024-05-01T10:15:00Z", "2024-05-01T10:15:00Z"),
        ("2024-05-01T10:15:00.987Z", "2024-05-01T10:15:00Z"),
        ("2024-05-01T10:15Z", "2024-05-01T10:15:00Z"),
        ("2024-05-01T10:15:00+02:00", "2024-05-01T08:15:00Z"),
        ("2024-05-01T23:15:00-02:30", "2024-05-02T01:45:00Z"),
        ("1753-01-01T00:00:00Z", "1753-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_moments_are_kept_in_utc_with_whole_seconds(text: str, kept: str) -> None:
    """WA-90, WA-100."""
    assert checked(ColumnType.DATETIME, text) == kept


def test_time_zone_independent_moments_keep_the_clock_time() -> None:
    """WA-90."""
    facets = {"behavior": DateBehavior.TIME_ZONE_INDEPENDENT}
    assert checked(ColumnType.DATETIME, "2024-05-01T10:15:00+02:00", **facets) == "2024-05-01T10:15:00Z"


def test_dates_without_time_take_a_time_only_when_it_is_midnight() -> None:
    """WA-91."""
    facets = {"behavior": DateBehavior.DATE_ONLY}
    assert checked(ColumnType.DATETIME, "2024-05-01", **facets) == "2024-05-01"
    assert checked(ColumnType.DATETIME, "2024-05-01T00:00:00Z", **facets) == "2024-05-01"
    with pytest.raises(PayloadError):
        checked(ColumnType.DATETIME, "2024-05-01T10:00:00Z", **facets)


def test_the_format_date_only_takes_both_forms() -> None:
    """WA-92."""
    assert checked(ColumnType.DATETIME, "2024-05-01", format="DateOnly") == "2024-05-01T00:00:00Z"
    with pytest.raises(PayloadError):
        checked(ColumnType.DATETIME, "2024-05-01", format="DateAndTime")


@pytest.mark.parametrize(
    "text", ["1752-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "1753-01-01T00:30:00+01:00"]
)
def test_dates_outside_the_calendar_of_the_platform_are_refused(text: str) -> None:
    """WA-100."""
    with pytest.raises(ValueOutOfRange):
        checked(ColumnType.DATETIME, text)


@pytest.mark.parametrize("value", ["today", "2024-02-30T00:00:00Z", "2024-05-01T25:00:00Z", 5, "٢٠٢٤-05-01T00:00:00Z"])
def test_what_is_no_date_is_refused(value: Value) -> None:
    """WA-113."""
    with pytest.raises(PayloadError):
        checked(ColumnType.DATETIME, value)


@given(st.datetimes().map(lambda moment: moment.isoformat()), st.sampled_from(["", "Z", "+14:00", "-12:00"]))
def test_every_date_is_kept_or_refused_and_what_is_kept_stays_the_same(text: str, offset: str) -> None:
    """What the check gives passes the check again unchanged."""
    try:
        kept = checked(ColumnType.DATETIME, text + offset)
    except ValueOutOfRange:
        return
    assert checked(ColumnType.DATETIME, kept) == kept


# --- identities ---


def test_guids_are_kept_in_lower_case() -> None:
    """WA-93."""
    assert checked(ColumnType.UNIQUEIDENTIFIER, "{" + ID.upper() + "}") == ID
    with pytest.raises(PayloadError):
        checked(ColumnType.UNIQUEIDENTIFIER, "none")


def test_a_lookup_takes_references_to_its_targets_only() -> None:
    """WA-116, WA-119."""
    assert checked(ColumnType.LOOKUP, Reference("contact", ID), targets=("contact",)) == Reference("contact", ID)
    with pytest.raises(PayloadError, match="cannot point to a row of 'account'; it takes contact"):
        checked(ColumnType.LOOKUP, Reference("account", ID), targets=("contact",))
    with pytest.raises(PayloadError, match="Use Navigation properties instead"):
        checked(ColumnType.LOOKUP, ID, targets=("contact",))


def test_files_cannot_be_written_in_a_body() -> None:
    """WA-97."""
    with pytest.raises(InvalidRequest):
        checked(ColumnType.FILE, "abc")
