"""A process that is killed while it writes (reliability R1): what it acknowledged is there, with its audit entry, and
nothing is half done."""

import subprocess
import sys
from pathlib import Path

from tests.engines import Stores
from tests.unit.store.people import below, found, guid

from strongroom.store.transaction import StoreTransaction

_WRITER = """
import sys
from itertools import count
from pathlib import Path
from strongroom.ids import Reference
from tests.engines import Stores
from tests.unit.store.people import add, guid
place, first = sys.argv[1], int(sys.argv[2])
database = Stores(Path()).open(place)
for number in count(first):
    with database.write() as tx:
        ada = tx.row(tx.schema.tables["systemuser"], guid(11))
        account = add(tx, "account", number, ada, name=f"Account {number}")
        tx.append_audit([{"operation": 1, "objectid": account.reference(), "transactionid": account.id,
                          "userid": ada.reference()}])
    print(number, flush=True)
"""


def _written(tx: StoreTransaction, table: str, column: str) -> set[str]:
    return {value for (value,) in below(tx).connection.query(f"select {column} from {table}")}


def test_what_a_killed_process_acknowledged_is_there_and_nothing_else_half(stores: Stores, engine: str) -> None:
    place = stores.place(engine)
    database = stores.open(place)
    with database.write() as tx:
        found(tx)
    database.close()
    acknowledged: set[str] = set()
    root = Path(__file__).parents[3]
    for round_number in range(3):
        first = 10_000 * (round_number + 1)
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", _WRITER, str(place), str(first + 1_000 * n)],
                cwd=root,
                stdout=subprocess.PIPE,
                text=True,
            )
            for n in range(2)
        ]
        for writer in writers:
            assert writer.stdout is not None
            acknowledged |= {guid(int(writer.stdout.readline())) for _ in range(5 + round_number)}
        for writer in writers:
            writer.kill()
        for writer in writers:
            acknowledged |= {guid(int(line)) for line in writer.communicate()[0].splitlines()}

    database = stores.open(place)
    with database.read() as tx:
        rows, audited = _written(tx, "account", "accountid"), _written(tx, "audit", "objectid")
    doubts = database.check()
    database.close()
    assert acknowledged <= rows
    assert rows == audited
    assert doubts == []
