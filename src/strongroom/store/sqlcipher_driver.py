"""The SQLCipher driver with types: it has the interface of the standard library's `sqlite3`, but no annotations.

The error classes are the driver's own; their annotations say what they correspond to.
"""

import sqlite3
from collections.abc import Callable
from typing import Any

from sqlcipher3 import dbapi2 as _dbapi2

_driver: Any = _dbapi2

connect: Callable[..., sqlite3.Connection] = _driver.connect
Error: type[sqlite3.Error] = _driver.Error
DatabaseError: type[sqlite3.DatabaseError] = _driver.DatabaseError
IntegrityError: type[sqlite3.IntegrityError] = _driver.IntegrityError
OperationalError: type[sqlite3.OperationalError] = _driver.OperationalError

__all__ = ["DatabaseError", "Error", "IntegrityError", "OperationalError", "connect"]
