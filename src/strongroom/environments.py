"""The environments of a home that a server has open: who may come into which, and when one is let go of."""

from strongroom.clock import Clock
from strongroom.environment import Environment
from strongroom.errors import (
    EnvironmentClosed,
    EnvironmentLocked,
    NotFound,
    StrongroomError,
    Unauthenticated,
)
from strongroom.home import EnvironmentRecord, EnvironmentState, Home
from strongroom.home.registry import CONTROL
from strongroom.identity import TokenClaims, TokenVerifier
from strongroom.identity.directory import Directory
from strongroom.identity.liveness import Liveness
from strongroom.ids import Guid, new_guid
from strongroom.keys import KeyRing
from strongroom.monitoring.trace import Trace
from strongroom.opening import directory_in, open_environment

_ENDING_S = 5.0
"""How long requests that are cut off get to notice, before what they worked on is given away."""

_SERVED = frozenset({EnvironmentState.READY, EnvironmentState.ADMINISTRATION})
"""States in which an environment may be open in a server."""


class Environments:
    """All environments of an open home, as a server needs them: opened when first asked for."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._open: dict[str, Environment] = {}
        self._named: tuple[tuple[EnvironmentRecord, ...], frozenset[str]] = ((), frozenset())
        self._verifier = TokenVerifier(home.keys, home.clock)
        self._identity: tuple[Directory, Liveness] | None = None
        self.trusted_proxies = frozenset(home.settings.server.trusted_proxies)

    @property
    def home(self) -> Home:
        """The home that they are in."""
        return self._home

    def opened(self) -> tuple[Environment, ...]:
        """Those that this process has opened so far."""
        return tuple(self._open.values())

    @property
    def keys(self) -> KeyRing:
        """The home's key ring: its id is the issuer of tokens, its newest key signs them."""
        return self._home.keys

    @property
    def clock(self) -> Clock:
        """The home's clock."""
        return self._home.clock

    @property
    def directory(self) -> Directory:
        """People, programs and their sessions, in the control environment."""
        return self._identities()[0]

    @property
    def liveness(self) -> Liveness:
        """Whether what tokens hang on still stands."""
        return self._identities()[1]

    def _identities(self) -> tuple[Directory, Liveness]:
        if self._identity is None:
            directory = directory_in(self.named(CONTROL))
            self._identity = directory, Liveness(directory)
        return self._identity

    @property
    def names(self) -> frozenset[str]:
        records = self._home.environments()
        if records is not self._named[0]:  # the home gives the same tuple until its file changes
            self._named = (records, frozenset(record.name for record in records))
        return self._named[1]

    def name_of(self, environment: Guid) -> str | None:
        """The name of the environment with this id."""
        return next((record.name for record in self._home.environments() if record.id == environment), None)

    def default(self) -> Environment:
        """The environment behind `/api/data`."""
        return self.named(self._home.default_environment().name)

    def named(self, name: str) -> Environment:
        """The environment of this name."""
        found = self._open.get(name)
        if found is None:
            limit_s = self._home.settings.server.request_timeout_s
            found = self._open[name] = open_environment(self._home, name, limit_s=limit_s)
            found.trace = Trace() if self._home.settings.server.trace else None
            self._home.keys.refresh()
        return found

    def let_go(self) -> list[str]:
        """Close what may not be open any more: locked, deleted, being replaced, or replaced since it was opened. Its
        running statements end, and nothing of it stays in memory (TS-507). The names of what was closed."""
        self._home.keys.refresh()
        closed: list[str] = []
        for name, environment in tuple(self._open.items()):
            record = next((each for each in self._home.environments() if each.name == name), None)
            is_same = record is not None and (record.id, record.generation) == (
                environment.id,
                environment.record.generation,
            )
            if record is None or not is_same or record.state not in _SERVED or self._lock_of(record) is not None:
                self._release(name, _ENDING_S)
                closed.append(name)
        return closed

    def _release(self, name: str, wait_s: float = 0.0) -> None:
        environment = self._open.pop(name, None)
        if environment is not None:
            environment.abandon(wait_s)
        if name == CONTROL:
            self._identity = None

    def _lock_of(self, record: EnvironmentRecord) -> str | None:
        lock = self._home.keys.customer.lock_of(record.id)
        return lock.name if lock else None

    def _admit(self, record: EnvironmentRecord) -> Environment:
        """The open environment, unless nobody may come in now (TS-410, TS-412, TS-507)."""
        lock = self._lock_of(record)
        if lock is not None:
            self._release(record.name)
            raise EnvironmentLocked(lock)
        if record.state is EnvironmentState.SUSPENDED:
            raise EnvironmentClosed(
                record.message or "The environment is suspended.", reason="environment-suspended", rule="TS-412"
            )
        if record.state is EnvironmentState.DELETED:
            raise NotFound("There is no such environment.")
        known = self._open.get(record.name)
        if known is not None and known.record is not record:
            if known.record.generation != record.generation or record.state not in _SERVED:
                self._release(record.name)
            else:
                known.record = record
        return self.named(record.name)

    def authenticate(self, name: str | None, authorization: str | None) -> tuple[Environment, TokenClaims]:
        """The environment that a request is for and the claims of its bearer token.

        Every failure is the same 401, an unknown environment included (WA-21, WA-22).
        """
        scheme, _, token = (authorization or "").strip().partition(" ")
        record = next((r for r in self._home.environments() if r.name == name), None) if name else None
        if scheme.lower() != "bearer" or not token.strip() or (name is not None and record is None):
            raise Unauthenticated("The requested resource requires authentication.")
        chosen = record or self._home.default_record()
        try:
            claims = self._verifier.verify(token.strip(), chosen.id)
            if claims.session is not None or claims.credential is not None:
                self.liveness.demand(claims)
        except Unauthenticated:
            raise Unauthenticated("The requested resource requires authentication.") from None
        return self._admit(chosen), claims

    def addresses(self) -> list[tuple[str, str]]:
        """(name, path of the service root) of each environment, the default one first."""
        default = self._home.default_environment().name
        found = [(default, "/api/data/v9.2/")]
        found += [(r.name, f"/e/{r.name}/api/data/v9.2/") for r in self._home.environments() if r.name != default]
        return found

    def doubt(self) -> str | None:
        """Why the server is not ready, or None."""
        try:
            self.default().warm_up()
        except StrongroomError as error:
            return error.message
        return None

    def new_request_id(self) -> Guid:
        """The id of one request, in its answer and in the logs."""
        return new_guid(self._home.clock)

    def close(self) -> None:
        """Close every store."""
        for environment in self._open.values():
            environment.close()
        self._open.clear()
