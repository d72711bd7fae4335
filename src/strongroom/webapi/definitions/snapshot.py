"""A key for caches of what is rendered from one schema snapshot."""

from dataclasses import dataclass

from strongroom.schema.model import Schema


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A schema that equals itself only. Schemas never change, so what was rendered from one stays right."""

    schema: Schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Snapshot) and other.schema is self.schema
