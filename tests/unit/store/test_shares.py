"""Shares and the parts that inherited rights come from (SM-70 to SM-89)."""

from tests.unit.store.people import Company, add, below, found, guid

from strongroom.ids import Guid
from strongroom.schema.model import Rights
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import InheritedPart, Row, Share
from strongroom.store.transaction import StoreTransaction

_PARENT = guid(900)


def _shared(tx: StoreTransaction) -> tuple[Company, Row]:
    company = found(tx)
    account = add(tx, "account", 101, company.ada, name="Zeta")
    tx.set_share(account, Share(company.ben.key, Rights.READ, Rights.NONE))
    return company, account


def _sort_keys(tx: StoreTransaction) -> list[tuple[str | None]]:
    work = below(tx)
    return work.connection.query('select "sort" from principalobjectaccess')


def test_a_share_is_read_back_by_row_and_replaced_as_a_whole(database: StoreDatabase) -> None:
    with database.write() as tx:
        company, account = _shared(tx)
        tx.set_share(account, Share(company.ben.key, Rights.WRITE | Rights.DELETE, Rights.READ))
        tx.set_share(account, Share(company.deals.key, Rights.READ, Rights.NONE))

    with database.read() as tx:
        shares = tx.shares(account.table, [account.key])

    assert shares == {
        account.key: [
            Share(company.ben.key, Rights.WRITE | Rights.DELETE, Rights.READ),
            Share(company.deals.key, Rights.READ, Rights.NONE),
        ]
    }


def test_a_share_without_rights_is_no_share(database: StoreDatabase) -> None:
    """SM-79."""
    with database.write() as tx:
        company, account = _shared(tx)
        tx.set_share(account, Share(company.ben.key, Rights.NONE, Rights.NONE))

        assert tx.shares(account.table, [account.key]) == {}


def test_inherited_rights_are_the_union_of_their_parts(database: StoreDatabase) -> None:
    """Section 7: each part remembers relationship and parent, and ends alone."""
    with database.write() as tx:
        company, account = _shared(tx)
        first = InheritedPart(company.ben.key, "account_parent_account", _PARENT, Rights.READ | Rights.WRITE)
        second = InheritedPart(company.ben.key, "account_parent_account", guid(901), Rights.WRITE | Rights.DELETE)
        tx.set_inherited_part(account, first)
        tx.set_inherited_part(account, second)
        both = tx.shares(account.table, [account.key])[account.key]
        tx.set_inherited_part(account, InheritedPart(first.principal, first.relationship, _PARENT, Rights.NONE))
        one = tx.shares(account.table, [account.key])[account.key]

        assert both == [Share(company.ben.key, Rights.READ, Rights.READ | Rights.WRITE | Rights.DELETE)]
        assert one == [Share(company.ben.key, Rights.READ, Rights.WRITE | Rights.DELETE)]
        assert tx.inherited_parts(account) == [second]


def test_the_share_ends_with_its_last_part_when_nothing_is_direct(database: StoreDatabase) -> None:
    with database.write() as tx:
        company = found(tx)
        account = add(tx, "account", 101, company.ada, name="Zeta")
        part = InheritedPart(company.ben.key, "account_parent_account", Guid(_PARENT), Rights.READ)
        tx.set_inherited_part(account, part)
        tx.set_inherited_part(account, InheritedPart(part.principal, part.relationship, part.parent, Rights.NONE))

        assert tx.shares(account.table, [account.key]) == {}


def test_shares_follow_the_primary_name_of_their_row(database: StoreDatabase) -> None:
    with database.write() as tx:
        _, account = _shared(tx)
        before = _sort_keys(tx)
        tx.update(account, {"name": "ÄRA"})

        assert before == [("zeta",)]
        assert _sort_keys(tx) == [("ära",)]


def test_shares_end_with_the_row_and_with_the_principal(database: StoreDatabase) -> None:
    with database.write() as tx:
        company, account = _shared(tx)
        other = add(tx, "account", 102, company.ada, name="Other")
        tx.set_share(other, Share(company.deals.key, Rights.READ, Rights.NONE))
        tx.delete(account.table, [account])
        tx.delete(company.deals.table, [company.deals])

        assert tx.shares(account.table, [account.key, other.key]) == {}
    assert database.check() == []
