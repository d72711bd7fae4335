"""What a column definition may say, and the `Column` that it makes (WA-343, WA-353)."""

from dataclasses import dataclass, replace

from strongroom.errors import InvalidRequest
from strongroom.schema.changes.options import DEFAULT_OPTION_PREFIX, checked_options, numbered_options
from strongroom.schema.changes.requests import NewColumn
from strongroom.schema.formulas import read_formula
from strongroom.schema.model import (
    Column,
    ColumnType,
    DateBehavior,
    Option,
    RequiredLevel,
    Schema,
    SourceType,
    Table,
)
from strongroom.schema.naming import checked_custom_name
from strongroom.schema.system_columns import INTEGER_MAXIMUM, INTEGER_MINIMUM, PLATFORM_KEPT, IdMaker

CANNOT_SECURE = "0x8004f501"
SECURED_IN_KEY = "0x80060896"


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Bounds of a numeric type: of its values, and of its precision."""

    low: float
    high: float
    default_low: float
    default_high: float
    precision: int | None = None
    default_precision: int | None = None


_DECIMAL = 100_000_000_000.0
_MONEY = 922_337_203_685_477.0
_NUMBERS = {
    ColumnType.INTEGER: _Numbers(INTEGER_MINIMUM, INTEGER_MAXIMUM, INTEGER_MINIMUM, INTEGER_MAXIMUM),
    ColumnType.DECIMAL: _Numbers(-_DECIMAL, _DECIMAL, -_DECIMAL, _DECIMAL, 10, 2),
    ColumnType.DOUBLE: _Numbers(-_DECIMAL, _DECIMAL, -_DECIMAL, _DECIMAL, 5, 2),
    ColumnType.MONEY: _Numbers(-_MONEY, _MONEY, -_MONEY, _MONEY, 4, 2),
}
_BIGINT = (-9223372036854775808.0, 9223372036854775807.0)
_LENGTHS = {ColumnType.STRING: (4_000, 100), ColumnType.MEMO: (1_048_576, 2_000)}
_SIZES = {ColumnType.FILE: (10_485_760, 32_768), ColumnType.IMAGE: (30_720, 10_240)}
_FORMATS = {
    ColumnType.STRING: (
        (
            "Text",
            "Email",
            "TextArea",
            "Url",
            "TickerSymbol",
            "PhoneticGuide",
            "VersionNumber",
            "Phone",
            "Json",
            "RichText",
        ),
        "Text",
    ),
    ColumnType.MEMO: (("TextArea", "Text", "RichText", "Json", "Email", "InternalExtentData"), "TextArea"),
    ColumnType.INTEGER: (("None", "Duration", "TimeZone", "Language", "Locale"), "None"),
    ColumnType.DATETIME: (("DateAndTime", "DateOnly"), "DateAndTime"),
}
_CREATABLE = frozenset(
    {
        *_NUMBERS,
        *_LENGTHS,
        *_SIZES,
        ColumnType.BIGINT,
        ColumnType.BOOLEAN,
        ColumnType.DATETIME,
        ColumnType.MULTISELECT,
        ColumnType.PICKLIST,
        ColumnType.UNIQUEIDENTIFIER,
    }
)
_YES_NO = (Option(1, "Yes"), Option(0, "No"))


def checked_column_name(schema: Schema, table: Table, new: NewColumn) -> str:
    """The schema name, when it is a free custom name; else 400 (0x80047013 when taken)."""
    name = checked_custom_name(new.schema_name, "column")
    logical_name, place = name.lower(), (table.logical_name, name.lower())
    is_navigation = schema.lookup_nav(*place) or schema.collection_nav(*place) or schema.many_nav(*place)
    if logical_name in table.columns or logical_name in table.derived or is_navigation is not None:
        raise InvalidRequest(
            f"A column with the name '{name}' already exists on table '{table.logical_name}'.", code="0x80047013"
        )
    return name


def new_column(
    schema: Schema,
    table: str,
    new: NewColumn,
    new_id: IdMaker,
    *,
    option_prefix: int = DEFAULT_OPTION_PREFIX,
    is_primary_name: bool = False,
) -> Column:
    """The column that `new` describes. Lookups are made with their relationship, see `changes.relationships`."""
    name = new.schema_name
    if new.type not in _CREATABLE:
        raise InvalidRequest(
            f"A column of type {new.type.value} cannot be made by itself"
            + (": create a relationship, which makes its lookup." if new.type.is_lookup else ".")
        )
    is_simple, formula = new.source_type is SourceType.SIMPLE, None
    if not is_simple:
        if is_primary_name:
            raise InvalidRequest(f"The primary name column '{name}' cannot be calculated.")
        formula = read_formula(new.formula or "", new.source_type)
    elif new.formula:
        raise InvalidRequest(
            f"The column '{name}' has a FormulaDefinition: set SourceType 1 (calculated) or 2 (rollup)."
        )
    if is_primary_name and new.type is not ColumnType.STRING:
        raise InvalidRequest(f"The primary name column '{name}' must be a StringAttributeMetadata.")
    if new.type in (ColumnType.PICKLIST, ColumnType.MULTISELECT) and not (new.options or new.global_choice):
        raise InvalidRequest(f"The column '{name}' needs an OptionSet with Options, or a GlobalOptionSet.")
    blank = Column(
        logical_name=name.lower(),
        schema_name=name,
        type=new.type,
        metadata_id=new_id("column", f"{table}.{name.lower()}"),
        label=name,
        default=0 if new.type is ColumnType.BOOLEAN else None,
        can_be_secured=not is_primary_name and new.type is not ColumnType.UNIQUEIDENTIFIER,
        is_custom=True,
        source_type=new.source_type,
        formula=formula,
        valid_for_create=is_simple,
        valid_for_update=is_simple,
    )
    return described(schema, blank, new, option_prefix=option_prefix)


def described(schema: Schema, column: Column, new: NewColumn, *, option_prefix: int = DEFAULT_OPTION_PREFIX) -> Column:
    """`column` with everything that `new` says about it, checked against what its type allows (WA-353).

    What `new` leaves out stays as it is, or takes the default of the type when the column has nothing yet.
    """
    options, choice = _options(schema, column, new, option_prefix)
    low, high, precision = _numbers(column, new)
    return replace(
        column,
        label=new.label if new.label is not None else column.label,
        description=new.description if new.description is not None else column.description,
        required=_required(column, new),
        max_length=_limit(column, "MaxLength", _LENGTHS, new.max_length, column.max_length),
        max_size_kb=_limit(column, "MaxSizeInKB", _SIZES, new.max_size_kb, column.max_size_kb),
        can_store_full_image=(
            column.can_store_full_image if new.can_store_full_image is None else new.can_store_full_image
        ),
        precision=precision,
        minimum=low,
        maximum=high,
        format=_format(column, new),
        behavior=_behavior(column, new),
        options=options,
        global_choice=choice,
        default=_default(column, new, options),
        is_audited=column.is_audited if new.is_audited is None else new.is_audited,
        is_read_audited=column.is_read_audited if new.is_read_audited is None else new.is_read_audited,
        auto_number_format=_auto_number(column, new),
    )


def checked_secured(table: Table, column: Column, is_secured: bool) -> Column:
    """`column` with column security on or off; 400 when it may not be on (SM-139)."""
    if is_secured and not column.is_secured:
        if not column.can_be_secured or column.logical_name in PLATFORM_KEPT:
            raise InvalidRequest(
                f"The column '{column.logical_name}' of table '{table.logical_name}' cannot be secured.",
                code=CANNOT_SECURE,
            )
        for key in table.keys:
            if column.logical_name in key.columns:
                raise InvalidRequest(
                    f"The column '{column.logical_name}' cannot be secured: it is part of the alternate key "
                    f"'{key.schema_name}'.",
                    code=SECURED_IN_KEY,
                )
    return replace(column, is_secured=is_secured)


def _required(column: Column, new: NewColumn) -> RequiredLevel:
    if new.required is None or new.required is column.required:
        return column.required
    if new.required is RequiredLevel.SYSTEM_REQUIRED or column.required is RequiredLevel.SYSTEM_REQUIRED:
        raise InvalidRequest(
            f"The RequiredLevel of column '{column.schema_name}' cannot be {new.required.value}: SystemRequired is "
            "for columns of the platform."
        )
    return new.required


def _limit(
    column: Column, what: str, limits: dict[ColumnType, tuple[int, int]], wanted: int | None, present: int | None
) -> int | None:
    if column.type not in limits:
        return present
    highest, default = limits[column.type]
    value = wanted if wanted is not None else present if present is not None else default
    if wanted is not None and wanted != present and not 1 <= value <= highest:
        raise InvalidRequest(
            f"The {what} {value} of column '{column.schema_name}' is outside the valid range 1 to {highest}."
        )
    return value


def _numbers(column: Column, new: NewColumn) -> tuple[float | None, float | None, int | None]:
    if column.type is ColumnType.BIGINT:
        return (*_BIGINT, None)
    bounds = _NUMBERS.get(column.type)
    if bounds is None:
        return column.minimum, column.maximum, column.precision
    low = _first(new.minimum, column.minimum, bounds.default_low)
    high = _first(new.maximum, column.maximum, bounds.default_high)
    name = column.schema_name
    if (new.minimum is not None or new.maximum is not None) and not bounds.low <= low <= high <= bounds.high:
        raise InvalidRequest(
            f"The MinValue {low:g} and MaxValue {high:g} of column '{name}' are not valid: they must be in order and "
            f"between {bounds.low:g} and {bounds.high:g}."
        )
    if bounds.precision is None:
        if low != int(low) or high != int(high):
            raise InvalidRequest(f"The MinValue and MaxValue of column '{name}' must be whole numbers.")
        return low, high, None
    precision = int(_first(new.precision, column.precision, bounds.default_precision or 0))
    if new.precision is not None and not 0 <= precision <= bounds.precision:
        raise InvalidRequest(f"The Precision {precision} of column '{name}' is not between 0 and {bounds.precision}.")
    return low, high, precision


def _first(*values: float | None) -> float:
    return next(float(value) for value in values if value is not None)


def _format(column: Column, new: NewColumn) -> str | None:
    if column.type not in _FORMATS:
        return column.format
    allowed, default = _FORMATS[column.type]
    value = new.format or column.format or default
    if value not in allowed and value != column.format:
        raise InvalidRequest(
            f"The Format '{value}' of column '{column.schema_name}' is not one of {', '.join(allowed)}."
        )
    return value


def _behavior(column: Column, new: NewColumn) -> DateBehavior:
    if column.type is not ColumnType.DATETIME or new.behavior is None:
        return column.behavior
    if new.behavior is DateBehavior.DATE_ONLY and (new.format or column.format) == "DateAndTime":
        raise InvalidRequest(
            f"The column '{column.schema_name}' cannot have the behavior DateOnly with the format DateAndTime."
        )
    return new.behavior


def _options(schema: Schema, column: Column, new: NewColumn, prefix: int) -> tuple[tuple[Option, ...], str | None]:
    if column.type is ColumnType.BOOLEAN:
        if new.options is None:
            return column.options or _YES_NO, None
        options = numbered_options(new.options, prefix)
        if {option.value for option in options} != {0, 1}:
            raise InvalidRequest(
                f"The column '{column.schema_name}' needs exactly a TrueOption with Value 1 and a FalseOption with "
                "Value 0."
            )
        return options, None
    if not (column.type.is_choice or column.type is ColumnType.MULTISELECT):
        return column.options, column.global_choice
    if new.global_choice is not None:
        choice = schema.choices.get(new.global_choice)
        if choice is None:
            raise InvalidRequest(f"There is no global choice '{new.global_choice}'.")
        return choice.options, choice.name
    if new.options is None or column.global_choice is not None:
        return column.options, column.global_choice
    return _merged(column, numbered_options(new.options, prefix)), None


def _merged(column: Column, options: tuple[Option, ...]) -> tuple[Option, ...]:
    """Options of a state or status keep what ties them together."""
    known = {option.value: option for option in column.options}
    if column.type in (ColumnType.STATE, ColumnType.STATUS):
        if known.keys() - {option.value for option in options}:
            raise InvalidRequest(f"Options of '{column.logical_name}' cannot be left out.")
        return checked_options([replace(known.get(o.value, o), label=o.label) for o in options])
    return options


def _default(column: Column, new: NewColumn, options: tuple[Option, ...]) -> int | None:
    if column.type is ColumnType.BOOLEAN:
        return column.default if new.default is None or bool(new.default) is bool(column.default) else new.default
    if column.type not in (ColumnType.PICKLIST, ColumnType.MULTISELECT):
        return column.default
    default = column.default if new.default is None else new.default
    if default is None or default == -1:
        return None
    if default not in {option.value for option in options}:
        raise InvalidRequest(f"The default value {default} of column '{column.schema_name}' is not one of its options.")
    return default


def _auto_number(column: Column, new: NewColumn) -> str | None:
    if new.auto_number_format and column.type is not ColumnType.STRING:
        raise InvalidRequest(f"The column '{column.schema_name}' cannot have an AutoNumberFormat: it is not a text.")
    return column.auto_number_format if new.auto_number_format is None else new.auto_number_format or None
