"""`check` finds what must not be: each kind of damage is named, and a sound environment has no doubts."""

import pytest
from tests.engines import Stores
from tests.unit.store.people import add, below, found

from strongroom.schema.model import Rights
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Share

_DAMAGE = {
    "update account set owner = 99": "account: 1 rows have a owner that does not exist",
    "update account set unit = 99": "account: 1 rows have a unit that does not exist",
    "update account set name__fold = 'x'": "account: 1 folded values of name are wrong",
    "update account set versionnumber = 99999999": "account: a row has the version 99999999",
    "delete from principal where kind = 'team'": "team: 1 rows are no principals",
    "update principalobjectaccess set sort = 'x'": "shares: 1 of account are sorted by an old name",
    "update principalobjectaccess set owner = 1": "shares: 1 of account have another owner or unit than their row",
    "update principalobjectaccess set unit = 1": "shares: 1 of account have another owner or unit than their row",
    "update principalobjectaccess set alone = 0": "shares: 1 are wrong about whether their row has others",
    "update principalobjectaccess set object = 1": "shares: 1 are of rows of account that do not exist",
    "update principalobjectaccess set principal = 1": "shares: 1 are with principals that do not exist",
}
_BROKEN_FORM = {
    "alter table account drop column sic": "account: columns are missing: sic",
    "drop table competitor": "competitor: the table is missing",
}


@pytest.mark.parametrize("damage", _DAMAGE, ids=lambda sql: sql)
def test_damage_is_named(database: StoreDatabase, damage: str) -> None:
    with database.write() as tx:
        company = found(tx)
        account = add(tx, "account", 101, company.ada, name="Zeta")
        tx.set_share(account, Share(company.ben.key, Rights.READ, Rights.NONE))
    assert database.check() == []

    with database.write() as tx:
        below(tx).connection.execute(damage)

    assert any(doubt.startswith(_DAMAGE[damage]) for doubt in database.check()), database.check()


def test_tables_that_do_not_fit_the_schema_are_named(stores: Stores, engine: str) -> None:
    database = stores.open(stores.place(engine))  # of its own: what is broken here must not be used again
    with database.write() as tx:
        for damage in _BROKEN_FORM:
            below(tx).connection.execute(damage)

    doubts = database.check()
    database.close()
    assert doubts == list(_BROKEN_FORM.values())
