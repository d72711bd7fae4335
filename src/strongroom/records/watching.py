"""What is told of a query whenever it is run (TS-808): found out once, when the query is prepared."""

from collections.abc import Iterable
from dataclasses import dataclass

from strongroom.audit.activities import Activity
from strongroom.query.ast import Field, LookupName, LookupTable, Select
from strongroom.query.describing import described, searches
from strongroom.schema.model import Table


@dataclass(frozen=True, slots=True)
class Watched:
    """One table of a query whose reading is told. `joined` is the alias of a joined one, `path` leads to an expanded
    one: the names of the expands."""

    table: str
    sensitive: tuple[str, ...]
    activity: Activity
    joined: str | None = None
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watch:
    """What is told of a query whenever it is run."""

    query: str
    watched: tuple[Watched, ...]

    @property
    def joined(self) -> frozenset[str]:
        """Aliases of joined tables whose rows are told."""
        return frozenset(each.joined for each in self.watched if each.joined is not None)


def watch_of(select: Select, *, one_row: bool) -> Watch | None:
    """What is to be told of a query where reading is audited; None for nothing."""
    root = Activity.RETRIEVE if one_row else Activity.SEARCH if searches(select) else Activity.RETRIEVE_MULTIPLE
    watched = tuple(_watched(select, root))
    return Watch(described(select), watched) if watched else None


def sensitive_columns(table: Table, shown: Iterable[str]) -> tuple[str, ...]:
    """Those of the columns that are secured, or whose reading is told."""
    columns = (table.columns.get(name) for name in dict.fromkeys(shown))
    return tuple(each.logical_name for each in columns if each and (each.is_secured or each.is_read_audited))


def _watched(select: Select, activity: Activity, path: tuple[str, ...] = ()) -> Iterable[Watched]:
    shown = _columns_by_alias(select)
    for source in (select.source, *(join.source for join in select.joins)):
        table, names = source.table, shown.get(source.alias, [])
        is_root = source.alias == ""
        if not is_root and (not names or path):
            continue  # a table that only decides shows nothing; rows joined to expanded ones have no ids to tell
        how = activity if is_root else Activity.RETRIEVE_MULTIPLE
        switch = table.is_retrieve_audited if how is Activity.RETRIEVE else table.is_retrieve_multiple_audited
        sensitive = sensitive_columns(table, names)
        if switch or any(table.columns[name].is_read_audited for name in sensitive):
            yield Watched(table.logical_name, sensitive, how, None if is_root else source.alias, path)
    for expand in select.expands:
        is_one = expand.to_parent and activity is Activity.RETRIEVE
        how = Activity.RETRIEVE if is_one else Activity.RETRIEVE_MULTIPLE
        yield from _watched(expand.select, how, (*path, expand.name))


def _columns_by_alias(select: Select) -> dict[str, list[str]]:
    shown: dict[str, list[str]] = {}
    for output in select.outputs:
        match output.expression:
            case Field(alias, column) | LookupName(alias, column) | LookupTable(alias, column):
                shown.setdefault(alias, []).append(column.logical_name)
            case _:
                pass
    return shown
