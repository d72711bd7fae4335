"""A small company in the store: units, users, teams and roles, written without the rules of the rooms above."""

from dataclasses import dataclass

from strongroom.ids import Guid, Key, Reference
from strongroom.store.protocol import Row, Value
from strongroom.store.transaction import StoreTransaction
from strongroom.store.work import Work


def guid(number: int) -> Guid:
    """A GUID that is easy to recognise in a failing test."""
    return Guid(f"00000000-0000-0000-0000-{number:012x}")


def add(tx: StoreTransaction, table: str, number: int, owner: Row | None = None, **values: Value) -> Row:
    """Insert one row; `owner` gives owner and unit of a user-owned one."""
    row = Row(
        tx.schema.tables[table],
        Key(0),
        guid(number),
        owner.key if owner else None,
        owner.unit if owner else None,
        0,
        dict(values),
    )
    tx.insert(row.table, [row])
    return row


@dataclass(frozen=True)
class Company:
    """Root ← North ← Harbour; Ada in North manages Ben in Harbour; the owner team Deals of North has Ben as member."""

    root: Row
    north: Row
    harbour: Row
    ada: Row
    ben: Row
    deals: Row


def found(tx: StoreTransaction) -> Company:
    """Write the company."""
    root = add(tx, "businessunit", 1, name="Root")
    north = add(tx, "businessunit", 2, name="North", parentbusinessunitid=root.reference())
    harbour = add(tx, "businessunit", 3, name="Harbour", parentbusinessunitid=north.reference())
    ada = add(tx, "systemuser", 11, fullname="Ada Lovelace", businessunitid=north.reference(), isdisabled=False)
    ben = add(
        tx,
        "systemuser",
        12,
        fullname="Ben Okri",
        businessunitid=harbour.reference(),
        isdisabled=False,
        parentsystemuserid=ada.reference(),
    )
    deals = add(tx, "team", 21, name="Deals", businessunitid=north.reference(), teamtype=0, isdefault=False)
    tx.link(tx.schema.many_to_many["teammembership_association"], deals.id, ben.id)
    return Company(root, north, harbour, ada, ben, deals)


def reference(table: str, number: int) -> Reference:
    """A reference to a row of `add`."""
    return Reference(table, guid(number))


def below(tx: StoreTransaction) -> Work:
    """The transaction's inside: what no public method shows, and the damage that a test needs."""
    return tx._work  # pyright: ignore[reportPrivateUsage]
