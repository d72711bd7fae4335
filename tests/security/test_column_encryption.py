"""TS-504: columns that are encrypted with a key of their own, in the store, in the trail, and for those who read."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from tests.engines import DATA_KEY, NAME, Stores
from tests.worlds import World, depths

from strongroom.audit.history import record_change_history
from strongroom.errors import AccessDenied, Conflict, IntegrityViolation, InvalidRequest, StrongroomError
from strongroom.ids import Guid, Reference
from strongroom.keys import Secret
from strongroom.query.ast import (
    Aggregate,
    AggregateFunction,
    Comparison,
    Expression,
    Field,
    IsNull,
    Literal,
    Match,
    Operator,
    Order,
    Output,
    Predicate,
    Select,
    Source,
    TextMatch,
)
from strongroom.records import Session, change_schema, column_encryption, retrieve_page
from strongroom.schema.changes import NewColumn, replace_column
from strongroom.schema.changes.encryption import with_column_key
from strongroom.schema.model import Column, ColumnType, Depth, Table
from strongroom.store.column_keys import MARK, KeyState
from strongroom.store.postgresql import PostgresqlEngine
from strongroom.store.postgresql_server import schema_name
from strongroom.store.protocol import Database
from strongroom.store.sqlcipher import SqlcipherEngine

PLAIN = "+49 151 000 7421"
ROOT = Secret(bytes(range(32, 64)))


@dataclass(slots=True)
class Place:
    """A world, and where it is stored."""

    world: World
    where: str | Path
    stores: Stores

    def stored(self, sql: str, *parameters: object) -> list[tuple[object, ...]]:
        """What the database holds, past everything that opens it."""
        if isinstance(self.where, Path):
            engine = SqlcipherEngine(self.where, DATA_KEY, 8)
        else:
            engine = PostgresqlEngine(self.where, schema_name(NAME))
        connection = engine.connect()
        try:
            connection.begin_bare()
            found = connection.query(sql, parameters) if sql.startswith("select") else []
            if not found:
                connection.execute(sql, parameters)
            connection.commit()
            return [tuple(row) for row in found]
        finally:
            connection.close()
            engine.close()

    def phones(self) -> dict[str, str]:
        """The stored mobile phones, by row."""
        found = self.stored("select contactid, mobilephone from contact where mobilephone is not null")
        return {str(row): str(stored) for row, stored in found}


@pytest.fixture
def place(stores: Stores, engine: str) -> Iterator[Place]:
    """A world on either engine, with a key for columns."""
    where = stores.place(engine)
    made = Place(World(stores.open(where, column_root=lambda: ROOT)), where, stores)
    yield made
    made.world.database.close()


def encrypt(world: World, column: str = "mobilephone", table: str = "contact") -> None:
    with world.administrating() as session:
        column_encryption.encrypt(session, table, column)


def finish(database: Database) -> int:
    """Take every step that is left; how many there were."""
    steps = 0
    while column_encryption.go_on(database):
        steps += 1
    return steps


def listed(
    world: World, *, where: Predicate | None = None, by: Guid | None = None, order: str = "lastname"
) -> list[object]:
    """The mobile phones in a list."""
    with world.acting(by or world.admin) as session:
        table = session.table("contact")
        outputs = (Output("mobilephone", Field("", table.columns["mobilephone"])),)
        select = Select(Source(table), outputs, where=where, order=(Order(Field("", table.columns[order])),))
        return [record.values[0] for record in retrieve_page(session, select).rows]


def test_values_are_sealed_in_the_store_and_plain_for_readers(place: Place) -> None:
    """TS-504: of values from before and after, by lists and single reads; TS-517: no plain text is left in the row."""
    world = place.world
    before = world.create("contact", lastname="Before", mobilephone=PLAIN)
    encrypt(world)
    after = world.create("contact", lastname="Later", mobilephone="+1 555 0100 ☎")
    world.update("contact", after, mobilephone="+1 555 0199 ☎")
    none = world.create("contact", lastname="None")

    assert [phone[: len(MARK)] for phone in place.phones().values()] == [MARK, MARK]
    assert listed(world) == [PLAIN, "+1 555 0199 ☎", None]
    assert world.read("contact", before, "mobilephone").values[0] == PLAIN
    assert world.row("contact", none).values["mobilephone"] is None
    assert world.schema.tables["contact"].columns["mobilephone"].key_version == 1


def test_what_is_searched_sorted_grouped_or_joined_by_a_sealed_column_is_refused_by_name(place: Place) -> None:
    """TS-504: 400 `encrypted-column-not-searchable`; whether it is empty can be asked."""
    world = place.world
    encrypt(world)
    world.create("contact", lastname="One", mobilephone=PLAIN)
    world.create("contact", lastname="Two")
    column = world.table("contact").columns["mobilephone"]
    field = Field("", column)
    literal = Literal(PLAIN, ColumnType.STRING)

    for where in (Comparison(Operator.EQUAL, field, literal), Match(TextMatch.CONTAINS, field, "151")):
        with pytest.raises(InvalidRequest) as refused:
            listed(world, where=where)
        assert refused.value.details["reason"] == "encrypted-column-not-searchable"
        assert PLAIN not in refused.value.message
    with pytest.raises(InvalidRequest, match="'mobilephone' of 'contact' is encrypted"):
        listed(world, order="mobilephone")
    for expression, groups in ((Aggregate(AggregateFunction.MAXIMUM, field), ()), (field, (field,))):
        with pytest.raises(InvalidRequest, match="is encrypted"):
            _selected(world, expression, groups)
    with pytest.raises(InvalidRequest, match="is encrypted"):
        world.rows("contact", mobilephone=PLAIN)
    assert listed(world, where=IsNull(field)) == [None]
    assert listed(world, where=IsNull(field, negated=True)) == [PLAIN]


def _selected(world: World, expression: Expression, groups: tuple[Field, ...]) -> None:
    with world.administrating() as session:
        select = Select(
            Source(session.table("contact")), (Output("x", expression),), group_by=groups, is_aggregate=True
        )
        retrieve_page(session, select)


def test_the_trail_keeps_old_and_new_values_sealed_and_shows_them_to_readers_of_the_column(place: Place) -> None:
    """TS-504, TS-810: in `changedata` there is no plain value; the history has it for those who may read the column."""
    world = place.world
    encrypt(world)
    row = world.create("contact", lastname="One", mobilephone=PLAIN)
    world.update("contact", row, mobilephone="changed 77", firstname="Plainly")
    world.delete("contact", row)

    told = place.stored("select changedata from audit where changedata is not null")
    text = " ".join(str(each) for (each,) in told)
    assert PLAIN not in text
    assert "changed 77" not in text
    assert "Plainly" in text
    with world.administrating() as session:
        history = record_change_history(session.transaction, session.caller, Reference("contact", row)).details
    values = [(detail.old.get("mobilephone"), detail.new.get("mobilephone")) for detail in history]
    assert values == [("changed 77", None), (PLAIN, "changed 77"), (None, PLAIN)]


def test_column_security_still_closes_the_column(place: Place) -> None:
    """TS-504, SM-132: the key opens nothing to somebody whom no profile lets read."""
    world = place.world
    reader = world.user("Rea", None, world.role("Reader", {"contact": depths(Depth.GLOBAL)}))
    with world.administrating() as session:
        secured = NewColumn("MobilePhone", ColumnType.STRING, is_secured=True)
        change_schema(session, replace_column(session.schema, "contact", "mobilephone", secured))
    encrypt(world)
    world.create("contact", lastname="One", mobilephone=PLAIN)

    assert listed(world, by=reader) == [None]
    assert listed(world) == [PLAIN]


def test_a_value_that_was_put_elsewhere_or_altered_does_not_open(place: Place) -> None:
    """TS-501, TS-504: table, column and row are bound to each value."""
    world = place.world
    encrypt(world)
    encrypt(world, "fax")
    one = world.create("contact", lastname="One", mobilephone=PLAIN)
    two = world.create("contact", lastname="Two", mobilephone="other", fax="fax")
    stored = place.phones()
    altered = stored[one][:-6] + ("AAAAA=" if not stored[one].endswith("AAAAA=") else "BBBBB=")

    for target, column, value in (
        (two, "mobilephone", stored[one]),
        (two, "fax", stored[two]),
        (one, "mobilephone", altered),
    ):
        place.stored(f"update contact set {column} = ? where contactid = ?", value, target)
        with pytest.raises(IntegrityViolation, match="does not open"):
            world.row("contact", target)
        place.stored("update contact set mobilephone = ?, fax = null where contactid = ?", stored[target], target)
    assert world.row("contact", two).values["mobilephone"] == "other"


def test_conversion_goes_on_in_steps_where_an_interrupted_one_ended_while_others_write(place: Place) -> None:
    """TS-504: bounded transactions, resumable; both states are read meanwhile."""
    world = place.world
    rows = [world.create("contact", lastname=f"Row {number:02}", mobilephone=f"n{number}") for number in range(9)]
    with world.administrating() as session:
        version = session.transaction.column_encryption.add_key(*_column(session, "mobilephone"))
        table, column = _column(session, "mobilephone")
        change_schema(session, with_column_key(session.schema, table, column, version))
        column_encryption.step(session.transaction, 4)

    def sealed() -> int:
        return sum(stored.startswith(MARK) for stored in place.phones().values())

    assert sealed() == 4
    world.update("contact", rows[8], mobilephone="written meanwhile")
    assert listed(world) == [*(f"n{number}" for number in range(8)), "written meanwhile"]
    world.database.close()
    world.database = place.stores.open(place.where, column_root=lambda: ROOT)  # another process
    assert finish(world.database) > 0
    assert sealed() == 9
    with world.administrating() as session:
        (found,) = column_encryption.verified(session)
    assert (found["Sealed"], found["Plain"], found["Broken"], found["IsProved"]) == (9, 0, 0, True)


def _column(session: Session, name: str) -> tuple[Table, Column]:
    table = session.table("contact")
    return table, table.columns[name]


def test_a_new_key_seals_every_row_anew_and_the_old_one_opens_the_trail(place: Place) -> None:
    """TS-505: older versions stay for what is older."""
    world = place.world
    encrypt(world)
    row = world.create("contact", lastname="One", mobilephone=PLAIN)
    first = place.phones()[row]
    with world.administrating() as session:
        column_encryption.rotate(session, "contact", "mobilephone")
    finish(world.database)

    second = place.phones()[row]
    assert first.startswith(f"{MARK}1.")
    assert second.startswith(f"{MARK}2.")
    assert listed(world) == [PLAIN]
    with world.administrating() as session:
        history = record_change_history(session.transaction, session.caller, Reference("contact", row)).details
        states = [(key.version, key.state) for key in session.transaction.column_encryption.stored()]
    assert history[-1].new["mobilephone"] == PLAIN
    assert states == [(1, KeyState.RETIRED), (2, KeyState.ACTIVE)]


def test_turned_off_it_is_plain_and_can_be_searched_again(place: Place) -> None:
    """TS-504: off is online too; the trail stays sealed, and is read."""
    world = place.world
    encrypt(world, "emailaddress1")
    row = world.create("contact", lastname="One", emailaddress1="Ann@Example.com")
    with world.administrating() as session:
        column_encryption.decrypt(session, "contact", "emailaddress1")
    finish(world.database)

    column = world.table("contact").columns["emailaddress1"]
    assert not column.is_encrypted
    assert place.stored("select emailaddress1 from contact") == [("Ann@Example.com",)]
    assert world.rows("contact", emailaddress1="ann@example.COM")[0].id == row
    assert world.database.check() == []
    with world.administrating() as session:
        history = record_change_history(session.transaction, session.caller, Reference("contact", row)).details
        with pytest.raises(Conflict, match="is not encrypted"):
            column_encryption.decrypt(session, "contact", "emailaddress1")
    assert history[-1].new["emailaddress1"] == "Ann@Example.com"


@pytest.mark.parametrize(
    ("table", "column", "why"),
    [
        ("contact", "fullname", "primary name"),
        ("contact", "birthdate", "only texts"),
        ("account", "revenue", "only texts"),
        ("task", "description", "activities"),
    ],
)
def test_columns_that_cannot_be_encrypted_are_named_with_the_reason(
    place: Place, table: str, column: str, why: str
) -> None:
    """TS-504."""
    with pytest.raises(InvalidRequest, match=why) as refused:
        encrypt(place.world, column, table)
    assert refused.value.details["column"] == column


def test_only_administrators_change_it_and_marked_values_are_refused(place: Place) -> None:
    """TS-504: nobody else, and no plain value that could be taken for a sealed one."""
    world = place.world
    seller = world.user("Sel", None, world.role("Seller", {"contact": depths(Depth.GLOBAL)}))
    with world.acting(seller) as session, pytest.raises(AccessDenied):
        column_encryption.encrypt(session, "contact", "mobilephone")
    marked = world.create("contact", lastname="Bad", mobilephone=f"{MARK}1.AAAA")
    with pytest.raises(Conflict, match=str(marked)):
        encrypt(world)
    world.update("contact", marked, mobilephone="good")
    encrypt(world)
    with pytest.raises(StrongroomError, match="cannot begin with"):
        world.update("contact", marked, mobilephone=f"{MARK}1.AAAA")


def test_without_the_environments_key_nothing_opens(place: Place) -> None:
    """TS-508: the store alone, with its data key, does not open the column; nor does another key."""
    world = place.world
    encrypt(world)
    row = world.create("contact", lastname="One", mobilephone=PLAIN)
    for root, error in ((None, StrongroomError), (lambda: Secret(bytes(32)), IntegrityViolation)):
        other = place.stores.open(place.where, column_root=root)
        with other.read() as transaction, pytest.raises(error):
            transaction.row(transaction.schema.tables["contact"], row)
        other.close()


def test_a_duplicate_rule_that_compares_the_column_stands_in_the_way(place: Place) -> None:
    """WA-422, TS-504: nobody could compare any more, so it is said before."""
    world = place.world
    rule = world.create("duplicaterule", name="Phones", baseentityname="contact", matchingentityname="contact")
    world.make(
        "duplicaterulecondition",
        {
            "regardingobjectid": Reference("duplicaterule", rule),
            "baseattributename": "mobilephone",
            "matchingattributename": "mobilephone",
            "operatorcode": 0,
        },
    )
    world.update("duplicaterule", rule, statecode=1)

    with pytest.raises(Conflict, match="Phones"):
        encrypt(world)
    world.update("duplicaterule", rule, statecode=0)
    encrypt(world)
    with pytest.raises(InvalidRequest, match="encrypted"):
        world.update("duplicaterule", rule, statecode=1)


def test_changes_of_encryption_are_in_the_trail_and_tell_no_key(place: Place) -> None:
    """TS-517: which column and version, nothing else."""
    world = place.world
    encrypt(world)
    told = [orjson.loads(str(row.values["changedata"])) for row in world.rows("audit", objecttypecode="contact")]
    names = {change["logicalName"] for each in told for change in each["changedAttributes"]}
    assert "column mobilephone key_version" in names
