"""Shares: the table `principalobjectaccess` and the parts that inherited rights come from (SM-70 to SM-89).

What a share knows besides of its row is the matter of `store.share_keys`.
"""

from collections.abc import Sequence

from strongroom.errors import IntegrityViolation
from strongroom.ids import Guid, Key, new_guid
from strongroom.schema.model import Ownership, Rights, Table
from strongroom.store import share_keys, twins
from strongroom.store.layout import SHARES
from strongroom.store.protocol import InheritedPart, Row, Share
from strongroom.store.work import BATCH, Work

_SET = (
    f"insert into {SHARES} (id, principalobjectaccessid, objecttypecode, objectid, object, principalid,"
    ' principaltypecode, principal, "sort", owner, unit, accessrightsmask, inheritedaccessrightsmask, changedon,'
    " versionnumber, alone) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, case when exists (select 1"
    f" from {SHARES} where objecttypecode = ? and object = ? and principal <> ?) then 0 else 1 end)"
    " on conflict (objecttypecode, object, principal) do update set accessrightsmask = excluded.accessrightsmask,"
    " inheritedaccessrightsmask = excluded.inheritedaccessrightsmask, changedon = excluded.changedon,"
    " versionnumber = excluded.versionnumber returning alone"
)


def shares(work: Work, table: Table, rows: Sequence[Key]) -> dict[Key, list[Share]]:
    """The shares of each row that has some, by principal."""
    found: dict[Key, list[Share]] = {}
    for start in range(0, len(rows), BATCH):
        keys = work.engine.as_list(rows[start : start + BATCH])
        for row, principal, direct, inherited in work.connection.query(
            f"select object, principal, accessrightsmask, inheritedaccessrightsmask from {SHARES}"
            f" where objecttypecode = ? and {work.engine.keys_in('object')} order by object, principal",
            (table.logical_name, keys),
        ):
            share = Share(Key(principal), Rights(direct), Rights(inherited))
            found.setdefault(Key(row), []).append(share)
    return found


def is_shared(work: Work, row: Row, principals: frozenset[int], directly: frozenset[int], right: Rights) -> bool:
    """Whether one of `principals` has `right` on the row by either mask, or one of `directly` by its direct mask."""
    if not principals and not directly:
        return False
    bit = int(right)
    found = work.connection.query(
        f"select 1 from {SHARES} where objecttypecode = ? and object = ?"
        f" and (({work.engine.keys_in('principal')} and (accessrightsmask | inheritedaccessrightsmask) & ? <> 0)"
        f" or ({work.engine.keys_in('principal')} and accessrightsmask & ? <> 0)) limit 1",
        (
            row.table.logical_name,
            row.key,
            work.engine.as_list(sorted(principals)),
            bit,
            work.engine.as_list(sorted(directly)),
            bit,
        ),
    )
    return bool(found)


def set_share(work: Work, row: Row, share: Share) -> None:
    """Write the share, or remove it when both masks are empty (SM-79)."""
    pointer = twins.pointer_of(work, row.table)
    if pointer is not None:
        set_share(work, twins.twin(pointer, row), share)
    version = work.take_versions(1)  # also when it goes: whoever counted at an older version counts again
    place = (row.table.logical_name, row.key, share.principal)
    work.shares_changed.add(row.table.logical_name)
    if not share.direct and not share.inherited:
        gone = f"delete from {SHARES} where objecttypecode = ? and object = ? and principal = ?"
        if work.connection.execute(gone, place):
            share_keys.some_left(work, row.table.logical_name, [row.key])
        return
    principal = work.connection.query("select principalid, kind from principal where id = ?", (share.principal,))
    if not principal or row.table.ownership is not Ownership.USER:
        work.has_failed = True
        raise IntegrityViolation("A share needs a row of a user-owned table, and a user or team.")
    principal_id, kind = principal[0]
    ((alone,),) = work.connection.query(
        _SET,
        (
            version,
            new_guid(work.clock),
            row.table.logical_name,
            row.id,
            row.key,
            principal_id,
            kind,
            share.principal,
            share_keys.sort_key(row),
            row.owner,
            row.unit,
            int(share.direct),
            int(share.inherited),
            work.now(),
            version,
            *place,
        ),
    )
    if not alone:
        share_keys.another_came(work, row)


def inherited_parts(work: Work, row: Row) -> list[InheritedPart]:
    """Where the inherited rights on the row come from."""
    found = work.connection.query(
        "select principal, relationship, parent, rights from inheritedaccess where objecttypecode = ? and object = ?"
        " order by principal, relationship, parent",
        (row.table.logical_name, row.key),
    )
    return [
        InheritedPart(Key(principal), relationship, Guid(parent), Rights(rights))
        for principal, relationship, parent, rights in found
    ]


def set_inherited_part(work: Work, row: Row, part: InheritedPart) -> None:
    """Write one part (empty rights remove it) and recompute the principal's inherited mask: the union of its parts."""
    work.must_write()
    place = (row.table.logical_name, row.key, part.principal)
    if part.rights:
        work.connection.execute(
            "insert into inheritedaccess (objecttypecode, object, principal, relationship, parent, rights)"
            " values (?, ?, ?, ?, ?, ?) on conflict (objecttypecode, object, principal, relationship, parent)"
            " do update set rights = excluded.rights",
            (*place, part.relationship, part.parent, int(part.rights)),
        )
    else:
        work.connection.execute(
            "delete from inheritedaccess where objecttypecode = ? and object = ? and principal = ?"
            " and relationship = ? and parent = ?",
            (*place, part.relationship, part.parent),
        )
    inherited = Rights.NONE
    for (rights,) in work.connection.query(
        "select rights from inheritedaccess where objecttypecode = ? and object = ? and principal = ?", place
    ):
        inherited |= Rights(rights)
    before = work.connection.query(
        f"select accessrightsmask, inheritedaccessrightsmask from {SHARES}"
        " where objecttypecode = ? and object = ? and principal = ?",
        place,
    )
    direct, old = (Rights(before[0][0]), Rights(before[0][1])) if before else (Rights.NONE, Rights.NONE)
    if inherited != old:
        set_share(work, row, Share(part.principal, direct, inherited))


def remove_of_rows(work: Work, table: Table, keys: Sequence[Key]) -> None:
    """Remove the shares and inherited parts of rows that are going."""
    parameters = (table.logical_name, work.engine.as_list(keys))
    for name in (SHARES, "inheritedaccess"):
        gone = f"delete from {name} where objecttypecode = ? and {work.engine.keys_in('object')}"
        if work.connection.execute(gone, parameters):
            work.shares_changed.add(table.logical_name)


def remove_of_principals(work: Work, keys: Sequence[Key]) -> None:
    """Remove what is shared with users or teams that are going. The tables are named for the sake of the index."""
    owned = [name for name, table in work.schema.tables.items() if table.ownership is Ownership.USER]
    condition = f"{work.engine.texts_in('objecttypecode')} and {work.engine.keys_in('principal')}"
    parameters = (work.engine.as_list(owned), work.engine.as_list(keys))
    left: dict[str, list[int]] = {}
    for name, row in work.connection.query(
        f"select objecttypecode, object from {SHARES} where {condition} and alone = 0", parameters
    ):
        left.setdefault(name, []).append(row)
    for name in (SHARES, "inheritedaccess"):
        work.connection.execute(f"delete from {name} where {condition}", parameters)
    for name, rows in left.items():
        share_keys.some_left(work, name, rows)
    work.shares_changed.update(owned)
