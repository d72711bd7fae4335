"""Ids of metadata that are the same in every environment and every process.

Parts of the standard catalogue have an id that follows from their name; parts made later also take the version of the
schema that they were made in, so that a column dropped and made again is a new one (no old share or permission that
names the old id comes alive again).
"""

from hashlib import sha1
from uuid import UUID

from strongroom.ids import Guid

_NAMESPACE = UUID("6c1f0d52-9f0e-5b7e-9a53-3d1b8f0a7c11").bytes


def stable_id(kind: str, name: str, version: int | None = None) -> Guid:
    """The id of the `kind` (table, column, relationship …) called `name`: a UUID of version 5."""
    text = f"{kind}:{name}" if version is None else f"{kind}:{name}@{version}"
    digest = sha1(_NAMESPACE + text.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return Guid(f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}")
