"""The hand-written statements that Strongroom is compared with: what somebody without security would run.

They run on a connection of their own to the same file or database, with the rows and values of the product's answer
in the same run. The text is fixed and prepared by the driver's own cache; nothing around it is paid for.
"""

from collections.abc import Sequence

from strongroom.jobs.bench.place import COLUMNS
from strongroom.store.engine import Connection, Raw
from strongroom.store.protocol import Share

_WIDE = ", ".join(COLUMNS)


class Bare:
    """The statements on one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def row(self, row_id: str) -> list[Raw]:
        """One row by its GUID (W1)."""
        return self.connection.query(f"select {_WIDE} from account where accountid = ?", (row_id,))

    def keys(self, row_ids: Sequence[str]) -> list[int]:
        """The integer keys of rows."""
        marks = ", ".join("?" * len(row_ids))
        return [key for (key,) in self.connection.query(f"select id from account where accountid in ({marks})", row_ids)]

    def known_rows(self, keys: Sequence[int]) -> str:
        """The statement that reads known rows by primary key (W2)."""
        return f"select {_WIDE} from account where id in ({', '.join(map(str, keys))})"

    def count(self) -> int:
        """All rows of the table (W3)."""
        return self.connection.query("select count(*) from account")[0][0]


__all__ = ["Bare", "Share"]
