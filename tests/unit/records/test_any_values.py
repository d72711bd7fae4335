"""Whatever a caller sends is kept or refused with one of our errors, never half kept (WA-53, WA-434)."""

from decimal import Decimal
from typing import cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engines import Stores
from tests.profiles import examples
from tests.worlds import World

from strongroom.errors import IntegrityViolation, StrongroomError
from strongroom.ids import Guid, Reference
from strongroom.schema.model import Column, ColumnType, Table
from strongroom.schema.standard_tables import standard_schema
from strongroom.store.protocol import Value

TABLES = [
    standard_schema().tables[name] for name in ("account", "contact", "task", "opportunity", "team", "systemuser")
]
ANYTHING: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**60), 10**60),
    st.floats(),
    st.decimals(),
    st.text(max_size=400),
    st.sampled_from(["", "\x00", "\ud800", "2024-05-01T10:15:00Z", "9999-12-31T23:59:59-14:00", "1,2,2"]),
    st.builds(Reference, st.sampled_from(["account", "contact", "systemuser"]), st.uuids().map(lambda u: Guid(str(u)))),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def fitting(column: Column) -> st.SearchStrategy[Value]:
    """Values of about the right kind, so that many are kept."""
    match column.type:
        case ColumnType.STRING | ColumnType.MEMO:
            return st.text(max_size=column.max_length or 100)
        case ColumnType.DECIMAL | ColumnType.MONEY:
            return st.decimals(0, 1000, places=6)
        case ColumnType.INTEGER | ColumnType.PICKLIST | ColumnType.STATE | ColumnType.STATUS:
            return st.integers(0, 10)
        case ColumnType.DATETIME:
            return st.datetimes().map(lambda moment: moment.isoformat() + "Z")
        case _:
            return st.booleans()


@st.composite
def rows(draw: st.DrawFn) -> tuple[Table, dict[str, Value]]:
    table = draw(st.sampled_from(TABLES))
    columns = draw(
        st.lists(st.sampled_from(list(table.columns.values())), max_size=6, unique_by=lambda c: c.logical_name)
    )
    values = {c.logical_name: draw(st.one_of(fitting(c), fitting(c), ANYTHING)) for c in columns}
    return table, values


def test_any_row_is_kept_whole_or_refused(stores: Stores, engine: str) -> None:
    """Creating, and changing what was created; a refusal is never an invariant of ours that broke."""
    with stores.opened(engine) as database:
        world = World(database)

        @settings(
            max_examples=examples(60),
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(row=rows(), change=rows())
        def attempt(row: tuple[Table, dict[str, Value]], change: tuple[Table, dict[str, Value]]) -> None:
            table, values = row
            before = len(world.rows("audit"))
            try:
                made = world.make(table.logical_name, values)
            except StrongroomError as error:
                assert not isinstance(error, IntegrityViolation)
                assert len(world.rows("audit")) == before
                return
            kept = world.row(table.logical_name, made)
            if change[0] is table:
                try:
                    world.change(table.logical_name, made, change[1])
                except StrongroomError as error:
                    assert not isinstance(error, IntegrityViolation)
                    assert world.row(table.logical_name, made) == kept

        attempt()


def test_decimals_never_gain_digits(stores: Stores, engine: str) -> None:
    """WA-84, WA-85: what is kept is what was written, rounded to the column's digits."""
    with stores.opened(engine) as database:
        world = World(database)

        @settings(max_examples=examples(30), deadline=None)
        @given(amount=st.decimals(0, 10**9, places=7))
        def attempt(amount: Decimal) -> None:
            row = world.row("account", world.create("account", revenue=amount))
            assert abs(cast(Decimal, row.values["revenue"]) - amount) <= Decimal("0.00005")

        attempt()
