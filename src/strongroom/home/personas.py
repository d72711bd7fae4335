"""`demo.json`: whom a demo home can be tried as. It is only there when the home was filled with the demo company."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

from strongroom.errors import HomeError
from strongroom.keys.disk import Disk, replace_file

PERSONAS_FILE = "demo.json"


@dataclass(frozen=True, slots=True)
class Persona:
    """A user of the demo company. `login` is what `strongroom token --user` takes; `sees` says what, in words."""

    name: str
    login: str
    sees: str


def write_personas(folder: Path, personas: Sequence[Persona]) -> None:
    """Note the personas in the home at `folder`."""
    text = json.dumps([asdict(persona) for persona in personas], indent=2, ensure_ascii=False)
    replace_file(Disk(), folder / PERSONAS_FILE, text.encode() + b"\n")


def read_personas(folder: Path) -> tuple[Persona, ...]:
    """The personas of the home; none when it is no demo home. Raises `HomeError` when the file is damaged."""
    data = Disk().read(folder / PERSONAS_FILE)
    if data is None:
        return ()
    try:
        return tuple(Persona(**entry) for entry in cast("list[dict[str, str]]", json.loads(data)))
    except (TypeError, ValueError):
        raise HomeError(f"{folder / PERSONAS_FILE} is damaged; remove it, it is only told to people.") from None
