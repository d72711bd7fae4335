"""`Database.check`: everything that must hold between the tables, in words when it does not.

The engine has looked at pages and files before; here it is about meaning: counters, owners, units, shares, folded
companions, versions, and the tables themselves against the schema.
"""

from collections.abc import Iterator

from strongroom.schema.model import Table
from strongroom.store import counters, twins
from strongroom.store.ddl import stored_columns
from strongroom.store.dialect import quote
from strongroom.store.layout import (
    PRINCIPAL_TABLES,
    SHARES,
    fold,
    has_owner_key,
    has_unit,
    is_folded,
    is_stored,
    sort_column,
)
from strongroom.store.shape import VERSION
from strongroom.store.work import Work


def doubts(work: Work) -> list[str]:
    """Every doubt; the tables' own form first, because nothing else can be asked of a table that is not there."""
    found = list(_form(work))
    if found:
        return found
    found += counters.doubts(work.connection, work.engine, work.schema)
    for table in work.schema.tables.values():
        found += _keys(work, table)
        found += _versions(work, table)
        found += _folded(work, table)
    found += _principals(work)
    found += _shares(work)
    found += twins.doubts(work)
    return found


def _form(work: Work) -> Iterator[str]:
    existing = work.engine.tables(work.connection)
    for name, table in work.schema.tables.items():
        if name not in existing:
            yield f"{name}: the table is missing"
            continue
        missing = stored_columns(table, work.engine).keys() - existing[name]
        if missing:
            yield f"{name}: columns are missing: {', '.join(sorted(missing))}"


def _keys(work: Work, table: Table) -> Iterator[str]:
    name = quote(table.logical_name)
    for column, target, holds in (
        ("owner", "principal", has_owner_key(table)),
        ("unit", "businessunit", has_unit(table)),
    ):
        if holds:
            lost = _number(
                work,
                f"select count(*) from {name} r where not exists (select 1 from {target} t where t.id = r.{column})",
            )
            if lost:
                yield f"{table.logical_name}: {lost} rows have a {column} that does not exist"


def _versions(work: Work, table: Table) -> Iterator[str]:
    name = quote(table.logical_name)
    highest = _number(work, f"select coalesce(max(id), 0) from {name}")
    if VERSION in table.columns and is_stored(table, table.columns[VERSION]):
        highest = max(highest, _number(work, f"select coalesce(max({VERSION}), 0) from {name}"))
    if highest > work.version:
        yield f"{table.logical_name}: a row has the version {highest}, later than the environment's {work.version}"


def _folded(work: Work, table: Table) -> Iterator[str]:
    for column in table.columns.values():
        if is_folded(table, column):
            text, companion = quote(column.logical_name), quote(f"{column.logical_name}__fold")
            found = work.connection.query(
                f"select {text}, {companion} from {quote(table.logical_name)}"
                f" where {text} is not null or {companion} is not null"
            )
            wrong = sum(1 for value, folded in found if value is None or folded != fold(value))
            if wrong:
                yield f"{table.logical_name}: {wrong} folded values of {column.logical_name} are wrong"


def _principals(work: Work) -> Iterator[str]:
    for name in PRINCIPAL_TABLES:
        if name in work.schema.tables:
            guid = quote(work.schema.tables[name].primary_id)
            same = f"p.id = t.id and p.principalid = t.{guid} and p.kind = '{name}'"
            lost = _number(
                work, f"select count(*) from {name} t where not exists (select 1 from principal p where {same})"
            )
            extra = _number(
                work,
                f"select count(*) from principal p where p.kind = '{name}'"
                f" and not exists (select 1 from {name} t where {same})",
            )
            if lost or extra:
                yield f"{name}: {lost} rows are no principals, and {extra} principals have no row"


def _shares(work: Work) -> Iterator[str]:
    if SHARES not in work.schema.tables:
        return
    for (name,) in work.connection.query(f"select distinct objecttypecode from {SHARES}"):
        table = work.schema.tables.get(name)
        if table is None:
            yield f"shares: there is no table {name}"
            continue
        joined = f"from {SHARES} s left join {quote(name)} r on r.id = s.object where s.objecttypecode = ?"
        lost = _number(
            work, f"select count(*) {joined} and (r.id is null or r.{quote(table.primary_id)} <> s.objectid)", name
        )
        if lost:
            yield f"shares: {lost} are of rows of {name} that do not exist"
        sort = sort_column(table)
        if sort is not None:
            wrong = _number(work, f'select count(*) {joined} and s."sort" is distinct from r.{quote(sort)}', name)
            if wrong:
                yield f"shares: {wrong} of {name} are sorted by an old name"
        moved = _number(work, f"select count(*) {joined} and (s.owner <> r.owner or s.unit <> r.unit)", name)
        if moved:
            yield f"shares: {moved} of {name} have another owner or unit than their row"
    others = f"(select count(*) from {SHARES} e where e.objecttypecode = s.objecttypecode and e.object = s.object) = 1"
    wrong = _number(work, f"select count(*) from {SHARES} s where s.alone <> (case when {others} then 1 else 0 end)")
    if wrong:
        yield f"shares: {wrong} are wrong about whether their row has others"
    principals = (
        f"select count(*) from {SHARES} s where not exists (select 1 from principal p where p.id = s.principal)"
    )
    lost = _number(work, principals)
    if lost:
        yield f"shares: {lost} are with principals that do not exist"


def _number(work: Work, sql: str, *parameters: object) -> int:
    return work.connection.query(sql, parameters)[0][0]
