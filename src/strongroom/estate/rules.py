"""The rules that hang in the verbs of these tables: what was done stays as it was written down (TS-003)."""

from typing import NoReturn

from strongroom.errors import AccessDenied
from strongroom.estate.tables import LEDGERS
from strongroom.records import Event, Rules, Session
from strongroom.store.protocol import Row, Value


def register_rules(rules: Rules) -> None:
    """Hang all of them."""
    for table in LEDGERS:
        for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE, Event.BEFORE_DELETE):
            rules.on(event, table, _refuse, name="estate: ledgers are written by the platform alone (TS-003)")


def _refuse(_: Session, row: Row, __: dict[str, Value]) -> NoReturn:
    raise AccessDenied(
        f"Rows of {row.table.logical_name} are evidence: nobody adds, changes or removes them by hand.",
        code="0x80048306",
        details={"reason": "ledger-table", "rule": "TS-003"},
    )
