"""All rights of a principal on a row, each with every reason that grants it (SM-160, SM-170)."""

from collections.abc import Mapping

from strongroom.access.check import SecuredRow, reasons_of
from strongroom.access.messages import does_not_exist
from strongroom.access.plan import Branch, Plan, Reason
from strongroom.access.planning import plan_for
from strongroom.access.resolve import is_disabled, require_usable, resolve
from strongroom.access.rights import RIGHT_NAMES
from strongroom.ids import Reference
from strongroom.query.ast import Predicate
from strongroom.records.authorize import demand_existing
from strongroom.records.owners import facts_of
from strongroom.records.session import Session
from strongroom.schema.model import Rights


def access_of(session: Session, target: Reference, principal: Reference) -> Mapping[Rights, tuple[Reason, ...]]:
    """Right → reasons, without rights that nothing grants. Asking about others needs Read on the row (SM-170); a
    principal that may do nothing has none."""
    require_usable(session.caller)
    table = session.table(target.table)
    facts = facts_of(session, principal)
    if principal.id == session.caller.id:
        row = session.transaction.row(table, target.id)
        if row is None:
            raise does_not_exist(table, target.id)
    else:
        row = demand_existing(session, table, target.id, Rights.READ)
    if is_disabled(facts) or not facts.roles:
        return {}
    asked = resolve(facts, session.schema, session.transaction.stamp.security_epoch)
    shares = session.transaction.shares(table, [row.key]).get(row.key, ()) if table.has_owner else ()
    secured = SecuredRow(row.owner, row.unit, shares)

    def elsewhere(predicate: Predicate) -> bool:
        return session.transaction.allows(Plan(table, Rights.READ, (Branch(predicate, ()),)), row)

    found: dict[Rights, tuple[Reason, ...]] = {}
    for right in RIGHT_NAMES:
        plan = plan_for(asked, table, right)
        reasons = () if plan.refusal is not None else reasons_of(plan, secured, elsewhere)
        if reasons:
            found[right] = reasons
    return found
