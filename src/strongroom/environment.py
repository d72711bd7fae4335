"""The composition root: a home's keys, an environment's store, its schema and its rules put together.

`Environment` is what edges work with: `session()` opens a transaction, resolves the caller in it, and gives the
`Session` that every verb takes. Rules of higher rooms are registered here, in the order of `standard_rules`.
"""

import gc
import logging
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from strongroom.access.caller import AccessMode, Caller
from strongroom.access.resolve import holds, is_disabled, require_enabled, require_entry, resolve
from strongroom.audit.activities import Actor, Category
from strongroom.audit.buffer import ActivityBuffer
from strongroom.audit.entries import Author
from strongroom.audit.refusals import Refusal, RefusalLimit, is_told, refusal_activity, refusal_entry
from strongroom.background import WORKS
from strongroom.background.rules import register as register_jobs
from strongroom.background.tables import job_tables
from strongroom.background.work import Work
from strongroom.clock import Clock, iso
from strongroom.errors import (
    AccessDenied,
    EnvironmentClosed,
    EnvironmentLocked,
    HomeError,
    InvalidRequest,
    NotFound,
    StrongroomError,
    Unauthenticated,
)
from strongroom.estate import Ledger, estate_tables
from strongroom.estate import register_rules as register_estate
from strongroom.estate.roles import ROLES as ESTATE_ROLES
from strongroom.estate.vault import Asker
from strongroom.estate.vault import resolve as resolve_secret
from strongroom.home import EnvironmentKind, EnvironmentRecord, EnvironmentState, EnvironmentType, Home
from strongroom.home.registry import CONTROL
from strongroom.identity import TokenClaims, TokenVerifier, elevation, firewall, step_up
from strongroom.identity.directory import Directory
from strongroom.identity.directory_rules import register_rules
from strongroom.identity.elevation import elevation_tables
from strongroom.identity.liveness import Liveness
from strongroom.ids import Guid, Reference, new_guid, parse_guid
from strongroom.incidents.register import register_rules as register_incidents
from strongroom.incidents.tables import incident_tables
from strongroom.keys import KeyRing, Secret
from strongroom.lockbox.reach import Reach
from strongroom.lockbox.roles import ROLES as LOCKBOX_ROLES
from strongroom.lockbox.sessions import SupportWatch, bound
from strongroom.lockbox.tables import request_tables, session_tables
from strongroom.lockbox.verbs import register_rules as register_lockbox
from strongroom.monitoring.outbound import Outbound
from strongroom.monitoring.tables import monitoring_tables
from strongroom.monitoring.trace import Trace
from strongroom.monitoring.user_access import UserAccesses
from strongroom.monitoring.verbs import register_rules as register_monitoring
from strongroom.records import Birth, Born, RequestFacts, Rules, Session, genesis, standard_rules
from strongroom.records.own_tables import ensure_tables
from strongroom.records.shipped_roles import lacks, make_shipped_roles
from strongroom.schema.model import Schema
from strongroom.schema.standard_tables import standard_schema
from strongroom.solutions.operations import WORKS as SOLUTION_WORKS
from strongroom.solutions.rules import register as register_solutions
from strongroom.store.database import open_database
from strongroom.store.protocol import Database, Transaction
from strongroom.store.sqlcipher import DEFAULT_CACHE_MIB

_logger = logging.getLogger("strongroom.environment")
_REMEMBERED_CALLERS = 2000
_FILLING_CACHE_MIB = 256
"""Page cache of a store that is made in this process: it is likely to be filled next, with rows in no index's order."""

JOB_WORKS: Mapping[int, Work] = {**WORKS, **SOLUTION_WORKS}
"""What does each kind of system job, by `operationtype`."""

_VAULT = "vault"
_CONTROL_ROLES = {**LOCKBOX_ROLES, **ESTATE_ROLES}
_COLUMNS = "columns"
_ENDING_S = 5.0
"""How long requests that are cut off get to notice, before what they worked on is given away."""

_SERVED = frozenset({EnvironmentState.READY, EnvironmentState.ADMINISTRATION})
"""States in which an environment may be open in a server."""

_NO_FACTS = RequestFacts()
ACT_ON_BEHALF = "prvActOnBehalfOfAnotherUser"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose credentials a request has, and for whom it wants to act (SM-68, WA-420)."""

    user_id: Guid
    object_id: Guid | None = None
    caller_id: Guid | None = None
    read_only: bool = False
    """Whether a conditional access policy lets the caller read and no more (TS-722)."""

    @classmethod
    def of_request(cls, user_id: Guid, header: Callable[[str], str | None]) -> "Identity":
        """`CallerObjectId` wins over `MSCRMCallerID`; what is not a GUID is 400."""
        object_id = _header_guid("CallerObjectId", header("callerobjectid"))
        caller_id = _header_guid("MSCRMCallerID", header("mscrmcallerid"))
        return cls(user_id, object_id, None if object_id else caller_id)


def _author(identity: Identity, known: tuple[int, int, Caller] | None, facts: RequestFacts, now: str) -> Author:
    """Whose attempt it was: the impersonated user's where there is one, on behalf of the real one."""
    real = Reference("systemuser", identity.user_id)
    acting = real if known is None else Reference("systemuser", known[2].id)
    notes = [part for part in (facts.tag, facts.request_id) if part]
    return Author(acting, None if acting == real else real, None, now, " · ".join(notes)[:350] or None)


def _append_notes(transaction: Transaction, session: Session) -> None:
    """Store what a session has noted, for both halves of the trail."""
    transaction.append_audit(session.noted)
    transaction.append_activity(session.activities)


def _header_guid(name: str, value: str | None) -> Guid | None:
    if value is None or not value.strip():
        return None
    guid = parse_guid(value)
    if guid is None:
        raise InvalidRequest(f"The header {name} must hold a GUID.")
    return guid


class Environment:
    """One open environment: its store, its rules, and the callers that it knows."""

    def __init__(self, record: EnvironmentRecord, database: Database, clock: Clock, paging_key: bytes) -> None:
        self.record = record
        """What the home's registry says of it; a server keeps it current."""

        self.name = record.name
        self.id = record.id
        self.database = database
        self.clock = clock
        self.paging_key = paging_key
        self.rules: Rules = standard_rules()
        register_solutions(self.rules)
        firewall.register(self.rules)
        register_jobs(self.rules, JOB_WORKS)
        step_up.register(self.rules)
        elevation.register(self.rules)
        self.readings = ActivityBuffer(database)
        self._accesses = UserAccesses(database)
        self.support = SupportWatch(database, self.rules, clock)
        self.trace: Trace | None = None
        """What is refused, where the server keeps a trace of it."""

        self._callers: OrderedDict[Identity, tuple[int, int, Caller]] = OrderedDict()
        self._currency: tuple[int, str] | None = None
        self._limit = RefusalLimit()
        self._use = ExitStack()

    def hold(self, use: AbstractContextManager[object]) -> None:
        """Keep `use` until the environment is closed."""
        self._use.enter_context(use)

    @contextmanager
    def session(self, identity: Identity, facts: RequestFacts, *, write: bool) -> Generator[Session]:
        """One unit of work for a caller; committed at the end, undone when the block raises.

        Unknown or disabled users are refused as WA-21, WA-23 and WA-420 say; whether the caller may do anything is
        the business of each verb (`WhoAmI` asks for less than a read).
        """
        is_support = self.support.concerns(identity.user_id)
        if is_support:
            self.support.note(identity.user_id, facts)
        with self.database.write() if write else self.database.read() as transaction:
            caller = self.caller(transaction, identity)
            if self.record.state is EnvironmentState.ADMINISTRATION and not caller.is_system_administrator:
                raise _only_administrators(self.record)
            session = Session(transaction, caller, self.clock, self.rules, facts)
            yield session
            if is_support:
                self.support.demand(identity.user_id)
            if write:
                _append_notes(transaction, session)
        if not write:
            self._store_notes(session)
        self._accesses.see(session)

    @contextmanager
    def session_of(self, user: str, *, write: bool, facts: RequestFacts = _NO_FACTS) -> Generator[Session]:
        """A unit of work for the user with this sign-in name or id: the command line's way in."""
        with self.database.write() if write else self.database.read() as transaction:
            identity = Identity(find_user(transaction, user))
            caller = self.caller(transaction, identity)
            session = Session(transaction, caller, self.clock, self.rules, facts)
            yield session
            if write:
                _append_notes(transaction, session)
        if not write:
            self._store_notes(session)

    def tell_refusals(
        self, identity: Identity, facts: RequestFacts, refusals: Sequence[Refusal], *, is_write: bool
    ) -> None:
        """Write refused attempts to the trail, once their unit of work is undone (SM-6). Never raises for a store that
        cannot take them: the refusal stands anyway, and the log says so."""
        known = self._callers.get(identity)
        told = [refusal for refusal in refusals if is_told(refusal.error, is_write=is_write)]
        if not told or (known is not None and not known[2].facts.settings.audits_refusals):
            return
        now = self.clock.now()
        admitted = [
            (each, unwritten) for each in told if (unwritten := self._limit.admit(identity.user_id, now)) is not None
        ]
        if not admitted:
            return
        try:
            with self.database.write() as transaction:
                user = Reference("systemuser", identity.user_id)
                if transaction.settings().audits_refusals and transaction.principal_key(user) is not None:
                    by = _author(identity, known, facts, iso(now))
                    actor = Actor(iso(now), by.user, by.calling, facts.address, facts.client, facts.request_id)
                    transaction.append_audit([refusal_entry(by, each, unwritten) for each, unwritten in admitted])
                    transaction.append_activity([refusal_activity(actor, *each) for each in admitted])
        except StrongroomError as error:
            _logger.error("a refusal could not be written to the trail: %s", error.message)

    def _store_notes(self, session: Session) -> None:
        """What a reading session has noted for the trail. When it cannot be stored, there is no answer either; what
        was plainly read waits a moment for others (`audit.buffer`)."""
        if session.noted or any(told["category"] != Category.READ.value for told in session.activities):
            with self.database.write() as transaction:
                _append_notes(transaction, session)
        elif session.activities:
            self.readings.add(session.activities)

    def caller(self, transaction: Transaction, identity: Identity) -> Caller:
        """The caller behind `identity`, valid for the transaction's security epoch."""
        stamp = transaction.stamp
        known = self._callers.get(identity)
        if known is not None and known[:2] == (stamp.security_epoch, stamp.metadata_version):
            self._callers.move_to_end(identity)
            return known[2]
        caller = self._resolve(transaction, identity)
        self._callers[identity] = (stamp.security_epoch, stamp.metadata_version, caller)
        if len(self._callers) > _REMEMBERED_CALLERS:
            self._callers.popitem(last=False)
        return caller

    def _resolve(self, transaction: Transaction, identity: Identity) -> Caller:
        epoch = transaction.stamp.security_epoch
        facts = transaction.facts(Reference("systemuser", identity.user_id))
        if facts is None:
            raise AccessDenied("The user is not a member of the organization.", code="0x80072560")
        if is_disabled(facts):
            raise Unauthenticated("The requested resource requires authentication.")
        facts = bound(transaction, facts)
        if identity.read_only:
            facts = replace(facts, access_mode=AccessMode.READ)
        real = resolve(facts, transaction.schema, epoch)
        require_entry(real)
        target = self._impersonated(transaction, identity)
        if target is None or target == real.id:
            return real
        if not holds(real, ACT_ON_BEHALF):
            raise AccessDenied("User does not have the privilege to act on behalf another user.", code="0x8004a110")
        target_facts = transaction.facts(Reference("systemuser", target))
        if target_facts is None:
            raise AccessDenied("The user to act for is not a member of the organization.", code="0x80072560")
        acting = resolve(bound(transaction, target_facts), transaction.schema, epoch, real)
        require_enabled(acting)
        require_entry(acting)
        return acting

    def _impersonated(self, transaction: Transaction, identity: Identity) -> Guid | None:
        if identity.object_id is None:
            return identity.caller_id
        users = transaction.schema.tables["systemuser"]
        row = transaction.row_by_key(users, {"azureactivedirectoryobjectid": identity.object_id})
        if row is None:
            raise AccessDenied("The user to act for is not a member of the organization.", code="0x80072560")
        return row.id

    def currency_symbol(self, transaction: Transaction) -> str:
        """The symbol of the base currency, for formatted values."""
        version = transaction.stamp.metadata_version
        if self._currency is None or self._currency[0] != version:
            self._currency = (version, _base_symbol(transaction))
        return self._currency[1]

    def new_id(self) -> Guid:
        """A fresh GUID."""
        return new_guid(self.clock)

    def warm_up(self) -> None:
        """Read the metadata, so that the first request does not have to."""
        with self.database.read() as transaction:
            _ = transaction.schema

    def close(self) -> None:
        """Give the store back, once what was read is told."""
        self.readings.close()
        self.database.close()
        self._use.close()

    def abandon(self, wait_s: float = 0.0) -> None:
        """Close at once: running statements end with an error, whoever waits for them. Another thread than the one that
        runs them may wait for that."""
        self.database.interrupt(wait_s)
        self.close()


def _only_administrators(record: EnvironmentRecord) -> AccessDenied:
    told = record.message or "The environment is in administration mode: only System Administrators get in."
    return AccessDenied(told, details={"reason": "administration-mode", "rule": "TS-412"})


def _base_symbol(transaction: Transaction) -> str:
    schema = transaction.schema
    organizations = transaction.rows_where(schema.tables["organization"], {}, limit=1)
    base = organizations[0].values.get("basecurrencyid") if organizations else None
    row = transaction.row(schema.tables["transactioncurrency"], base.id) if isinstance(base, Reference) else None
    symbol = row.values.get("currencysymbol") if row else None
    return symbol if isinstance(symbol, str) else "$"


def find_user(transaction: Transaction, name: str) -> Guid:
    """The id of the user with this sign-in name or id; `admin` stands for `admin@<home>`. Raises `HomeError`."""
    users = transaction.schema.tables["systemuser"]
    guid = parse_guid(name)
    row = transaction.row(users, guid) if guid else transaction.row_by_key(users, {"domainname": name})
    if row is None and name == "admin":
        first = transaction.rows_where(users, {}, limit=10)
        row = next((user for user in first if str(user.values.get("domainname")).startswith("admin@")), None)
    if row is None:
        raise HomeError(f"There is no user '{name}' in this environment; name a user by sign-in name or id.")
    return row.id


def settle_memory() -> None:
    """Take all that is in memory now, metadata above all, for lasting: Python's collector of cyclic garbage would walk
    through it again and again, a tenth of a second each time, in the midst of somebody's request. It does not look
    through it first either: of a hundred thousand objects that a start leaves behind, a thousand are garbage."""
    gc.freeze()
    gc.enable()


# --- opening and creating ----------------------------------------------------------------------------------------


def open_environment(home: Home, name: str | None = None, *, limit_s: float | None = None) -> Environment:
    """The environment `name` of a home, or its default one. Raises `HomeError` when it is not there or damaged.

    A unit of work that takes longer than `limit_s` is undone (WA-433); None lets long work be long.
    """
    record = home.environment(name) if name else home.default_environment()

    def attempt(key: Secret) -> Environment:
        return _open(home, record, key, schema=None, limit_s=limit_s)

    return home.keys.open_environment(record.id, attempt)


def create_environment(
    home: Home,
    name: str,
    birth: Birth,
    *,
    kind: EnvironmentKind = EnvironmentKind.BUSINESS,
    database: Secret | None = None,
    type: EnvironmentType = EnvironmentType.PRODUCTION,
    region: str = "",
) -> tuple[Environment, Born]:
    """A new environment with its first rows; nothing is left of one that could not be completed."""
    record, key = home.add_environment(name, kind, database, type=type, region=region)
    try:
        environment = _open(home, record, key, schema=standard_schema())
        with environment.database.write() as transaction:
            born = genesis(transaction, home.clock, birth)
    except BaseException:
        home.drop_environment(name)
        raise
    _complete(environment)
    home.finish_environment(name)
    return environment, born


def _open(
    home: Home, record: EnvironmentRecord, key: Secret, *, schema: Schema | None, limit_s: float | None = None
) -> Environment:
    is_file = record.engine == "sqlcipher"
    location = str(home.database_file(record)) if is_file else home.database_address(record).reveal().decode()
    with ExitStack() as use:
        use.enter_context(home.used(record))
        database = open_database(
            location,
            data_key=key.reveal() if is_file else None,
            create=schema is not None,
            name=record.name,
            clock=home.clock,
            schema=schema,
            cache_mib=_FILLING_CACHE_MIB if schema is not None else DEFAULT_CACHE_MIB,
            limit_s=limit_s,
            column_root=column_root(home, record.id),
        )
        return _ready(home, record, key, database, use.pop_all(), is_new=schema is not None)


def _ready(
    home: Home, record: EnvironmentRecord, key: Secret, database: Database, use: ExitStack, *, is_new: bool
) -> Environment:
    """The environment around its open store, with the rules of its kind."""
    purpose = b"paging" if not record.generation else b"paging %d" % record.generation
    environment = Environment(record, database, home.clock, _derived(key, purpose, record.id))
    environment.hold(use)
    environment.rules.secret_of = lambda principal, reference: _secret(home, principal, reference)
    if record.kind is EnvironmentKind.CONTROL:
        register_rules(environment.rules)
        register_estate(environment.rules)
        environment.rules.seal_secret = home.keys.seal
        environment.rules.vault_key = lambda: home.keys.environment_key(record.id, _VAULT, home.clock)
        environment.rules.reach = Reach(home, lambda name: open_environment(home, name))
    register_lockbox(environment.rules)
    register_incidents(environment.rules)
    register_monitoring(environment.rules, Outbound(home.settings.outbound.allow))
    if not is_new:
        _complete(environment)
    return environment


def _complete(environment: Environment) -> None:
    """Make the tables of the platform's services that the environment lacks."""
    own = (*monitoring_tables(), *session_tables(), *job_tables(), *elevation_tables())
    if environment.record.kind is EnvironmentKind.CONTROL:
        own = (*own, *estate_tables(), *request_tables(), *incident_tables())
    ensure_tables(environment.database, environment.rules, environment.clock, own)
    if environment.record.kind is EnvironmentKind.CONTROL:
        directory = directory_in(environment)
        with environment.database.read() as transaction:
            is_short = bool(lacks(transaction, _CONTROL_ROLES))
        if is_short:
            with directory.writing() as session:
                make_shipped_roles(session, _CONTROL_ROLES)


def _secret(home: Home, principal: str, reference: str) -> str:
    """The value behind a reference into a vault, for a user of any environment whom a policy lets (TS-604)."""
    control = open_environment(home, CONTROL)
    try:
        with ledger_in(control).writing() as session:
            return resolve_secret(session, reference, Asker(principal))
    finally:
        control.close()


def column_root(home: Home, environment: Guid) -> Callable[[], Secret]:
    """What gives the key that an environment's column keys are wrapped under; made when a column first needs it."""
    return lambda: home.keys.environment_key(environment, _COLUMNS, home.clock)


def ledger_in(control: Environment) -> Ledger:
    """What the control environment knows of the home's environments."""
    return Ledger(control.database, control.rules, control.clock)


def directory_in(control: Environment) -> Directory:
    """The directory that the control environment holds, with all its tables."""
    directory = Directory(control.database, control.rules, control.clock)
    directory.prepare()
    return directory


def _derived(key: Secret, purpose: bytes, environment: Guid) -> bytes:
    """A key of its own for one purpose, from the environment's data key."""
    return HKDF(SHA256(), 32, salt=environment.encode(), info=purpose).derive(key.reveal())


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
