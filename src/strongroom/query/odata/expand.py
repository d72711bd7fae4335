"""`$expand` → related rows (section 14).

The text is first cut into items and their options, without looking into the options (`_items`), so that a semicolon in
a nested `$filter` cannot confuse it. Each item becomes an `Expand` with a query of its own over the related table.

`ownerid` leads to users *or* teams (WA-215): it becomes two expands of the same name, the team's first and the user's
second; at most one of them finds a row for any parent.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from strongroom.errors import QueryError
from strongroom.query.ast import Expand, Select, Source
from strongroom.query.limits import MAX_EXPANDS, MAX_TOP
from strongroom.query.names import hint, shown
from strongroom.query.odata.edm import type_name
from strongroom.query.odata.filter import read_predicate
from strongroom.query.odata.orderby import read_orderby
from strongroom.query.odata.scope import (
    OWNER_NAV,
    JoinList,
    Query,
    Scope,
    collection_link,
    has_owner_nav,
    owner_relationship,
    property_column,
    single_nav,
)
from strongroom.query.odata.select import read_select
from strongroom.schema.model import ManyToMany, Relationship, Schema, Table

_OPTIONS = ("$select", "$filter", "$orderby", "$top", "$expand")
_REPEATED = ("$filter", "$orderby", "$top", "$expand")


@dataclass(slots=True)
class _Item:
    """One navigation property as written, with its options."""

    nav: str
    position: int
    reference_only: bool = False
    options: dict[str, str] = field(default_factory=dict[str, str])
    children: list["_Item"] = field(default_factory=list["_Item"])


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a navigation property leads."""

    table: Table
    relationship: Relationship | None
    many_to_many: ManyToMany | None
    to_parent: bool


def read_expand(query: Query, table: Table, text: str) -> tuple[Expand, ...]:
    """The expands that `text` asks for on rows of `table`."""
    items = _read_items(query, text, 0)
    if any(item.children for item in items):
        _refuse_order_beside_nesting(items)
    query.in_expand = True
    return _expands(query, table, items)


# --- text → items ------------------------------------------------------------------------------------------------


def _read_items(query: Query, text: str, base: int) -> list[_Item]:
    """The items of `text`, which begins at `base` of the whole option. Only quotes and parentheses are looked at.

    Every level of nesting holds an item, so `MAX_EXPANDS` bounds the recursion.
    """
    items: list[_Item] = []
    for start, part in _split(text, ",", base):
        query.expanded += 1
        if query.expanded > MAX_EXPANDS:
            message = f"A query may expand {MAX_EXPANDS} navigation properties, nested ones included."
            raise QueryError(message, position=start)
        items.append(_read_item(query, part, start))
    names = [item.nav for item in items]
    for index, name in enumerate(names):
        if name in names[:index]:
            message = f"The navigation property '{shown(name)}' is expanded twice."
            raise QueryError(message, position=items[index].position)
    return items


def _read_item(query: Query, text: str, start: int) -> _Item:
    opening = text.find("(")
    head = text if opening < 0 else text[:opening]
    name, slash, suffix = head.strip().partition("/")
    position = start + len(text) - len(text.lstrip())
    if not name:
        raise QueryError("The name of a navigation property is missing in $expand.", position=position)
    if name == "*":
        raise QueryError("$expand=* is not supported: name the navigation properties.", position=position)
    item = _Item(name, position, reference_only=suffix == "$ref")
    if slash and suffix != "$ref":
        way = "($select=…), without a type" if "." in suffix else f"($expand={shown(suffix)})"
        message = f"'{shown(head.strip())}' cannot be expanded; write {shown(name)}{way}."
        raise QueryError(message, position=position)
    if opening < 0:
        return item
    if not text.rstrip().endswith(")"):
        raise QueryError(f"The options of '{shown(name)}' do not end with ')'.", position=start + len(text))
    inner = text.rstrip()[opening + 1 : -1]
    for option_start, option in _split(inner, ";", start + opening + 1):
        _read_option(query, item, option, option_start)
    return item


def _read_option(query: Query, item: _Item, text: str, start: int) -> None:
    name, equals, value = text.partition("=")
    name = name.strip()
    if name not in _OPTIONS or not equals:
        allowed = ", ".join(_OPTIONS)
        message = f"'{shown(name)}' is not an option inside $expand; they are {allowed}.{hint(name, _OPTIONS)}"
        raise QueryError(message, position=start)
    if name in item.options:
        raise QueryError(f"The option '{name}' of '{shown(item.nav)}' occurs twice.", position=start)
    if name == "$expand":
        item.children = _read_items(query, value, start + len(text) - len(value))
    item.options[name] = value


def _split(text: str, separator: str, base: int) -> Iterator[tuple[int, str]]:
    """The parts of `text` between separators outside quotes and parentheses, each with its position."""
    depth, quote, start = 0, "", 0
    for index, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
            if depth < 0:
                message = "There is a closing parenthesis without an opening one in $expand."
                raise QueryError(message, position=base + index)
        elif character == separator and depth == 0:
            yield base + start, text[start:index]
            start = index + 1
    if quote:
        raise QueryError("There is an unterminated string literal in $expand.", position=base + len(text))
    if depth:
        raise QueryError("There is a closing parenthesis missing in $expand.", position=base + len(text))
    yield base + start, text[start:]


def _refuse_order_beside_nesting(items: list[_Item]) -> None:
    """WA-213: no `$orderby` and `$top` in a query that has nested expands."""
    waiting = list(items)
    while waiting:
        item = waiting.pop()
        waiting += item.children
        if item.options.keys() & {"$orderby", "$top"}:
            raise _only_select_and_filter(item.position)


def _only_select_and_filter(position: int) -> QueryError:
    message = (
        "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship "
        "or nested one-to-many relationship."
    )
    return QueryError(message, position=position)


# --- items → expands ---------------------------------------------------------------------------------------------


def _expands(query: Query, table: Table, items: list[_Item]) -> tuple[Expand, ...]:
    found: list[Expand] = []
    for item in items:
        targets = _targets(query.schema, table, item)
        found += [_expand(query, item, target, targets) for target in targets]
    return tuple(found)


def _expand(query: Query, item: _Item, target: _Target, targets: list[_Target]) -> Expand:
    if item.reference_only and not target.to_parent:
        message = "Expand with $ref is only supported on lookup type navigation property."
        raise QueryError(message, position=item.position)
    if target.to_parent and item.options.keys() & {"$orderby", "$top"}:
        raise _only_select_and_filter(item.position)
    select = _related(query, item, target, is_principal=len(targets) > 1)
    options = tuple((name, item.options[name]) for name in _REPEATED if name in item.options)
    return Expand(
        item.nav, select, target.relationship, target.many_to_many, target.to_parent, item.reference_only, options
    )


def _related(query: Query, item: _Item, target: _Target, *, is_principal: bool) -> Select:
    scope = Scope(query, target.table, "", JoinList())
    selected = item.options.get("$select")
    if is_principal and selected is not None:
        selected = _own_part(target.table, selected)
    try:
        outputs = read_select(scope, selected)
        text = item.options.get("$filter")
        where = read_predicate(scope, text) if text is not None else None
        order = read_orderby(scope, item.options.get("$orderby", ""))
    except QueryError as error:
        # Positions inside an option count from the option; the message says which navigation property it stands in.
        message = f"In $expand={shown(item.nav)}: {error.message}"
        raise QueryError(message, position=item.position, code=error.code) from error
    return Select(
        Source(target.table),
        outputs,
        joins=scope.joins.all(),
        where=where,
        order=order,
        top=_top(item),
        expands=_expands(query, target.table, item.children),
    )


def _own_part(table: Table, selected: str) -> str:
    """Of a `$select` over `principal`, the names that this concrete type has; unknown to both types is an error."""
    names = [name.strip() for name in selected.split(",")]
    own = [name for name in names if name == "*" or property_column(table, name) is not None]
    return ",".join(own) or table.primary_id


def _top(item: _Item) -> int | None:
    text = item.options.get("$top")
    if text is None:
        return None
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 10 or int(digits) == 0:
        message = f"Invalid value '{shown(text)}' for $top in $expand: it is a whole number from 1 to {MAX_TOP}."
        raise QueryError(message, position=item.position)
    return min(int(digits), MAX_TOP)


def _targets(schema: Schema, table: Table, item: _Item) -> list[_Target]:
    """Where the item leads: one place, but two for `ownerid`."""
    nav = item.nav
    if relationship := single_nav(schema, table, nav):
        return [_Target(schema.tables[relationship.referenced_table], relationship, None, to_parent=True)]
    if collection := collection_link(schema, table, nav):
        return [_Target(collection.table, collection.relationship, collection.many_to_many, to_parent=False)]
    if nav == OWNER_NAV and has_owner_nav(table):
        return _owner_targets(schema, table, item)
    raise _unknown_nav(schema, table, nav, item.position)


def _owner_targets(schema: Schema, table: Table, item: _Item) -> list[_Target]:
    found = [
        _Target(schema.tables[name], relationship, None, to_parent=True)
        for name in ("team", "systemuser")
        if (relationship := owner_relationship(schema, table, name)) is not None
    ]
    for name in [part.strip() for part in item.options.get("$select", "").split(",") if part.strip()]:
        if name != "*" and not any(property_column(target.table, name) for target in found):
            message = f"Could not find a property named '{shown(name)}' on type 'Microsoft.Dynamics.CRM.principal'."
            raise QueryError(message, position=item.position)
    return found


def _unknown_nav(schema: Schema, table: Table, nav: str, position: int) -> QueryError:
    own = table.logical_name
    known = [r.lookup_nav for r in schema.parents_of(own)] + [r.collection_nav for r in schema.children_of(own)]
    known += [m.nav1 for m in schema.many_to_many.values() if m.table1 == own]
    known += [m.nav2 for m in schema.many_to_many.values() if m.table2 == own]
    message = f"Could not find a property named '{shown(nav)}' on type '{type_name(table)}'."
    column = table.columns.get(nav) or property_column(table, nav)
    if column is not None and len(column.targets) > 1:
        message += " The lookup has one navigation property for each table that it can point to."
    elif column is not None and not column.type.is_lookup:
        message += f" '{column.logical_name}' is a column, not a navigation property."
    return QueryError(message + hint(nav, known), position=position)
