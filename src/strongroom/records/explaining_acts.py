"""Why an act is refused to somebody who has the right on the row (SM-161): the other checks of SM-124, in its order.

A *right* is on a row. An *act* uses it for something, and more is asked of that: that a secured column is open
(SM-133), that the new owner can own (SM-92, SM-93) and every row below it may be assigned (SM-96), that what is shared
is held (SM-74) and not shared with the owner (SM-75), that a delete takes nothing along that may not go and leaves no
restricting child behind (SM-101, SM-104).

Each check is the verb's own. The changes that would help have been tried like all others (SM-162).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from strongroom.access.caller import Caller, SecurityFacts
from strongroom.access.check import SecuredRow
from strongroom.access.columns import is_open, open_to_shares
from strongroom.access.explain import Denial, Explanation, Question
from strongroom.access.ownership import unfit_owner
from strongroom.access.planning import plan_for
from strongroom.access.reasons import DenialCode
from strongroom.access.remedies import ACCESS_BY_RIGHT, makes_owner, opens_column
from strongroom.access.resolve import resolve
from strongroom.access.rights import RIGHT_NAMES
from strongroom.access.sharing import shareable
from strongroom.errors import InvalidRequest
from strongroom.ids import Reference
from strongroom.query.names import hint
from strongroom.records.assign import affected_by_assign
from strongroom.records.delete import by_table, restricting, with_children
from strongroom.records.explaining import demand_asking, explain_question, question_about, told_of
from strongroom.records.owners import facts_of
from strongroom.records.session import Session
from strongroom.schema.model import Rights, Table
from strongroom.store.protocol import Row


@dataclass(frozen=True, slots=True)
class Act:
    """What a right is to be used for: a column (Read, Write, Create), a new owner (Assign, Create), rights that are
    given to somebody (Share). Nothing of it: the right alone, and for Delete the delete."""

    column: str | None = None
    owner: Reference | None = None
    shared_with: Reference | None = None
    rights: Rights = Rights.NONE


NO_ACT = Act()

MOST_STOPPED = 50
"""Rows below that are explained; when a cascade is stopped by more, no single change is proposed."""


def explain_act(
    session: Session, principal: Reference, target: Reference, right: Rights, act: Act = NO_ACT
) -> Explanation:
    """Why `principal` may, or may not, use `right` on `target` for `act`.

    As `explain_access`; 400 when the act is none of the right's, or names a column that the table does not have.
    """
    demand_asking(session, principal)
    table = session.table(target.table)
    _check(act, table, right)
    row = session.transaction.row(table, target.id)
    return _Asker(session, facts_of(session, principal), table, row).explain(right, act)


def _check(act: Act, table: Table, right: Rights) -> None:
    for given, rights, what in (
        (act.column is not None, tuple(ACCESS_BY_RIGHT), "'Column' goes"),
        (act.owner is not None, (Rights.ASSIGN, Rights.CREATE), "'Owner' goes"),
        (act.shared_with is not None or bool(act.rights), (Rights.SHARE,), "'With' and 'Rights' go"),
    ):
        if given and right not in rights:
            known = ", ".join(RIGHT_NAMES[each] for each in rights)
            raise InvalidRequest(f"{what} with the right {known}, not with {RIGHT_NAMES[right]}.")
    if (act.shared_with is not None) is not bool(act.rights):
        raise InvalidRequest("'With' says whom a row is shared with and 'Rights' what is given: name both.")
    if act.column is not None and act.column not in table.columns:
        raise InvalidRequest(
            f"'{table.logical_name}' has no column '{act.column}'.{hint(act.column, table.columns.keys())}"
        )


_NOTHING = Explanation(())
"""No denial."""

_SAME_FOR_MANY_ROWS = ("team:",)
_SAME_FOR_MANY_RIGHTS = ("team:", "own", "share")
"""Changes that are one change wherever they are proposed; a privilege is another one for each right and table."""


def _together(denied: Sequence[Explanation], same: tuple[str, ...]) -> Explanation:
    """Several denials in the order of their checks as one: the first, with the changes that would undo all of them."""
    first, *others = denied
    if not others:
        return first
    changes = tuple(
        change
        for change in first.would_allow
        if change.startswith(same)
        and all(change in other.would_allow and other.changes_of == first.changes_of for other in others)
    )
    return replace(first, would_allow=changes)


@dataclass
class _Asker:
    """One question about one principal and one row."""

    session: Session
    facts: SecurityFacts
    table: Table
    row: Row | None

    def explain(self, right: Rights, act: Act) -> Explanation:
        question = question_about(self.session, self.table, right, self.row)
        if self.row is None:
            return explain_question(self.session, self.facts, question)
        if act.owner is not None and right is Rights.CREATE:
            question = replace(question, row=self._as_owned(self.row, act.owner))
        explanation = explain_question(self.session, self.facts, question)
        denied = [each for each in (explanation, *self._further(self.row, right, act)) if not each.allowed]
        return _together(denied, _SAME_FOR_MANY_ROWS) if denied else explanation

    def _further(self, row: Row, right: Rights, act: Act) -> Iterator[Explanation]:
        """What else is asked, in the order of SM-124."""
        if right is Rights.CREATE and act.owner is not None and act.owner.id != self.facts.id:
            asked = Question(self.table, Rights.ASSIGN, self._as_owned(row, act.owner))  # SM-121
            yield explain_question(self.session, self.facts, asked)
        if act.column is not None:
            yield self._column(row, right, act.column)
        if act.owner is not None:
            yield self._owner(row, right, act.owner)
        if act.owner is not None and right is Rights.ASSIGN:
            yield self._assign(row, act.owner)
        if act.shared_with is not None:
            yield from self._share(row, act.shared_with, act.rights)
        if right is Rights.DELETE:
            yield from self._delete(row)

    # --- columns ---

    def _column(self, row: Row, right: Rights, column: str) -> Explanation:
        """SM-133, SM-134."""
        access = ACCESS_BY_RIGHT[right]
        plan = plan_for(self._caller, self.table, right)
        values = () if right is Rights.CREATE else (column,)
        held = open_to_shares(plan, values, lambda principals: self.session.transaction.value_access(row, principals))
        if is_open(plan, column, access) or held:
            return _NOTHING
        profiles = told_of(self.session, "fieldsecurityprofile", self.session.transaction.directory().profiles)
        changes = opens_column(self.facts, self.session.schema, plan, column, profiles=profiles, teams=self._teams())
        return Explanation((), Denial(DenialCode.COLUMN_NOT_PERMITTED, column=column, lacks=access), changes)

    def _teams(self) -> Sequence[SecurityFacts]:
        directory = self.session.transaction.directory()
        keys = told_of(self.session, "team", {team.id: team.key for team in directory.teams.values()})
        return [directory.facts_of(key) for key in keys]

    # --- owners ---

    def _as_owned(self, row: Row, owner: Reference) -> SecuredRow:
        """The row as it would be created for an owner: in the owner's unit (SM-15)."""
        facts = facts_of(self.session, owner)
        return SecuredRow(facts.key, facts.unit) if row.table.has_owner else SecuredRow(row.owner, row.unit)

    def _owner(self, row: Row, right: Rights, owner: Reference) -> Explanation:
        """SM-92, SM-93; an owner who has the row already is not asked about (SM-95)."""
        facts = facts_of(self.session, owner)
        is_there = right is Rights.ASSIGN and facts.key == row.owner
        problem = None if is_there else unfit_owner(facts, self.table)
        if problem is None:
            return _NOTHING
        teams = self._teams() if problem is DenialCode.OWNER_CANNOT_READ else ()
        whose = None if owner.id == self.facts.id else owner
        return Explanation((), Denial(problem), makes_owner(facts, self.table, problem, teams), whose)

    def _assign(self, row: Row, owner: Reference) -> Explanation:
        """SM-96."""
        stopped: list[Row] = []
        key = facts_of(self.session, owner).key
        affected_by_assign(self.session, row, key, lambda child: self._collect(stopped, Rights.ASSIGN, child))
        return self._stopped(stopped, Rights.ASSIGN)

    # --- shares ---

    def _share(self, row: Row, principal: Reference, rights: Rights) -> Iterator[Explanation]:
        """SM-74, SM-75."""
        denied: list[Explanation] = []
        lacking = Rights.NONE
        for right in RIGHT_NAMES:
            if right in shareable(rights):
                found = explain_question(self.session, self.facts, question_about(self.session, self.table, right, row))
                if not found.allowed:
                    denied.append(found)
                    lacking |= right
        if denied:
            denial = Denial(DenialCode.CANNOT_GRANT_WHAT_YOU_LACK, right=lacking)
            yield replace(_together(denied, _SAME_FOR_MANY_RIGHTS), denial=denial)
        if facts_of(self.session, principal).key == row.owner:
            yield Explanation((), Denial(DenialCode.SHARE_WITH_OWNER))

    # --- deletes ---

    def _delete(self, row: Row) -> Iterator[Explanation]:
        """SM-101 to SM-104: rights on what goes along are asked before Restrict."""
        stopped: list[Row] = []
        doomed = with_children(self.session, [row], lambda child: self._collect(stopped, Rights.DELETE, child))
        yield self._stopped(stopped, Rights.DELETE)
        for group in by_table(doomed.values()):
            relationship = restricting(self.session, group, doomed)
            if relationship is not None:
                yield Explanation((), Denial(DenialCode.DELETE_RESTRICTED, relationship=relationship.schema_name))
                return

    # --- cascades ---

    def _collect(self, stopped: list[Row], right: Rights, child: Row) -> None:
        """Keep a row below that the principal has no `right` on."""
        plan = plan_for(self._caller, child.table, right)
        if plan.refusal is not None or not self.session.transaction.allows(plan, child):
            stopped.append(child)

    @cached_property
    def _caller(self) -> Caller:
        return resolve(self.facts, self.session.schema, 0)

    def _stopped(self, children: Sequence[Row], right: Rights) -> Explanation:
        """The denial of a cascade: that of the first row below, with what would allow all of them."""
        denied: list[Explanation] = []
        for child in children[:MOST_STOPPED]:
            asked = question_about(self.session, child.table, right, child)
            found = explain_question(self.session, self.facts, asked)
            if found.denial is not None:
                denied.append(replace(found, denial=replace(found.denial, row=child.reference())))
        if not denied:
            return _NOTHING
        told = _together(denied, _SAME_FOR_MANY_ROWS)
        return told if len(children) <= MOST_STOPPED else replace(told, would_allow=())
