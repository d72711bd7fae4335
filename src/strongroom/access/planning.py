"""The rules of the decision procedure (security model, section 17) as a `Plan` for (caller, table, right).

Vocabulary: a *grant* is a privilege at a depth from one held role, anchored at the unit of the role copy; a *branch*
is one way to reach rows. Order: the privilege check refuses when there is no grant at all (SM-21); a System
Administrator reaches everything; else every grant adds branches by its depth, and by its Basic part whatever its depth
(SM-36); then shares and the hierarchy add theirs. Nothing takes a branch away (SM-1).

Example: Ada (unit North, member of the owner team Deals) holds *Seller* (read account: Local). Her plan is
`unit in {North}` role-local-bu · `owner in {Ada}` role-basic-own · `owner in {Deals}` owner-team · `shared with Ada`
share-direct, share-inherited · `shared with Deals` share-team, share-inherited.
"""

from strongroom.access.caller import Caller, Grant, Subordinate, TeamType
from strongroom.access.columns import gated, mask_of
from strongroom.access.dependents import plan_of_unowned
from strongroom.access.messages import missing_privilege, no_such_privilege
from strongroom.access.parents import READABLE_BY_EVERY_USER
from strongroom.access.plan import Branch, Plan, Reason
from strongroom.access.reasons import Code, Source, role_sources, team_source
from strongroom.access.resolve import grants_of
from strongroom.query.ast import TRUE, OwnerIn, Predicate, SharedWith, UnitIn
from strongroom.schema.activities import tables_behind
from strongroom.schema.model import Depth, Ownership, Rights, Table

_SUBORDINATES_READ = frozenset({Rights.READ})
_SUBORDINATES_FULL = frozenset({Rights.READ, Rights.WRITE, Rights.APPEND, Rights.APPEND_TO})


def plan_for(caller: Caller, table: Table, right: Rights) -> Plan:
    """Which rows of `table` the caller may use `right` on, and why. Made once per caller.

    Without the privilege the plan holds the refusal of SM-150 and reaches nothing; `Plan.required` raises it. The plan
    for Create has no shares and no hierarchy: it is asked about the row as it would be (SM-120).
    """
    key = (table.logical_name, right)
    found = caller.plans.get(key)
    if found is None:
        found = caller.plans[key] = gated(_make(caller, table, right), caller)
    return found


def _make(caller: Caller, table: Table, right: Rights) -> Plan:
    is_for_everyone = right is Rights.READ and table.logical_name in READABLE_BY_EVERY_USER  # WA-307
    if table.ownership is Ownership.NONE or is_for_everyone:
        return plan_of_unowned(caller, table, right, plan_for)
    privilege = table.privileges.get(right)
    if privilege is None:
        return Plan(table, right, refusal=no_such_privilege(caller, right, table))
    grants = grants_of(caller, privilege)
    if not grants:
        return Plan(table, right, refusal=missing_privilege(caller, privilege, table))
    branches = _Branches()
    if caller.is_system_administrator:
        for grant in grants:
            branches.add(TRUE, Code.BYPASS_SYSADMIN, *role_sources(grant))
    else:
        _add_grants(branches, caller, table, grants)
        if table.ownership is Ownership.USER and right is not Rights.CREATE:
            _add_shares(branches, caller, right)
            _add_hierarchy(branches, caller, table, right)
    return Plan(table, right, branches.done(), mask=mask_of(caller, table))


class _Branches:
    """Branches under construction: grants with the same predicate are one branch with several reasons."""

    def __init__(self) -> None:
        self._reasons: dict[Predicate, list[Reason]] = {}

    def add(self, predicate: Predicate, code: Code, *sources: Source) -> None:
        self._reasons.setdefault(predicate, []).append(Reason(code, tuple(dict.fromkeys(sources))))

    def done(self) -> tuple[Branch, ...]:
        return tuple(Branch(predicate, tuple(reasons)) for predicate, reasons in self._reasons.items())


# --- roles ---------------------------------------------------------------------------------------------------------


def _add_grants(branches: _Branches, caller: Caller, table: Table, grants: tuple[Grant, ...]) -> None:
    for grant in grants:
        sources = role_sources(grant)
        by_team = caller.facts.is_team or grant.held.via_team is not None
        if grant.depth is Depth.GLOBAL:  # SM-35
            branches.add(TRUE, Code.TEAM_ROLE_GLOBAL if by_team else Code.ROLE_GLOBAL, *sources)
        if table.ownership is Ownership.ORGANIZATION:  # SM-11: Global or nothing
            continue
        if grant.depth is Depth.DEEP:  # SM-34
            below = caller.facts.units.subtree(grant.anchor)
            branches.add(UnitIn("", below), Code.TEAM_ROLE_DEEP if by_team else Code.ROLE_DEEP, *sources)
        if grant.depth is Depth.LOCAL:  # SM-32, SM-33
            here = frozenset({grant.anchor})
            branches.add(UnitIn("", here), Code.TEAM_ROLE_LOCAL_BU if by_team else Code.ROLE_LOCAL_BU, *sources)
        if table.ownership is Ownership.USER:
            _add_basic_part(branches, caller, grant)
        elif table.logical_name == "systemuser" and not caller.facts.is_team and _serves_member(grant):  # SM-12
            own = OwnerIn("", frozenset({caller.key}))
            branches.add(own, Code.TEAM_ROLE_BASIC_OWN if by_team else Code.ROLE_BASIC_OWN, *sources)


def _add_basic_part(branches: _Branches, caller: Caller, grant: Grant) -> None:
    """What the Basic part of a grant reaches: rows owned by somebody (SM-36, SM-40, SM-41, SM-44, SM-45, SM-47)."""
    sources = role_sources(grant)
    via = grant.held.via_team
    if caller.facts.is_team:
        branches.add(OwnerIn("", frozenset({caller.key})), Code.OWNER_TEAM, *sources)
    elif via is not None and not grant.held.role.is_inherited:
        branches.add(OwnerIn("", frozenset({via.key})), Code.OWNER_TEAM, *sources)
    else:
        code = Code.ROLE_BASIC_OWN if via is None else Code.TEAM_ROLE_BASIC_OWN
        branches.add(OwnerIn("", frozenset({caller.key})), code, *sources)
        for team in caller.facts.teams:
            if team.owns_rows:
                branches.add(OwnerIn("", frozenset({team.key})), Code.OWNER_TEAM, *sources, team_source(team))


def _serves_member(grant: Grant) -> bool:
    """Whether the Basic part acts as if the member held it directly (SM-44)."""
    return grant.held.via_team is None or grant.held.role.is_inherited


# --- shares and hierarchy ------------------------------------------------------------------------------------------


def _add_shares(branches: _Branches, caller: Caller, right: Rights) -> None:
    """Rows shared with the principal or with any of its teams, access teams included (SM-70)."""
    facts = caller.facts
    mine = SharedWith("", frozenset({facts.key}), right)
    branches.add(mine, Code.SHARE_DIRECT, _share_source(facts.id, facts.name))
    branches.add(mine, Code.SHARE_INHERITED, _share_source(facts.id, facts.name))
    for team in facts.teams:
        shared = SharedWith("", frozenset({team.key}), right)
        code = Code.ACCESS_TEAM if team.type is TeamType.ACCESS else Code.SHARE_TEAM
        branches.add(shared, code, _share_source(team.id, team.name), team_source(team))
        branches.add(shared, Code.SHARE_INHERITED, _share_source(team.id, team.name), team_source(team))


def _add_hierarchy(branches: _Branches, caller: Caller, table: Table, right: Rights) -> None:
    """Rows of the caller's subordinates (SM-140, SM-142, SM-146)."""
    settings = caller.facts.settings
    if not settings.hierarchy_enabled or not _hierarchy_counts(caller, table):
        return
    if not grants_of(caller, table.privileges[Rights.READ]):
        return
    code = Code.HIERARCHY_POSITION if settings.hierarchy_by_position else Code.HIERARCHY_MANAGER
    for below in caller.facts.subordinates:
        full = below.level <= settings.hierarchy_write_levels
        if right in (_SUBORDINATES_FULL if full else _SUBORDINATES_READ):
            source = _subordinate_source(below)
            branches.add(OwnerIn("", below.owning_principals), code, source)
            branches.add(SharedWith("", below.sharing_principals, right, direct_only=True), code, source)


def _hierarchy_counts(caller: Caller, table: Table) -> bool:
    """Whether the hierarchy reaches rows of the table at all. It reaches rows of `activitypointer` when it reaches the
    activities of every table: of a table that is left out nothing may be seen there either."""
    tables = [caller.schema.tables[name] for name in tables_behind(caller.schema, table.logical_name)]
    return all(each.is_hierarchy_security_enabled for each in tables)


# --- sources -------------------------------------------------------------------------------------------------------


def _share_source(id: str, name: str) -> Source:
    return ("principalobjectaccess", id, name)


def _subordinate_source(below: Subordinate) -> Source:
    return ("systemuser", below.id, below.name)
