"""The rules of solutions that hang in the verbs, registered at the composition root."""

import re

from strongroom.errors import InvalidRequest
from strongroom.records import Event, Rules, Session
from strongroom.solutions import customizing, placing, removing
from strongroom.solutions.contents import find_solution
from strongroom.solutions.versions import version_of
from strongroom.store.protocol import Row, Value

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,64}")


def register(rules: Rules) -> None:
    """Hang them in."""
    rules.on(Event.BEFORE_CREATE, "solution", _new, name="solutions: a new one has a name of its own and is unmanaged")
    rules.on(Event.BEFORE_UPDATE, "solution", _changed, name="solutions: what is no version is refused")
    removing.register(rules)
    customizing.register(rules)
    placing.register(rules)


def _new(session: Session, row: Row, values: dict[str, Value]) -> None:
    name = str(values.get("uniquename") or "")
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"'{name[:100]}' cannot be the unique name of a solution: one is letters, digits and underscores, begins "
            "with no digit, and has at most 65 characters."
        )
    if find_solution(session, name) is not None:
        raise InvalidRequest(f"A solution with the unique name '{name}' is here already.", code="0x80040237")
    values["ismanaged"] = False
    values.setdefault("isvisible", True)
    values["installedon"] = session.now
    _changed(session, row, values)


def _changed(_: Session, __: Row, values: dict[str, Value]) -> None:
    if "version" in values:
        version_of(values["version"])
