"""Gathers what an explanation needs (section 16): the facts of the principal, and what security sees of the row.

The decision itself, and everything said about it, comes from `access.explain`.
"""

from strongroom.access.check import SecuredRow
from strongroom.access.explain import Explanation, Question, explain
from strongroom.access.plan import Plan
from strongroom.access.planning import plan_for
from strongroom.access.resolve import resolve
from strongroom.errors import AccessDenied
from strongroom.ids import Reference
from strongroom.query.ast import Predicate
from strongroom.records.owners import facts_of
from strongroom.records.session import Session
from strongroom.schema.model import Rights
from strongroom.store.protocol import Row


def explain_access(session: Session, principal: Reference, target: Reference, right: Rights) -> Explanation:
    """Why `principal` may, or may not, use `right` on `target`.

    Administrators may ask about anyone, everyone about themselves; others are refused with 403.
    """
    caller = session.caller
    if not caller.administers and principal.id != caller.id:
        raise AccessDenied("Only a System Administrator may ask why somebody else has access. Ask about yourself.")
    facts = facts_of(session, principal)
    table = session.table(target.table)
    row = session.transaction.row(table, target.id)
    asked = resolve(facts, session.schema, caller.epoch)
    plan = plan_for(asked, table, right)

    def elsewhere(predicate: Predicate) -> bool:
        return row is not None and _holds(session, plan, predicate, row)

    question = Question(table, right, None if row is None else _secured(session, row), elsewhere)
    teams = [
        found
        for team in session.transaction.rows_where(session.table("team"), {})
        if (found := session.transaction.facts(team.reference())) is not None
    ]
    return explain(facts, session.schema, question, teams)


def _secured(session: Session, row: Row) -> SecuredRow:
    shares = session.transaction.shares(row.table, [row.key]).get(row.key, []) if row.table.has_owner else []
    return SecuredRow(row.owner, row.unit, shares)


def _holds(session: Session, plan: Plan, predicate: Predicate, row: Row) -> bool:
    """Whether a branch that looks at other rows reaches `row`: asked as a plan of that branch alone."""
    alone = Plan(plan.table, plan.right, tuple(b for b in plan.branches if b.predicate == predicate))
    return session.transaction.allows(alone, row)
