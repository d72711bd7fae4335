"""`strongroom keys columns`: columns that are encrypted with keys of their own."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.options import environment_option, home_option, json_option, opened, session_in
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from strongroom.records import Session


@click.group(short_help="Columns with keys of their own.")
def columns() -> None:
    """Columns whose values are encrypted with a key of their own, besides the encryption of the whole file.

    Whoever may read the column reads it as before; nobody can filter or sort by it.
    """


_user_option = click.option("--user", default="admin", metavar="NAME", help="As whom; admin unless said otherwise.")


@columns.command(short_help="Encrypt a column.")
@click.argument("table_name", metavar="TABLE")
@click.argument("column")
@_user_option
@environment_option
@home_option
def encrypt(table_name: str, column: str, user: str, environment: str | None, home: Path) -> None:
    """Give COLUMN of TABLE a key of its own, and seal the values that are there. Others may read and write meanwhile.

    An interrupted command has changed what it had; the server, or the same command again, does the rest.
    """
    from strongroom.records.column_encryption import encrypt as begin

    _change(home, environment, user, begin, table_name, column)
    say(f"{table_name}.{column} is encrypted.")


@columns.command(short_help="Store a column in plain again.")
@click.argument("table_name", metavar="TABLE")
@click.argument("column")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_user_option
@environment_option
@home_option
def decrypt(table_name: str, column: str, yes: bool, user: str, environment: str | None, home: Path) -> None:
    """Store the values of COLUMN of TABLE in plain again. What the trail has of them stays sealed."""
    from strongroom.records.column_encryption import decrypt as begin

    if not yes:
        click.confirm(f"Store {table_name}.{column} in plain?", abort=True)
    _change(home, environment, user, begin, table_name, column)
    say(f"{table_name}.{column} is in plain.")


@columns.command(short_help="Give an encrypted column a new key.")
@click.argument("table_name", metavar="TABLE")
@click.argument("column")
@_user_option
@environment_option
@home_option
def rotate(table_name: str, column: str, user: str, environment: str | None, home: Path) -> None:
    """Seal every value of COLUMN of TABLE with a new key. The old one stays for what the trail has."""
    from strongroom.records.column_encryption import rotate as begin

    _change(home, environment, user, begin, table_name, column)
    say(f"{table_name}.{column} has a new key.")


@columns.command("list", short_help="Show which columns have keys.")
@_user_option
@environment_option
@home_option
@json_option
def list_columns(user: str, environment: str | None, home: Path, as_json: bool) -> None:
    """Show which columns have keys, the version of the newest, and its state."""
    from strongroom.records.column_encryption import encrypted_columns

    with session_in(home, environment, user, write=False) as session:
        found = encrypted_columns(session)
    heads = ("table", "column", "version", "state", "since")
    rows = [(each.table, each.column, str(each.version), each.state.value, each.since) for each in found]
    if as_json:
        print_json([dict(zip(heads, row, strict=True)) for row in rows])
    else:
        say(table(tuple(head.upper() for head in heads), rows))


@columns.command(short_help="Prove what is stored.")
@_user_option
@environment_option
@home_option
@json_option
def verify(user: str, environment: str | None, home: Path, as_json: bool) -> int:
    """Look at the stored bytes of every encrypted column: sealed, plain, and what does not open. 1 if there is any of
    the last two."""
    from strongroom.records.column_encryption import verified

    with session_in(home, environment, user, write=False) as session:
        found = verified(session)
    if as_json:
        print_json([dict(each) for each in found])
    else:
        heads = ("Table", "Column", "KeyVersion", "State", "Sealed", "Plain", "Broken")
        say(table(tuple(head.upper() for head in heads), [tuple(str(each[head]) for head in heads) for each in found]))
    return 0 if all(each["IsProved"] for each in found) else 1


def _change(
    home: Path,
    environment: str | None,
    user: str,
    act: "Callable[[Session, str, str], None]",
    table_name: str,
    column: str,
) -> None:
    from strongroom.opening import open_environment
    from strongroom.records.column_encryption import go_on

    with session_in(home, environment, user, write=True) as session:
        act(session, table_name, column)
    found = open_environment(opened(home), environment)
    try:
        while go_on(found.database):
            pass
    finally:
        found.close()
