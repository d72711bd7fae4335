"""An open environment, and the units of work that edges do in it.

`Environment.session()` opens a transaction, resolves the caller in it, and gives the `Session` that every verb takes.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace

from strongroom.access.caller import AccessMode, Caller
from strongroom.access.resolve import holds, is_disabled, require_enabled, require_entry, resolve
from strongroom.audit.activities import Actor, Category
from strongroom.audit.buffer import ActivityBuffer
from strongroom.audit.entries import Author
from strongroom.audit.refusals import Refusal, RefusalLimit, is_told, refusal_activity, refusal_entry
from strongroom.background import WORKS
from strongroom.background.rules import register as register_jobs
from strongroom.background.work import Work
from strongroom.clock import Clock, iso
from strongroom.errors import (
    AccessDenied,
    HomeError,
    InvalidRequest,
    StrongroomError,
    Unauthenticated,
)
from strongroom.home import EnvironmentRecord, EnvironmentState
from strongroom.identity import elevation, firewall, step_up
from strongroom.ids import Guid, Reference, new_guid, parse_guid
from strongroom.lockbox.sessions import SupportWatch, bound
from strongroom.monitoring.trace import Trace
from strongroom.monitoring.user_access import UserAccesses
from strongroom.records import RequestFacts, Rules, Session, standard_rules
from strongroom.solutions.operations import WORKS as SOLUTION_WORKS
from strongroom.solutions.rules import register as register_solutions
from strongroom.store.protocol import Database, Transaction

_logger = logging.getLogger("strongroom.environment")

_REMEMBERED_CALLERS = 2000

JOB_WORKS: Mapping[int, Work] = {**WORKS, **SOLUTION_WORKS}
"""What does each kind of system job, by `operationtype`."""

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
