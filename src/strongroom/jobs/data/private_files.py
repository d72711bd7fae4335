"""Files that hold rows outside the encrypted store: exports, journals, refused rows. Only their owner reads them."""

import os

OWNER_ONLY = 0o600


def owner_only(path: str, flags: int) -> int:
    """The opener of `open` for such a file. A file that is there already keeps the rights that somebody gave it."""
    return os.open(path, flags, OWNER_ONLY)
