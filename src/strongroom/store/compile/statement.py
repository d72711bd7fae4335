"""A compiled statement: once as a template that many callers share, once with the values of one query."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from strongroom.access.masking import Mask
from strongroom.errors import InvalidRequest
from strongroom.store.compile.values import Decode, column_decoder
from strongroom.store.compile.writer import Parameter

Result = tuple[object, ...]
DecodeOne = Callable[[object], object] | Mask
DecodeColumn = Callable[[Iterable[object]], Iterable[object]]


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a store executes. `rows` makes the answer's rows of what the driver fetched.

    Result columns are the outputs in order; then, for lists, the sort keys and the ids that make up `Select.after` of
    the next page. `decoded` has the columns whose values change on the way: how one value does, and how a column does,
    because by column costs a quarter of looking at every value of every row. `input_limit` is set on aggregate queries:
    their last raw column counts the rows that went in.
    """

    sql: str
    parameters: tuple[object, ...]
    decoded: tuple[tuple[int, DecodeOne, DecodeColumn], ...]
    input_limit: int | None = None
    one_plan: bool | None = None
    """Whether one plan serves all values of the parameters (`engine.Connection.query`)."""

    def rows(self, fetched: list[Result]) -> list[Result]:
        """The rows as ours. Raises `InvalidRequest` 0x8004e023 when more rows were aggregated than allowed (WA-225)."""
        if self.input_limit is not None and fetched:
            counted = fetched[0][-1]
            if isinstance(counted, int) and counted > self.input_limit:
                raise InvalidRequest(
                    "AggregateQueryRecordLimit exceeded. Cannot perform this operation. "
                    f"The query reads more than {self.input_limit} rows: narrow it with a filter.",
                    code="0x8004e023",
                )
            fetched = [row[:-1] for row in fetched]
        if not self.decoded or not fetched:
            return fetched
        if len(fetched) == 1:
            row = list(fetched[0])
            for place, one, _ in self.decoded:
                row[place] = one(row[place])
            return [tuple(row)]
        columns: list[Iterable[object]] = list(zip(*fetched, strict=True))
        for place, _, column in self.decoded:
            columns[place] = column(columns[place])
        return list(zip(*columns, strict=True))


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement without values. It depends on nothing but the query's shape, the plans' sets and the layout."""

    sql: str
    parameters: tuple[Parameter, ...]
    decoders: tuple[Decode, ...]
    input_limit: int | None = None
    one_plan: bool | None = None
    _decoded: tuple[tuple[int, DecodeOne, DecodeColumn], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        given = [(place, decode) for place, decode in enumerate(self.decoders) if decode is not None]
        object.__setattr__(self, "_decoded", tuple((place, each, column_decoder(each)) for place, each in given))

    def bind(self, values: list[object]) -> Compiled:
        """The statement with the values of one query of its shape."""
        return Compiled(
            self.sql,
            tuple([parameter.encode(values[parameter.place]) for parameter in self.parameters]),
            self._decoded,
            self.input_limit,
            self.one_plan,
        )
