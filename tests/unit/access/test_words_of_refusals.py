"""What refusals say, word for word: clients and people read them, and branch on their codes (SM-150 to SM-156)."""

import re
from dataclasses import replace

import pytest
from people import ACCOUNT, ADA, BO, NORTH, PRODUCT, SCHEMA, UNITS, administrator, facts, holding, role, team

from access_schema import guid
from strongroom.access.caller import AccessMode, Caller, SecuritySettings
from strongroom.access.check import SecuredRow, least_depth
from strongroom.access.columns import closed_in_query, opens_trail, require_columns
from strongroom.access.masking import Mask
from strongroom.access.messages import administrators_only, missing_privilege, no_access, no_such_privilege
from strongroom.access.plan import ColumnAccess
from strongroom.access.planning import plan_for
from strongroom.access.resolve import require_entry, require_privilege, require_usable, resolve
from strongroom.access.rights import parse_depth, parse_rights
from strongroom.errors import AccessDenied, InvalidRequest, StrongroomError
from strongroom.ids import Guid, Key
from strongroom.schema.model import Depth, Rights

ROW = guid("row")
READ = Rights.READ
PRIVILEGE = ACCOUNT.privileges[READ]


def described(caller: Caller, kind: str = "user", code: int = 8, mode: str = "0 Read-Write") -> str:
    known = caller.facts
    return (
        f"Principal {kind} (Id={known.id}, type={code}, roleCount={len(known.roles)}, "
        f"privilegeCount={len(caller.grants)}, accessMode='{mode}', AADObjectId='{known.directory_object_id or ''}', "
        f"MetadataCachePrivilegesCount={len(SCHEMA.privileges_by_id)}, businessUnitId={UNITS.units[NORTH].id})"
    )


def said(error: StrongroomError) -> tuple[int, str, str]:
    return error.status, error.code, error.message


def test_a_missing_privilege_names_the_principal_the_privilege_and_the_table() -> None:
    """SM-150."""
    caller = holding(Depth.BASIC, Rights.WRITE)
    place = f" on OTC={ACCOUNT.object_type_code} for entity 'account' (LocalizedName='Account')"
    advice = "Consider adding missed privilege to one of the principal (user/team) roles."
    head = f"{described(caller)}, is missing {PRIVILEGE.name} privilege (Id={PRIVILEGE.id})"

    refusal = missing_privilege(caller, PRIVILEGE, ACCOUNT)

    assert said(refusal) == (403, "0x80040220", f"{head}{place}. context.Caller={caller.id}. {advice}")
    assert refusal.details == {"privilege": PRIVILEGE.name}
    assert said(missing_privilege(caller, PRIVILEGE, None))[2] == f"{head}. context.Caller={caller.id}. {advice}"
    with pytest.raises(AccessDenied) as raised:
        require_privilege(caller, PRIVILEGE.name)
    assert said(raised.value) == said(refusal)


def test_a_team_and_every_access_mode_are_described_as_what_they_are() -> None:
    """SM-47, SM-63."""
    deals = resolve(facts(team=team("deals", Key(11))), SCHEMA, 1)
    modes = {
        AccessMode.READ_WRITE: "0 Read-Write",
        AccessMode.ADMINISTRATIVE: "1 Administrative",
        AccessMode.READ: "2 Read",
        AccessMode.SUPPORT: "3 Support User",
        AccessMode.NON_INTERACTIVE: "4 Non-interactive",
        AccessMode.DELEGATED_ADMIN: "5 Delegated Admin",
    }

    assert described(deals, "team", 9) in missing_privilege(deals, PRIVILEGE, None).message
    for mode, words in modes.items():
        caller = resolve(facts(role("blank"), mode=mode), SCHEMA, 1)
        assert described(caller, mode=words) in missing_privilege(caller, PRIVILEGE, None).message


def test_under_impersonation_the_one_who_lacks_the_privilege_is_described() -> None:
    """SM-68, SM-150."""
    seller, blank = holding(Depth.BASIC, READ), resolve(facts(role("blank"), key=BO, name="bo"), SCHEMA, 1)
    behind_blank = resolve(seller.facts, SCHEMA, 1, blank)
    behind_seller = resolve(blank.facts, SCHEMA, 1, seller)

    assert missing_privilege(behind_blank, PRIVILEGE, None).message.startswith(described(blank))
    assert missing_privilege(behind_seller, PRIVILEGE, None).message.startswith(described(behind_seller))
    assert f"context.Caller={seller.id}." in missing_privilege(behind_blank, PRIVILEGE, None).message


def test_a_right_that_nobody_can_have_says_so() -> None:
    """SM-11."""
    caller = holding(Depth.BASIC, READ)

    assert said(no_such_privilege(caller, Rights.SHARE, PRODUCT)) == (
        403,
        "0x80040220",
        f"{described(caller)}, cannot have ShareAccess on entity 'product' (LocalizedName='Product'): no privilege "
        "gives it on OrganizationOwned tables of this kind.",
    )
    assert said(administrators_only(caller, PRODUCT)) == (
        403,
        "0x80040220",
        f"{described(caller)}, does not hold the System Administrator role, which is needed for entity 'product' "
        "(LocalizedName='Product').",
    )


def test_a_failed_access_check_carries_what_it_was_about() -> None:
    """SM-151, WA-52."""
    caller = holding(Depth.BASIC, READ)

    assert no_access(caller, READ, ACCOUNT, ROW, Depth.LOCAL).details == {
        "right": "ReadAccess",
        "table": "account",
        "entity_set": "accounts",
        "id": ROW,
        "caller": caller.id,
    }
    assert least_depth(caller, PRODUCT, SecuredRow(None, NORTH)) is Depth.GLOBAL
    assert least_depth(caller, ACCOUNT, SecuredRow(ADA, None)) is Depth.GLOBAL


def test_callers_who_can_do_nothing_are_told_why() -> None:
    """SM-60, SM-62, SM-69."""
    disabled = resolve(facts(role("seller"), disabled=True), SCHEMA, 1)
    bare = resolve(facts(), SCHEMA, 1)
    outside = resolve(facts(role("seller"), settings=SecuritySettings(entry_team=Key(5))), SCHEMA, 1)
    for act, caller, expected in (
        (
            require_usable,
            disabled,
            (403, "0x80040225", f"The specified user(Id={disabled.id}) is disabled. Consider enabling this user."),
        ),
        (
            require_usable,
            bare,
            (
                403,
                "0x80042f09",
                f"The user with SystemUserId={bare.id} in OrganizationContext has not been assigned any roles. Assign "
                "a security role to the user or to one of its teams.",
            ),
        ),
        (
            require_entry,
            outside,
            (
                403,
                "0x80072560",
                f"The user (Id={outside.id}) is not a member of the organization: the environment has a security "
                "group, and the user is not in it.",
            ),
        ),
    ):
        with pytest.raises(AccessDenied) as refused:
            act(caller)
        assert said(refused.value) == expected


def test_a_closed_column_is_named_with_its_table() -> None:
    """SM-133, SM-136."""
    privileges = {"seller": {("account", right): Depth.BASIC for right in (Rights.WRITE, Rights.CREATE)}}
    plan = plan_for(resolve(facts(role("seller"), privileges=privileges), SCHEMA, 1), ACCOUNT, Rights.WRITE)
    for access, code, verb in (
        (ColumnAccess.CREATE, "0x8004f502", "create"),
        (ColumnAccess.UPDATE, "0x8004f507", "update"),
    ):
        with pytest.raises(AccessDenied) as refused:
            require_columns(plan, ["note", "ssn"], access)
        assert said(refused.value) == (
            403,
            code,
            f"The caller does not have permission to {verb} the secured column 'ssn' of 'account': no column security "
            "profile of the caller allows it.",
        )
        assert refused.value.details == {"column": "ssn"}

    closed = closed_in_query(ACCOUNT, "ssn")

    assert said(closed) == (
        403,
        "0x8004f504",
        "The caller does not have permission to read every value of the secured column 'ssn' of 'account' (unmasked, "
        "when it is masked), so it cannot be used to filter, sort, group, aggregate or join.",
    )
    assert closed.details == {"column": "ssn"}


def test_unknown_rights_and_depths_are_answered_with_those_that_are_known() -> None:
    """WA-411, WA-412."""
    with pytest.raises(InvalidRequest) as right:
        parse_rights("ReadAccess,Reading")
    with pytest.raises(InvalidRequest) as depth:
        parse_depth("Deeper")

    assert right.value.message == (
        "'Reading' is not an access right. The rights are ReadAccess, WriteAccess, AppendAccess, AppendToAccess, "
        "CreateAccess, DeleteAccess, ShareAccess, AssignAccess."
    )
    assert depth.value.message == "'Deeper' is not a depth. The depths are Basic, Local, Deep, Global (0 to 3)."


def test_the_trail_shows_all_values_to_administrators_while_nothing_is_masked() -> None:
    """SM-65, SM-173."""
    masked = replace(facts(role("administrator")), masking={"account": {"ssn": Mask("a", "#")}})

    assert opens_trail(administrator())
    assert not opens_trail(holding(Depth.GLOBAL, READ))
    assert not opens_trail(resolve(masked, SCHEMA, 1))


def test_ids_in_messages_are_ids() -> None:
    """WA-54: whoever parses a message finds the row."""
    found = re.findall(
        r"[0-9a-f]{8}-[0-9a-f-]{27}", no_access(administrator(), READ, ACCOUNT, Guid(ROW), Depth.DEEP).message
    )

    assert found == [administrator().id, ROW]
