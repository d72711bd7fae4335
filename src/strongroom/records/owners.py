"""Who owns a row: the default, an owner that the caller names, and who may own at all (SM-15, SM-92, SM-93, SM-120 to
SM-123).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.access.caller import SecurityFacts
from strongroom.access.messages import does_not_exist
from strongroom.access.ownership import unfit_owner
from strongroom.access.reasons import DenialCode
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Key, Reference
from strongroom.records import refusals
from strongroom.records.authorize import demand_existing
from strongroom.records.session import Session
from strongroom.schema.model import Ownership, Rights, Table
from strongroom.store.layout import PRINCIPAL_TABLES
from strongroom.store.protocol import Value

OWNER = "ownerid"
OWNING_UNIT = "owningbusinessunit"
_PRINCIPALS = ("systemuser", "team")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row belongs: the keys that the store keeps beside it."""

    owner: Key | None
    unit: Key | None


def place_of_new(session: Session, table: Table, values: Mapping[str, Value]) -> Place:
    """Owner and unit of a new row: the caller and its unit unless `values` name others (SM-15, SM-123)."""
    if table.ownership is Ownership.BUSINESS:
        unit = values.get("businessunitid")
        return Place(None, unit_key(session, unit) if isinstance(unit, Reference) else None)
    if table.ownership is not Ownership.USER:
        return Place(None, None)
    owner = named_owner(table, values)
    if owner is None:
        place = Place(session.caller.key, session.caller.unit)
    else:
        facts = facts_of(session, owner)
        place = Place(facts.key, facts.unit)
    unit = named_unit(session, table, values)
    return place if unit is None else Place(place.owner, unit)


def named_owner(table: Table, values: Mapping[str, Value]) -> Reference | None:
    """The owner that a write names; 400 when it is empty or no principal."""
    if OWNER not in values or table.ownership is not Ownership.USER:
        return None
    owner = values[OWNER]
    if not isinstance(owner, Reference) or owner.table not in _PRINCIPALS:
        raise refusals.payload(table, f"'{OWNER}' takes a systemuser or a team and cannot be emptied.")
    return owner


def named_unit(session: Session, table: Table, values: Mapping[str, Value]) -> Key | None:
    """The owning unit that a write names; only with matrix access (SM-98, SM-123)."""
    if table.ownership is not Ownership.USER or values.get(OWNING_UNIT) is None:
        return None
    unit = values[OWNING_UNIT]
    if not session.transaction.settings().matrix_access:
        raise InvalidRequest(
            "The owning business unit cannot be set: it follows the owner unless record ownership across business "
            "units is switched on.",
            code="0x800404a8",
        )
    if not isinstance(unit, Reference):
        raise refusals.payload(table, f"'{OWNING_UNIT}' takes a businessunit.")
    return unit_key(session, unit)


def demand_unit(session: Session, unit: Key) -> None:
    """AppendTo on the business unit that a row is put into (SM-98, SM-123)."""
    found = session.transaction.unit_tree().units[unit]
    demand_existing(session, session.table("businessunit"), found.id, Rights.APPEND_TO)


def unit_key(session: Session, unit: Reference) -> Key:
    """The key of a business unit, or 404."""
    key = session.transaction.unit_key(unit.id)
    if key is None:
        raise does_not_exist(session.table("businessunit"), unit.id)
    return key


def facts_of(session: Session, principal: Reference) -> SecurityFacts:
    """What is known of a user or team, or 404; a row of another table cannot be meant and is 400."""
    if principal.table not in PRINCIPAL_TABLES:
        raise InvalidRequest(f"A row of '{principal.table}' cannot hold rights: name a systemuser or a team.")
    facts = session.transaction.facts(principal)
    if facts is None:
        raise does_not_exist(session.table(principal.table), principal.id)
    return facts


def demand_valid_owner(session: Session, table: Table, owner: Reference) -> None:
    """Refuse owners that are disabled or access teams (SM-93), and those who may not read the table (SM-92)."""
    facts = facts_of(session, owner)
    match unfit_owner(facts, table, session.caller if owner.id == session.caller.id else None):
        case DenialCode.OWNER_IS_ACCESS_TEAM:
            raise InvalidRequest("An access team cannot own rows.", code="0x80048340")
        case DenialCode.OWNER_DISABLED if facts.is_disabled:
            raise InvalidRequest("Cannot assign a row to a user that is disabled.", code="0x8004022b")
        case DenialCode.OWNER_DISABLED:
            raise InvalidRequest("Cannot assign a row to a user whose business unit is disabled.", code="0x8004032d")
        case DenialCode.OWNER_CANNOT_READ:
            raise AccessDenied(
                f"The owner with id {owner.id} does not hold the Read privilege for '{table.logical_name}', so it "
                "cannot own its rows.",
                code="0x80040299",
            )
        case _:
            return
