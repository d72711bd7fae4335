"""Both classes are what the rooms above are promised; the checker of types proves it, this keeps it in sight."""

from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Database, Transaction
from strongroom.store.transaction import StoreTransaction


def test_the_store_keeps_its_contract(database: StoreDatabase) -> None:
    promised: Database = database
    with promised.read() as tx:
        given: Transaction = tx

        assert isinstance(given, StoreTransaction)
        assert promised.engine in ("sqlcipher", "postgresql")
