"""The naive evaluator: what a query means, by loops over Python values.

It shares nothing with the compiler but the AST and `fold`. Truth is `True`, `False` or `None` (unknown).
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from tests.differential.query_world import MANY, PRINCIPALS, Record, World, guid
from tests.differential.query_world import USERS as USER_KEYS

from strongroom.access.plan import Plan
from strongroom.ids import Guid, Reference
from strongroom.query import ast
from strongroom.schema.model import Column
from strongroom.store.layout import OWNER_COLUMNS, fold

Env = Mapping[str, Record | None]
Truth = bool | None


class Evaluator:
    """Evaluates selects over one world under plans by alias."""

    def __init__(self, world: World, plans: Mapping[str, Plan]) -> None:
        self.world = world
        self.plans = plans

    # --- rows ---

    def envs(self, select: ast.Select) -> list[dict[str, Record | None]]:
        """The rows that `select` finds, each as its records by alias; in no order."""
        found: list[dict[str, Record | None]] = []
        for record in self.world.records[select.source.table.logical_name].values():
            if self.visible(record, self.plans[select.source.alias]):
                found.append({select.source.alias: record})
        for join in select.joins:
            found = [wider for env in found for wider in self._joined(env, join)]
        if select.where is not None:
            found = [env for env in found if self.truth(select.where, env) is True]
        return found

    def ordered(self, select: ast.Select) -> list[dict[str, Record | None]]:
        """The same in the order of the list."""
        repeated = [
            join.source.alias
            for join in select.joins
            if join.kind is not ast.JoinKind.FIRST_ROW
            and (join.link.intersect is not None or join.link.inner_column != join.source.table.primary_id)
        ]
        last = bool(select.order) and select.order[-1].descending

        def keys(env: Env) -> list[tuple[object, bool]]:
            terms = [(self.comparable(order.expression, env), order.descending) for order in select.order]
            for alias in (select.source.alias, *repeated):
                record = env[alias]
                terms.append((None if record is None else record.id, last))
            return terms

        def compare(left: Env, right: Env) -> int:
            for (one, descending), (other, _) in zip(keys(left), keys(right), strict=True):
                sign = _compare(one, other)
                if sign:
                    return -sign if descending else sign
            return 0

        return sorted(self.envs(select), key=cmp_to_key(compare))

    def outputs(self, select: ast.Select, env: Env) -> tuple[object, ...]:
        return tuple(self.shown(output.expression, env) for output in select.outputs)

    def grouped(self, select: ast.Select) -> list[tuple[object, ...]]:
        """The groups (or distinct rows) that `select` gives, in no order; text in folded form."""
        envs = self.envs(select)
        by: tuple[ast.Expression, ...] = select.group_by
        if not select.is_aggregate and not by:
            by = tuple(output.expression for output in select.outputs)
        groups: dict[tuple[object, ...], list[dict[str, Record | None]]] = {}
        for env in envs:
            groups.setdefault(tuple(self.comparable(each, env) for each in by), []).append(env)
        if not by:
            groups = {(): envs}
        found: list[tuple[object, ...]] = []
        for members in groups.values():
            row = [
                self._aggregate(output.expression, members)
                if isinstance(output.expression, ast.Aggregate)
                else self.comparable(output.expression, members[0])
                for output in select.outputs
            ]
            found.append(tuple(row))
        return found

    def _aggregate(self, node: ast.Aggregate, members: list[dict[str, Record | None]]) -> object:
        if node.operand is None:
            return len(members)
        found = [self.comparable(node.operand, env) for env in members]
        values: list[Any] = [value for value in found if value is not None]
        match node.function:
            case ast.AggregateFunction.COUNT | ast.AggregateFunction.COUNT_COLUMN:
                return len(values)
            case ast.AggregateFunction.COUNT_DISTINCT:
                return len(set(values))
            case ast.AggregateFunction.MINIMUM:
                return min(values, default=None)
            case ast.AggregateFunction.MAXIMUM:
                return max(values, default=None)
            case ast.AggregateFunction.SUM:
                return sum(values) if values else None
            case ast.AggregateFunction.AVERAGE:
                if not values:
                    return None
                total = sum(values)
                if isinstance(total, float):
                    return total / len(values)
                return (Decimal(total) / len(values)).quantize(Decimal("1e-10"), "ROUND_HALF_UP")

    def _joined(self, env: dict[str, Record | None], join: ast.Join) -> list[dict[str, Record | None]]:
        matches = self._matches(env, join.link, join.source, join.where)
        if join.kind is ast.JoinKind.FIRST_ROW:
            matches = sorted(matches, key=lambda record: record.id)[:1]
        if not matches and join.kind is ast.JoinKind.OUTER:
            return [{**env, join.source.alias: None}]
        return [{**env, join.source.alias: record} for record in matches]

    def _matches(
        self, env: dict[str, Record | None], link: ast.Link, source: ast.Source, where: ast.Predicate | None
    ) -> list[Record]:
        outer = env[link.outer_alias]
        found: list[Record] = []
        if outer is None:
            return found
        for record in self.world.records[source.table.logical_name].values():
            if not self.visible(record, self.plans[source.alias]) or not self._linked(outer, record, link):
                continue
            if where is None or self.truth(where, {**env, source.alias: record}) is True:
                found.append(record)
        return found

    def _linked(self, outer: Record, inner: Record, link: ast.Link) -> bool:
        if link.intersect is not None:
            ends = {link.outer_column: outer.id, link.inner_column: inner.id}
            return (ends[MANY.column1], ends[MANY.column2]) in self.world.links
        left = self._reference(outer, link.outer_column)
        return left is not None and left == self._reference(inner, link.inner_column)

    def _reference(self, record: Record, name: str) -> Reference | None:
        """What a lookup points to; an id points to its own row."""
        if name == record.table.primary_id:
            return Reference(record.table.logical_name, Guid(record.id))
        column = record.table.columns[name]
        if name in OWNER_COLUMNS:
            return self._owner(record, name)
        value = record.values[name]
        if value is None or isinstance(value, Reference):
            return value
        return Reference(column.targets[0], Guid(str(value)))

    def visible(self, record: Record, plan: Plan) -> bool:
        env = {"": record}
        reached = any(self.truth(branch.predicate, env) is True for branch in plan.branches)
        return reached and all(self.truth(guard.predicate, env) is True for guard in plan.guards)

    # --- values ---

    def shown(self, expression: ast.Expression, env: Env) -> object:
        if isinstance(expression, ast.Literal):
            return expression.value
        if isinstance(expression, ast.DateGroup):
            return self._date_part(expression, env)
        if isinstance(expression, ast.Aggregate):
            raise AssertionError("aggregates are evaluated over groups")
        record = env[expression.alias]
        if record is None:
            return None
        if isinstance(expression, ast.Field):
            if expression.column.is_secured:
                return None
            return self._field(record, expression.column)
        reference = self._reference(record, expression.column.logical_name)
        if reference is None:
            return None
        if isinstance(expression, ast.LookupTable):
            return reference.table
        target = self.world.by_id(reference.table, reference.id)
        return None if target is None else target.values[target.table.primary_name or ""]

    def _date_part(self, node: ast.DateGroup, env: Env) -> object:
        text = self.shown(node.operand, env)
        if text is None:
            return None
        if node.operand.column.is_date_only:
            moment: date = date.fromisoformat(str(text))
        else:
            moment = datetime.fromisoformat(str(text)).astimezone(UTC) + timedelta(minutes=node.utc_offset_minutes)
        match node.part:
            case ast.DatePart.DAY:
                return moment.day
            case ast.DatePart.MONTH:
                return moment.month
            case ast.DatePart.YEAR:
                return moment.year
            case ast.DatePart.QUARTER:
                return (moment.month + 2) // 3
            case ast.DatePart.WEEK:
                first = date(moment.year, 1, 1)
                day_of_year = moment.timetuple().tm_yday
                return (day_of_year - 1 + first.isoweekday() % 7) // 7 + 1

    def comparable(self, expression: ast.Expression, env: Env) -> object:
        value = self.shown(expression, env)
        return fold(value) if isinstance(value, str) else value

    def _field(self, record: Record, column: Column) -> object:
        name = column.logical_name
        if name in OWNER_COLUMNS:
            reference = self._owner(record, name)
            return None if reference is None else reference.id
        value = record.values[name]
        return value.id if isinstance(value, Reference) else value

    def _owner(self, record: Record, name: str) -> Reference | None:
        if name == "owningbusinessunit":
            assert record.unit is not None
            return Reference("businessunit", Guid(guid("businessunit", record.unit)))
        assert record.owner in PRINCIPALS
        kind = "systemuser" if record.owner in USER_KEYS else "team"
        if name != "ownerid" and name != {"systemuser": "owninguser", "team": "owningteam"}[kind]:
            return None
        return Reference(kind, Guid(guid(kind, record.owner)))

    # --- truth ---

    def truth(self, node: ast.Predicate, env: Env) -> Truth:
        match node:
            case ast.Constant(value):
                return value
            case ast.And(parts):
                truths = [self.truth(part, env) for part in parts]
                return False if False in truths else None if None in truths else True
            case ast.Or(parts):
                truths = [self.truth(part, env) for part in parts]
                return True if True in truths else None if None in truths else False
            case ast.Not(part):
                inner = self.truth(part, env)
                return None if inner is None else not inner
            case ast.Comparison(operator, left, right):
                return _decide(operator, self.comparable(left, env), self._right(right, env))
            case ast.IsNull(target, negated):
                return (self.shown(target, env) is None) != negated
            case ast.InList(target, values, negated):
                value = self.comparable(target, env)
                found = value in [self._right(each, env) for each in values]
                return None if value is None else found != negated
            case ast.Match(kind, target, pattern, negated):
                value = self.comparable(target, env)
                return None if value is None else like(kind, str(value), fold(pattern)) != negated
            case ast.ChoiceMatch(target, wanted, all_of, negated):
                stored = self.shown(target, env)
                members = set(map(int, str(stored).split(","))) if stored is not None else set[int]()
                found = set(wanted) <= members if all_of else bool(set(wanted) & members)
                return found != negated if negated or stored is not None else None
            case ast.Hierarchy():
                return self._in_hierarchy(node, env)
            case ast.Exists(link, source, where, joins, negated):
                inner = [{**env, source.alias: each} for each in self._matches(dict(env), link, source, None)]
                for join in joins:
                    inner = [wider for each in inner for wider in self._joined(each, join)]
                found = any(where is None or self.truth(where, each) is True for each in inner)
                return found != negated
            case ast.OwnerIn(alias, keys):
                record = env[alias]
                return None if record is None else record.owner in keys
            case ast.UnitIn(alias, keys):
                record = env[alias]
                return None if record is None else record.unit in keys
            case ast.SharedWith(alias, principals, right, direct_only):
                record = env[alias]
                return record is not None and any(
                    share.table == record.table.logical_name
                    and share.object == record.key
                    and share.principal in principals
                    and (share.direct | (0 if direct_only else share.inherited)) & right.value
                    for share in self.world.shares
                )

    def _right(self, right: ast.Field | ast.LookupName | ast.Literal, env: Env) -> object:
        return self.comparable(right, env)

    def _in_hierarchy(self, node: ast.Hierarchy, env: Env) -> Truth:
        record = env[node.alias]
        if record is None:
            return None
        table = node.relationship.referencing_table
        column = node.relationship.referencing_column
        parents = {
            each.id: each.values[column]
            for each in self.world.records[table].values()
            if self.visible(each, self.plans[node.alias])
        }
        reached: set[str] = set()
        level = {node.root}
        for _ in range(100):
            if node.below:
                level = {child for child, parent in parents.items() if parent in level}
            else:
                level = {str(parents[child]) for child in level if parents.get(child) is not None}
            reached |= level
        reached.discard(node.root)
        if node.include_root:
            reached.add(node.root)
        return (record.id in reached) != node.negated


def _compare(left: object, right: object) -> int:
    if left == right:
        return 0
    if left is None or right is None:
        return -1 if left is None else 1
    return -1 if left < right else 1  # pyright: ignore[reportOperatorIssue] -- values of one column


def _decide(operator: ast.Operator, left: object, right: object) -> Truth:
    if left is None or right is None:
        return None
    sign = _compare(left, right)
    return {
        ast.Operator.EQUAL: sign == 0,
        ast.Operator.NOT_EQUAL: sign != 0,
        ast.Operator.GREATER: sign > 0,
        ast.Operator.GREATER_OR_EQUAL: sign >= 0,
        ast.Operator.LESS: sign < 0,
        ast.Operator.LESS_OR_EQUAL: sign <= 0,
    }[operator]


def like(kind: ast.TextMatch, text: str, pattern: str) -> bool:
    """SQL Server's LIKE by trying every split; both texts are folded."""
    if kind in (ast.TextMatch.CONTAINS, ast.TextMatch.ENDS_WITH):
        pattern = "%" + pattern
    if kind in (ast.TextMatch.CONTAINS, ast.TextMatch.STARTS_WITH):
        pattern += "%"
    return _fits(text, pattern)


def _fits(text: str, pattern: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(_fits(text[start:], pattern[1:]) for start in range(len(text) + 1))
    end = pattern.find("]", 3 if pattern[1:2] == "^" else 2)  # the first member of a set may be the bracket itself
    if pattern[0] == "[" and end > 0:
        inside = pattern[1:end]
        negated = inside.startswith("^") and len(inside) > 1
        members = inside[1:] if negated else inside
        return bool(text) and _member(text[0], members) != negated and _fits(text[1:], pattern[end + 1 :])
    return bool(text) and pattern[0] in ("_", text[0]) and _fits(text[1:], pattern[1:])


def _member(character: str, members: str) -> bool:
    position = 0
    while position < len(members):
        if members[position + 1 : position + 2] == "-" and position + 2 < len(members):
            if members[position] <= character <= members[position + 2]:
                return True
            position += 3
        else:
            if members[position] == character:
                return True
            position += 1
    return False
