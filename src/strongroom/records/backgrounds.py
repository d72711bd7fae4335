"""What stands behind a reason beyond its sources: who gave a share, where inherited rights came from, and the chain
that leads from a subordinate up to the principal.

None of it decides anything. It is read from the trail (SM-76), from the parts of inherited masks (section 7) and from
the rows of users and positions, and it tells no caller more than it may read: a row that it may not read keeps its
name and its id to itself.
"""

from dataclasses import dataclass
from typing import cast

import orjson

from strongroom.access.explain import Explanation
from strongroom.access.plan import Reason
from strongroom.access.reasons import Code, Source
from strongroom.audit.entries import Action
from strongroom.ids import Guid, Key, Reference, parse_guid
from strongroom.records.authorize import reaches
from strongroom.records.session import Session
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row, Value

_SHARES = frozenset({Code.SHARE_DIRECT, Code.SHARE_TEAM, Code.ACCESS_TEAM})
_ACTIONS = (Action.SHARE.value, Action.MODIFY_SHARE.value)
_HIDDEN = ""


@dataclass(frozen=True, slots=True)
class Giver:
    """Who gave a share, and when."""

    user: Source
    on: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where inherited rights came from: a relationship and the parent row."""

    relationship: str
    parent: Source


@dataclass(frozen=True, slots=True)
class Background:
    """What is known of one reason. `path` leads from the subordinate to whoever reports to the principal."""

    given_by: tuple[Giver, ...] = ()
    inherited_from: tuple[Origin, ...] = ()
    path: tuple[Source, ...] = ()


def backgrounds(
    session: Session, principal: Reference, target: Reference, right: Rights, explanation: Explanation
) -> tuple[Background, ...]:
    """The background of each reason of an explanation, in their order."""
    row = session.transaction.row(session.table(target.table), target.id)
    if row is None:
        return tuple(Background() for _ in explanation.reasons)
    return tuple(_background(session, principal, row, right, reason) for reason in explanation.reasons)


@dataclass(frozen=True, slots=True)
class DenialBackground:
    """What is known of a denial: whose the row is that nothing reaches, where the widest grant is anchored, which row
    stopped a cascade, and of whom the changes are that would help."""

    owner: Source | None = None
    unit: Source | None = None
    anchor: Source | None = None
    row: Source | None = None
    changes_of: Source | None = None


def denial_background(session: Session, target: Reference, explanation: Explanation) -> DenialBackground:
    """The background of a denial; empty when there is none. Owner and unit of a row are told to those who may read it,
    and to administrators."""
    denial = explanation.denial
    if denial is None:
        return DenialBackground()
    asked = denial.row or target
    row = session.transaction.row(session.table(asked.table), asked.id)
    is_open = row is not None and reaches(session, Rights.READ, row)
    anchor = None if denial.widest is None else denial.widest.anchor
    return DenialBackground(
        _shown(session, session.transaction.principal(denial.owner)) if is_open and denial.owner is not None else None,
        _unit(session, denial.unit) if is_open and denial.unit is not None else None,
        None if anchor is None else _unit(session, anchor),
        None if denial.row is None else _shown(session, denial.row),
        None if explanation.changes_of is None else _shown(session, explanation.changes_of),
    )


def _unit(session: Session, unit: Key) -> Source:
    return _shown(session, Reference("businessunit", session.transaction.unit_tree().units[unit].id))


def _background(session: Session, principal: Reference, row: Row, right: Rights, reason: Reason) -> Background:
    if reason.code in _SHARES:
        return Background(given_by=tuple(_givers(session, row, right, reason)))
    if reason.code == Code.SHARE_INHERITED:
        return Background(inherited_from=tuple(_origins(session, row, right, reason)))
    if reason.code == Code.HIERARCHY_MANAGER:
        return Background(path=_managers(session, principal, reason))
    if reason.code == Code.HIERARCHY_POSITION:
        return Background(path=_positions(session, principal, reason))
    return Background()


# --- shares --------------------------------------------------------------------------------------------------------


def _givers(session: Session, row: Row, right: Rights, reason: Reason) -> list[Giver]:
    """The latest entry of the trail by which the principal of the share got the right; none when the trail has it
    no more, or never had it."""
    holder = _principal_of_share(reason)
    audit = session.table("audit")
    entries = [
        entry
        for action in _ACTIONS
        for entry in session.transaction.rows_where(audit, {"objectid": row.reference(), "action": action})
    ]
    for entry in sorted(entries, key=lambda entry: entry.key, reverse=True):
        user = entry.values.get("userid")
        if isinstance(user, Reference) and _gave(entry.values.get("changedata"), holder, right):
            return [Giver(_shown(session, user), str(entry.values.get("createdon")))]
    return []


def _principal_of_share(reason: Reason) -> Guid | None:
    return next((parse_guid(row_id) for table, row_id, _ in reason.sources if table == "principalobjectaccess"), None)


def _gave(data: Value, holder: Guid | None, right: Rights) -> bool:
    """Whether an entry tells that `holder` got `right`."""
    if not isinstance(data, str) or holder is None:
        return False
    told = cast("dict[str, list[dict[str, object]]]", orjson.loads(data))
    values = {each["logicalName"]: (each.get("oldValue"), each.get("newValue")) for each in told["changedAttributes"]}
    _, principal = values.get("principalid", (None, None))
    before, after = values.get("accessrightsmask", (0, 0))
    if not isinstance(principal, str) or principal.partition(",")[2] != holder:
        return False
    return isinstance(before, int) and isinstance(after, int) and bool(right & after) and not right & before


def _origins(session: Session, row: Row, right: Rights, reason: Reason) -> list[Origin]:
    holder = _principal_of_share(reason)
    found: list[Origin] = []
    for part in session.transaction.inherited_parts(row):
        relationship = session.schema.relationships.get(part.relationship)
        if relationship is not None and right in part.rights and _id_of(session, part.principal) == holder:
            parent = Reference(relationship.referenced_table, part.parent)
            found.append(Origin(part.relationship, _shown(session, parent)))
    return found


def _id_of(session: Session, principal: Key) -> Guid:
    return session.transaction.principal(principal).id


# --- hierarchy -----------------------------------------------------------------------------------------------------


def _managers(session: Session, principal: Reference, reason: Reason) -> tuple[Source, ...]:
    """The subordinate and the managers above, up to whoever reports to the principal."""
    users = session.table("systemuser")
    path: list[Source] = []
    current = _subordinate(reason)
    for _ in range(session.transaction.settings().hierarchy_depth):
        row = None if current is None or current == principal.id else session.transaction.row(users, current)
        if row is None:
            break
        path.append(_shown(session, row.reference()))
        manager = row.values.get("parentsystemuserid")
        current = manager.id if isinstance(manager, Reference) else None
    return tuple(path)


def _positions(session: Session, principal: Reference, reason: Reason) -> tuple[Source, ...]:
    """The subordinate, its position and those above, up to the one below the principal's."""
    users, positions = session.table("systemuser"), session.table("position")
    below, above = (
        session.transaction.row(users, each) if each is not None else None
        for each in (_subordinate(reason), principal.id)
    )
    if below is None or above is None:
        return ()
    path: list[Source] = [("systemuser", below.id, open_name(below))]
    current, end = below.values.get("positionid"), above.values.get("positionid")
    while isinstance(current, Reference) and current != end:
        path.append(_shown(session, current))
        row = session.transaction.row(positions, current.id)
        current = None if row is None else row.values.get("parentpositionid")
        if len(path) > session.transaction.settings().hierarchy_depth + 1:
            break
    return tuple(path)


def _subordinate(reason: Reason) -> Guid | None:
    return next((parse_guid(row_id) for table, row_id, _ in reason.sources if table == "systemuser"), None)


# --- what may be told ----------------------------------------------------------------------------------------------


def _shown(session: Session, reference: Reference) -> Source:
    """A row as a source, as far as the session's caller may read it."""
    table = session.schema.tables.get(reference.table)
    row = session.transaction.row(table, reference.id) if table is not None else None
    if row is None or not reaches(session, Rights.READ, row):
        return (reference.table, _HIDDEN, _HIDDEN)
    return (reference.table, row.id, open_name(row))


def open_name(row: Row) -> str:
    """The primary name of a row; nothing where it is secured, because who may see it, and how much of it, is another
    question (SM-130, SM-137)."""
    column = row.table.columns.get(row.table.primary_name or "")
    value = None if column is None or column.is_secured else row.values.get(column.logical_name)
    return value if isinstance(value, str) else _HIDDEN
