"""What is in an environment, row by row, so that two states can be compared."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from strongroom.environment import Environment
from strongroom.home import Home, open_home
from strongroom.opening import open_environment

OF_THE_TRAIL = frozenset({"audit", "auditleaf", "audithead"})


def opened(home: Path) -> Home:
    """The home, whatever the machine's environment variables say."""
    return open_home(home, environ={})


def state_of(home: Path, name: str) -> dict[str, str]:
    """A digest of each table's rows, in the order of their keys."""
    environment = open_environment(opened(home), name)
    try:
        return digests(environment)
    finally:
        environment.close()


def digests(environment: Environment) -> dict[str, str]:
    """The same of an open environment."""
    found: dict[str, str] = {}
    with environment.database.dumping() as dump:
        for table in dump.names():
            digest = hashlib.sha256()
            for row in dump.table(table).rows:
                digest.update(repr(row).encode())
            found[table] = digest.hexdigest()
    return found


def differing(one: dict[str, str], other: dict[str, str]) -> set[str]:
    """The tables whose rows differ."""
    return {table for table in one.keys() | other.keys() if one.get(table) != other.get(table)}


def change(home: Path, name: str, act: Callable[[Environment], None]) -> None:
    """Do something in an environment."""
    environment = open_environment(opened(home), name)
    try:
        act(environment)
    finally:
        environment.close()


def add_accounts(environment: Environment, *names: str) -> None:
    """New accounts, made by the administrator in a unit of work each."""
    from strongroom.records import NewRecord, create

    for name in names:
        with environment.session_of("admin", write=True) as session:
            create(session, session.table("account"), NewRecord({"name": name}))
