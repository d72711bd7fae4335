"""The codes that explanations use: why somebody may (SM-160), and why not (SM-161)."""

from enum import StrEnum

from strongroom.access.caller import Grant, Team

Source = tuple[str, str, str]
"""A row of configuration that a reason comes from: (table, id, name)."""


class Code(StrEnum):
    """Why a branch of a plan is there (SM-160). The set is exact for user-owned and organization-owned tables.

    The last two occur on tables that are owned by nobody (SM-10): `everyone` on tables that every user may read,
    `parent` on rows that take the access of another row.
    """

    BYPASS_SYSADMIN = "bypass-sysadmin"
    ROLE_BASIC_OWN = "role-basic-own"
    ROLE_LOCAL_BU = "role-local-bu"
    ROLE_DEEP = "role-deep"
    ROLE_GLOBAL = "role-global"
    TEAM_ROLE_BASIC_OWN = "team-role-basic-own"
    TEAM_ROLE_LOCAL_BU = "team-role-local-bu"
    TEAM_ROLE_DEEP = "team-role-deep"
    TEAM_ROLE_GLOBAL = "team-role-global"
    OWNER_TEAM = "owner-team"
    SHARE_DIRECT = "share-direct"
    SHARE_TEAM = "share-team"
    ACCESS_TEAM = "access-team"
    SHARE_INHERITED = "share-inherited"
    HIERARCHY_MANAGER = "hierarchy-manager"
    HIERARCHY_POSITION = "hierarchy-position"
    EVERYONE = "everyone"
    PARENT = "parent"


class DenialCode(StrEnum):
    """The first check that failed (SM-161): of the decision procedure, or of the act that the right is used for."""

    USER_DISABLED = "user-disabled"
    NO_ROLES = "no-roles"
    MISSING_PRIVILEGE = "missing-privilege"
    DOES_NOT_EXIST = "does-not-exist"
    NO_ACCESS_PATH = "no-access-path"
    COLUMN_NOT_PERMITTED = "column-not-permitted"
    OWNER_CANNOT_READ = "owner-cannot-read"
    OWNER_DISABLED = "owner-disabled"
    OWNER_IS_ACCESS_TEAM = "owner-is-access-team"
    CANNOT_GRANT_WHAT_YOU_LACK = "cannot-grant-what-you-lack"
    SHARE_WITH_OWNER = "share-with-owner"
    DELETE_RESTRICTED = "delete-restricted"


def role_sources(grant: Grant) -> tuple[Source, ...]:
    """Where a grant comes from: the role copy, then the team that holds it."""
    role, via = grant.held.role, grant.held.via_team
    source = ("role", role.id, role.name)
    return (source,) if via is None else (source, team_source(via))


def team_source(team: Team) -> Source:
    """A team as the source of a reason."""
    return ("team", team.id, team.name)
