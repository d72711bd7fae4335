"""Why somebody may, why not, and what would help (section 16).

Nothing is decided here: an explanation reads the plan that enforcement uses (SM-165), and every change that it
proposes has been tried, by planning again from a changed copy of the facts (SM-162). So it cannot promise what would
not hold.

Example: Ada (unit North, *Seller*: read account Local) asks about an account of unit South that Bo owns. Denied,
`no-access-path`: her widest grant is Local, anchored at North. Would allow: `privilege:Global`, `share`, `own`, and
`team:Deals`, with which the account is shared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from strongroom.access.caller import AccessMode, Caller, Grant, HeldRole, Role, SecurityFacts, Team
from strongroom.access.check import Elsewhere, SecuredRow, can_read_table, nowhere, reasons_of
from strongroom.access.columns import added
from strongroom.access.plan import ColumnAccess, Reason
from strongroom.access.planning import plan_for
from strongroom.access.reasons import DenialCode
from strongroom.access.resolve import is_disabled, resolve
from strongroom.access.view import view_of
from strongroom.ids import EMPTY_GUID, Key, Reference
from strongroom.schema.model import Depth, Ownership, Privilege, Rights, Schema, Table


@dataclass(frozen=True, slots=True)
class Denial:
    """The first check that failed (SM-161), with what its code says of it.

    missing-privilege: `privilege` names it (None when there is none for this right), and `taken_by_access_mode` tells
    that the principal holds it but for its access mode. no-access-path: `widest` is the widest grant held, and `owner`
    and `unit` are those of the row that it does not reach. column-not-permitted: `column`, and what its profiles lack.
    cannot-grant-what-you-lack: the first such right. delete-restricted: the relationship, never the child. `row` is
    set when a cascade is denied on another row than the one that the question is about.
    """

    code: DenialCode
    privilege: str | None = None
    taken_by_access_mode: bool = False
    widest: Grant | None = None
    owner: Key | None = None
    unit: Key | None = None
    column: str | None = None
    lacks: ColumnAccess = ColumnAccess.NONE
    right: Rights = Rights.NONE
    relationship: str | None = None
    row: Reference | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision on (principal, row, right). Allowed: every reason that alone would be enough, and no denial.
    Denied: no reason, the denial, and the smallest single changes that would allow it (SM-160 to SM-163): changes for
    the principal, or for `changes_of` when it is somebody else who is in the way."""

    reasons: tuple[Reason, ...]
    denial: Denial | None = None
    would_allow: tuple[str, ...] = ()
    changes_of: Reference | None = None

    @property
    def allowed(self) -> bool:
        return self.denial is None


@dataclass(frozen=True, slots=True)
class Question:
    """May the principal use `right` on `row` of `table`? For Create the row as it would be; `row` None does not exist.

    `elsewhere` answers for rows of tables that take the access of their parents; see `access.check`.
    """

    table: Table
    right: Rights
    row: SecuredRow | None
    elsewhere: Elsewhere = nowhere


@dataclass(frozen=True, slots=True)
class _TriedShare:
    principal: Key
    direct: Rights
    inherited: Rights = Rights.NONE


def explain(
    facts: SecurityFacts, schema: Schema, question: Question, teams: Sequence[SecurityFacts] = ()
) -> Explanation:
    """The decision for the principal of `facts`, explained. `teams` are the facts of the environment's teams: those
    that the principal could be added to are among the proposals (SM-162)."""
    view = None if question.row is None else view_of(question.table, question.right, question.row)
    asked = facts if view is None else view.of(facts)
    reasons, denial = decide(resolve(asked, schema, 0), question)
    if denial is None:
        return Explanation(reasons)
    tried = teams if view is None else [view.of(team) for team in teams]
    return Explanation((), denial, _would_allow(asked, schema, question, denial, tried))


def is_allowed(facts: SecurityFacts, schema: Schema, question: Question) -> bool:
    """The decision alone, without the reasons why not."""
    view = None if question.row is None else view_of(question.table, question.right, question.row)
    return _suffices(facts if view is None else view.of(facts), schema, question)


def decide(caller: Caller, question: Question) -> tuple[tuple[Reason, ...], Denial | None]:
    """The decision procedure (section 17) for a caller: every reason that holds, or the first check that failed."""
    if is_disabled(caller.facts):
        return (), Denial(DenialCode.USER_DISABLED)
    if not caller.facts.roles:
        return (), Denial(DenialCode.NO_ROLES)
    plan = plan_for(caller, question.table, question.right)
    if plan.refusal is not None:
        return (), _missing_privilege(caller, question)
    if question.row is None:
        return (), Denial(DenialCode.DOES_NOT_EXIST)
    reasons = reasons_of(plan, question.row, question.elsewhere)
    return (reasons, None) if reasons else ((), _no_access_path(caller, question, question.row))


# --- denials -------------------------------------------------------------------------------------------------------


def _missing_privilege(caller: Caller, question: Question) -> Denial:
    privilege = question.table.privileges.get(question.right)
    unrestricted = resolve(replace(caller.facts, access_mode=AccessMode.READ_WRITE), caller.schema, caller.epoch)
    return Denial(
        DenialCode.MISSING_PRIVILEGE,
        privilege=None if privilege is None else privilege.name,
        taken_by_access_mode=plan_for(unrestricted, question.table, question.right).refusal is None,
    )


def _no_access_path(caller: Caller, question: Question, row: SecuredRow) -> Denial:
    privilege = question.table.privileges.get(question.right)
    grants = () if privilege is None else caller.grants.get(privilege.id, ())
    widest = max(grants, key=lambda grant: grant.depth.value, default=None)
    return Denial(DenialCode.NO_ACCESS_PATH, widest=widest, owner=row.owner, unit=row.unit)


# --- what would allow it -------------------------------------------------------------------------------------------


def _would_allow(
    facts: SecurityFacts, schema: Schema, question: Question, denial: Denial, teams: Sequence[SecurityFacts]
) -> tuple[str, ...]:
    row = question.row
    if row is None:
        return ()
    if denial.code is DenialCode.USER_DISABLED:
        return ("enable-user",) if _suffices(replace(facts, is_disabled=False), schema, question) else ()
    found: list[str] = []
    depth = _least_depth_that_suffices(facts, schema, question)
    if depth is not None:
        found.append(f"privilege:{depth.wire_name}")
    if question.table.ownership is Ownership.USER:
        found += _changes_of_the_row(facts, schema, question, row)
    for team, member in joined(facts, teams):
        if _suffices(member, schema, question):
            found.append(f"team:{team.name}")
    return tuple(found)


def _suffices(facts: SecurityFacts, schema: Schema, question: Question) -> bool:
    _, denial = decide(resolve(facts, schema, 0), question)
    return denial is None


def _least_depth_that_suffices(facts: SecurityFacts, schema: Schema, question: Question) -> Depth | None:
    """`privilege:<depth>`: given in a new role, assigned directly in the principal's own unit."""
    privilege = question.table.privileges.get(question.right)
    if privilege is None:
        return None
    for depth in sorted(privilege.depths, key=lambda depth: depth.value):
        if _suffices(with_new_role(facts, privilege, depth), schema, question):
            return depth
    return None


def with_new_role(facts: SecurityFacts, privilege: Privilege, depth: Depth) -> SecurityFacts:
    """The principal with one more role, assigned directly in its own unit, that has this privilege alone."""
    role = Role(EMPTY_GUID, EMPTY_GUID, "new role", facts.unit)
    return replace(
        facts,
        roles=(*facts.roles, HeldRole(role)),
        role_privileges={**facts.role_privileges, role.root_id: {privilege.id: depth}},
    )


def _changes_of_the_row(facts: SecurityFacts, schema: Schema, question: Question, row: SecuredRow) -> list[str]:
    """`share` and `own`. Who owns a row must hold Read on its table (SM-92); where the owning unit goes: SM-91, SM-97.

    A share is listed even for the row's own owner, whom GrantAccess would refuse (SM-75): the rule judges the share.
    """
    found: list[str] = []
    if question.right is not Rights.CREATE:
        shared = replace(row, shares=(*row.shares, _TriedShare(facts.key, question.right)))
        if _suffices(facts, schema, replace(question, row=shared)):
            found.append("share")
    if row.owner != facts.key and can_read_table(resolve(facts, schema, 0), question.table):
        stays = facts.settings.matrix_access and not facts.settings.always_move_record
        owned = replace(row, owner=facts.key, unit=row.unit if stays else facts.unit)
        if _suffices(facts, schema, replace(question, row=owned)):
            found.append("own")
    return found


def joined(facts: SecurityFacts, teams: Sequence[SecurityFacts]) -> Iterator[tuple[Team, SecurityFacts]]:
    """Each team that the user could be added to, default teams aside, with the facts of the user as its member."""
    if facts.is_team:
        return
    member_of = {team.key for team in facts.teams}
    for one in teams:
        team = one.team
        if team is not None and not team.is_default and team.key not in member_of:
            yield (
                team,
                replace(
                    facts,
                    teams=(*facts.teams, team),
                    roles=(*facts.roles, *(HeldRole(held.role, team) for held in one.roles)),
                    role_privileges={**facts.role_privileges, **one.role_privileges},
                    column_permissions=added(facts.column_permissions, one.column_permissions),
                ),
            )
