"""What the tables say of secured columns besides profiles: masking rules (SM-137), and values of single rows that are
shared (SM-134)."""

from collections.abc import Mapping, Sequence

from strongroom.access.masking import Mask
from strongroom.access.plan import ColumnAccess
from strongroom.ids import Guid
from strongroom.store.layout import VALUE_SHARES
from strongroom.store.protocol import Row
from strongroom.store.work import Work

MASKING_TABLES = frozenset({"maskingrule", "attributemaskingrule"})


def masking_rules(work: Work) -> Mapping[str, Mapping[str, Mask]]:
    """Table → column → its rule; rules that are not active mask nothing. The first of two rules of a column counts."""
    found: dict[str, dict[str, Mask]] = {}
    for table, column, pattern, character in work.connection.query(
        "select a.entityname, a.attributelogicalname, r.regularexpression, r.maskedcharacter"
        " from attributemaskingrule a join maskingrule r on r.maskingruleid = a.maskingruleid"
        " where coalesce(a.statecode, 0) = 0 and coalesce(r.statecode, 0) = 0 order by a.id"
    ):
        found.setdefault(table, {}).setdefault(column, Mask(pattern, character))
    return found


def columns_shared_with(work: Work, principals: Sequence[Guid]) -> frozenset[Guid]:
    """The metadata ids of the columns of which some value is shared with one of `principals`."""
    found = work.connection.query(
        f"select distinct attributeid from {VALUE_SHARES} where {work.engine.guids_in('principalid')}",
        (work.engine.as_list(principals),),
    )
    return frozenset(Guid(column) for (column,) in found)


def value_access(work: Work, row: Row, principals: frozenset[int]) -> dict[Guid, ColumnAccess]:
    """What the value shares of one row give to one of `principals`, by the column's metadata id."""
    found: dict[Guid, ColumnAccess] = {}
    for column, read, update in work.connection.query(
        f"select v.attributeid, v.readaccess, v.updateaccess from {VALUE_SHARES} v"
        " join principal p on p.principalid = v.principalid and p.kind = v.principalid__table"
        f" where v.objectid = ? and v.objectid__table = ? and {work.engine.keys_in('p.id')}",
        (row.id, row.table.logical_name, work.engine.as_list(sorted(principals))),
    ):
        access = ColumnAccess.READ if read else ColumnAccess.NONE
        if update:
            access |= ColumnAccess.UPDATE
        found[Guid(column)] = found.get(Guid(column), ColumnAccess.NONE) | access
    return found
