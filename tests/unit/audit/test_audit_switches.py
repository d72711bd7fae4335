"""Switching the trail: what stays on, what is asked back, and how each switch is told (TS-801, TS-803, TS-811)."""

import pytest
from tests.worlds import World

from strongroom.errors import Conflict, InvalidRequest
from strongroom.records import NewRecord, audit_switches, change_schema, create
from strongroom.schema.changes import NewColumn, TableChange, replace_column, replace_table
from strongroom.schema.model import ColumnType
from strongroom.store.protocol import Row


def entries(world: World, table: str) -> list[Row]:
    return [row for row in world.rows("audit") if row.values["objecttypecode"] == table]


def switch(world: World, table: str, change: TableChange) -> None:
    with world.administrating() as session:
        change_schema(session, replace_table(session.schema, table, change))


@pytest.mark.parametrize("table", ["role", "systemuser", "organization", "fieldsecurityprofile"])
def test_security_tables_are_always_audited(world: World, table: str) -> None:
    """TS-803: 400 `always-audited`, and nothing is changed."""
    with pytest.raises(InvalidRequest) as refused:
        switch(world, table, TableChange(is_audited=False))
    assert refused.value.code == "always-audited"
    assert world.table(table).is_audited


def test_columns_of_security_tables_are_always_audited(world: World) -> None:
    """TS-803."""
    asked = NewColumn("Name", ColumnType.STRING, is_audited=False)
    with world.administrating() as session, pytest.raises(InvalidRequest) as refused:
        change_schema(session, replace_column(session.schema, "role", "name", asked))
    assert refused.value.details["target"] == "role.name"


def test_who_may_do_what_is_told_while_the_trail_is_off(world: World) -> None:
    """TS-803: `isauditenabled` off leaves out business rows, not roles and users."""
    world.update("organization", world.born.organization, isauditenabled=False)
    before = len(entries(world, "role")), len(entries(world, "systemuser")), len(entries(world, "account"))
    role = world.role("Clerk")
    ann = world.user("Ann")
    world.update("role", role, name="Clerks")
    world.update("systemuser", ann, firstname="Anna")
    account = world.create("account", name="Fabrikam")
    world.update("account", account, name="Contoso")

    assert len(entries(world, "role")) >= before[0] + 2
    assert len(entries(world, "systemuser")) >= before[1] + 2
    assert len(entries(world, "account")) == before[2]


@pytest.mark.parametrize(("on", "action"), [(False, 108), (True, 105)])
def test_a_tables_switch_is_told_with_its_action(world: World, on: bool, action: int) -> None:
    """TS-801: entity audit started and stopped."""
    switch(world, "account", TableChange(is_audited=not on))
    switch(world, "account", TableChange(is_audited=on))
    told = entries(world, "account")[-1]
    assert told.values["action"] == action
    assert "IsAuditEnabled" in str(told.values["changedata"])


def test_a_columns_switch_and_switches_of_reading_are_told(world: World) -> None:
    """TS-801: attribute audit stopped, and changes of what is told of reading."""
    column = world.table("account").columns["telephone1"]
    asked = NewColumn(column.schema_name, column.type, is_audited=False, is_read_audited=True, label="Phone")
    with world.administrating() as session:
        change_schema(session, replace_column(session.schema, "account", "telephone1", asked))
    switch(world, "account", TableChange(is_retrieve_audited=True))
    told = entries(world, "account")[-4:]

    assert [each.values["action"] for each in told] == [109, 103, 102, 102]
    assert "column telephone1 label" in str(told[2].values["changedata"])
    assert "IsRetrieveAuditEnabled" in str(told[3].values["changedata"])


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({"isuseraccessauditenabled": False}, 113),
        ({"isreadauditenabled": True}, 104),
        ({"auditretentionperiodv2": "30"}, 104),
    ],
)
def test_settings_of_the_trail_are_told_with_their_actions(
    world: World, changes: dict[str, bool | str], action: int
) -> None:
    """TS-801: 104 at the level of the organization, 113 when nobody's refusals are told any more."""
    world.change("organization", world.born.organization, changes)
    assert entries(world, "organization")[-1].values["action"] == action


def test_auditing_what_changes_very_often_is_asked_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """TS-811: 409 `audit-volume`, and the header that confirms it."""
    monkeypatch.setattr(audit_switches, "MANY_CHANGES", 2)
    switch(world, "account", TableChange(is_audited=False))
    with world.administrating() as session:
        for number in range(3):
            create(session, session.table("account"), NewRecord({"name": f"Company {number}"}))

    with pytest.raises(Conflict) as refused:
        switch(world, "account", TableChange(is_audited=True))
    assert refused.value.code == "audit-volume"
    assert "x-sr-confirm: audit-volume" in refused.value.message
    assert not world.table("account").is_audited
