"""What rows inherit of their parents' shares (SM-80 to SM-88).

A row remembers where each inherited right came from: a *part* is (principal, relationship, parent row, rights), and a
row's inherited mask is the union of its parts. Four events change parts, and each runs down the tree of children:

- *share*: rights newly given directly on a parent are added to the parts of its children, by the relationship's Share;
- *unshare*: rights that ended on a parent end in the parts of its children, by Unshare; a right has ended only when
  the principal no longer has it through any mask (SM-85);
- *arrive*: a child comes under a parent and gets what everybody has there, and the parent's owner everything, by
  Reparent (SM-83, SM-84);
- *leave*: a child goes from its parent and loses what came from there, whatever the settings say (SM-86).

No rights on the children are asked for: the relationship is the permission (SM-88). Example: Ann shares an account
with Bob to read; its tasks get the part (Bob, Account_Tasks, account, Read). Bob's share ends: the parts end.
"""

from collections.abc import Iterable, Mapping, Sequence

from strongroom.access.rights import SHAREABLE
from strongroom.access.sharing import (
    ended,
    gained,
    part_after_end,
    part_after_gain,
    reaches_child,
    reparent_parts,
    shareable,
)
from strongroom.ids import Guid, Key, Reference
from strongroom.records.lookups import Targets
from strongroom.records.session import Session
from strongroom.schema.activities import cascading_children
from strongroom.schema.model import ColumnType, Relationship, Rights, Table
from strongroom.store.protocol import InheritedPart, Row, Share, Value

NO_CASCADE = "NoCascade"
Gains = Mapping[Key, Rights]
"""Principal → rights that came, or went."""


def matches(how: str, child: Row, parent_owner: Key | None) -> bool:
    """Whether a cascade set to `how` touches `child`, judged now (SM-87)."""
    return reaches_child(how, is_active=_state(child) in (0, None), child_owner=child.owner, parent_owner=parent_owner)


def set_direct(session: Session, row: Row, share: Share, direct: Rights) -> None:
    """Make `direct` the direct mask of a share and pass on what that gives and takes.

    What the direct mask gains goes down, also what the principal had inherited already: its parts may have come where
    this row's children were not touched (SM-80). What it loses ends below unless the other mask still has it (SM-85).
    """
    before = rights_on(session, row).get(share.principal, Rights.NONE)
    session.transaction.set_share(row, Share(share.principal, direct, share.inherited))
    given = gained(share.direct, direct)
    lost = ended(before, direct | share.inherited)
    if given:
        _spread(session, row, {share.principal: given}, "share")
    if lost:
        _retract(session, row, {share.principal: lost}, "unshare")


def rights_on(session: Session, row: Row) -> dict[Key, Rights]:
    """What each principal has on `row` through either mask."""
    return _unions(session.transaction.shares(row.table, [row.key]).get(row.key, ()))


def arrive(session: Session, table: Table, rows: Sequence[Row], targets: Targets) -> None:
    """New rows come under the parents that their lookups name. They have no parts and no children yet, and what is
    shared on all their parents is read at once."""
    for relationship in _reparenting(session, table):
        column, parent_table = relationship.referencing_column, relationship.referenced_table
        under = [
            (row, targets.row(value))
            for row in rows
            if isinstance(value := row.values.get(column), Reference) and value.table == parent_table
        ]
        if not under:
            continue
        keys = sorted({parent.key for _, parent in under})
        shares = session.transaction.shares(session.table(parent_table), keys)
        for row, parent in under:
            if matches(relationship.cascade.reparent, row, parent.owner):
                gains = reparent_parts(_unions(shares.get(parent.key, ())), parent.owner, row.owner)
                for principal, rights in gains.items():
                    part = InheritedPart(principal, relationship.schema_name, parent.id, rights)
                    session.transaction.set_inherited_part(row, part)


def moved(session: Session, row: Row, before: Mapping[str, Value], targets: Targets) -> None:
    """The lookups of `row` changed from `before`: leave the old parents, come under the new ones."""
    if not row.table.has_owner:
        return
    for relationship in session.schema.parents_of(row.table.logical_name):
        column = relationship.referencing_column
        old, new = before.get(column), row.values.get(column)
        if column not in before or old == new:
            continue
        if isinstance(old, Reference) and old.table == relationship.referenced_table:
            leave(session, relationship, row, old.id)
        if (
            isinstance(new, Reference)
            and new.table == relationship.referenced_table
            and _is_reparenting(session, relationship)
        ):
            _attach(session, relationship, row, targets.row(new))


def leave(session: Session, relationship: Relationship, row: Row, parent: Guid) -> None:
    """End every part of `row` that came from `parent` through `relationship` (SM-86)."""
    if not row.table.has_owner:
        return
    parts = [
        part
        for part in session.transaction.inherited_parts(row)
        if part.parent == parent and part.relationship == relationship.schema_name
    ]
    _reduce(session, row, dict.fromkeys(parts, Rights.NONE), None)


def end_parts(session: Session, row: Row, parts: Sequence[InheritedPart]) -> None:
    """End some parts of `row`, and below it what its principals lost by that (SM-89)."""
    _reduce(session, row, dict.fromkeys(parts, Rights.NONE), None)


def owner_changed(session: Session, row: Row, old_owner: Key) -> None:
    """The new owner of a parent takes the place of the old one in its children's parts (SM-84)."""
    transaction = session.transaction
    still = shareable(rights_on(session, row).get(old_owner, Rights.NONE))
    for relationship in _children_with(session, row.table, "reparent"):
        for child in transaction.children(relationship, [row.id]):
            parts = [
                part
                for part in transaction.inherited_parts(child)
                if (part.principal, part.parent, part.relationship) == (old_owner, row.id, relationship.schema_name)
            ]
            _reduce(session, child, {part: part.rights & still for part in parts}, None)
            if row.owner is None or row.owner == child.owner:
                continue
            if matches(relationship.cascade.reparent, child, row.owner):
                _add(session, relationship, row.id, child, {row.owner: SHAREABLE}, "reparent")


# --- downwards -----------------------------------------------------------------------------------------------------


def _attach(session: Session, relationship: Relationship, child: Row, parent: Row) -> None:
    if not matches(relationship.cascade.reparent, child, parent.owner):
        return
    gains = reparent_parts(rights_on(session, parent), parent.owner, child.owner)
    _add(session, relationship, parent.id, child, gains, "reparent")


def _add(session: Session, relationship: Relationship, parent: Guid, child: Row, gains: Gains, follow: str) -> None:
    """Add `gains` to the child's part from `parent`, and pass on what is new there."""
    if not gains:
        return
    name = relationship.schema_name
    known = {
        part.principal: part.rights
        for part in session.transaction.inherited_parts(child)
        if part.parent == parent and part.relationship == name
    }
    new: dict[Key, Rights] = {}
    for principal, rights in gains.items():
        before = known.get(principal, Rights.NONE)
        after = part_after_gain(before, rights)
        if after != before:
            new[principal] = gained(before, after)
            session.transaction.set_inherited_part(child, InheritedPart(principal, name, parent, after))
    if new:
        _spread(session, child, new, follow)


def _spread(session: Session, row: Row, gains: Gains, follow: str) -> None:
    """Pass `gains` on to the children of `row` whose relationship's `follow` setting matches them."""
    for relationship in _children_with(session, row.table, follow):
        how = _setting(relationship, follow)
        for child in session.transaction.children(relationship, [row.id]):
            if matches(how, child, row.owner):
                _add(session, relationship, row.id, child, gains, follow)


def _retract(session: Session, row: Row, lost: Gains, follow: str | None) -> None:
    """End `lost` in the parts that came from `row`; without `follow` the relationship's settings do not matter.

    The owner of `row` keeps what it has below as its owner (SM-84).
    """
    lost = {principal: rights for principal, rights in lost.items() if principal != row.owner}
    if not lost:
        return
    for relationship in _children_with(session, row.table, follow):
        how = "Cascade" if follow is None else _setting(relationship, follow)
        for child in session.transaction.children(relationship, [row.id]):
            if not matches(how, child, row.owner):
                continue
            reduced = {
                part: part_after_end(part.rights, lost[part.principal])
                for part in session.transaction.inherited_parts(child)
                if part.parent == row.id
                and part.relationship == relationship.schema_name
                and part.principal in lost
                and part.rights & lost[part.principal]
            }
            _reduce(session, child, reduced, follow)


def _reduce(session: Session, row: Row, parts: Mapping[InheritedPart, Rights], follow: str | None) -> None:
    """Set parts of `row` to fewer rights, and retract below what the row's principals lost by it (SM-85)."""
    if not parts:
        return
    before = rights_on(session, row)
    for part, rights in parts.items():
        less = InheritedPart(part.principal, part.relationship, part.parent, rights)
        session.transaction.set_inherited_part(row, less)
    lost = _ended(before, rights_on(session, row))
    if lost:
        _retract(session, row, lost, follow)


# --- relationships ---------------------------------------------------------------------------------------------


def _children_with(session: Session, table: Table, setting: str | None) -> list[Relationship]:
    """Relationships to children that can be shared, whose `setting` passes something on; all when it is None."""
    tables = session.schema.tables
    return [
        relationship
        for relationship in cascading_children(session.schema, table.logical_name)
        if (setting is None or _setting(relationship, setting) != NO_CASCADE)
        and (child := tables.get(relationship.referencing_table)) is not None
        and child.has_owner
        and (setting is not None or _can_carry(relationship))
    ]


def _can_carry(relationship: Relationship) -> bool:
    """Whether parts can ever have come through the relationship."""
    return relationship.cascade.share != NO_CASCADE or relationship.cascade.reparent != NO_CASCADE


def _reparenting(session: Session, table: Table) -> list[Relationship]:
    if not table.has_owner:
        return []
    return [r for r in session.schema.parents_of(table.logical_name) if _is_reparenting(session, r)]


def _is_reparenting(session: Session, relationship: Relationship) -> bool:
    parent = session.schema.tables.get(relationship.referenced_table)
    return relationship.cascade.reparent != NO_CASCADE and parent is not None and parent.has_owner


def _setting(relationship: Relationship, name: str) -> str:
    cascade = relationship.cascade
    return {"share": cascade.share, "unshare": cascade.unshare, "reparent": cascade.reparent}[name]


def _ended(before: Gains, after: Gains) -> dict[Key, Rights]:
    """What each principal has no longer."""
    changed = {principal: ended(rights, after.get(principal, Rights.NONE)) for principal, rights in before.items()}
    return {principal: rights for principal, rights in changed.items() if rights}


def _unions(shares: Iterable[Share]) -> dict[Key, Rights]:
    """What each principal has through either mask."""
    return {share.principal: share.direct | share.inherited for share in shares}


def _state(row: Row) -> Value:
    column = next((c.logical_name for c in row.table.columns.values() if c.type is ColumnType.STATE), None)
    return row.values.get(column) if column is not None else None
