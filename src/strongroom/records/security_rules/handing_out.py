"""What a role holds, and that nobody hands out more than they hold (SM-29)."""

from collections.abc import Iterable, Mapping

from strongroom.access.privileges import Handed, exceeding
from strongroom.errors import AccessDenied
from strongroom.ids import Guid, Key, Reference, new_guid
from strongroom.records.session import Session
from strongroom.schema.model import Depth
from strongroom.store.protocol import Row

_DEPTHS_BY_MASK = {depth.mask: depth for depth in Depth}


def held_by_role(session: Session, role: Row) -> dict[Guid, Depth]:
    """Privilege → depth of a role, kept under its original."""
    root = role.values.get("parentrootroleid")
    root_id = root.id if isinstance(root, Reference) else role.id
    found = session.transaction.rows_where(session.table("roleprivileges"), {"roleid": root_id})
    return {
        Guid(str(row.values["privilegeid"])): _DEPTHS_BY_MASK[mask]
        for row in found
        if isinstance(mask := row.values.get("privilegedepthmask"), int) and mask in _DEPTHS_BY_MASK
    }


def store_privileges(session: Session, role: Guid, wanted: Mapping[Guid, Depth]) -> None:
    """Add rows for privileges that the original `role` does not hold yet."""
    table = session.table("roleprivileges")
    session.transaction.insert(
        table,
        [
            Row(
                table,
                Key(0),
                new_guid(session.clock),
                None,
                None,
                0,
                {"roleid": role, "privilegeid": privilege, "privilegedepthmask": depth.mask},
            )
            for privilege, depth in wanted.items()
        ],
    )


def demand_coverage(session: Session, roles: Iterable[tuple[Row, Key]]) -> None:
    """Refuse to hand out `roles`, each with the unit at which it will be anchored, beyond what the caller holds.

    Administrators are asked like everybody: behind an impersonation they hold less (SM-68).
    """
    demand_held(
        session,
        [
            Handed(privilege, depth, anchor)
            for role, anchor in roles
            for privilege, depth in held_by_role(session, role).items()
        ],
    )


def places_of(session: Session, role: Row) -> list[Key]:
    """Where an original role reaches from: its own unit, and the units of those of its copies that somebody holds. A
    change of the original holds for all of them at once (SM-23)."""
    places = {role.unit or Key(0)}
    holders = [session.schema.many_to_many[name] for name in ("systemuserroles_association", "teamroles_association")]
    for copy in session.transaction.rows_where(role.table, {"parentrootroleid": role.reference()}):
        if copy.unit is not None and any(
            session.transaction.linked(association, copy.id, from_first=False) for association in holders
        ):
            places.add(copy.unit)
    return sorted(places)


def demand_held(session: Session, handed: Iterable[Handed]) -> None:
    """Refuse unless the caller holds each privilege with the same reach or more."""
    lacking = exceeding(session.caller, handed)
    if lacking is not None:
        privilege = session.schema.privileges_by_id.get(lacking.privilege_id)
        name = privilege.name if privilege else lacking.privilege_id
        raise AccessDenied(
            f"Principal with id {session.caller.id} does not hold {name} with depth {lacking.depth.wire_name} or more "
            "there, so it cannot give it to others.",
            code="0x80040220",
        )
