"""Files on their way, in pieces (WA-361, WA-366): `filetransfer` says whose and where to, `filetransferblock` which
pieces came so far. Their bytes lie one behind the other where those of contents lie, under the id that the content will
have: so the last step of an upload in order only says whose they are, however large it is.

They live in the environment's own database, so that any worker takes the next piece, and what is not complete yet is
encrypted like everything else and seen by nobody. A transfer is found until its time is over.
"""

from collections.abc import Iterator, Sequence

from strongroom.ids import Guid, Reference
from strongroom.store import file_contents
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


def stage_contents(engine: Engine, connection: Connection) -> None:
    """The migration after which pieces lie where contents lie. Uploads that were under way begin anew: they would have
    lasted another quarter of an hour."""
    key = engine.key_type
    for statement in (
        "delete from filetransferblock",
        "delete from filetransfer",
        "alter table filetransferblock drop column body",
        f"alter table filetransferblock add column start {key} not null default 0",
        f"alter table filetransfer add column isupload {key} not null default 0",
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
        for (token,) in self._connection.query("select token from filetransfer where expires <= ?", (now,)):
            self.end(token)
        self._connection.execute(
            "insert into filetransfer (token, userid, objecttypecode, objectid, attribute, filename, fileid, expires,"
            " isupload) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(new.token, new.user, new.row.table, new.row.id, new.column, new.name, new.file, new.expires),
                int(new.is_upload),
            ),
        )

    def find(self, token: str, now: str) -> Transfer | None:
        """The transfer with this token, while its time lasts."""
        found = self._connection.query(
            "select userid, objecttypecode, objectid, attribute, filename, fileid, expires, isupload from filetransfer"
            " where token = ? and expires > ?",
            (token, now),
        )
        if not found:
            return None
        user, table, row, column, name, file, expires, is_upload = found[0]
        place = Reference(table, Guid(str(row)))
        return Transfer(token, Guid(str(user)), place, column, name, Guid(str(file)), expires, bool(is_upload))

    def size(self, token: str) -> int:
        """How many bytes have come."""
        found = self._connection.query(
            "select coalesce(max(start + size), 0) from filetransferblock where token = ?", (token,)
        )
        return int(found[0][0])

    def blocks(self, token: str) -> dict[str, int]:
        """The pieces that have come, with their sizes."""
        return {block: size for block, (_, size) in self._places(token).items()}

    def put(self, transfer: Transfer, block: str, body: bytes) -> None:
        """Keep a piece, in the place of one with the same id."""
        self._work.must_write()
        start = self.size(transfer.token)
        file_contents.stage(self._work, transfer.file, start, body)
        self._connection.execute(
            "delete from filetransferblock where token = ? and blockid = ?", (transfer.token, block)
        )
        self._connection.execute(
            "insert into filetransferblock (token, blockid, start, size) values (?, ?, ?, ?)",
            (transfer.token, block, start, len(body)),
        )

    def is_whole(self, transfer: Transfer, blocks: Sequence[str]) -> bool:
        """Whether these pieces, in this order, are what lies there: nothing else has come, nor in another order."""
        places, end = self._places(transfer.token), 0
        for block in blocks:
            start, size = places[block]
            if start != end:
                return False
            end += size
        return end == self.size(transfer.token)

    def pieces(self, transfer: Transfer, blocks: Sequence[str]) -> Iterator[bytes]:
        """The bytes of these pieces, one after the other."""
        places = self._places(transfer.token)
        for start, size in (places[block] for block in blocks):
            yield file_contents.bytes_of(self._work, transfer.file, start, start + size)

    def end(self, token: str, *, keeps_bytes: bool = False) -> None:
        """Forget a transfer, and the bytes of an upload unless they are a content now."""
        self._work.must_write()
        if not keeps_bytes:
            staged = "(select fileid from filetransfer where token = ? and isupload = 1)"
            self._connection.execute(f"delete from filechunk where fileid in {staged}", (token,))
        self._connection.execute("delete from filetransferblock where token = ?", (token,))
        self._connection.execute("delete from filetransfer where token = ?", (token,))

    def _places(self, token: str) -> dict[str, tuple[int, int]]:
        found = self._connection.query("select blockid, start, size from filetransferblock where token = ?", (token,))
        return {block: (start, size) for block, start, size in found}
