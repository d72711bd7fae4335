"""Random OData options, keys, FetchXML and SQL over the real names of the schema, with slips at every level."""

from xml.sax.saxutils import escape, quoteattr

from tests.property.draws import DATES, GUIDS, NUMBERS, Draw

from strongroom.schema.model import Column, ColumnType, Schema, Table

FUNCTIONS = ("contains", "startswith", "endswith", "tolower", "length", "year", "cast", "concat", "now")
NAMED = (
    *("Today", "LastXDays", "OlderThanXMonths", "In", "NotIn", "Between", "EqualUserId", "EqualBusinessId", "Under"),
    *("ContainValues", "Like", "OnOrAfter", "ThisFiscalYear", "InFiscalPeriodAndYear", "EqualUserTeams", "Above", "No"),
)
OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le", "has", "in", "add", "like", "EQ")
FETCH_OPERATORS = (
    *("eq", "ne", "gt", "null", "not-null", "like", "in", "not-in", "between", "last-x-days", "today", "under"),
    *("eq-userid", "contain-values", "on", "older-than-x-years", "begins-with", "in-fiscal-period-and-year", "is"),
)
_FETCH_EXTRAS = ("", "", 'alias="a"', 'aggregate="sum" alias="s"', 'groupby="true" alias="g"')


class Queries:
    """Makes query texts for one schema. `ids` are rows that exist, by table."""

    def __init__(self, draw: Draw, schema: Schema, ids: dict[str, list[str]]) -> None:
        self.draw = draw
        self.schema = schema
        self.ids = ids

    def columns(self, table: Table) -> list[str]:
        return [column.property_name for column in table.columns.values()]

    def row_id(self, table: str) -> str:
        known = self.ids.get(table, [])
        if known and not self.draw.slips(0.4):
            return self.draw.pick(known)
        return self.draw.pick(GUIDS) if self.draw.is_wild else GUIDS[0]

    def parents(self, table: Table) -> list[str]:
        return [r.lookup_nav for r in self.schema.parents_of(table.logical_name)]

    def children(self, table: Table) -> list[str]:
        return [r.collection_nav for r in self.schema.children_of(table.logical_name)]

    def literal(self, column: Column | None = None) -> str:
        """A literal; of the type of `column` more often than not."""
        draw = self.draw
        kind = column.type if column is not None and not draw.slips(0.2) else draw.pick(list(ColumnType))
        if kind in (ColumnType.STRING, ColumnType.MEMO, ColumnType.MULTISELECT, ColumnType.ENTITYNAME):
            return "'" + draw.text().replace("'", "'" if draw.slips(0.2) else "''") + "'"
        if kind is ColumnType.BOOLEAN:
            return draw.pick(("true", "false", "True", "1") if draw.is_wild else ("true", "false"))
        if kind is ColumnType.DATETIME:
            return draw.pick(DATES if draw.is_wild else DATES[::2])
        if kind.is_lookup or kind is ColumnType.UNIQUEIDENTIFIER:
            return self.row_id(draw.pick(("account", "contact", "systemuser")))
        return draw.pick((*NUMBERS, "null", "@p") if draw.is_wild else NUMBERS[:4])

    def predicate(self, table: Table, depth: int = 0) -> str:
        """A `$filter` text."""
        draw = self.draw
        way = (draw.number(0, 11) if draw.is_wild else draw.pick((0, 1, 4, 5, 7, 8, 9))) if depth < 4 else 0
        column = table.columns.get(draw.name(list(table.columns)))
        name = draw.name([column.property_name]) if column else draw.name(self.columns(table))
        if way <= 3:
            return f"{name} {draw.pick(OPERATORS if draw.slips(0.2) else OPERATORS[:2])} {self.literal(column)}"
        if way == 4:
            return f"{draw.pick(FUNCTIONS if draw.is_wild else FUNCTIONS[:3])}({name},{self.literal(column)})"
        if way <= 6:
            joined = f" {draw.pick(('and', 'AND', ',')) if draw.slips(0.2) else draw.pick(('and', 'or'))} "
            return joined.join(self.predicate(table, depth + 1) for _ in range(draw.number(1, 3)))
        if way == 7:
            return f"not ({self.predicate(table, depth + 1)})"
        if way == 8:
            return f"{draw.name(self.parents(table))}/{self.predicate_of_parent(table, depth)}"
        if way == 9:
            return self.any_or_all(table, depth)
        if way == 10:
            values = draw.pick(('["1","2"]', "['a']", "5", "'x'", "[]", "[[]]", '["x"', "@p", "{}"))
            extra = draw.pick(("", f",PropertyValue={values}", f",PropertyValues={values}", ",PropertyValue1=1"))
            return f"Microsoft.Dynamics.CRM.{draw.pick(NAMED)}(PropertyName='{name}'{extra})"
        return "(" * draw.number(1, 130) + f"{name} eq null" + ")" * draw.number(1, 130)

    def predicate_of_parent(self, table: Table, depth: int) -> str:
        relationships = self.schema.parents_of(table.logical_name)
        parent = self.schema.tables[self.draw.pick(relationships).referenced_table] if relationships else table
        return self.predicate(parent, depth + 1)

    def any_or_all(self, table: Table, depth: int) -> str:
        relationships = self.schema.children_of(table.logical_name)
        if not relationships:
            return f"{self.draw.name([])}/any()"
        relationship = self.draw.pick(relationships)
        child = self.schema.tables[relationship.referencing_table]
        if self.draw.chance(0.3):
            return f"{relationship.collection_nav}/any()"
        inner = " and ".join(f"c/{name} ne null" for name in self.draw.some(self.columns(child), 3))
        word = self.draw.pick(("any", "all"))
        return f"{relationship.collection_nav}/{word}(c:{inner or f'c/{self.predicate(child, depth + 2)}'})"

    def option(self, table: Table, depth: int = 0) -> tuple[str, str]:
        """The name and value of one query option."""
        draw = self.draw
        columns = self.columns(table)
        match draw.number(0, 12) if draw.is_wild else draw.number(0, 9):
            case 0 | 1:
                return "$select", ",".join(draw.name(columns) for _ in range(draw.number(0, 6)))
            case 2 | 3 | 4:
                return "$filter", self.predicate(table)
            case 5:
                directions = ("", " asc", " desc", " up") if draw.is_wild else (" asc", " desc")
                parts = [draw.name(columns) + draw.pick(directions) for _ in range(2)]
                return "$orderby", ",".join(parts)
            case 6:
                return "$top", draw.pick(
                    ("1", "3", "5000", "0", "-1", "x", "9" * 20, "٣", "²") if draw.is_wild else ("1", "3")
                )
            case 7:
                return "$count", draw.pick(("true", "false", "maybe") if draw.is_wild else ("true",))
            case 8 | 9:
                return "$expand", self.expand(table, depth)
            case 10:
                aggregate = f"aggregate({draw.name(columns)} with {draw.pick(('sum', 'max', 'average', 'x'))} as t)"
                keys = ",".join(draw.name(columns) for _ in range(draw.number(1, 2)))
                return "$apply", draw.pick(
                    (aggregate, f"groupby(({keys}))", f"groupby(({keys}),{aggregate})", f"filter({keys})/{aggregate}")
                )
            case 11:
                return draw.pick(
                    (
                        ("$skiptoken", draw.text()),
                        ("$skiptoken", '<cookie pagenumber="2" pagingcookie="%253ccookie" istracking="False" />'),
                        ("$deltatoken", "1!2"),
                        ("@p", self.literal()),
                        ("$skip", "5"),
                        ("tag", draw.text()),
                        ("savedQuery", self.row_id("savedquery")),
                        ("userQuery", draw.text()),
                        ("$id", draw.text()),
                    )
                )
            case _:
                return draw.spoilt("$filter"), draw.text()

    def expand(self, table: Table, depth: int = 0) -> str:
        draw = self.draw
        parts: list[str] = []
        for _ in range(draw.number(1, 2)):
            nav = draw.name(self.parents(table) + self.children(table))
            inner = (
                ";".join("=".join(self.option(table, depth + 1)) for _ in range(draw.number(0, 2))) if depth < 3 else ""
            )
            parts.append(f"{nav}({inner})" if inner else nav)
        return ",".join(parts)

    def options(self, table: Table) -> str:
        """A query string, escaped in one of the ways that clients do."""
        draw = self.draw
        if draw.chance(0.08):
            return "fetchXml=" + draw.escaped(self.fetch_xml(table))
        if draw.chance(0.08):
            return "sql=" + draw.escaped(self.sql(table))
        pairs = [self.option(table) for _ in range(draw.number(0, 3))]
        if not draw.is_wild:
            pairs = list(dict(pairs).items())
        text = [(n, draw.spoilt(v) if draw.slips(0.2) else v) for n, v in pairs]
        return "&".join(f"{n if n.isascii() else draw.escaped(n)}={draw.escaped(v)}" for n, v in text) + draw.pick(
            ("", "", "&", "&&=")
        )

    def key(self, table: Table) -> str:
        """What stands between the parentheses that name a row."""
        draw = self.draw
        if draw.chance(0.8) or not (table.keys or draw.is_wild):
            return self.row_id(table.logical_name)
        if table.keys and not draw.slips(0.5):
            key = draw.pick(table.keys)
            return ",".join(f"{name}={self.literal(table.columns.get(name))}" for name in key.columns)
        return draw.pick(
            (f"{draw.name(self.columns(table))}={self.literal()}", "", "x", "'x", "a=1,a=2", "{", "@p", ",")
        )

    def fetch_xml(self, table: Table) -> str:
        draw = self.draw
        columns = list(table.columns)

        def condition() -> str:
            column = table.columns.get(draw.name(columns))
            value = self.literal(column).strip("'")
            inner = "".join(f"<value>{escape(value)}</value>" for _ in range(draw.number(0, 2)))
            name = column.logical_name if column else draw.name([])
            given = f"value={quoteattr(value)}" if draw.chance(0.6) else ""
            operator = draw.pick(FETCH_OPERATORS)
            return f'<condition attribute={quoteattr(name)} operator="{operator}" {given}>{inner}</condition>'

        def filters(depth: int) -> str:
            if depth > 3:
                return condition()
            parts = "".join(condition() if draw.chance(0.7) else filters(depth + 1) for _ in range(draw.number(0, 3)))
            kind = draw.pick(("and", "or", "xor") if draw.is_wild else ("and", "or"))
            return f'<filter type="{kind}">{parts}</filter>'

        attributes = "".join(
            f"<attribute name={quoteattr(draw.name(columns))} {draw.pick(_FETCH_EXTRAS)}/>"
            for _ in range(draw.number(0, 4))
        )
        orders = f"<order attribute={quoteattr(draw.name(columns))}/>" if draw.chance(0.4) else ""
        links = ""
        if (relationships := self.schema.parents_of(table.logical_name)) and draw.chance(0.4):
            r = draw.pick(relationships)
            kind = draw.pick(("inner", "outer", "exists", "any", "matchfirstrowusingcrossapply", "sideways"))
            all_columns = "<all-attributes/>" if draw.chance(0.3) else ""
            links = (
                f'<link-entity name="{r.referenced_table}" from="{r.referenced_column}" to="{r.referencing_column}"'
                f' link-type="{kind}" alias="l">{all_columns}</link-entity>'
            )
        head = " ".join(
            draw.some(
                ('top="3"', 'count="2"', 'page="2"', 'distinct="true"', 'aggregate="true"', 'page="x"', 'count="-1"'), 2
            )
        )
        paging = f" paging-cookie={quoteattr(draw.text())}" if draw.chance(0.1) else ""
        inside = f"{attributes}{orders}{filters(0)}{links}"
        text = f'<fetch {head}{paging}><entity name="{table.logical_name}">{inside}</entity></fetch>'
        return draw.spoilt(text) if draw.slips(0.4) else text

    def sql(self, table: Table) -> str:
        draw = self.draw
        columns = list(table.columns)
        outputs = draw.pick(("*", "count(*)", ", ".join(draw.name(columns) for _ in range(3)), "top 3 " + columns[0]))
        column = table.columns.get(draw.name(columns))
        operator = draw.pick(("=", "<", "like", "in", "is"))
        where = f" where {column.logical_name if column else 'x'} {operator} {self.literal(column)}"
        order = f" order by {draw.name(columns)}{draw.pick(('', ' desc'))}" if draw.chance(0.4) else ""
        text = f"select {outputs} from {table.logical_name}{where if draw.chance(0.7) else ''}{order}"
        if draw.slips(0.2):
            text += draw.pick(
                ("; delete from account", " union select 1", " -- x", " limit 5", " group by 1", "(" * 300)
            )
        return draw.spoilt(text) if draw.slips(0.4) else text
