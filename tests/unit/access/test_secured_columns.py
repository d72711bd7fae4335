"""The second gate behind the row: SM-130 to SM-133, SM-65."""

from dataclasses import replace

import pytest
from people import ACCOUNT, ADA, BO, CLUB, SCHEMA, administrator, facts, role, team

from access_schema import column, guid, schema, table
from strongroom.access.caller import Caller
from strongroom.access.columns import (
    EVERYTHING,
    gated,
    is_open,
    mask_of,
    never_closed,
    open_to_shares,
    require_columns,
)
from strongroom.access.plan import ColumnAccess
from strongroom.access.planning import plan_for
from strongroom.access.resolve import resolve
from strongroom.errors import AccessDenied
from strongroom.schema.model import ColumnType, Depth, Rights


def seller(access: ColumnAccess = ColumnAccess.NONE) -> Caller:
    privileges = {"seller": {("account", right): Depth.BASIC for right in (Rights.READ, Rights.WRITE, Rights.CREATE)}}
    return resolve(
        facts(role("seller"), privileges=privileges, columns={"account": {"ssn": access, "note": ColumnAccess.READ}}),
        SCHEMA,
        1,
    )


def test_only_secured_columns_are_in_a_mask() -> None:
    """SM-130: a permission on an unsecured column says nothing."""
    assert mask_of(seller(ColumnAccess.READ), ACCOUNT) == {"ssn": ColumnAccess.READ}
    assert mask_of(seller(), SCHEMA.tables["product"]) == {}


def test_without_a_profile_a_secured_column_is_closed() -> None:
    """SM-131."""
    caller = resolve(facts(role("seller")), SCHEMA, 1)

    assert mask_of(caller, ACCOUNT) == {"ssn": ColumnAccess.NONE}


def test_administrators_open_every_column_of_the_plan_of_every_right() -> None:
    """SM-65."""
    plan = plan_for(administrator(), ACCOUNT, Rights.WRITE)

    assert plan.mask == {"ssn": EVERYTHING}
    assert is_open(plan, "ssn", ColumnAccess.READ_UNMASKED_ALL)


@pytest.mark.parametrize(
    ("access", "code", "right"),
    [(ColumnAccess.CREATE, "0x8004f502", Rights.CREATE), (ColumnAccess.UPDATE, "0x8004f507", Rights.WRITE)],
)
def test_naming_a_closed_column_in_a_write_fails_the_write(access: ColumnAccess, code: str, right: Rights) -> None:
    """SM-133: read permission does not help."""
    closed = plan_for(seller(ColumnAccess.READ), ACCOUNT, right)

    with pytest.raises(AccessDenied, match="secured column 'ssn' of 'account'") as refused:
        require_columns(closed, ["note", "ssn"], access)

    assert (refused.value.status, refused.value.code) == (403, code)
    assert refused.value.details == {"column": "ssn"}
    require_columns(closed, ["note", "accountid"], access)
    require_columns(plan_for(seller(access), ACCOUNT, right), ["note", "ssn"], access)


def test_the_mask_is_that_of_the_impersonated_user() -> None:
    """SM-68: privileges need both, reach is the impersonated user's."""
    caller = resolve(seller(ColumnAccess.READ).facts, SCHEMA, 1, initiated_by=administrator())

    assert plan_for(caller, ACCOUNT, Rights.READ).mask == {"ssn": ColumnAccess.READ}
    assert caller.initiating_id == guid("ada")


def test_what_tells_of_a_secured_file_image_or_amount_is_as_open_as_the_column_itself() -> None:
    """SM-130: its name, its address, the amount in the base currency would tell of it; columns that happen not to be
    there are no matter."""
    files = schema(
        [
            table(
                "account",
                columns=[
                    column("scan", ColumnType.FILE, secured=True),
                    column("scan_name"),
                    column("photo", ColumnType.IMAGE, secured=True),
                    column("photo_url"),
                    column("pay", ColumnType.MONEY, secured=True),
                    column("pay_base", ColumnType.MONEY),
                    column("ssn", secured=True),
                    column("ssn_name"),
                ],
            )
        ]
    )
    assert never_closed(files.tables["account"]) == {"accountid", "name", "ssn_name"}
    opened = {"account": {"scan": ColumnAccess.READ, "ssn": ColumnAccess.UPDATE}}
    caller = resolve(facts(role("seller"), columns=opened, of=files), files, 1)

    assert mask_of(caller, files.tables["account"]) == {
        "scan": ColumnAccess.READ,
        "scan_name": ColumnAccess.READ,
        "photo": ColumnAccess.NONE,
        "photo_url": ColumnAccess.NONE,
        "pay": ColumnAccess.NONE,
        "pay_base": ColumnAccess.NONE,
        "ssn": ColumnAccess.UPDATE,
    }


def test_a_value_share_opens_a_column_to_each_of_those_who_need_it() -> None:
    """SM-134, SM-68: behind an impersonation both need one; a column that is not shared at all stays closed."""
    account = SCHEMA.tables["account"]
    ssn = account.columns["ssn"].metadata_id
    known = replace(seller().facts, shared_columns=frozenset({ssn}))
    plan = plan_for(resolve(known, SCHEMA, 1), account, Rights.READ)

    def held(access: ColumnAccess, column: str = "ssn") -> frozenset[str]:
        given = {account.columns[column].metadata_id: access}
        return open_to_shares(plan, ["ssn", "note"], lambda principals: given if known.key in principals else {})

    assert held(ColumnAccess.READ) == {"ssn"}
    assert held(ColumnAccess.UPDATE) == frozenset()
    assert held(ColumnAccess.READ, "note") == frozenset()
    closed = plan_for(seller(), account, Rights.READ)
    assert open_to_shares(closed, ["ssn"], lambda _: {ssn: ColumnAccess.READ}) == frozenset()


def test_a_value_share_counts_for_the_right_that_no_profile_gives() -> None:
    """SM-134: for Read what may be read, for Write what may be changed; of team-mates it counts too."""
    ssn = ACCOUNT.columns["ssn"].metadata_id
    club = team("club", CLUB)
    known = replace(seller(ColumnAccess.READ).facts, shared_columns=frozenset({ssn}), teams=(club,))
    reader = resolve(known, SCHEMA, 1)
    writer = resolve(replace(known, column_permissions={"account": {"ssn": ColumnAccess.UPDATE}}), SCHEMA, 1)
    other = resolve(replace(known, column_permissions={"account": {"note": ColumnAccess.READ}}), SCHEMA, 1)
    sharers = {"ssn": (frozenset({ADA, CLUB}),)}

    assert plan_for(reader, ACCOUNT, Rights.READ).shared_values == {}
    assert plan_for(reader, ACCOUNT, Rights.WRITE).shared_values == sharers
    assert plan_for(writer, ACCOUNT, Rights.READ).shared_values == sharers
    assert plan_for(writer, ACCOUNT, Rights.WRITE).shared_values == {}
    assert plan_for(other, ACCOUNT, Rights.READ).shared_values == sharers


def test_behind_an_impersonation_a_column_is_open_when_it_is_open_to_both() -> None:
    """WA-420: neither the real user's profiles nor the impersonated one's are enough by themselves; value shares
    neither."""
    ssn = ACCOUNT.columns["ssn"].metadata_id
    real = resolve(replace(seller().facts, key=BO, shared_columns=frozenset({ssn})), SCHEMA, 1)
    asked = replace(seller(ColumnAccess.READ).facts, shared_columns=frozenset({ssn}))

    plan = plan_for(resolve(asked, SCHEMA, 1, initiated_by=real), ACCOUNT, Rights.READ)
    both = plan_for(resolve(replace(asked, column_permissions={}), SCHEMA, 1, initiated_by=real), ACCOUNT, Rights.READ)

    assert plan.mask == {"ssn": ColumnAccess.NONE}
    assert plan.shared_values == {"ssn": (frozenset({BO}),)}
    assert both.shared_values == {"ssn": (frozenset({ADA}), frozenset({BO}))}


def test_a_plan_without_masks_and_value_shares_is_left_as_it_is() -> None:
    """Plans are made for every request: nothing is made anew that says the same."""
    caller = seller(ColumnAccess.READ)
    plan = plan_for(caller, ACCOUNT, Rights.READ)

    assert gated(plan, caller) is plan
