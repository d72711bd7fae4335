"""Encrypting chosen columns with keys of their own: on, another key, off, and what is stored (TS-504).

Each act changes the metadata at once and converts the first rows; the others follow in steps (`go_on`), which a server
takes beside its requests and the command line one after the other. It is an administrator's matter, and told in the
trail like every change of metadata. A published duplicate rule over such a column would compare what nobody can
compare, so it stands in the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.access.resolve import require_privilege, require_usable
from strongroom.errors import AccessDenied, Conflict
from strongroom.ids import Reference
from strongroom.records.duplicate_rules import CONDITION, PUBLISHED, RULE
from strongroom.records.metadata_changes import change_schema
from strongroom.records.session import Session
from strongroom.schema.changes.columns import existing_column, existing_table
from strongroom.schema.changes.encryption import require_encryptable, with_column_key
from strongroom.schema.model import Column, Table
from strongroom.store.column_encryption import STEP
from strongroom.store.column_keys import KeyState
from strongroom.store.protocol import Database, Transaction


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """One encrypted column, or one that has been: the version and the state of its newest key."""

    table: str
    column: str
    version: int
    state: KeyState
    since: str


def encrypt(session: Session, table_name: str, column_name: str) -> None:
    """Seal the values of a column from now on, and those that are there. A column that is encrypted stays as it is."""
    table, column = _demanded(session, table_name, column_name)
    if column.is_encrypted and not column.is_opening:
        return
    require_encryptable(table, column)
    _refuse_compared(session, table, column)
    _seal_anew(session, table, column)


def rotate(session: Session, table_name: str, column_name: str) -> None:
    """Give an encrypted column a new key, and seal every row with it."""
    table, column = _encrypted(session, table_name, column_name)
    _seal_anew(session, table, column)


def decrypt(session: Session, table_name: str, column_name: str) -> None:
    """Store the values of a column in plain again."""
    table, column = _encrypted(session, table_name, column_name)
    session.transaction.column_encryption.begin_opening(table, column)
    change_schema(session, with_column_key(session.schema, table, column, column.key_version, opening=True))
    step(session.transaction)


def encrypted_columns(session: Session) -> list[EncryptedColumn]:
    """The columns that have keys, each with its newest."""
    _require_administrator(session)
    newest = {(key.table, key.column): key for key in session.transaction.column_encryption.stored()}
    return [EncryptedColumn(*name, key.version, key.state, key.created_on) for name, key in newest.items()]


def verified(session: Session) -> list[Mapping[str, object]]:
    """What the stored bytes of each encrypted column are: numbers of sealed and plain values, and of those that do not
    open (`VerifyEncryption`, TS-503)."""
    _require_administrator(session)
    states = {(each.table, each.column): each for each in encrypted_columns(session)}
    found: list[Mapping[str, object]] = []
    for table_name, columns in session.schema.encrypted.items():
        for column in columns.values():
            held = session.transaction.column_encryption.held(session.table(table_name), column)
            state = states[table_name, column.logical_name].state
            found.append(
                {
                    "Table": table_name,
                    "Column": column.logical_name,
                    "KeyVersion": column.key_version,
                    "State": state.value,
                    "Sealed": held.sealed,
                    "Plain": held.plain,
                    "Broken": held.broken,
                    "IsProved": not held.plain and not held.broken and state is KeyState.ACTIVE,
                }
            )
    return found


def step(transaction: Transaction, limit: int = STEP) -> int:
    """Convert the next rows of columns that are being converted: how many were looked at. A column that is in plain
    again has its metadata say so."""
    done, opened = transaction.column_encryption.step(limit)
    for key in opened:
        table = transaction.schema.tables[key.table]
        transaction.change_schema(with_column_key(transaction.schema, table, table.columns[key.column], None))
    return done


def go_on(database: Database) -> bool:
    """One step in a transaction of its own, where there is something to do: whether there was."""
    with database.read() as transaction:
        if not transaction.schema.encrypted or not transaction.column_encryption.pending():
            return False
    with database.write() as transaction:
        step(transaction)
    return True


def _seal_anew(session: Session, table: Table, column: Column) -> None:
    version = session.transaction.column_encryption.add_key(table, column)
    change_schema(session, with_column_key(session.schema, table, column, version))
    step(session.transaction)


def _demanded(session: Session, table_name: str, column_name: str) -> tuple[Table, Column]:
    _require_administrator(session)
    require_privilege(session.caller, "prvWriteAttribute")
    table = existing_table(session.schema, table_name)
    return table, existing_column(table, column_name)


def _encrypted(session: Session, table_name: str, column_name: str) -> tuple[Table, Column]:
    table, column = _demanded(session, table_name, column_name)
    if not column.is_encrypted or column.is_opening:
        raise Conflict(f"The column '{column_name}' of '{table_name}' is not encrypted.")
    return table, column


def _require_administrator(session: Session) -> None:
    require_usable(session.caller)
    if not session.caller.is_system_administrator:
        raise AccessDenied("The encryption of columns is a matter of System Administrators.")


def _refuse_compared(session: Session, table: Table, column: Column) -> None:
    rules = session.transaction.rows_where(session.table(RULE), {"statecode": PUBLISHED})
    published = {rule.reference(): rule.values for rule in rules}
    for condition in session.transaction.rows_where(session.table(CONDITION), {}) if rules else ():
        about = condition.values.get("regardingobjectid")
        rule = published.get(about) if isinstance(about, Reference) else None
        if rule is None:
            continue
        sides = (("baseentityname", "baseattributename"), ("matchingentityname", "matchingattributename"))
        if (table.logical_name, column.logical_name) in {
            (rule[entity], condition.values[name]) for entity, name in sides
        }:
            raise Conflict(
                f"The published duplicate rule '{rule['name']}' compares '{column.logical_name}': unpublish it first."
            )
