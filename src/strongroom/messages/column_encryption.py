"""Encryption of single columns, by administrators: on and off, another key, and a proof of what is stored (TS-504)."""

from collections.abc import Callable

from strongroom.messages.operation import Arguments, Kind, Operation, Parameter, Result, action, function
from strongroom.records import Session
from strongroom.records import column_encryption as columns

_TABLE, _COLUMN = Parameter("Table", Kind.STRING), Parameter("Column", Kind.STRING)


def _on_column(act: Callable[[Session, str, str], None]) -> Callable[[Session, Arguments], Result]:
    def run(session: Session, arguments: Arguments) -> Result:
        act(session, arguments.text("Table"), arguments.text("Column"))
        return None

    return run


def _listed(session: Session, _: Arguments) -> Result:
    return {
        "Columns": [
            {
                "Table": each.table,
                "Column": each.column,
                "KeyVersion": each.version,
                "State": each.state.value,
                "KeySince": each.since,
            }
            for each in columns.encrypted_columns(session)
        ]
    }


def _verified(session: Session, _: Arguments) -> Result:
    found = columns.verified(session)
    return {"Columns": found, "IsProved": all(each["IsProved"] for each in found)}


OPERATIONS: tuple[Operation, ...] = (
    action("EncryptColumn", _on_column(columns.encrypt), _TABLE, _COLUMN),
    action("DecryptColumn", _on_column(columns.decrypt), _TABLE, _COLUMN),
    action("RotateColumnKey", _on_column(columns.rotate), _TABLE, _COLUMN),
    function("RetrieveEncryptedColumns", _listed, properties={"Columns": "Collection(Edm.Untyped)"}, is_own=True),
    function(
        "VerifyEncryption",
        _verified,
        properties={"Columns": "Collection(Edm.Untyped)", "IsProved": "Edm.Boolean"},
        is_own=True,
    ),
)
