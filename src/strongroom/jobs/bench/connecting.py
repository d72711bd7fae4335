"""A connection of the benchmark's own to an environment's file or database, for hand-written statements."""

from strongroom.home import EnvironmentRecord, Home
from strongroom.keys import Secret
from strongroom.store.engine import Connection
from strongroom.store.sqlcipher import SqlcipherEngine


def connect(home: Home, record: EnvironmentRecord) -> Connection:
    """As the product connects: same key, same settings, a page cache of its own."""
    if record.engine == "postgresql":
        from strongroom.store.postgresql import PostgresqlEngine
        from strongroom.store.postgresql_server import schema_name

        return PostgresqlEngine(home.database_address(record).reveal().decode(), schema_name(record.name)).connect()
    path = home.database_file(record)

    def connected(key: Secret) -> Connection:
        return SqlcipherEngine(path, key.reveal()).connect()

    return home.keys.open_environment(record.id, connected)
