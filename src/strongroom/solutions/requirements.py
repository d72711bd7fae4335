"""What a solution says that it needs, held against an environment."""

from dataclasses import dataclass

from strongroom.records import Session
from strongroom.solutions.contents import find_solution
from strongroom.solutions.model import Dependency, Solution
from strongroom.solutions.reading import COMPONENT_NAMES

_TYPES = {name: int(number) for number, name in COMPONENT_NAMES.items()}
_BY_NAME = {
    "web resource": ("webresource", "name"),
    "environment variable": ("environmentvariabledefinition", "schemaname"),
    "app": ("appmodule", "uniquename"),
    "site map": ("sitemap", "sitemapnameunique"),
    "role": ("role", "name"),
    "view": ("savedquery", "name"),
    "form": ("systemform", "name"),
    "process": ("workflow", "name"),
    "column security profile": ("fieldsecurityprofile", "name"),
}
"""Kinds of components that are rows, with the column that names them."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A component that a solution needs and the environment lacks. `type` is 0 for a kind that is not known here."""

    type: int
    kind: str
    name: str
    solution: str


def missing_components(session: Session, solution: Solution) -> list[Missing]:
    """The components that the solution's manifest names as needed and that are not here."""
    return [
        Missing(_TYPES.get(each.kind, 0), each.kind, each.name, each.solution)
        for each in solution.dependencies
        if not _is_here(session, each)
    ]


def _is_here(session: Session, needed: Dependency) -> bool:
    schema = session.schema
    name = needed.name.lower()
    match needed.kind:
        case "table":
            return name in schema.tables
        case "column":
            table, _, column = name.rpartition(".")
            return table in schema.tables and column in schema.tables[table].columns
        case "choice":
            return name in schema.choices
        case "relationship":
            known = {each.lower() for each in (*schema.relationships, *schema.many_to_many)}
            return name.rpartition(".")[2] in known
        case kind if kind in _BY_NAME:
            table, column = _BY_NAME[kind]
            return bool(session.transaction.rows_where(session.table(table), {column: needed.name}, limit=1))
        case _:
            return find_solution(session, needed.solution.partition(" ")[0]) is not None
