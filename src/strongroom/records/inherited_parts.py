"""Ending inherited rights that nothing supports any more (SM-89)."""

from collections.abc import Sequence

from strongroom.access.messages import administrators_only
from strongroom.access.resolve import require_usable
from strongroom.audit.entries import Action
from strongroom.ids import Guid, Reference
from strongroom.records.inheritance import NO_CASCADE, end_parts, rights_on
from strongroom.records.session import Session
from strongroom.records.trail import record_act
from strongroom.schema.model import Relationship, Rights
from strongroom.store.layout import SHARES
from strongroom.store.protocol import InheritedPart


def reset_inherited_access(session: Session, shares: Sequence[Guid]) -> int:
    """Remove the parts of these shares whose relationship is gone or has neither Share nor Reparent cascades, with what
    they passed on; return how many shares changed. For System Administrators, who alone see shares."""
    require_usable(session.caller)
    table = session.table(SHARES)
    if not session.caller.administers:
        raise administrators_only(session.caller, table)
    changed = 0
    for share in session.transaction.rows(table, shares).values():
        target = session.schema.tables.get(str(share.values.get("objecttypecode")))
        row = None if target is None else session.transaction.row(target, Guid(str(_id(share.values["objectid"]))))
        principal = session.transaction.principal_key(_principal(share.values))
        if row is None or principal is None:
            continue
        before = rights_on(session, row).get(principal, Rights.NONE)
        ended = [
            part
            for part in session.transaction.inherited_parts(row)
            if part.principal == principal and not _passes_on(session, part)
        ]
        if ended:
            end_parts(session, row, ended)
            after = rights_on(session, row).get(principal, Rights.NONE)
            record_act(session, row, Action.UNSHARE, {"inheritedaccessrightsmask": (int(before), int(after))})
            changed += 1
    return changed


def _passes_on(session: Session, part: InheritedPart) -> bool:
    relationship: Relationship | None = session.schema.relationships.get(part.relationship)
    return relationship is not None and not (
        relationship.cascade.share == NO_CASCADE and relationship.cascade.reparent == NO_CASCADE
    )


def _id(value: object) -> object:
    return value.id if isinstance(value, Reference) else value


def _principal(values: dict[str, object]) -> Reference:
    principal = values["principalid"]
    if isinstance(principal, Reference):
        return principal
    return Reference(str(values["principaltypecode"]), Guid(str(principal)))
