"""A customer's key in a file outside the home: on removable media, or a mount that is taken away."""

from collections.abc import Sequence
from pathlib import Path

from strongroom.errors import HomeError
from strongroom.keys.disk import Disk, replace_file
from strongroom.keys.providers import KeyState, ProviderUnreachable, unusable
from strongroom.keys.providers.address import ProviderAddress
from strongroom.keys.providers.reach import Allows
from strongroom.keys.root import key_file_content, read_key_file
from strongroom.keys.secret import Secret
from strongroom.keys.wrapping import RootKey, expand, new_key, unwrap, wrap


class FileKey:
    """32 bytes in a file that only its owner reads. It is read at each use, so that taking it away takes effect."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def wrap(self, key: bytes, place: Sequence[str]) -> bytes:
        return wrap(self._root(), Secret(key), "customer", *place)

    def unwrap(self, wrapped: bytes, place: Sequence[str]) -> bytes:
        return unwrap(self._root(), wrapped, "customer", *place).reveal()

    def state(self) -> KeyState:
        try:
            root = self._root()
        except HomeError as error:
            return unusable(error)
        return KeyState(is_enabled=True, is_protected=True, detail=f"key {root.id}")

    def rotated(self) -> str:
        stem, _, number = self._path.name.rpartition(".v")
        stem, version = (stem, int(number)) if number.isdigit() else (self._path.name, 1)
        while (fresh := self._path.with_name(f"{stem}.v{version + 1}")).exists():
            version += 1  # an interrupted rotation left it, or it is another one's
        make(fresh)
        return f"file:{fresh}"

    def _root(self) -> RootKey:
        material = read_key_file(Disk(), self._path)
        if material is None:
            raise ProviderUnreachable(f"The customer key {self._path} is not there.")
        return expand(material)


def make(path: Path) -> None:
    """Put a new key into a new file. Raises `HomeError` when something is there."""
    if path.exists():
        raise HomeError(f"{path} is there already; a key file is never overwritten.")
    replace_file(Disk(), path, key_file_content(new_key()))


def open_key(address: ProviderAddress, allows: Allows) -> FileKey:
    """The key file of an address, whose path must be absolute: the home may be opened from anywhere."""
    del allows  # it is on this machine
    address.require_only()
    path = Path(address.value)
    if not path.is_absolute():
        raise HomeError(f"The path of a customer key must be absolute; '{path}' is not.")
    return FileKey(path)
