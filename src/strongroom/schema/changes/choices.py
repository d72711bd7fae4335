"""Global choices, and the options of choices one by one (WA-349, WA-350)."""

from dataclasses import replace

from strongroom.errors import InvalidRequest, NotFound
from strongroom.schema.build import ids_for_next_version, next_version, with_tables
from strongroom.schema.changes.columns import IN_USE, existing_column, existing_table
from strongroom.schema.changes.options import (
    DEFAULT_OPTION_PREFIX,
    checked_options,
    next_option_value,
    numbered_options,
)
from strongroom.schema.changes.requests import NewChoice
from strongroom.schema.model import Choice, Column, Option, Schema, Table
from strongroom.schema.naming import checked_custom_name


def create_choice(schema: Schema, new: NewChoice, *, option_prefix: int = DEFAULT_OPTION_PREFIX) -> Schema:
    """`schema` with one more global choice."""
    name = checked_custom_name(new.name, "choice").lower()
    if name in schema.choices:
        raise InvalidRequest(f"A global choice with the name '{name}' already exists.", code="0x80048403")
    id_ = ids_for_next_version(schema)("choice", name)
    choice = Choice(name, id_, new.label or name, numbered_options(new.options, option_prefix), is_custom=True)
    return next_version(schema, choices={**schema.choices, name: choice})


def replace_choice(schema: Schema, name: str, new: NewChoice, *, option_prefix: int = DEFAULT_OPTION_PREFIX) -> Schema:
    """`schema` with another label and, when any are given, other options of the choice (WA-344)."""
    choice = existing_choice(schema, name)
    options = numbered_options(new.options, option_prefix) if new.options else choice.options
    return _with_choice(schema, replace(choice, label=new.label or choice.label, options=options))


def delete_choice(schema: Schema, name: str) -> Schema:
    """`schema` without the choice; 400, naming the column, when one uses it."""
    choice = existing_choice(schema, name)
    if not choice.is_custom:
        raise InvalidRequest(f"The global choice '{name}' belongs to the platform and cannot be deleted.")
    for table in schema.tables.values():
        for column in table.columns.values():
            if column.global_choice == name:
                raise InvalidRequest(
                    f"The global choice '{name}' cannot be deleted: the column '{column.logical_name}' of table "
                    f"'{table.logical_name}' uses it.",
                    code=IN_USE,
                )
    return next_version(schema, choices={key: found for key, found in schema.choices.items() if key != name})


def insert_option(
    schema: Schema,
    place: str | tuple[str, str],
    label: str,
    value: int | None = None,
    *,
    option_prefix: int = DEFAULT_OPTION_PREFIX,
) -> tuple[Schema, int]:
    """`schema` with one more option, and its value. `place` is a global choice or (table, column)."""
    options = options_at(schema, place)
    if value is None:
        value = next_option_value({option.value for option in options}, option_prefix)
    return with_options(schema, place, (*options, Option(value, label))), value


def update_option(schema: Schema, place: str | tuple[str, str], value: int, label: str) -> Schema:
    """`schema` with another label on the option."""
    options = options_at(schema, place)
    _check_option(options, value, place)
    return with_options(schema, place, tuple(replace(o, label=label) if o.value == value else o for o in options))


def delete_option(schema: Schema, place: str | tuple[str, str], value: int) -> Schema:
    """`schema` without the option. Rows that hold the value keep it."""
    options = options_at(schema, place)
    _check_option(options, value, place)
    return with_options(schema, place, tuple(option for option in options if option.value != value))


def options_at(schema: Schema, place: str | tuple[str, str]) -> tuple[Option, ...]:
    """The options of a global choice, or of the column (table, column)."""
    if isinstance(place, str):
        return existing_choice(schema, place).options
    return existing_column(existing_table(schema, place[0]), place[1]).options


def with_options(schema: Schema, place: str | tuple[str, str], options: tuple[Option, ...]) -> Schema:
    """`schema` with the options in place of the ones there; those of a global choice change for all its columns."""
    options = checked_options(options)
    if isinstance(place, str):
        return _with_choice(schema, replace(existing_choice(schema, place), options=options))
    table = existing_table(schema, place[0])
    column = existing_column(table, place[1])
    if column.global_choice is not None:
        return _with_choice(schema, replace(existing_choice(schema, column.global_choice), options=options))
    return next_version(schema, tables=with_tables(schema, (_with_column(table, replace(column, options=options)),)))


def existing_choice(schema: Schema, name: str) -> Choice:
    """The global choice, or 404."""
    choice = schema.choices.get(name)
    if choice is None:
        raise NotFound(f"There is no global choice '{name}'.")
    return choice


def _with_choice(schema: Schema, choice: Choice) -> Schema:
    changed: list[Table] = []
    for table in schema.tables.values():
        users = [column for column in table.columns.values() if column.global_choice == choice.name]
        for column in users:
            table = _with_column(table, replace(column, options=choice.options))
        if users:
            changed.append(table)
    return next_version(schema, tables=with_tables(schema, changed), choices={**schema.choices, choice.name: choice})


def _with_column(table: Table, column: Column) -> Table:
    return replace(table, columns={**table.columns, column.logical_name: column})


def _check_option(options: tuple[Option, ...], value: int, place: str | tuple[str, str]) -> None:
    if all(option.value != value for option in options):
        name = place if isinstance(place, str) else ".".join(place)
        raise InvalidRequest(f"The choice '{name}' has no option with the value {value}.")
