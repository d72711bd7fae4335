"""From facts to callers: SM-21, SM-42, SM-60 to SM-64, SM-68, and the messages of SM-150."""

import pytest
from people import (
    ACCOUNT,
    ADA,
    CITY,
    DEALS,
    NORTH,
    ROOT,
    SCHEMA,
    SOUTH,
    UNITS,
    administrator,
    facts,
    holding,
    role,
    team,
)

from access_schema import guid
from strongroom.access.caller import AccessMode, SecuritySettings, TeamType, Unit, UnitTree
from strongroom.access.planning import plan_for
from strongroom.access.resolve import (
    grants_of,
    holds,
    require_enabled,
    require_entry,
    require_privilege,
    require_usable,
    resolve,
)
from strongroom.errors import AccessDenied
from strongroom.ids import Key
from strongroom.schema.model import Depth, Rights

READ = ACCOUNT.privileges[Rights.READ]
WRITE = ACCOUNT.privileges[Rights.WRITE]


def test_each_role_gives_its_own_grant_anchored_at_its_own_unit() -> None:
    """SM-22, SM-42: grants of the same privilege stand side by side."""
    deals = team("deals", DEALS, unit=SOUTH)
    held = facts(
        role("seller", NORTH),
        role("helper", SOUTH, deals),
        teams=[deals],
        privileges={
            "seller": {("account", Rights.READ): Depth.LOCAL},
            "helper": {("account", Rights.READ): Depth.BASIC},
        },
    )

    grants = grants_of(resolve(held, SCHEMA, 7), READ)

    assert [(grant.depth, grant.anchor, grant.held.via_team) for grant in grants] == [
        (Depth.LOCAL, NORTH, None),
        (Depth.BASIC, SOUTH, deals),
    ]


def test_system_administrators_hold_every_privilege_whatever_their_role_lists() -> None:
    """SM-64."""
    caller = administrator()

    assert set(caller.grants) == set(SCHEMA.privileges_by_id)
    assert caller.is_system_administrator
    assert holds(caller, "prvReadAuditSummary")


def test_access_mode_read_leaves_only_read_privileges_also_to_administrators() -> None:
    """SM-63."""
    caller = administrator(mode=AccessMode.READ)

    assert READ.id in caller.grants
    assert WRITE.id not in caller.grants
    assert holds(caller, "prvReadAuditSummary")
    assert not holds(caller, "prvActOnBehalfOfAnotherUser")


@pytest.mark.parametrize("mode", [AccessMode.ADMINISTRATIVE, AccessMode.SUPPORT, AccessMode.DELEGATED_ADMIN])
def test_administrative_access_modes_leave_settings_tables_only(mode: AccessMode) -> None:
    """SM-63."""
    caller = administrator(mode=mode)

    assert READ.id not in caller.grants
    assert SCHEMA.tables["role"].privileges[Rights.WRITE].id in caller.grants
    assert holds(caller, "prvActOnBehalfOfAnotherUser")


def test_non_interactive_users_lose_no_privilege() -> None:
    """SM-63."""
    assert administrator(mode=AccessMode.NON_INTERACTIVE).grants == administrator().grants


def test_under_impersonation_a_privilege_counts_only_when_both_hold_it() -> None:
    """SM-68."""
    real = holding(Depth.BASIC, Rights.READ)
    impersonated = facts(
        role("manager", ROOT),
        name="bo",
        privileges={"manager": {("account", Rights.READ): Depth.GLOBAL, ("account", Rights.WRITE): Depth.GLOBAL}},
    )

    caller = resolve(impersonated, SCHEMA, 1, initiated_by=real)

    assert [grant.depth for grant in grants_of(caller, READ)] == [Depth.GLOBAL]  # the reach of the impersonated user
    assert grants_of(caller, WRITE) == ()
    assert caller.initiating_id == guid("ada")


def test_an_impersonated_administrator_is_no_stronger_than_the_real_caller() -> None:
    """SM-68."""
    real = holding(Depth.BASIC, Rights.READ)

    caller = resolve(facts(role("administrator", ROOT), name="root1"), SCHEMA, 1, initiated_by=real)

    assert set(caller.grants) == {READ.id}
    assert plan_for(caller, ACCOUNT, Rights.READ).is_everything
    assert plan_for(caller, ACCOUNT, Rights.WRITE).refusal is not None


def test_a_disabled_user_can_do_nothing() -> None:
    """SM-60."""
    caller = resolve(facts(role("seller"), disabled=True), SCHEMA, 1)

    with pytest.raises(AccessDenied) as refused:
        require_usable(caller)

    assert (refused.value.status, refused.value.code) == (403, "0x80040225")


def test_a_user_below_a_disabled_unit_can_do_nothing() -> None:
    """SM-61: inherited downwards."""
    units = UnitTree({**UNITS.units, NORTH: Unit(NORTH, guid("north"), "north", ROOT, is_disabled=True)})
    caller = resolve(facts(role("seller"), unit=CITY, units=units), SCHEMA, 1)

    with pytest.raises(AccessDenied) as refused:
        require_enabled(caller)

    assert refused.value.code == "0x80040225"


def test_a_loop_of_units_which_nobody_may_make_hangs_no_request() -> None:
    """SM-13, SM-7."""
    units = UnitTree({NORTH: Unit(NORTH, guid("n"), "n", CITY), CITY: Unit(CITY, guid("c"), "c", NORTH)})

    assert units.subtree(NORTH) == {NORTH, CITY}
    assert not units.is_disabled(NORTH)


def test_a_user_without_any_role_is_enabled_but_not_usable() -> None:
    """SM-62, SM-172."""
    caller = resolve(facts(), SCHEMA, 1)

    require_enabled(caller)
    with pytest.raises(AccessDenied) as refused:
        require_usable(caller)

    assert (refused.value.status, refused.value.code) == (403, "0x80042f09")


def test_a_role_without_privileges_is_enough_to_be_usable() -> None:
    """SM-62."""
    require_usable(resolve(facts(role("blank")), SCHEMA, 1))


def test_the_missing_privilege_is_told_in_the_published_words() -> None:
    """SM-150."""
    caller = holding(Depth.BASIC, Rights.WRITE)

    with pytest.raises(AccessDenied) as refused:
        plan_for(caller, ACCOUNT, Rights.READ).required()

    assert (refused.value.status, refused.value.code) == (403, "0x80040220")
    assert refused.value.message == (
        f"Principal user (Id={caller.id}, type=8, roleCount=1, privilegeCount=1, accessMode='0 Read-Write', "
        f"AADObjectId='{guid('directory ada')}', MetadataCachePrivilegesCount={len(SCHEMA.privileges_by_id)}, "
        f"businessUnitId={guid('north')}), is missing prvReadAccount privilege (Id={READ.id}) "
        f"on OTC={ACCOUNT.object_type_code} for entity 'account' (LocalizedName='Account'). "
        f"context.Caller={caller.id}. "
        "Consider adding missed privilege to one of the principal (user/team) roles."
    )


def test_the_missing_privilege_of_a_team_is_told_of_a_team() -> None:
    """SM-150, SM-47."""
    caller = resolve(facts(role("helper"), team=team("deals", DEALS)), SCHEMA, 1)

    refusal = plan_for(caller, ACCOUNT, Rights.READ).refusal

    assert refusal is not None
    assert refusal.message.startswith(f"Principal team (Id={guid('deals')}, type=9, ")


def test_under_impersonation_the_message_names_who_lacks_the_privilege() -> None:
    """SM-68, SM-150."""
    real = resolve(facts(role("blank"), name="gateway", key=ADA), SCHEMA, 1)
    caller = resolve(facts(role("administrator", ROOT), name="root1"), SCHEMA, 1, initiated_by=real)

    refusal = plan_for(caller, ACCOUNT, Rights.READ).refusal

    assert refusal is not None
    assert f"(Id={guid('gateway')}, type=8" in refusal.message
    assert f"context.Caller={guid('root1')}." in refusal.message


def test_a_privilege_without_table_is_refused_by_its_name() -> None:
    """SM-20, SM-150."""
    with pytest.raises(AccessDenied) as refused:
        require_privilege(holding(Depth.BASIC, Rights.READ), "prvReadAuditSummary")

    assert f"is missing prvReadAuditSummary privilege (Id={guid('prvReadAuditSummary')}). " in refused.value.message
    require_privilege(administrator(), "prvReadAuditSummary")
    require_privilege(holding(Depth.BASIC, Rights.READ), "prvReadAccount")
    with pytest.raises(AccessDenied, match="prvWriteAccount"):
        require_privilege(holding(Depth.BASIC, Rights.READ), "prvWriteAccount")


def test_nobody_holds_a_privilege_that_does_not_exist() -> None:
    """SM-7."""
    assert not holds(administrator(), "prvReadNothing")


def test_each_refusal_is_raised_anew() -> None:
    """A plan is kept and used again; the error that it raises must not gather the frames of every use."""
    plan = plan_for(holding(Depth.BASIC, Rights.WRITE), ACCOUNT, Rights.READ)

    with pytest.raises(AccessDenied) as first:
        plan.required()
    with pytest.raises(AccessDenied) as second:
        plan.required()

    assert first.value is not second.value
    assert first.value.details == {"privilege": "prvReadAccount"}


def test_a_security_group_lets_in_its_members_and_administrators() -> None:
    """SM-69: a group that is not there lets in nobody else."""
    group = team("Group", DEALS, TeamType.SECURITY_GROUP)
    for entry, teams, enters in (
        (None, (), True),
        (DEALS, (group,), True),
        (DEALS, (), False),
        (Key(0), (group,), False),
    ):
        asked = facts(role("seller"), teams=teams, settings=SecuritySettings(entry_team=entry))
        caller = resolve(asked, SCHEMA, 1)
        if enters:
            require_entry(caller)
        else:
            with pytest.raises(AccessDenied, match="not a member of the organization") as refused:
                require_entry(caller)
            assert refused.value.code == "0x80072560"
            assert f"(Id={caller.id})" in refused.value.message
    everybody = facts(role("administrator", ROOT), settings=SecuritySettings(entry_team=Key(0)))
    require_entry(resolve(everybody, SCHEMA, 1))


@pytest.mark.parametrize(("audit", "access", "kept"), [(True, True, True), (True, False, False), (False, True, False)])
def test_refusals_are_kept_when_both_switches_are_on(audit: bool, access: bool, kept: bool) -> None:
    assert SecuritySettings(audit_enabled=audit, audit_of_access=access).audits_refusals is kept
