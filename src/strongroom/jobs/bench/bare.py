"""The hand-written statements that Strongroom is compared with: what somebody without security would run.

They run on a connection of their own to the same file or database, with the rows and values of the product's answer
in the same run. The text is fixed and prepared by the driver's own cache; nothing around it is paid for.
"""

from collections.abc import Sequence

from strongroom.access.plan import Reach
from strongroom.jobs.bench.place import COLUMNS, PAGE
from strongroom.store.engine import Connection, Raw

_WIDE = ", ".join(COLUMNS)
_VALUES = f"{_WIDE}, name__fold, accountid"
"""What the product's own statement gives: the columns of the list, and those that the next page begins after."""


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
        found = self.connection.query(f"select id from account where accountid in ({marks})", row_ids)
        return [key for (key,) in found]

    def known_rows(self, keys: Sequence[int]) -> str:
        """The statement that reads known rows by primary key (W2)."""
        return f"select {_VALUES} from account where id in ({', '.join(map(str, keys))})"

    def count(self) -> int:
        """All rows of the table (W3)."""
        return self.connection.query("select count(*) from account")[0][0]

    def walk(self, reach: Reach, column: str, hide: str) -> str:
        """A page in the order of another column, along its index: each row is tested."""
        tests = [f"{hide}{name} in {_list(keys)}" for name, keys in _sets(reach)]
        shares = _list(reach.shared_with | reach.shared_directly_with)
        tests.append(
            "exists (select 1 from principalobjectaccess s where s.objecttypecode = 'account' and s.object = a.id"
            f" and s.principal in {shares} and (s.accessrightsmask & 1) <> 0)"
        )
        where = "" if reach.everything else f" where ({' or '.join(tests)})"
        return f"select {_VALUES} from account a{where} order by a.{column}, a.accountid limit {PAGE}"

    def gather(self, reach: Reach, column: str) -> str:
        """The same page from all keys that owners, units and shares give, sorted."""
        if reach.everything:
            return self.walk(reach, column, "")
        shares = _list(reach.shared_with | reach.shared_directly_with)
        parts = [f"select id from account where {name} in {_list(keys)}" for name, keys in _sets(reach)]
        parts.append(
            "select object from principalobjectaccess where objecttypecode = 'account'"
            f" and principal in {shares} and (accessrightsmask & 1) <> 0"
        )
        return (
            f"select {_VALUES} from account a where a.id in ({' union '.join(parts)})"
            f" order by a.{column}, a.accountid limit {PAGE}"
        )


def _sets(reach: Reach) -> list[tuple[str, frozenset[int]]]:
    return [(name, keys) for name, keys in (("owner", reach.owners), ("unit", reach.units)) if keys]


def _list(keys: frozenset[int]) -> str:
    return f"({', '.join(map(str, sorted(keys))) or 'null'})"
