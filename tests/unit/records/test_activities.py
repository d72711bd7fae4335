"""Activities through `activitypointer`, and their parties: with the security of the activity (SM-2, SM-10)."""

import pytest
from tests.worlds import World, depths, user

from strongroom.errors import AccessDenied, InvalidRequest, NotFound, PreconditionFailed
from strongroom.ids import Guid, Reference, new_guid
from strongroom.records import NewRecord, Related, change_schema, create, delete_multiple, modify_access
from strongroom.records.parties import replace_parties
from strongroom.schema.changes import (
    NewColumn,
    NewTable,
    TableChange,
    create_table,
    delete_table,
    replace_column,
    replace_table,
)
from strongroom.schema.model import ColumnType, Depth, Ownership, Rights
from strongroom.store.protocol import Value
from strongroom.store.transaction import StoreTransaction

ACTIVITIES = ("appointment", "email", "fax", "letter", "phonecall", "task")


def regarding(account: Guid) -> Reference:
    return Reference("account", account)


def everywhere(world: World, who: Guid) -> set[Guid]:
    """The activities that a user sees, asked of each table alone."""
    return set[Guid]().union(*(world.visible(name, who) for name in ACTIVITIES))


def sound(world: World) -> None:
    assert world.database.check() == []


def test_activitypointer_shows_each_caller_the_activities_of_all_tables_that_it_may_read(world: World) -> None:
    """SM-5, SM-10, SM-31 to SM-36, SM-70: own rows, those of the unit, shared ones, inherited shares; no others."""
    north = world.unit("North")
    reader = world.role("Reader", {"task": depths(Depth.BASIC), "account": depths(Depth.BASIC)})
    local = world.role("Local", {"task": depths(Depth.LOCAL)}, unit=north)
    ann, bob = world.user("Ann", north, reader), world.user("Bob", north, local)
    cid = world.user("Cid", None, reader)
    account = world.create("account", ann, name="A")
    made = {name: world.create(name, ann, subject=name, regardingobjectid=regarding(account)) for name in ACTIVITIES}
    alone = world.create("task", cid, subject="alone")
    world.share(Reference("email", made["email"]), user(cid), Rights.READ)

    assert world.visible("activitypointer", ann) == everywhere(world, ann) == set(made.values())
    assert world.visible("activitypointer", bob) == everywhere(world, bob) == set(made.values())
    assert world.visible("activitypointer", cid) == everywhere(world, cid) == {alone, made["email"]}
    world.share(Reference("account", account), user(cid), Rights.READ)  # goes down to the activities (SM-80)
    assert world.visible("activitypointer", cid) == everywhere(world, cid) == {alone, *made.values()}
    with world.administrating() as session:
        modify_access(session, Reference("account", account), user(cid), Rights.NONE)
    assert world.visible("activitypointer", cid) == everywhere(world, cid) == {alone, made["email"]}
    sound(world)


def test_what_is_done_to_activitypointer_is_done_to_the_activity(world: World) -> None:
    """SM-90, SM-100, SM-73: update, state, owner, share and delete, with the rights that the activity asks for."""
    role = world.role("Worker", {"task": depths(Depth.BASIC)})
    ann, bob = world.user("Ann", None, role), world.user("Bob", None, role)
    task = world.create("task", ann, subject="Before")

    world.update("activitypointer", task, ann, subject="After", statecode=1)
    assert world.row("task", task).values["subject"] == "After"
    assert world.row("task", task).values["statuscode"] == 5
    with pytest.raises(AccessDenied):
        world.update("activitypointer", task, bob, subject="Taken")
    world.share(Reference("activitypointer", task), user(bob), Rights.READ, ann)
    assert world.visible("task", bob) == {task}
    with pytest.raises(AccessDenied):
        world.delete("activitypointer", task, bob)
    world.update("activitypointer", task, ann, ownerid=user(bob))
    assert world.owner("task", task) == world.owner("activitypointer", task) == user(bob)
    sound(world)
    world.delete("activitypointer", task, bob)
    assert world.find("task", task) is world.find("activitypointer", task) is None
    sound(world)


def test_several_rows_of_activitypointer_change_and_go_together(world: World) -> None:
    """WA-301, WA-302."""
    task, call = world.create("task", subject="T"), world.create("phonecall", subject="C")
    with world.administrating() as session:
        delete_multiple(session, session.table("activitypointer"), [task, call])
    assert world.find("task", task) is world.find("phonecall", call) is None
    sound(world)


def test_activitypointer_refuses_what_is_no_act_on_an_activity(world: World) -> None:
    """WA-55, SM-6: nothing is created there, nothing that is not there is found, no column is lost."""
    with pytest.raises(InvalidRequest, match="in its own table"):
        world.create("activitypointer", subject="Nothing")
    with pytest.raises(NotFound):
        world.update("activitypointer", new_guid(world.clock), subject="Nobody")
    task = world.create("task", subject="T")
    with pytest.raises(InvalidRequest, match="'task' has no column 'community'"):
        world.update("activitypointer", task, community=1)
    with pytest.raises(PreconditionFailed):  # one id is one activity, in whichever table
        world.create("email", activityid=task, subject="E")
    with pytest.raises(AccessDenied):
        world.delete("activitypointer", task, world.user("Nobody", None, world.role("Empty")))
    sound(world)


def test_a_column_that_is_secured_in_the_activitys_table_is_empty_in_activitypointer(world: World) -> None:
    """SM-130, SM-132: also for rows from before, and no longer once it is open again."""
    task = world.create("task", subject="T", description="Secret")
    assert world.row("activitypointer", task).values["description"] == "Secret"
    for secured, seen in ((True, None), (False, "Secret")):
        with world.administrating() as session:
            change = NewColumn("Description", ColumnType.MEMO, is_secured=secured)
            change_schema(session, replace_column(session.schema, "task", "description", change))
        assert world.row("activitypointer", task).values["description"] == seen
        world.update("task", task, description="Secret")
        assert world.row("activitypointer", task).values["description"] == seen
        sound(world)


def test_a_table_left_out_of_the_hierarchy_is_left_out_of_activitypointer(world: World) -> None:
    """SM-140: nothing is seen there that its own table hides."""
    role = world.role("Worker", {"task": depths(Depth.BASIC)})
    boss = world.user("Boss", None, role)
    ann = world.user("Ann", None, role, parentsystemuserid=user(boss))
    organization = world.rows("organization")[0].id
    world.update("organization", organization, ishierarchicalsecuritymodelenabled=True)
    task = world.create("task", ann, subject="T")
    assert world.visible("activitypointer", boss) == world.visible("task", boss) == {task}
    with world.administrating() as session:
        change = TableChange(is_hierarchy_security_enabled=False)
        change_schema(session, replace_table(session.schema, "task", change))
    assert world.visible("activitypointer", boss) == world.visible("task", boss) == set()


# --- parties -----------------------------------------------------------------------------------------------------


def party(part: int, **values: Value) -> NewRecord:
    return NewRecord({"participationtypemask": part, **values})


def email(world: World, *parties: NewRecord, by: Guid | None = None) -> Guid:
    """An email with parties."""
    with world.acting(by or world.admin) as session:
        link = session.schema.relationships["email_activity_parties"]
        record = NewRecord({"subject": "Hello"}, (Related(link, create=parties),))
        return create(session, session.table("email"), record)


def parts(world: World, activity: Guid) -> list[tuple[Value, Value]]:
    rows = world.rows("activityparty", activityid=Reference("email", activity))
    return sorted(
        (row.values["participationtypemask"], row.values["partyid"] or row.values["addressused"]) for row in rows
    )


def test_parties_come_with_the_activity_and_are_replaced_as_a_list(world: World) -> None:
    """WA-168, WA-120: the list is one; the activity gets a new version, and its trail tells both lists."""
    ann = world.create("contact", lastname="Ann")
    made = email(
        world,
        party(1, partyid=user(world.admin)),
        party(2, partyid=Reference("contact", ann)),
        party(3, addressused="x@test"),
    )
    assert parts(world, made) == [(1, user(world.admin)), (2, Reference("contact", ann)), (3, "x@test")]
    version = world.row("email", made).version
    with world.administrating() as session:
        link = session.schema.relationships["email_activity_parties"]
        replace_parties(session, session.table("email"), made, link, [party(2, addressused="y@test")])
    assert parts(world, made) == [(2, "y@test")]
    assert world.row("email", made).version > version
    assert world.row("activitypointer", made).version == world.row("email", made).version
    told = [str(row.values["changedata"]) for row in world.rows("audit", objectid=Reference("email", made))]
    assert any(f"2:contact,{ann}" in each and "2:y@test" in each for each in told)
    world.delete("email", made)
    assert parts(world, made) == []
    sound(world)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([party(1)], "partyid"),
        ([NewRecord({"addressused": "x@test"})], "participationtypemask"),
        ([party(5, addressused="x@test")], "one of the parts 1, 2, 3, 4"),
        ([party(9, addressused="x@test")], "'ownerid'"),
        ([party(99, addressused="x@test")], "99"),
        ([party(1, addressused="x@test"), party(1, addressused="y@test")], "one sender"),
        ([party(2, addressused="x@test", subject="S")], "undeclared property"),
        ([party(2, addressused="x@test")] * 1001, "1000 parties"),
    ],
)
def test_parties_that_mean_nothing_are_refused_with_their_activity(
    world: World, given: list[NewRecord], says: str
) -> None:
    """WA-113, SM-6."""
    with pytest.raises(InvalidRequest, match=says):
        email(world, *given)
    assert world.rows("email") == world.rows("activitypointer") == []


def test_parties_are_written_with_their_activity_only(world: World) -> None:
    """SM-10: not as rows of their own."""
    made = email(world, party(2, addressused="x@test"))
    known = world.rows("activityparty")[0].id
    with pytest.raises(InvalidRequest, match="parts of activities"):
        world.create("activityparty", activityid=Reference("email", made), participationtypemask=2)
    with pytest.raises(InvalidRequest, match="parts of activities"):
        world.update("activityparty", known, addressused="y@test")
    with pytest.raises(InvalidRequest, match="parts of activities"):
        world.delete("activityparty", known)
    assert parts(world, made) == [(2, "x@test")]


def test_parties_are_read_by_readers_of_the_activity_and_need_append_to_on_the_party(world: World) -> None:
    """SM-10, SM-111, SM-124."""
    rights = depths(Depth.BASIC)
    writer = world.role("Writer", {"email": rights, "contact": rights})
    ann, bob = world.user("Ann", None, writer), world.user("Bob", None, writer)
    own, other = world.create("contact", ann, lastname="Own"), world.create("contact", lastname="Other")
    made = email(world, party(2, partyid=Reference("contact", own)), by=ann)
    assert len(world.visible("activityparty", ann)) == 1
    assert world.visible("activityparty", bob) == set()
    with pytest.raises(AccessDenied):
        email(world, party(2, partyid=Reference("contact", other)), by=ann)
    assert world.visible("email", ann) == {made}
    with world.acting(bob) as session, pytest.raises(AccessDenied):
        link = session.schema.relationships["email_activity_parties"]
        replace_parties(session, session.table("email"), made, link, [])
    world.share(Reference("activitypointer", made), user(bob), Rights.READ)
    assert len(world.visible("activityparty", bob)) == 1


# --- activity tables of one's own ----------------------------------------------------------------------------------


def new_activity(world: World, name: str, *columns: NewColumn) -> None:
    asked = NewTable(name, Ownership.USER, NewColumn("Subject", ColumnType.STRING), columns=columns, is_activity=True)
    with world.administrating() as session:
        change_schema(session, create_table(session.schema, asked))


def test_an_activity_table_of_ones_own_is_an_activity_in_every_way(world: World) -> None:
    """WA-340, WA-342: columns, privileges, regarding row, parties; and nothing stays when it goes (WA-345)."""
    new_activity(world, "new_Visit", NewColumn("new_Place", ColumnType.STRING))
    visit, pointer = world.table("new_visit"), world.table("activitypointer")
    assert (visit.primary_id, visit.primary_name, visit.is_activity) == ("activityid", "subject", True)
    assert dict(visit.privileges) == dict(pointer.privileges)
    role = world.role("Worker", {"task": depths(Depth.BASIC), "account": depths(Depth.BASIC)})
    ann = world.user("Ann", None, role)
    account = world.create("account", ann, name="A")
    with world.acting(ann) as session:
        link = session.schema.relationships["new_visit_activity_parties"]
        values: dict[str, Value] = {"subject": "V", "new_place": "P", "regardingobjectid": regarding(account)}
        record = NewRecord(values, (Related(link, create=(party(2, addressused="x@test"),)),))
        made = create(session, visit, record)
    task = world.create("task", ann, subject="T")
    assert world.visible("activitypointer", ann) == {made, task}
    assert world.row("activitypointer", made).values["activitytypecode"] == "new_visit"
    world.update("activitypointer", made, ann, subject="W")
    assert world.row("new_visit", made).values["subject"] == "W"
    world.share(Reference("new_visit", made), user(world.user("Bob", None, role)), Rights.READ)
    sound(world)
    with world.administrating() as session:
        change_schema(session, delete_table(session.schema, "new_visit"))
    assert world.visible("activitypointer", ann) == {task}
    assert world.rows("activityparty") == []
    sound(world)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            NewTable("new_A", Ownership.ORGANIZATION, NewColumn("Subject", ColumnType.STRING), is_activity=True),
            "UserOwned",
        ),
        (NewTable("new_A", Ownership.USER, NewColumn("new_Name", ColumnType.STRING), is_activity=True), "'Subject'"),
        (
            NewTable(
                "new_A",
                Ownership.USER,
                NewColumn("Subject", ColumnType.STRING),
                is_activity=True,
                has_activities=True,
            ),
            "activities of its own",
        ),
    ],
)
def test_what_no_activity_table_can_be_is_refused(world: World, asked: NewTable, says: str) -> None:
    """WA-353."""
    with pytest.raises(InvalidRequest, match=says):
        create_table(world.schema, asked)


def test_activities_from_before_get_their_place_in_activitypointer(world: World) -> None:
    """An environment of an older program is brought up to date, shares and counters included."""
    role = world.role("Worker", {"task": depths(Depth.BASIC)})
    ann = world.user("Ann", None, role)
    task = world.create("task", subject="T")
    world.share(Reference("task", task), user(ann), Rights.READ)
    with world.database.write() as transaction:
        assert isinstance(transaction, StoreTransaction)
        connection = transaction._work.connection  # pyright: ignore[reportPrivateUsage]  # as it once was
        connection.execute("delete from activitypointer")
        connection.execute("delete from principalobjectaccess where objecttypecode = 'activitypointer'")
        connection.execute("delete from counters where tablename = 'activitypointer'")
    assert world.visible("activitypointer", ann) == set()
    with world.database.write() as transaction:
        transaction.change_schema(transaction.schema)
    assert world.visible("activitypointer", ann) == {task}
    sound(world)


def test_lookups_to_an_activity_lead_to_its_own_table(world: World) -> None:
    """SM-101, SM-102: what hangs on an activity by either name goes with it."""
    made = world.create("email", subject="E")
    item = world.create(
        "queueitem",
        queueid=Reference("queue", world.create("queue", name="Q")),
        objectid=Reference("activitypointer", made),
    )
    assert world.row("queueitem", item).values["objectid"] == Reference("email", made)
    world.delete("email", made)
    assert world.find("queueitem", item) is None
