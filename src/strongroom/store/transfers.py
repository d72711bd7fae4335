"""Files on their way, in pieces (WA-361, WA-366): `filetransfer` says whose and where to, `filetransferblock` has what
came so far.

They live in the environment's own database, so that any worker takes the next piece, and what is not complete yet is
encrypted like everything else and seen by nobody. A transfer is found until its time is over.
"""

from strongroom.ids import Guid, Reference
from strongroom.store.engine import Connection, Engine
from strongroom.store.protocol import Transfer
from strongroom.store.work import Work

_BYTES = {"sqlcipher": "blob", "postgresql": "bytea"}


def make_tables(engine: Engine, connection: Connection) -> None:
    """The migration that makes the two tables."""
    key, text, guid, suffix = engine.key_type, engine.text_type, engine.guid_type, engine.table_suffix
    for statement in (
        f"create table filetransfer (token {text} primary key, userid {guid} not null, objecttypecode {text} not null,"
        f" objectid {guid} not null, attribute {text} not null, filename {text} not null, fileid {guid},"
        f" expires {text} not null){suffix}",
        f"create table filetransferblock (token {text} not null, blockid {text} not null, size {key} not null,"
        f" body {_BYTES[engine.name]} not null, primary key (token, blockid)){suffix}",
    ):
        connection.execute(statement)


class Transfers:
    """The transfers of one environment, inside one transaction."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._connection = work.connection

    def begin(self, new: Transfer, now: str) -> None:
        """Remember a transfer, and forget those whose time is over."""
        self._work.must_write()
        over = "(select token from filetransfer where expires <= ?)"
        self._connection.execute(f"delete from filetransferblock where token in {over}", (now,))
        self._connection.execute("delete from filetransfer where expires <= ?", (now,))
        self._connection.execute(
            "insert into filetransfer (token, userid, objecttypecode, objectid, attribute, filename, fileid, expires)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            (new.token, new.user, new.row.table, new.row.id, new.column, new.name, new.file, new.expires),
        )

    def find(self, token: str, now: str) -> Transfer | None:
        """The transfer with this token, while its time lasts."""
        found = self._connection.query(
            "select userid, objecttypecode, objectid, attribute, filename, fileid, expires from filetransfer"
            " where token = ? and expires > ?",
            (token, now),
        )
        if not found:
            return None
        user, table, row, column, name, file, expires = found[0]
        held = None if file is None else Guid(str(file))
        return Transfer(token, Guid(str(user)), Reference(table, Guid(str(row))), column, name, held, expires)

    def size(self, token: str) -> int:
        """How many bytes have come."""
        found = self._connection.query("select coalesce(sum(size), 0) from filetransferblock where token = ?", (token,))
        return int(found[0][0])

    def blocks(self, token: str) -> dict[str, int]:
        """The pieces that have come, with their sizes."""
        return dict(self._connection.query("select blockid, size from filetransferblock where token = ?", (token,)))

    def put(self, token: str, block: str, body: bytes) -> None:
        """Keep a piece, in the place of one with the same id."""
        self._work.must_write()
        self._connection.execute("delete from filetransferblock where token = ? and blockid = ?", (token, block))
        self._connection.execute(
            "insert into filetransferblock (token, blockid, size, body) values (?, ?, ?, ?)",
            (token, block, len(body), body),
        )

    def body(self, token: str, block: str) -> bytes:
        """A piece that `blocks` names."""
        found = self._connection.query(
            "select body from filetransferblock where token = ? and blockid = ?", (token, block)
        )
        return bytes(found[0][0])

    def end(self, token: str) -> None:
        """Forget a transfer and its pieces."""
        self._work.must_write()
        self._connection.execute("delete from filetransferblock where token = ?", (token,))
        self._connection.execute("delete from filetransfer where token = ?", (token,))
