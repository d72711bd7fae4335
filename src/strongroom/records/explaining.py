"""Gathers what an explanation needs (section 16): the facts of the principal, and what security sees of the row.

The decision itself, and everything said about it, comes from `access.explain` and `access.who`, which read the plans
that enforcement uses (SM-165). What stands behind a reason (who gave a share, through which rows it was inherited,
the chain of managers) is told by `records.backgrounds`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from strongroom.access.caller import SecurityFacts
from strongroom.access.check import SecuredRow
from strongroom.access.explain import Explanation, Question, explain, is_allowed
from strongroom.access.messages import does_not_exist
from strongroom.access.parents import READABLE_BY_EVERY_USER
from strongroom.access.plan import Branch, Plan
from strongroom.access.planning import plan_for
from strongroom.access.resolve import is_disabled, require_usable, resolve
from strongroom.access.view import helpful_teams
from strongroom.access.who import Access, who_can
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.query.ast import Field, Output, Predicate, Select, Source
from strongroom.records.authorize import reaches
from strongroom.records.owners import facts_of
from strongroom.records.session import Session
from strongroom.schema.model import Ownership, Rights, Table
from strongroom.store.layout import is_counted
from strongroom.store.protocol import PlannedSelect, Row

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Seen:
    """How many rows of a table somebody has a right on, of how many there are."""

    table: Table
    rows: int
    total: int


def explain_access(session: Session, principal: Reference, target: Reference, right: Rights) -> Explanation:
    """Why `principal` may, or may not, use `right` on `target`.

    Administrators may ask about anyone, everyone about themselves; others are refused with 403. Teams that would help
    are proposed to those who may read them.
    """
    demand_asking(session, principal)
    table = session.table(target.table)
    row = session.transaction.row(table, target.id)
    return explain_question(session, facts_of(session, principal), question_about(session, table, right, row))


def demand_asking(session: Session, principal: Reference) -> None:
    """Refuse questions about others from those who are no administrators."""
    if not session.caller.administers and principal.id != session.caller.id:
        raise AccessDenied("Only a System Administrator may ask why somebody else has access. Ask about yourself.")


def explain_question(session: Session, facts: SecurityFacts, question: Question) -> Explanation:
    """The decision for the principal of `facts`, with the teams that the session's caller may be told of."""
    if question.row is None or facts.is_team or is_allowed(facts, session.schema, question):
        return explain(facts, session.schema, question)
    directory = session.transaction.directory()
    teams = helpful_teams(directory, facts, question.table, question.right, question.row)
    keys = told_of(session, "team", {team.id: team.key for team in teams})
    return explain(facts, session.schema, question, [directory.facts_of(key) for key in keys])


def told_of(session: Session, table: str, things: Mapping[Guid, T]) -> list[T]:
    """Those of some rows of configuration, by id, that the caller may read: nobody else is told that they exist."""
    if session.caller.administers:
        return list(things.values())
    known = session.transaction.rows(session.table(table), list(things))
    return [thing for id_, thing in things.items() if id_ in known and reaches(session, Rights.READ, known[id_])]


def who_can_see(session: Session, target: Reference, right: Rights) -> list[Access]:
    """All users who have `right` on `target`, each with the reasons (SM-164). For System Administrators."""
    _demand_administrator(session, "who else has access to a row")
    table = session.table(target.table)
    row = session.transaction.row(table, target.id)
    if row is None:
        raise does_not_exist(table, target.id)
    return who_can(session.transaction.directory(), session.schema, question_about(session, table, right, row))


def what_can_see(session: Session, principal: Reference, right: Rights) -> list[Seen]:
    """How many rows of each table that is counted a user or team has `right` on, most first; tables of which it
    reaches none are left out. Rows that take the access of others, such as addresses, are not counted, nor are facts
    of the platform that everybody may read.

    Administrators may ask about anyone, everyone about themselves.
    """
    require_usable(session.caller)
    if principal.id != session.caller.id:
        _demand_administrator(session, "what somebody else has access to")
    if right is Rights.CREATE:
        raise InvalidRequest("CreateAccess is about rows that are not there yet: there is nothing to count.")
    asked = resolve(facts_of(session, principal), session.schema, session.caller.epoch)
    if is_disabled(asked.facts) or not asked.facts.roles:
        return []
    found: list[Seen] = []
    for table in session.schema.tables.values():
        if not is_somebodys(table):
            continue
        plan = plan_for(asked, table, right)
        if plan.refusal is not None or not plan.branches:
            continue
        rows = _count(session, plan)
        if rows:
            found.append(Seen(table, rows, sum(session.transaction.counts(table).values())))
    return sorted(found, key=lambda seen: (-seen.rows, seen.table.logical_name))


def is_somebodys(table: Table) -> bool:
    """Whether a table is counted and belongs to the organisation, not to the platform, whose facts everybody reads."""
    return (
        is_counted(table) and table.ownership is not Ownership.NONE and table.logical_name not in READABLE_BY_EVERY_USER
    )


def question_about(session: Session, table: Table, right: Rights, row: Row | None) -> Question:
    """The question whether somebody may use `right` on `row`; None is a row that does not exist."""

    def elsewhere(predicate: Predicate) -> bool:
        """Whether a branch that looks at other rows reaches the row: asked as a plan of that branch alone."""
        return row is not None and session.transaction.allows(Plan(table, right, (Branch(predicate, ()),)), row)

    return Question(table, right, None if row is None else secured_row(session, row), elsewhere)


def secured_row(session: Session, row: Row) -> SecuredRow:
    """What security sees of a row."""
    shares = session.transaction.shares(row.table, [row.key]).get(row.key, []) if row.table.has_owner else []
    return SecuredRow(row.owner, row.unit, shares)


def _count(session: Session, plan: Plan) -> int:
    table = plan.table
    select = Select(Source(table), (Output(table.primary_id, Field("", table.id_column)),))
    return session.transaction.count(PlannedSelect(select, {"": plan}), None)


def _demand_administrator(session: Session, what: str) -> None:
    if not session.caller.administers:
        raise AccessDenied(f"Only a System Administrator may ask {what}.")
