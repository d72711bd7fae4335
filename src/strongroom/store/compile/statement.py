"""A compiled statement: once as a template that many callers share, once with the values of one query."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from strongroom.access.masking import Mask
from strongroom.errors import InvalidRequest
from strongroom.store.compile.values import Decode
from strongroom.store.compile.writer import Parameter

Result = tuple[object, ...]
Decoder = Callable[[object], object] | Mask


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a store executes. `rows` makes the answer's rows of what the driver fetched.

    Result columns are the outputs in order; then, for lists, the sort keys and the ids that make up `Select.after` of
    the next page. `decoded` has the columns whose values change on the way. `input_limit` is set on aggregate queries:
    their last raw column counts the rows that went in.
    """

    sql: str
    parameters: tuple[object, ...]
    decoded: tuple[tuple[int, Decoder], ...]
    input_limit: int | None = None

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
            for place, decode in self.decoded:
                row[place] = decode(row[place])
            return [tuple(row)]
        # By column, because that costs a quarter of looking at every value of every row.
        columns: list[Iterable[object]] = list(zip(*fetched, strict=True))
        for place, decode in self.decoded:
            columns[place] = map(decode.for_answer() if isinstance(decode, Mask) else decode, columns[place])
        return list(zip(*columns, strict=True))


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement without values. It depends on nothing but the query's shape, the plans' sets and the layout."""

    sql: str
    parameters: tuple[Parameter, ...]
    decoders: tuple[Decode, ...]
    input_limit: int | None = None
    _decoded: tuple[tuple[int, Decoder], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        decoded = tuple((place, decode) for place, decode in enumerate(self.decoders) if decode is not None)
        object.__setattr__(self, "_decoded", decoded)

    def bind(self, values: list[object]) -> Compiled:
        """The statement with the values of one query of its shape."""
        return Compiled(
            self.sql,
            tuple([parameter.encode(values[parameter.place]) for parameter in self.parameters]),
            self._decoded,
            self.input_limit,
        )
