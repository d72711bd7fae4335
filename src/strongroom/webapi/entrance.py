"""What stands before every request, whoever sends it: the firewall of its environment, and conditional access.

The Web API and the console's pages come through here alike. The firewall is asked before anybody is authenticated, so
an address that is kept out learns nothing about tokens (TS-308); policies afterwards, for the address of this request
(TS-723).
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from strongroom.audit.activities import Activity, Actor, Outcome, activity
from strongroom.audit.entries import Action, Author, Operation, told
from strongroom.clock import iso
from strongroom.environment import Environment, Identity
from strongroom.environments import Environments
from strongroom.errors import Unauthenticated
from strongroom.identity import TokenClaims
from strongroom.identity.conditional.gate import Entering, Gate, Holder, Verdict
from strongroom.identity.conditional.model import ClientKind
from strongroom.identity.conditional.people import known_of
from strongroom.identity.directory import Directory
from strongroom.identity.firewall import Firewall, client_address, firewall_of, refused
from strongroom.identity.groups import all_groups, follow, misfits
from strongroom.identity.liveness import Recent
from strongroom.ids import Guid, Reference
from strongroom.records import Session
from strongroom.records.platform_user import SYSTEM_USER, platform_caller

_TOLD_AGAIN_AFTER = timedelta(minutes=1)
_REMEMBERED = 5000


@dataclass(frozen=True, slots=True)
class Coming:
    """Where a request comes from, as the socket and its head say."""

    peer: str
    forwarded_for: str = ""
    kind: ClientKind = ClientKind.API


NOWHERE = Coming("")


class Entrance:
    """The entrance of one process."""

    def __init__(self, environments: Environments) -> None:
        self._environments = environments
        self._firewalls: dict[Guid, tuple[int, Firewall]] = {}
        self._gate: tuple[Directory, Gate] | None = None
        self._followed: Recent[tuple[Guid, Guid], bool] = Recent()
        self._told: OrderedDict[tuple[Guid, str], datetime] = OrderedDict()

    def address(self, environment: Environment, coming: Coming) -> str:
        """The address of the client. Proxies are those of the server's settings and of the environment's firewall."""
        if not coming.forwarded_for:
            return coming.peer
        return client_address(coming.peer, coming.forwarded_for, self._proxies(self._firewall(environment)))

    def refuse_outsiders(self, environment: Environment, coming: Coming, claims: TokenClaims | None) -> str:
        """The client's address. Raises `AccessDenied` when the environment's firewall keeps it out; `claims` are None
        while nobody is authenticated."""
        firewall = self._firewall(environment)
        address = client_address(coming.peer, coming.forwarded_for, self._proxies(firewall))
        if not firewall.is_outside(address):
            return address
        is_program = claims is not None and claims.session is None and claims.credential is not None
        if firewall.only_audits:
            self._tell(environment, address, claims)
        elif not (firewall.lets_programs_in and is_program):
            raise refused()
        return address

    def admit(self, environment: Environment, claims: TokenClaims, coming: Coming) -> tuple[str, Verdict]:
        """The client's address, and what holds for the request. Raises `AccessDenied` or `StepUpRequired`."""
        address = self.refuse_outsiders(environment, coming, claims)
        if claims.session is not None:
            self._follow_groups(environment, claims.user, claims.session)
        return address, self.gate().admit(self.entering(environment, claims, address, coming.kind))

    def entering(self, environment: Environment, claims: TokenClaims, address: str, kind: ClientKind) -> Entering:
        """A request as the gate sees it."""

        def stamp() -> int:
            return environment.database.stamp().security_epoch

        def holder() -> Holder:
            with environment.database.read() as transaction:
                try:
                    facts = environment.caller(transaction, Identity(claims.user)).facts
                except Unauthenticated:
                    return Holder(None, (), is_program=False)
                row = transaction.row(transaction.schema.tables["systemuser"], claims.user)
            is_program = row is not None and row.values.get("applicationid") is not None
            return Holder(facts.directory_object_id, tuple(held.role.name for held in facts.roles), is_program)

        return Entering(environment.name, claims, address, kind, stamp, holder)

    def gate(self) -> Gate:
        """The gate over the directory as it is open now."""
        directory = self._environments.directory
        if self._gate is None or self._gate[0] is not directory:
            self._gate = directory, Gate(directory, self._environments.liveness)
        return self._gate[1]

    def _follow_groups(self, environment: Environment, user: Guid, session_id: Guid) -> None:
        """Let the group teams of the environment fit the person, once after each change of the directory (TS-726)."""
        directory = self._environments.directory
        if self._followed.get((environment.id, user), directory.epoch()) is not None:
            return
        with directory.reading() as transaction:
            epoch = transaction.stamp.security_epoch
            live = self._environments.liveness.live(transaction, session_id)
            known, groups = known_of(transaction, None if live is None else live.person), all_groups(transaction)
        with environment.database.read() as transaction:
            changes = misfits(transaction, user, known.groups, groups, is_guest=known.is_guest)
        if changes:
            with environment.database.write() as transaction:
                caller = platform_caller(transaction.schema)
                follow(Session(transaction, caller, environment.clock, environment.rules), user, changes)
        self._followed.keep((environment.id, user), epoch, True)

    def _proxies(self, firewall: Firewall) -> frozenset[str]:
        return self._environments.trusted_proxies | firewall.proxies

    def _firewall(self, environment: Environment) -> Firewall:
        known = self._firewalls.get(environment.id)
        if known is None or known[0] != environment.database.stamp().security_epoch:
            with environment.database.read() as transaction:
                known = transaction.stamp.security_epoch, firewall_of(transaction)
            self._firewalls[environment.id] = known
        return known[1]

    def _tell(self, environment: Environment, address: str, claims: TokenClaims | None) -> None:
        """Tell of a request that would have been refused, once a minute for each address (audit action 118)."""
        now = environment.clock.now()
        key = environment.id, address
        before = self._told.get(key)
        if before is not None and now - before < _TOLD_AGAIN_AFTER:
            return
        self._told[key] = now
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        user = Reference("systemuser", SYSTEM_USER if claims is None else claims.user)
        with environment.database.write() as transaction:
            if transaction.principal_key(user) is None:
                user = Reference("systemuser", SYSTEM_USER)
            author = Author(user, None, None, iso(now), None)
            entry = told(author, user, Operation.ACCESS, Action.IP_FIREWALL, {"address": (None, address)})
            transaction.append_audit([entry])
            transaction.append_activity(
                (activity(Actor(iso(now), user, address=address), Activity.DENIED, outcome=Outcome.SUCCESS),)
            )
