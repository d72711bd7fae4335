"""A disk in memory that loses power: what was not synced may be there afterwards, or not, or in part."""

import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from strongroom.keys.disk import Disk, Signature


class PowerLoss(BaseException):
    """The machine stopped; no handler of the program runs, so it is no `Exception`."""


@dataclass
class _File:
    content: bytes
    durable: bytes = b""
    number: int = 0


Names = dict[Path, _File]


class SimulatedDisk(Disk):
    """`fail_at` is the number of the operation (from 1) before which `failure` is raised."""

    def __init__(self) -> None:
        self.names: Names = {}
        self.durable_names: Names = {}
        self.unsynced: list[tuple[Path, Callable[[Names], None]]] = []
        self.steps = 0
        self.fail_at = 0
        self.failure: BaseException = PowerLoss()
        self._numbers = 0

    def step(self) -> None:
        """One operation begins."""
        self.steps += 1
        if self.steps == self.fail_at:
            raise self.failure

    def read(self, path: Path) -> bytes | None:
        found = self.names.get(path)
        return None if found is None else found.content

    def write(self, path: Path, data: bytes) -> None:
        self.step()
        self._numbers += 1
        file = self.names.get(path)
        if file is None:
            file = _File(b"")
            self._rename_later(path, lambda names: names.__setitem__(path, file))
        file.content, file.number = data, self._numbers

    def sync(self, path: Path) -> None:
        self.step()
        self.names[path].durable = self.names[path].content

    def sync_folder(self, path: Path) -> None:
        self.step()
        for folder, change in self.unsynced:
            if folder == path:
                change(self.durable_names)
        self.unsynced = [entry for entry in self.unsynced if entry[0] != path]

    def rename(self, source: Path, target: Path) -> None:
        self.step()
        file = self.names[source]

        def change(names: Names) -> None:
            if names.get(source) is file:
                names[target] = names.pop(source)

        self._rename_later(target, change)

    def remove(self, path: Path) -> None:
        self.step()
        self._rename_later(path, lambda names: names.pop(path, None) and None)

    def signature(self, path: Path | str) -> Signature | None:
        found = self.names.get(Path(path))
        return None if found is None else (found.number, 0, len(found.content))

    def require_owner_only(self, path: Path) -> None:
        """The simulated disk has one user."""

    @contextmanager
    def lock(self, path: Path, *, wait: bool = True) -> Generator[bool]:
        yield True

    def after_power_loss(self, chance: random.Random) -> "SimulatedDisk":
        """The disk as the next start finds it: each unsynced change of a name and each unsynced content survives or
        not, by chance; a rename is whole or not at all."""
        survived = dict(self.durable_names)
        for _, change in self.unsynced:
            if chance.random() < 0.5:
                change(survived)
        found = SimulatedDisk()
        for path, file in survived.items():
            content = file.content
            if file.content != file.durable:
                torn = content[: chance.randint(0, len(content))]
                content = chance.choice((content, file.durable, torn))
            found.names[path] = _File(content, content, len(found.names) + 1)
        found.durable_names = dict(found.names)
        found._numbers = len(found.names)
        return found

    def _rename_later(self, path: Path, change: Callable[[Names], None]) -> None:
        """Change a name now, and durably with the next `sync_folder`."""
        change(self.names)
        self.unsynced.append((path.parent, change))
