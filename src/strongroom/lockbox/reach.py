"""From the control environment, where requests are decided, to the environment that they are about.

The two stores have no transaction in common. What opens access is written to the environment last, what ends it first:
whatever fails in between leaves less access, not more.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from strongroom.clock import Clock
from strongroom.errors import InvalidRequest, ResourceNotFound
from strongroom.home import EnvironmentKind, Home
from strongroom.identity import issue
from strongroom.ids import Guid
from strongroom.records import Rules, Session
from strongroom.records.platform_user import platform_caller
from strongroom.store.protocol import Database


class Opened(Protocol):
    """An open environment, as far as it is needed here."""

    database: Database
    rules: Rules
    clock: Clock
    id: Guid

    def close(self) -> None:
        """Give the store back."""
        ...


@dataclass(frozen=True, slots=True)
class Reach:
    """What the lockbox reaches of a home."""

    home: Home
    open: Callable[[str], Opened]

    def name_of(self, named: str) -> str:
        """The environment of business data with this name or id. Raises `InvalidRequest`."""
        for record in self.home.environments():
            if named in (record.name, record.id) and record.kind is EnvironmentKind.BUSINESS:
                return record.name
        raise InvalidRequest(
            f"There is no environment '{named[:100]}' of business data.",
            details={"reason": "unknown-environment", "rule": "TS-1501", "target": "EnvironmentId"},
        )

    @contextmanager
    def writing(self, name: str) -> Generator[Session]:
        """A unit of work in the platform's name in an environment."""
        found = self.open(name)
        try:
            with found.database.write() as transaction:
                session = Session(transaction, platform_caller(transaction.schema), found.clock, found.rules)
                yield session
                transaction.append_activity(session.activities)
        finally:
            found.close()

    def token(self, name: str, user: Guid, lifetime: timedelta) -> str:
        """A bearer token for a user of an environment."""
        return issue(self.home.keys, self.home.environment(name).id, user, self.home.clock, lifetime)


def reach_of(session: Session) -> Reach:
    """What the lockbox reaches from here. In other environments than the control one its operations are not there."""
    found = session.rules.reach
    if not isinstance(found, Reach):
        raise ResourceNotFound("This operation is one of the control environment.")
    return found
