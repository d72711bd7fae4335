"""Rows by identity: what is written is what is read, on both engines, with versions, keys and errors."""

from decimal import Decimal

import pytest
from tests.unit.store.people import add, found, guid, reference

from strongroom.errors import IntegrityViolation, PreconditionFailed
from strongroom.ids import Key, Reference
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Row


def test_a_row_is_read_as_it_was_written(database: StoreDatabase) -> None:
    with database.write() as tx:
        ada = found(tx).ada
        written = add(
            tx,
            "account",
            101,
            ada,
            name="Ünsal & Söhne — 株式会社",
            revenue=Decimal("1234567.8901"),
            exchangerate=Decimal("1.2345678901"),
            numberofemployees=12,
            donotemail=True,
            creditonhold=False,
            address1_latitude=48.25,
            industrycode=7,
            lastusedincampaign="2024-05-01T10:15:00Z",
            primarycontactid=reference("contact", 201),
            description="two\nlines",
        )

    with database.read() as tx:
        read = tx.row(tx.schema.tables["account"], guid(101))

    assert read is not None
    assert (read.key, read.id, read.owner, read.unit, read.version) == (
        written.key,
        guid(101),
        ada.key,
        ada.unit,
        written.version,
    )
    assert {name: value for name, value in read.values.items() if value is not None} == written.values
    assert isinstance(read.values["donotemail"], bool)
    assert read.values["primarycontactid"] == Reference("contact", guid(201))


def test_a_lookup_to_several_tables_keeps_the_table(database: StoreDatabase) -> None:
    with database.write() as tx:
        ada = found(tx).ada
        add(tx, "contact", 201, ada, lastname="Curie", parentcustomerid=reference("account", 101))

    with database.read() as tx:
        read = tx.row(tx.schema.tables["contact"], guid(201))

    assert read is not None
    assert read.values["parentcustomerid"] == Reference("account", guid(101))


def test_versions_rise_with_every_change_across_tables(database: StoreDatabase) -> None:
    with database.write() as tx:
        ada = found(tx).ada
        account = add(tx, "account", 101, ada, name="One")
        contact = add(tx, "contact", 201, ada, lastname="Two")
        first = account.version
        tx.update(account, {"name": "Three"})

    assert first < contact.version < account.version
    assert account.values["versionnumber"] == account.version


def test_an_update_changes_what_it_names_and_nothing_else(database: StoreDatabase) -> None:
    with database.write() as tx:
        ada = found(tx).ada
        account = add(tx, "account", 101, ada, name="One", numberofemployees=5, revenue=Decimal("1.0000"))
    with database.write() as tx:
        tx.update(account, {"name": "Two", "revenue": None})

    with database.read() as tx:
        read = tx.row(account.table, account.id)

    assert read is not None
    assert (read.values["name"], read.values["numberofemployees"], read.values["revenue"]) == ("Two", 5, None)
    assert read.version == account.version


def test_a_taken_id_is_refused_and_nothing_of_the_transaction_stays(database: StoreDatabase) -> None:
    with database.write() as tx:
        ada = found(tx).ada
        add(tx, "account", 101, ada, name="One")

    with pytest.raises(PreconditionFailed) as refused, database.write() as tx:
        add(tx, "account", 102, ada, name="Two")
        add(tx, "account", 101, ada, name="Again")

    assert refused.value.code == "0x80040237"
    with database.read() as tx:
        assert tx.row(tx.schema.tables["account"], guid(102)) is None


def test_a_failed_transaction_cannot_be_committed_by_hiding_the_error(database: StoreDatabase) -> None:
    with database.write() as tx:
        ada = found(tx).ada
        add(tx, "account", 101, ada, name="One")

    with pytest.raises(IntegrityViolation), database.write() as tx:
        add(tx, "account", 102, ada, name="Two")
        with pytest.raises(PreconditionFailed):
            add(tx, "account", 101, ada, name="Again")

    with database.read() as tx:
        assert tx.row(tx.schema.tables["account"], guid(102)) is None


def test_a_row_is_found_by_text_without_regard_to_case(database: StoreDatabase) -> None:
    """WA-101, for a column with a folded companion and for one without."""
    with database.write() as tx:
        ada = found(tx).ada
        add(tx, "account", 101, ada, name="ÄRGER ΣΑΣ", tickersymbol="Äb")
        table = tx.schema.tables["account"]

        by_name = tx.row_by_key(table, {"name": "ärger σας"})
        by_symbol = tx.row_by_key(table, {"tickersymbol": "äB"})

    assert by_name is not None
    assert by_symbol is not None
    assert by_name.id == by_symbol.id == guid(101)


def test_children_are_found_by_lookup_and_by_owner(database: StoreDatabase) -> None:
    with database.write() as tx:
        company = found(tx)
        account = add(tx, "account", 101, company.ada, name="One")
        add(tx, "account", 102, company.ben, name="Two")
        child = add(tx, "contact", 201, company.ada, lastname="A", parentcustomerid=account.reference())
        add(tx, "contact", 202, company.ada, lastname="B", parentcustomerid=reference("contact", 101))
        of_account = tx.schema.relationships["contact_customer_accounts"]
        owned = next(
            r
            for r in tx.schema.children_of("systemuser")
            if r.referencing_table == "account" and r.referencing_column == "owninguser"
        )

        children = tx.children(of_account, [account.id])
        belongings = tx.children(owned, [company.ben.id])

    assert [row.id for row in children] == [child.id]
    assert [row.id for row in belongings] == [guid(102)]


def test_deleting_takes_links_and_shares_along(database: StoreDatabase) -> None:
    with database.write() as tx:
        company = found(tx)
        membership = tx.schema.many_to_many["teammembership_association"]
        tx.delete(company.deals.table, [company.deals])

        assert tx.linked(membership, company.ben.id, from_first=False) == []
        assert tx.principal_key(company.deals.reference()) is None


def test_a_link_is_made_once_and_found_from_both_sides(database: StoreDatabase) -> None:
    with database.write() as tx:
        company = found(tx)
        membership = tx.schema.many_to_many["teammembership_association"]

        again = tx.link(membership, company.deals.id, company.ben.id)
        members = tx.linked(membership, company.deals.id, from_first=True)
        teams = tx.linked(membership, company.ben.id, from_first=False)
        gone = tx.unlink(membership, company.deals.id, company.ben.id)
        gone_again = tx.unlink(membership, company.deals.id, company.ben.id)

    assert (again, gone, gone_again) == (False, True, False)
    assert members == [company.ben.id]
    assert teams == [company.deals.id]


def test_users_and_teams_share_one_key_space_and_own_themselves(database: StoreDatabase) -> None:
    """SM-12: Basic on systemuser reaches the caller's own row."""
    with database.write() as tx:
        company = found(tx)

        assert tx.principal(company.deals.key) == company.deals.reference()
        assert tx.principal_key(company.ada.reference()) == company.ada.key

    with database.read() as tx:
        ada = tx.row(company.ada.table, company.ada.id)
        unit = tx.row(company.north.table, company.north.id)
    assert ada is not None
    assert unit is not None
    assert (ada.owner, ada.unit) == (ada.key, company.north.key)
    assert unit.unit == unit.key


def test_a_user_that_changes_its_unit_moves_to_the_other_unit_key(database: StoreDatabase) -> None:
    with database.write() as tx:
        company = found(tx)
        tx.update(company.ada, {"businessunitid": company.harbour.reference()})

    with database.read() as tx:
        ada = tx.row(company.ada.table, company.ada.id)
    assert ada is not None
    assert ada.unit == company.harbour.key


def test_many_rows_at_once_are_the_same_as_one_by_one(database: StoreDatabase) -> None:
    """The bulk path of each engine (COPY on PostgreSQL) writes what the single path writes."""
    with database.write() as tx:
        ada = found(tx).ada
        table = tx.schema.tables["account"]
        texts = ["plain", "tab\there", "back\\slash", "new\nline", "\\N", "Ωmega", None, "quote'\""]
        rows = [
            Row(table, Key(0), guid(1000 + n), ada.key, ada.unit, 0, {"name": texts[n % 8], "creditonhold": n % 2 == 0})
            for n in range(64)
        ]
        tx.insert(table, rows)

    with database.read() as tx:
        read = tx.rows(table, [row.id for row in rows])

    assert [read[row.id].values["name"] for row in rows] == [row.values.get("name") for row in rows]
    assert [read[row.id].values["creditonhold"] for row in rows] == [n % 2 == 0 for n in range(64)]
    assert [read[row.id].key for row in rows] == [row.key for row in rows]
