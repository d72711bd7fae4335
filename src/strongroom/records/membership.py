"""Members of teams, and privileges of roles: the acts that have messages of their own (WA-391, WA-392)."""

from collections.abc import Sequence
from dataclasses import dataclass

from strongroom.ids import Guid
from strongroom.records.session import Session
from strongroom.schema.model import Depth


@dataclass(frozen=True, slots=True)
class RolePrivilege:
    """A privilege and the depth at which a role holds it."""

    privilege: Guid
    depth: Depth


def add_members(session: Session, team: Guid, users: Sequence[Guid]) -> None:
    """Put users into a team (SM-51, SM-53, SM-58). Those who are in it already stay."""
    raise NotImplementedError


def remove_members(session: Session, team: Guid, users: Sequence[Guid]) -> None:
    """Take users out of a team (SM-53, SM-58)."""
    raise NotImplementedError


def add_privileges(session: Session, role: Guid, privileges: Sequence[RolePrivilege]) -> None:
    """Add, widen or narrow the listed privileges of a role (SM-30)."""
    raise NotImplementedError


def replace_privileges(session: Session, role: Guid, privileges: Sequence[RolePrivilege]) -> None:
    """Make `privileges` all that the role holds (SM-30)."""
    raise NotImplementedError


def remove_privilege(session: Session, role: Guid, privilege: Guid) -> None:
    """Take one privilege away (SM-30)."""
    raise NotImplementedError


def role_privileges(session: Session, role: Guid) -> list[RolePrivilege]:
    """What a role holds (WA-393). Needs Read on the role."""
    raise NotImplementedError
