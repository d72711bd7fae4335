"""Sharing rows with users and teams (SM-70 to SM-79), and asking who has what (SM-170)."""

from strongroom.ids import Reference
from strongroom.records.session import Session
from strongroom.records.shapes import PrincipalShare
from strongroom.schema.model import Rights


def grant_access(session: Session, target: Reference, principal: Reference, rights: Rights) -> None:
    """Add `rights` to what `principal` has on `target` directly (SM-76)."""
    raise NotImplementedError


def modify_access(session: Session, target: Reference, principal: Reference, rights: Rights) -> None:
    """Replace the direct share of `principal` (SM-77)."""
    raise NotImplementedError


def revoke_access(session: Session, target: Reference, principal: Reference) -> None:
    """End the direct share of `principal` (SM-78)."""
    raise NotImplementedError


def principal_access(session: Session, target: Reference, principal: Reference) -> Rights:
    """The rights of a user or team on a row (SM-170). Asking needs Read on the row."""
    raise NotImplementedError


def shared_principals(session: Session, target: Reference) -> list[PrincipalShare]:
    """Whom a row is shared with (SM-79). Asking needs Read on the row."""
    raise NotImplementedError
