"""Whom and which row a command is about, from what people write: names, sign-in names and ids."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from strongroom.ids import Guid, Reference
    from strongroom.schema.model import Schema, Table
    from strongroom.store.protocol import Transaction


def principal_named(transaction: "Transaction", user: str | None, team: str | None) -> "Reference":
    """The user or the team that a command names; exactly one of them must be given."""
    from strongroom.environment import find_user
    from strongroom.errors import InvalidRequest
    from strongroom.ids import Reference

    if (user is None) == (team is None):
        raise InvalidRequest("Name either a user with --user or a team with --team.")
    if user is not None:
        return Reference("systemuser", find_user(transaction, user))
    return one_named(transaction, "team", team or "")


def row_named(schema: "Schema", table: str, row_id: str) -> "Reference":
    """The row of a table, by its id."""
    from strongroom.errors import InvalidRequest
    from strongroom.ids import Reference, parse_guid

    target = parse_guid(row_id)
    if target is None:
        raise InvalidRequest(f"'{row_id}' is no id: it must be a GUID.")
    return Reference(table_named(schema, table).logical_name, target)


def table_named(schema: "Schema", name: str) -> "Table":
    """The table with this logical name."""
    from strongroom.errors import InvalidRequest

    table = schema.tables.get(name)
    if table is None:
        raise InvalidRequest(f"There is no table '{name}'; name it by its logical name, such as account.")
    return table


def one_named(transaction: "Transaction", table: str, name: str) -> "Reference":
    """The only row of a small table with this primary name or id; role copies are left out."""
    from strongroom.errors import InvalidRequest
    from strongroom.ids import Reference, parse_guid

    described = transaction.schema.tables[table]
    identity: Guid | None = parse_guid(name)
    if identity is not None:
        if transaction.row(described, identity) is None:
            raise InvalidRequest(f"There is no {table} with the id {identity}.")
        return Reference(table, identity)
    found = transaction.rows_where(described, {described.primary_name or "name": name})
    if table == "role":
        found = [row for row in found if row.values.get("parentrootroleid") in (None, row.reference())]
    if len(found) != 1:
        said = "is no" if not found else f"are {len(found)}"
        raise InvalidRequest(f"There {said} {table} called '{name}'{'' if not found else '; name it by its id'}.")
    return found[0].reference()
