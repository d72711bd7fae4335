"""Random queries over the world of `query_world`: filters, joins, orders, groups, and plans with and without guards."""

import random
from dataclasses import dataclass
from decimal import Decimal

from tests.differential.query_world import (
    ACCOUNT,
    CONTACT,
    MANY,
    NAMES,
    PRINCIPALS,
    RELATIONSHIPS,
    UNIT,
    UNITS,
    USER,
    USERS,
    guid,
)

from strongroom.access.plan import Branch, Guard, Plan, Reason
from strongroom.query import ast
from strongroom.schema.model import ColumnType, Rights, Table

T = ColumnType
OPERATORS = tuple(ast.Operator)


@dataclass
class Chooser:
    """Makes the parts of one query; aliases are numbered, plans are made with the sources."""

    chance: random.Random

    def __post_init__(self) -> None:
        self.plans: dict[str, Plan] = {}
        self.count = 0

    def alias(self, table: Table) -> str:
        self.count += 1
        alias = f"a{self.count}"
        self.plans[alias] = self.plan(table)
        return alias

    # --- plans ---

    def plan(self, table: Table) -> Plan:
        chance = self.chance
        if table.logical_name not in ("account", "contact"):
            return Plan(table, Rights.READ, (Branch(ast.TRUE, ()),))
        branches: list[ast.Predicate] = []
        if chance.random() < 0.25:
            branches.append(ast.TRUE)
        if chance.random() < 0.5:
            branches.append(ast.OwnerIn("", frozenset(chance.sample(PRINCIPALS, chance.randint(1, 3)))))
        if chance.random() < 0.4:
            branches.append(ast.UnitIn("", frozenset(chance.sample(UNITS, chance.randint(1, 2)))))
        if chance.random() < 0.6:
            principals = frozenset(chance.sample(PRINCIPALS, chance.randint(1, 4)))
            branches.append(ast.SharedWith("", principals, Rights.READ))
        if chance.random() < 0.3:
            principals = frozenset(chance.sample(PRINCIPALS, chance.randint(1, 3)))
            branches.append(ast.SharedWith("", principals, Rights.READ, direct_only=True))
        if chance.random() < 0.2:
            branches.append(self._other(table))
        guards = (self._other(table),) if chance.random() < 0.2 else ()
        reason = Reason("policy")
        return Plan(
            table,
            Rights.READ,
            tuple(Branch(each, ()) for each in branches),
            tuple(Guard(each, reason) for each in guards),
        )

    def _other(self, table: Table) -> ast.Predicate:
        """A predicate that is never null, as plans have them."""
        column = table.columns[table.primary_name or ""]
        known = ast.IsNull(ast.Field("", column), negated=True)
        if self.chance.random() < 0.5:
            return known
        if self.chance.random() < 0.3:
            owner = ast.Field("", table.columns["ownerid"])
            someone = guid("systemuser", self.chance.choice((101, 999)))  # 999 is nobody
            return ast.Comparison(ast.Operator.EQUAL, owner, ast.Literal(someone, T.OWNER))
        if table is ACCOUNT and self.chance.random() < 0.5:
            source = ast.Source(CONTACT, f"p{self.chance.randint(0, 10**9)}")
            link = ast.Link("", "primarycontactid", "contactid")
            self.plans[source.alias] = Plan(CONTACT, Rights.READ, (Branch(ast.TRUE, ()),))
            return ast.Exists(link, source)
        comparison = ast.Comparison(
            ast.Operator.GREATER, ast.Field("", column), ast.Literal(self.chance.choice(NAMES), T.STRING)
        )
        return ast.And((known, comparison))

    # --- predicates ---

    def predicate(self, sources: dict[str, Table], depth: int) -> ast.Predicate:
        chance = self.chance
        if depth > 0 and chance.random() < 0.5:
            parts = tuple(self.predicate(sources, depth - 1) for _ in range(chance.randint(1, 3)))
            return chance.choice((ast.And(parts), ast.Or(parts), ast.Not(parts[0])))
        alias = chance.choice(tuple(sources))
        table = sources[alias]
        if table not in (ACCOUNT, CONTACT):
            return ast.IsNull(ast.Field(alias, table.columns[table.primary_id]), negated=chance.random() < 0.5)
        make = chance.choice(
            (self._comparison, self._comparison, self._is_null, self._in_list, self._match, self._special)
        )
        return make(alias, table)

    def _field(self, alias: str, table: Table) -> ast.Field:
        names = [name for name, column in table.columns.items() if not column.is_secured]
        return ast.Field(alias, table.columns[self.chance.choice(names)])

    def literal(self, field: ast.Field) -> ast.Literal:
        chance = self.chance
        name = field.column.logical_name
        match field.column.type:
            case T.STRING | T.MEMO:
                value: object = chance.choice(NAMES) + chance.choice(("", " 1"))
            case T.MULTISELECT:
                value = "1,2"
            case T.INTEGER | T.PICKLIST:
                value = chance.choice((1, 2, 3, 4, 10**20))
            case T.MONEY | T.DECIMAL:
                value = Decimal(chance.choice(("0.5", "1", "-0.25", "1.00001", "0.333333", "1e30", "-1e30")))
            case T.DOUBLE:
                value = chance.randint(0, 8) / 8
            case T.BOOLEAN:
                value = chance.random() < 0.5
            case T.DATETIME:
                value = "1971-01-05" if field.column.is_date_only else "2024-05-05T23:15:00Z"
            case _ if name in ("ownerid", "owninguser"):
                key = chance.choice(PRINCIPALS)
                value = guid("systemuser" if key in USERS else "team", key)
            case _ if name == "owningteam":
                value = guid("team", 201)
            case _ if name == "owningbusinessunit":
                value = guid("businessunit", chance.choice(UNITS))
            case _:
                value = guid(*chance.choice((("account", chance.randint(1000, 1020)), ("contact", 5003))))
        return ast.Literal(value, field.column.type)

    def _comparison(self, alias: str, table: Table) -> ast.Predicate:
        field = self._field(alias, table)
        if table is ACCOUNT and self.chance.random() < 0.2:
            columns = table.columns
            pairs = (("name", "city"), ("revenue", "discount"), ("accountid", "parentaccountid"))
            left, right = self.chance.choice(pairs)
            return ast.Comparison(
                self.chance.choice(OPERATORS), ast.Field(alias, columns[left]), ast.Field(alias, columns[right])
            )
        return ast.Comparison(self.chance.choice(OPERATORS), field, self.literal(field))

    def _is_null(self, alias: str, table: Table) -> ast.Predicate:
        field = self._field(alias, table)
        if field.column.type.is_lookup and self.chance.random() < 0.3:
            return ast.IsNull(ast.LookupName(alias, field.column), negated=self.chance.random() < 0.5)
        return ast.IsNull(field, negated=self.chance.random() < 0.5)

    def _in_list(self, alias: str, table: Table) -> ast.Predicate:
        field = self._field(alias, table)
        count = self.chance.choice((1, 3, 4, 5, 9))
        return ast.InList(field, tuple(self.literal(field) for _ in range(count)), negated=self.chance.random() < 0.4)

    def _match(self, alias: str, table: Table) -> ast.Predicate:
        name = self.chance.choice(("name", "city") if table is ACCOUNT else ("fullname",))
        target: ast.Field | ast.LookupName = ast.Field(alias, table.columns[name])
        if table is ACCOUNT and self.chance.random() < 0.3:
            lookup = self.chance.choice(("primarycontactid", "ownerid", "parentaccountid"))
            target = ast.LookupName(alias, table.columns[lookup])
        pattern = self.chance.choice(
            (
                "a",
                "AD",
                "",
                "%",
                "_d%",
                "[a-c]%",
                "[^a]%",
                "%[%]",
                "[[]x]",
                "σι",
                "КОНТ",
                "um",
                "a_b",
                "a[_]b",
                "[x",
                "z*",
                "]",
            )
        )
        return ast.Match(self.chance.choice(tuple(ast.TextMatch)), target, pattern, negated=self.chance.random() < 0.3)

    def _special(self, alias: str, table: Table) -> ast.Predicate:
        chance = self.chance
        choice = chance.randint(0, 4)
        if table is ACCOUNT and choice == 0:
            tags = ast.Field(alias, table.columns["tags"])
            values = tuple(chance.sample(range(1, 15), chance.randint(1, 2)))
            return ast.ChoiceMatch(tags, values, all_of=chance.random() < 0.5, negated=chance.random() < 0.5)
        if table is ACCOUNT and choice == 1:
            root = guid("account", chance.randint(1000, 1059))
            below, include, negated = (chance.random() < 0.5 for _ in range(3))
            return ast.Hierarchy(alias, RELATIONSHIPS["account_parent"], root, below, include, negated)
        if choice == 2:
            principals = frozenset(chance.sample(PRINCIPALS, 2))
            return ast.SharedWith(alias, principals, Rights.WRITE, direct_only=chance.random() < 0.5)
        if choice == 3:
            return chance.choice(
                (ast.OwnerIn(alias, frozenset({101, 202})), ast.UnitIn(alias, frozenset({301})), ast.Constant(True))
            )
        link, source = self._link(alias, table)
        where = None if chance.random() < 0.3 else self.predicate({source.alias: source.table}, 0)
        joins: tuple[ast.Join, ...] = ()
        if chance.random() < 0.3:
            inner_link, inner = self._link(source.alias, source.table)
            joins = (ast.Join(chance.choice(tuple(ast.JoinKind)), inner, inner_link),)
        return ast.Exists(link, source, where, joins, negated=chance.random() < 0.4)

    # --- joins ---

    def _link(self, alias: str, table: Table) -> tuple[ast.Link, ast.Source]:
        if table is ACCOUNT:
            options = (
                (CONTACT, "primarycontactid", "contactid"),
                (ACCOUNT, "parentaccountid", "accountid"),
                (CONTACT, "accountid", "parentcustomerid"),
                (CONTACT, "", ""),
                (USER, "ownerid", "systemuserid"),
                (UNIT, "owningbusinessunit", "businessunitid"),
                (CONTACT, "ownerid", "ownerid"),
            )
        elif table is CONTACT:
            options = (
                (ACCOUNT, "parentcustomerid", "accountid"),
                (ACCOUNT, "contactid", "primarycontactid"),
                (ACCOUNT, "", ""),
                (USER, "owninguser", "systemuserid"),
            )
        elif table is USER:
            options = ((ACCOUNT, "systemuserid", "ownerid"), (CONTACT, "systemuserid", "owninguser"))
        else:
            options = ((ACCOUNT, "businessunitid", "owningbusinessunit"),)
        target, outer, inner = self.chance.choice(options)
        source = ast.Source(target, self.alias(target))
        if not outer:
            own, other = ("accountid", "contactid") if table is ACCOUNT else ("contactid", "accountid")
            return ast.Link(alias, own, other, MANY), source
        return ast.Link(alias, outer, inner), source

    def joins(self) -> tuple[tuple[ast.Join, ...], dict[str, Table]]:
        found: list[ast.Join] = []
        sources: dict[str, Table] = {"": ACCOUNT}
        for _ in range(self.chance.choice((0, 0, 0, 1, 1, 2))):
            outer = self.chance.choice(tuple(sources))
            link, source = self._link(outer, sources[outer])
            where = None
            if self.chance.random() < 0.3:
                where = self.predicate({source.alias: source.table}, 0)
            found.append(ast.Join(self.chance.choice(tuple(ast.JoinKind)), source, link, where))
            sources[source.alias] = source.table
        return tuple(found), sources

    # --- whole queries ---

    def select(self) -> ast.Select:
        self.plans[""] = self.plan(ACCOUNT)
        joins, sources = self.joins()
        where = None if self.chance.random() < 0.25 else self.predicate(sources, 2)
        outputs = [ast.Output("id", ast.Field("", ACCOUNT.columns["accountid"]))]
        outputs += [ast.Output(str(n), self.expression(sources)) for n in range(self.chance.randint(1, 5))]
        order = tuple(
            ast.Order(self.order_expression(sources), descending=self.chance.random() < 0.5)
            for _ in range(self.chance.choice((0, 1, 1, 1, 2)))
        )
        if self.chance.random() < 0.4:
            order = (ast.Order(ast.Field("", ACCOUNT.columns["name"]), descending=self.chance.random() < 0.5),)
        size = self.chance.choice((1, 3, 7, 50))
        return ast.Select(ast.Source(ACCOUNT), tuple(outputs), joins, where, order, page_size=size)

    def expression(self, sources: dict[str, Table]) -> ast.Expression:
        alias = self.chance.choice(tuple(sources))
        column = self.chance.choice(tuple(sources[alias].columns.values()))
        if column.type.is_lookup and self.chance.random() < 0.5:
            return self.chance.choice((ast.LookupName, ast.LookupTable))(alias, column)
        if column.type is T.DATETIME and self.chance.random() < 0.5:
            return self.date_group(alias, sources[alias], column.logical_name)
        return ast.Field(alias, column)

    def date_group(self, alias: str, table: Table, name: str) -> ast.DateGroup:
        offset = self.chance.choice((0, 60, -330))
        return ast.DateGroup(ast.Field(alias, table.columns[name]), self.chance.choice(tuple(ast.DatePart)), offset)

    def order_expression(self, sources: dict[str, Table]) -> ast.Field | ast.LookupName | ast.DateGroup:
        while True:
            expression = self.expression(sources)
            if isinstance(expression, ast.Field | ast.LookupName | ast.DateGroup):
                column = expression.operand.column if isinstance(expression, ast.DateGroup) else expression.column
                if not column.is_secured:
                    return expression

    def grouped(self) -> ast.Select:
        """An aggregate query, or a distinct one."""
        self.plans[""] = self.plan(ACCOUNT)
        joins, sources = self.joins()
        where = None if self.chance.random() < 0.4 else self.predicate(sources, 1)
        if self.chance.random() < 0.3:
            outputs = tuple(ast.Output(str(n), self.order_expression(sources)) for n in range(2))
            return ast.Select(ast.Source(ACCOUNT), outputs, joins, where, distinct=True)
        groups = tuple(self.order_expression(sources) for _ in range(self.chance.randint(0, 2)))
        outputs = tuple(ast.Output(f"g{n}", group) for n, group in enumerate(groups))
        outputs += tuple(ast.Output(f"a{n}", self.aggregate()) for n in range(self.chance.randint(1, 4)))
        return ast.Select(ast.Source(ACCOUNT), outputs, joins, where, group_by=groups, is_aggregate=True)

    def aggregate(self) -> ast.Aggregate:
        function = self.chance.choice(tuple(ast.AggregateFunction))
        if function is ast.AggregateFunction.COUNT:
            return ast.Aggregate(function, None)
        names = ["numberofemployees", "revenue", "discount", "score"]
        if function in (ast.AggregateFunction.MINIMUM, ast.AggregateFunction.MAXIMUM):
            names += ["createdon", "founded"]
        if function in (ast.AggregateFunction.COUNT_COLUMN, ast.AggregateFunction.COUNT_DISTINCT):
            names += ["name", "city", "donotemail", "ownerid", "parentaccountid"]
        return ast.Aggregate(function, ast.Field("", ACCOUNT.columns[self.chance.choice(names)]))
