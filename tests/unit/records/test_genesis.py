"""What a new environment begins with (WA-440 to WA-447, SM-52, SM-64, SM-66), and its rules."""

import pytest
from tests.worlds import World, user

from strongroom.access.caller import SYSTEM_ADMINISTRATOR_TEMPLATE, SYSTEM_CUSTOMIZER_TEMPLATE
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Reference
from strongroom.records import Event, Rules, Session, standard_rules
from strongroom.records.genesis import ADMINISTRATOR_PROFILE
from strongroom.store.protocol import Row, Value


def test_an_environment_is_whole_from_its_first_moment(world: World) -> None:
    """WA-440, WA-446, WA-447."""
    (organization,) = world.rows("organization")
    (currency,) = world.rows("transactioncurrency")
    (publisher,) = world.rows("publisher")
    solutions = {row.values["uniquename"]: row for row in world.rows("solution")}

    assert organization.values["name"] == "Test"
    assert organization.values["basecurrencyid"] == currency.reference()
    assert (currency.values["isocurrencycode"], currency.values["exchangerate"]) == ("USD", 1)
    assert publisher.values["customizationprefix"] == "new"
    assert solutions["Default"].values["publisherid"] == publisher.reference()
    assert world.find("fieldsecurityprofile", ADMINISTRATOR_PROFILE) is not None
    assert world.database.check() == []


def test_the_root_unit_has_its_default_team_with_all_its_users(world: World) -> None:
    """SM-13, SM-52, SM-53."""
    (root,) = world.rows("businessunit")
    assert root.values["parentbusinessunitid"] is None
    assert world.default_team(root.id).values["name"] == root.values["name"]
    with world.database.read() as transaction:
        members = transaction.linked(
            transaction.schema.many_to_many["teammembership_association"],
            world.default_team(root.id).id,
            from_first=True,
        )
    assert set(members) == {world.admin, world.born.system_user}


def test_the_administrator_may_do_everything_and_system_nothing(world: World) -> None:
    """SM-64, SM-60."""
    world.create("account", name="A")
    with pytest.raises(AccessDenied) as refusal:
        world.create("account", by=world.born.system_user, name="A")
    assert refusal.value.code == "0x80040225"


def test_the_standard_roles_are_there(world: World) -> None:
    """SM-64, SM-66."""
    roles = {row.values["name"]: row.values["roletemplateid"] for row in world.rows("role")}
    assert roles["System Administrator"] == Reference("roletemplate", SYSTEM_ADMINISTRATOR_TEMPLATE)
    assert roles["System Customizer"] == Reference("roletemplate", SYSTEM_CUSTOMIZER_TEMPLATE)
    assert "Basic User" in roles


@pytest.mark.parametrize("name", ["System Customizer", "Basic User"])
def test_customizers_and_basic_users_see_only_their_own_rows(world: World, name: str) -> None:
    """SM-66."""
    role = world.rows("role", name=name)[0]
    ann = world.user("Ann", world.unit("North"), role.id)
    world.create("account", name="Foreign")
    own = world.create("account", by=ann, name="Own")
    assert world.visible("account", ann) == {own}
    assert world.admin in world.visible("systemuser", ann)


def test_the_first_rows_are_authored_by_system_and_audited(world: World) -> None:
    root = world.rows("businessunit")[0]
    assert root.values["createdby"] == user(world.born.system_user)
    assert world.rows("audit", objectid=root.reference())[0].values["operation"] == 1


# --- rules of higher rooms -----------------------------------------------------------------------------------------


def test_a_registered_rule_can_refuse_and_the_change_is_undone(world: World) -> None:
    """A legal hold, for example; rules run in the order of registration."""
    seen: list[str] = []

    def hold(_session: Session, row: Row, _values: dict[str, Value]) -> None:
        seen.append(str(row.values["name"]))
        raise InvalidRequest("The row is under a legal hold.", code="0x80040265")

    world.rules.on(Event.BEFORE_DELETE, "account", hold, name="legal hold")
    account = world.create("account", name="A")
    with pytest.raises(InvalidRequest, match="legal hold"):
        world.delete("account", account)
    assert seen == ["A"]
    assert world.find("account", account) is not None


def test_a_rule_may_add_to_what_is_written(world: World) -> None:
    def stamp(_session: Session, _row: Row, values: dict[str, Value]) -> None:
        values["description"] = "stamped"

    for event in (Event.BEFORE_CREATE, Event.BEFORE_UPDATE):
        world.rules.on(event, "account", stamp, name="stamp")
    account = world.create("account", name="A")
    assert world.row("account", account).values["description"] == "stamped"
    world.update("account", account, description="other")
    assert world.row("account", account).values["description"] == "stamped"


def test_rules_of_every_table_run_too(world: World) -> None:
    tables: list[str] = []
    world.rules.on(Event.AFTER_CREATE, None, lambda _s, row, _v: tables.append(row.table.logical_name), name="all")
    world.create("account", name="A")
    world.create("contact", lastname="C")
    assert tables == ["account", "contact"]


def test_the_registered_rules_can_be_listed_in_order() -> None:
    """`strongroom check` prints them."""
    rules: Rules = standard_rules()
    names = [registered.name for registered in rules.registered]
    assert names[0] == "organization: there is one"
    assert len(names) == len(rules.registered) > 20
