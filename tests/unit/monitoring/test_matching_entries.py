"""A condition in memory says of each row what the store says (TS-824)."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples
from tests.unit.monitoring.watched import Watched

from strongroom.access.plan import plan_of_all
from strongroom.access.planned import PlannedSelect
from strongroom.monitoring.matching import compiled
from strongroom.query.ast import Field, Output, ReadContext, Select, Source
from strongroom.query.odata import read_filter
from strongroom.store.protocol import Value

_TEXTS = ("retrieve", "EXPORT", "sign-in", "Straße", "a_b", "100%", "")
_COLUMNS = ("activity", "client", "address", "category", "outcome", "objectcount")
_NUMBERS = ("category", "outcome", "objectcount")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _text_condition(column: str, how: str, text: str) -> str:
    return how.format(column, _quoted(text))


def _number_condition(column: str, how: str, number: int) -> str:
    return f"{column} {how} {number}"


def _null_condition(column: str, how: str) -> str:
    return f"{column} {how} null"


def _list_condition(column: str, numbers: list[int]) -> str:
    return f"{column} in ({','.join(map(str, numbers))})"


def _joined(first: str, word: str, second: str) -> str:
    return f"({first} {word} {second})"


def _negated(part: str) -> str:
    return f"not ({part})"


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.builds(_joined, inner, st.sampled_from(("and", "or")), inner)
    return st.one_of(joined, st.builds(_negated, inner))


_HOW = ("{} eq {}", "{} ne {}", "{} gt {}", "{} le {}", "contains({},{})", "startswith({},{})", "endswith({},{})")
_simple: st.SearchStrategy[str] = st.one_of(
    st.builds(
        _text_condition,
        st.sampled_from(("activity", "client", "address")),
        st.sampled_from(_HOW),
        st.sampled_from((*_TEXTS, "%", "e%t", "[a-e]%", "_xport")),
    ),
    st.builds(
        _number_condition, st.sampled_from(_NUMBERS), st.sampled_from(("eq", "ne", "lt", "ge")), st.integers(0, 5)
    ),
    st.builds(_null_condition, st.sampled_from(_COLUMNS), st.sampled_from(("eq", "ne"))),
    st.builds(_list_condition, st.sampled_from(_NUMBERS), st.lists(st.integers(0, 5), min_size=1, max_size=3)),
)
_conditions = st.recursive(_simple, _compound, max_leaves=5)


def _fill(watch: Watched) -> None:
    """Rows of every kind, once for each environment."""
    if watch.world.rows("activitylog", client="filled"):
        return
    rows: list[dict[str, Value]] = [
        {
            "createdon": "2026-01-05T09:30:00Z",
            "category": number % 6 or None,
            "activity": _TEXTS[number % len(_TEXTS)],
            "outcome": None if number % 3 == 0 else number % 2 + 1,
            "client": "filled" if number == 0 else _TEXTS[number * 3 % len(_TEXTS)] or None,
            "address": None if number % 4 == 0 else _TEXTS[number % 5],
            "objectcount": None if number % 5 == 0 else number % 5,
        }
        for number in range(60)
    ]
    with watch.database.write() as transaction:
        transaction.append_activity(rows)


@given(condition=_conditions)
@settings(max_examples=examples(60))
def test_a_condition_in_memory_finds_what_the_store_finds(watch: Watched, condition: str) -> None:
    """TS-824: rules are written in the language of views and mean the same."""
    _fill(watch)
    with watch.database.read() as transaction:
        table = transaction.schema.tables["activitylog"]
        context = ReadContext(watch.world.admin, watch.world.root, (), "2026-01-05T09:30:00Z")
        predicate, _ = read_filter(transaction.schema, table, condition, context)
        select = Select(Source(table), (Output("id", Field("", table.id_column)),), where=predicate)
        stored = {str(each[0]) for each in transaction.select(PlannedSelect(select, {"": plan_of_all(table)}))}
        test = compiled(predicate)
        in_memory = {str(row.id) for row in transaction.rows_where(table, {}) if test(row) is True}
    assert in_memory == stored
