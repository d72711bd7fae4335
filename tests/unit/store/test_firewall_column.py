"""The list of networks of the IP firewall, which older environments have as a switch (TS-308)."""

from tests.engines import Stores
from tests.unit.store.people import below

_LIST = "allowediprangeforfirewall"


def test_an_older_environment_gets_the_list_as_a_text(stores: Stores, engine: str) -> None:
    """The migration: the switch goes, and the text comes with the standard catalogue."""
    place = stores.place(engine)
    older = stores.open(place)
    with older.write() as tx:
        work = below(tx)
        kind = "integer" if engine == "sqlcipher" else "boolean"
        work.connection.execute(f"alter table organization drop column {_LIST}")
        work.connection.execute(f"alter table organization add column {_LIST} {kind}")
        work.connection.execute("delete from migration where number = 8")
        work.connection.execute("update metadata set body = 'older' where kind = 'fingerprint'")
    older.close()

    database = stores.open(place)

    with database.write() as tx:
        below(tx).connection.execute(f"update organization set {_LIST} = ?", ("192.0.2.0/24",))
    assert database.check() == []
    database.close()
