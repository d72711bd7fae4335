"""The last statement of a write on a server: a late row, counters, the stamp and the journal in one.

Each statement is a way to the server and back, and each one that is not prepared is read and planned anew; together
these are a good part of what changing a single row costs. None of the parts reads what another one writes, so that they
may run as one.
"""

from functools import lru_cache

from strongroom.store.counters import ADD
from strongroom.store.engine import insert_statement

SET_STAMP = "update stamp set security_epoch = ?, metadata_version = ?, version = ?"


@lru_cache(maxsize=256)
def closing_statement(
    table: str, columns: tuple[str, ...], counters: int, *, with_stamp: bool, append: str | None = None
) -> str:
    """The statement that adds one row to `table`, then `counters` changes of counters (see `ADD`), then sets the stamp,
    then does `append` to the journal; its parameters come in this order."""
    parts = [insert_statement(table, columns), *[ADD] * counters, *[SET_STAMP] * with_stamp]
    if append is not None:
        parts.append(append)
    *first, last = parts
    named = ", ".join(f"part{number} as ({part})" for number, part in enumerate(first))
    return f"with {named} {last}" if first else last


__all__ = ["SET_STAMP", "closing_statement"]
