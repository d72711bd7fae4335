"""Who can own rows of a table (SM-92, SM-93): asked before a row is created or assigned, and explained afterwards."""

from strongroom.access.caller import Caller, SecurityFacts
from strongroom.access.check import can_read_table
from strongroom.access.reasons import DenialCode
from strongroom.access.resolve import holds_privilege, is_disabled
from strongroom.schema.model import Rights, Table


def unfit_owner(facts: SecurityFacts, table: Table, caller: Caller | None = None) -> DenialCode | None:
    """Why a user or team cannot own rows of `table`; None when it can.

    `caller` is given when the owner is the caller: behind an impersonation it may hold less than its facts (SM-68).
    """
    if facts.team is not None and not facts.team.owns_rows:
        return DenialCode.OWNER_IS_ACCESS_TEAM
    if is_disabled(facts):
        return DenialCode.OWNER_DISABLED
    privilege = table.privileges.get(Rights.READ)
    if caller is not None:
        can_read = can_read_table(caller, table)
    else:
        can_read = privilege is not None and holds_privilege(facts, privilege)
    return None if can_read else DenialCode.OWNER_CANNOT_READ
