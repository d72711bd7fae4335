"""How shares travel along relationships (section 7): pure rules, from masks to masks.

A share has a *direct* mask, which somebody gave, and an *inherited* one: the union of *parts*, each from one
(relationship, parent row). Events on a parent change the parts of its children, and a child whose masks change passes
the change on by the same rules (SM-81). The records room walks the rows and asks here what changes; no right on the
children is needed (SM-88), and *Active* and *UserOwned* are judged when the event happens (SM-87).
"""

from collections.abc import Mapping

from strongroom.access.rights import SHAREABLE
from strongroom.ids import Key
from strongroom.schema.model import Rights


def reaches_child(cascade: str, *, is_active: bool, child_owner: Key | None, parent_owner: Key | None) -> bool:
    """Whether an event on the parent touches this child by the relationship's setting (section 7).

    `is_active` is whether the child's `statecode` is 0, `parent_owner` the parent's owner before the change.
    """
    match cascade:
        case "Cascade":
            return True
        case "Active":
            return is_active
        case "UserOwned":
            return child_owner is not None and child_owner == parent_owner
        case _:
            return False


# --- direct masks --------------------------------------------------------------------------------------------------


def shareable(rights: Rights) -> Rights:
    """`rights` without Create, which masks ignore (SM-74)."""
    return rights & SHAREABLE


def mask_after_grant(direct: Rights, given: Rights) -> Rights:
    """The direct mask after GrantAccess: it adds (SM-76)."""
    return direct | shareable(given)


def mask_after_modify(given: Rights) -> Rights:
    """The direct mask after ModifyAccess: it replaces, and an empty mask ends the share (SM-77)."""
    return shareable(given)


def lacking(held: Rights, given: Rights) -> Rights:
    """What somebody who has `held` on a row would give away without having it (SM-74); empty when the share is fine."""
    return shareable(given) & ~held


# --- what goes down ------------------------------------------------------------------------------------------------


def gained(before: Rights, after: Rights) -> Rights:
    """The rights newly given; Share cascades add them to the part of each matching child (SM-80, SM-81)."""
    return after & ~before


def ended(before: Rights, after: Rights) -> Rights:
    """The rights that end downwards. Both masks are unions of direct and inherited: a right that the principal still
    has by the other mask does not end (SM-82, SM-85)."""
    return before & ~after


def part_after_gain(part: Rights, rights: Rights) -> Rights:
    """A child's part after its parent's principal gained `rights` (SM-80)."""
    return part | shareable(rights)


def part_after_end(part: Rights, rights: Rights) -> Rights:
    """A child's part after `rights` ended on its parent (SM-82)."""
    return part & ~rights


def reparent_parts(
    shares: Mapping[Key, Rights], parent_owner: Key | None, child_owner: Key | None
) -> dict[Key, Rights]:
    """The parts that a child gets from a parent that it comes under, by principal (SM-83, SM-84).

    `shares` are both masks of every principal on the parent. The parent's owner has everything shareable, unless it
    owns the child too; an owner's own part would say nothing, so the child's owner gets none from that rule.
    """
    parts = {principal: shareable(rights) for principal, rights in shares.items() if shareable(rights)}
    if parent_owner is not None and parent_owner != child_owner:
        parts[parent_owner] = SHAREABLE
    return parts
