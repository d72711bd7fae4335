"""The words and codes in which the verbs refuse (WA-56). Those of the security model are in `access.messages`."""

from strongroom.errors import AccessDenied, DeleteRestricted, InvalidRequest, NotFound, PayloadError, PreconditionFailed
from strongroom.ids import Guid, Reference
from strongroom.schema.model import Table


def no_such_key(table: Table) -> NotFound:
    """WA-128."""
    return NotFound(
        f"A record with the specified key values does not exist in {table.logical_name} entity", code="0x80060891"
    )


def payload(table: Table, reason: str) -> PayloadError:
    """A body that does not fit the table (WA-109, WA-113)."""
    return PayloadError(
        f"Error identified in Payload provided by the user for Entity :'{table.entity_set_name}', {reason}"
    )


def undeclared(table: Table, name: str) -> PayloadError:
    """WA-109."""
    return payload(
        table,
        f"An undeclared property '{name}' which only has property annotations in the payload but no property value "
        f"was found in the payload. '{name}' is no column of '{table.logical_name}'.",
    )


def other_id(table: Table) -> PayloadError:
    """WA-145."""
    return payload(table, f"'{table.primary_id}' differs from the id of the row that is addressed.")


def version_mismatch() -> PreconditionFailed:
    """WA-142."""
    return PreconditionFailed("The version of the existing record doesn't match the RowVersion property provided.")


def exists_already() -> PreconditionFailed:
    """WA-107, WA-142."""
    return PreconditionFailed("A record with matching key values already exists.", code="0x80040237")


def duplicate_found() -> PreconditionFailed:
    """WA-422. The duplicate itself is not named."""
    return PreconditionFailed(
        "A record was not created or updated because a duplicate of the current record already exists.",
        code="0x80040333",
    )


def delete_restricted(table: Table, row_id: Guid, relationship: str) -> DeleteRestricted:
    """SM-101: names the relationship, never the child that the caller may not see."""
    return DeleteRestricted(
        f"The {table.logical_name} with id {row_id} is associated with another object through {relationship} and "
        "cannot be deleted."
    )


def written_by_platform(table: Table) -> InvalidRequest:
    """WA-169: a table whose rows only the platform's own messages write."""
    return InvalidRequest(
        f"Rows of '{table.logical_name}' cannot be written directly; use the message or relationship that keeps them."
    )


def no_table_of_its_own(table: Table) -> InvalidRequest:
    """An activity is an email, a task, a call: there is no activity that is nothing else."""
    return InvalidRequest(
        f"Rows of '{table.logical_name}' are activities of all tables: create one in its own table, such as 'tasks'."
    )


def part_of_activity(table: Table) -> InvalidRequest:
    """Parties are written with their activity."""
    return InvalidRequest(
        f"Rows of '{table.logical_name}' are parts of activities: write them with the activity, as in "
        "'email_activity_parties' of an email."
    )


def ledger(table: Table) -> AccessDenied:
    """TS-003: a table that is evidence."""
    return AccessDenied(
        f"'{table.logical_name}' is a ledger: its rows are written by the platform and never changed or deleted.",
        code="0x80048306",
        details={"reason": "ledger-table", "rule": "TS-003", "target": table.logical_name},
    )


def wrong_ends(first_table: str, second_table: str, first: Reference, second: Reference) -> InvalidRequest:
    """WA-165: the rows do not fit the relationship."""
    return InvalidRequest(
        f"The relationship ties {first_table} to {second_table}, not {first.table} to {second.table}."
    )
