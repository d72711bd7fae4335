"""The keys of a home in one file that shares open, and a home's folder made of it again (TS-516).

The file holds what is needed beside the stores: the key ring, the root key, the registry and the settings, sealed
(AES-256-GCM) under a key that exists nowhere but in its shares. Whoever has the file, and the stores, opens nothing
without enough of them.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from strongroom.errors import HomeError
from strongroom.home.folder import ENVIRONMENTS_FOLDER, TLS_FOLDER, Home, open_home
from strongroom.home.registry import REGISTRY_FILE
from strongroom.keys import Secret
from strongroom.keys.disk import Disk, replace_file
from strongroom.keys.ringfile import RING_FILE
from strongroom.keys.shares import combine, split
from strongroom.keys.wrapping import expand, new_key, unwrap, wrap
from strongroom.settings import SETTINGS_FILE

_FORMAT = "strongroom keys 1"
_MOST_BYTES = 64 * 1024 * 1024


def back_up_keys(home: Home, path: Path, *, needed: int, total: int) -> list[Secret]:
    """Write the keys of a home to a new file; the shares that open it, for as many holders.

    Raises `HomeError` for a home whose root key is made of a passphrase: that is what is to be kept then.
    """
    source = home.keys.source
    if not source.is_file:
        raise HomeError("The root key of this home is made of a passphrase: share the passphrase itself.")
    disk, key = Disk(), new_key()
    names = {RING_FILE: RING_FILE, "root": source.value, REGISTRY_FILE: REGISTRY_FILE, SETTINGS_FILE: SETTINGS_FILE}
    held = {told: disk.read(home.path / name) for told, name in names.items()}
    content = json.dumps({told: base64.b64encode(data).decode() for told, data in held.items() if data is not None})
    shares = split(key, needed=needed, total=total)
    sealed = base64.b64encode(wrap(expand(key), Secret(content.encode()), _FORMAT, home.id)).decode()
    if path.exists():
        raise HomeError(f"{path} is there already; keys are never written over something.")
    told = {"format": _FORMAT, "home": home.id, "needed": needed, "shares": total, "sealed": sealed}
    replace_file(disk, path, json.dumps(told, indent=2).encode() + b"\n")
    return shares


def restore_keys(path: Path, shares: Sequence[Secret], folder: Path) -> Home:
    """Make the keys in a file the keys of the home at `folder`, which has none: an empty folder, or one with the stores
    of the home. Raises `HomeError`; the folder is as it was then."""
    key = combine(shares)
    held = _opened(path, key)
    if (folder / RING_FILE).exists():
        raise HomeError(f"{folder} has keys already; restore into a folder without {RING_FILE}.")
    root = json.loads(held[RING_FILE])["ring"]["root"]["source"].partition(":")[2]
    disk, made = Disk(), list[Path]()
    for name in ("", ENVIRONMENTS_FOLDER, TLS_FOLDER):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        for name in (SETTINGS_FILE, REGISTRY_FILE, "root", RING_FILE):  # the ring last: it makes a folder a home
            target = folder / (root if name == "root" else name)
            if name in held and not target.exists():
                replace_file(disk, target, held[name])
                made.append(target)
        return open_home(folder)
    except BaseException:
        for target in made:
            target.unlink(missing_ok=True)
        raise


def _opened(path: Path, key: Secret) -> dict[str, bytes]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError
        told = cast("dict[str, str]", json.loads(path.read_bytes()))
        sealed, home = base64.b64decode(told["sealed"], validate=True), str(told["home"])
        if told["format"] != _FORMAT:
            raise ValueError
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        raise HomeError(f"{path} is no back-up of keys, or it is damaged.") from None
    try:
        content = json.loads(unwrap(expand(key), sealed, _FORMAT, home).reveal())
    except HomeError:
        raise HomeError(f"The shares do not open {path}: they are of another back-up, or it was altered.") from None
    return {name: base64.b64decode(data) for name, data in content.items()}
