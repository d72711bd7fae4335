"""A policy, the signals of a request, and what policies make of them (TS-722, TS-723).

Every policy that is *On* and applies must be satisfied; block wins. A condition whose signal is unknown matches, and a
control whose signal is unknown is not satisfied, so not knowing never lets in. Nothing here reads a table or a clock,
so that sign-in, requests and the what-if tool cannot disagree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import Enum, StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address
from zoneinfo import ZoneInfo

from strongroom.ids import Guid

Network = IPv4Network | IPv6Network


class State(Enum):
    """`conditionalaccesspolicy.state`."""

    OFF = 1
    REPORT_ONLY = 2
    ON = 3


class ClientKind(Enum):
    """What sends the request."""

    BROWSER = 1
    API = 2


class Device(Enum):
    """What is known of the device, from a signed claim of a trusted provider. None is unknown."""

    UNREGISTERED = 1
    REGISTERED = 2
    COMPLIANT = 3


class Control(StrEnum):
    """What a policy can ask for."""

    MFA = "mfa"
    PASSKEY = "passkey"
    REGISTERED_DEVICE = "registered-device"
    COMPLIANT_DEVICE = "compliant-device"
    RECENT_SIGN_IN = "recent-sign-in"


@dataclass(frozen=True, slots=True)
class Principals:
    """A set of callers: people, members of groups, holders of roles, guests, programs."""

    everybody: bool = False
    guests: bool = False
    applications: bool = False
    people: frozenset[Guid] = frozenset()
    groups: frozenset[Guid] = frozenset()
    roles: frozenset[str] = frozenset()
    """Names of roles, folded."""
    clients: frozenset[Guid] = frozenset()


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some days of the week in a time zone. `until` before `since` goes over midnight; `is_outside` turns it
    round."""

    days: frozenset[int]
    since: time
    until: time
    zone: ZoneInfo
    is_outside: bool = False

    def holds(self, now: datetime) -> bool:
        """Whether the moment is in the window."""
        local = now.astimezone(self.zone)
        clock, day = local.time().replace(tzinfo=None), local.weekday()
        if self.since < self.until:
            inside = day in self.days and self.since <= clock < self.until
        else:
            began_today = day in self.days and clock >= self.since
            began_before = (day - 1) % 7 in self.days and clock < self.until
            inside = began_today or began_before
        return inside is not self.is_outside


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy. Empty conditions hold for everything."""

    id: Guid
    name: str
    state: State
    include: Principals
    exclude: Principals = Principals()
    environments: frozenset[str] = frozenset()
    applications: frozenset[Guid | None] = frozenset()
    """Client ids; None stands for the console and the pages of one's own account."""
    excluded_applications: frozenset[Guid | None] = frozenset()
    kinds: frozenset[ClientKind] = frozenset()
    networks: tuple[Network, ...] = ()
    excluded_networks: tuple[Network, ...] = ()
    devices: frozenset[Device] = frozenset()
    sign_in_risk: int = 0
    user_risk: int = 0
    window: Window | None = None
    blocks: bool = False
    controls: frozenset[Control] = frozenset()
    one_is_enough: bool = False
    minutes: int | None = None
    read_only: bool = False

    @property
    def needs_environment(self) -> bool:
        """Whether only somebody who enters an environment can be judged: it names environments or roles."""
        return bool(self.environments or self.include.roles or self.exclude.roles)


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of one request or sign-in. None is unknown; `environment` is None at the door."""

    now: datetime
    person: Guid | None = None
    client: Guid | None = None
    is_program: bool = False
    is_guest: bool = False
    is_emergency: bool = False
    groups: frozenset[Guid] = frozenset()
    roles: frozenset[str] | None = None
    environment: str | None = None
    address: str = ""
    kind: ClientKind = ClientKind.API
    device: Device | None = None
    factors: frozenset[str] = frozenset()
    sign_in_risk: int = 0
    user_risk: int = 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one policy says. `why_not` is the condition that does not hold, None where the policy applies."""

    policy: Policy
    why_not: str | None = None
    missing: tuple[Control, ...] = ()

    @property
    def applies(self) -> bool:
        """Whether all conditions hold."""
        return self.why_not is None

    @property
    def satisfied(self) -> bool:
        """Whether the policy lets the request through, as far as it goes."""
        return not self.applies or not (self.policy.blocks or self.missing)


@dataclass(frozen=True, slots=True)
class Decision:
    """What all policies together say; those that only report are among the judgements and decide nothing."""

    judgements: tuple[Judgement, ...] = ()
    blocked: bool = False
    required: tuple[Control, ...] = ()
    minutes: int | None = None
    read_only: bool = False

    @property
    def is_granted(self) -> bool:
        """Whether nothing is in the way."""
        return not self.blocked and not self.required

    def reported(self) -> str:
        """What policies that only report would have done, in words for the sign-in log."""
        return "; ".join(
            f"{each.policy.name}: {'would block' if each.policy.blocks else 'would ask for ' + ', '.join(each.missing)}"
            for each in self.judgements
            if each.policy.state is State.REPORT_ONLY and not each.satisfied
        )

    def deciding(self) -> str:
        """The policies that are in the way, by name."""
        return "; ".join(
            each.policy.name for each in self.judgements if each.policy.state is State.ON and not each.satisfied
        )


GRANTED = Decision()


def decide(policies: Sequence[Policy], signals: Signals) -> Decision:
    """What the policies say. An emergency account is judged by none (TS-725)."""
    if signals.is_emergency or not policies:
        return GRANTED
    judged = tuple(judge(policy, signals) for policy in policies if policy.state is not State.OFF)
    holding = [each for each in judged if each.applies and each.policy.state is State.ON]
    minutes = [each.policy.minutes for each in holding if each.policy.minutes is not None]
    required = {control for each in holding for control in each.missing}
    return Decision(
        judged,
        any(each.policy.blocks for each in holding),
        tuple(sorted(required)),
        min(minutes, default=None),
        any(each.policy.read_only for each in holding),
    )


def judge(policy: Policy, signals: Signals) -> Judgement:
    """What one policy says, whatever its state."""
    why_not = _why_not(policy, signals)
    if why_not is not None or policy.blocks or not policy.controls:
        return Judgement(policy, why_not)
    missing = tuple(sorted(each for each in policy.controls if not _is_met(each, signals)))
    if policy.one_is_enough and len(missing) < len(policy.controls):
        missing = ()
    return Judgement(policy, None, missing)


def is_within(address: str, networks: Iterable[Network]) -> bool | None:
    """Whether an address lies in one of the networks; None for what is no address, such as a socket on this machine."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(parsed.version == network.version and parsed in network for network in networks)


def _why_not(policy: Policy, signals: Signals) -> str | None:
    if signals.environment is None and policy.needs_environment:
        return "environment"
    if policy.environments and signals.environment not in policy.environments:
        return "environment"
    if not _is_among(policy.include, signals):
        return "user"
    if _is_among(policy.exclude, signals, unknown=False):
        return "excluded"
    if policy.applications and signals.client not in policy.applications:
        return "application"
    if signals.client in policy.excluded_applications:
        return "application"
    if policy.kinds and signals.kind not in policy.kinds:
        return "client-kind"
    return _why_not_here(policy, signals)


def _why_not_here(policy: Policy, signals: Signals) -> str | None:
    """The conditions on surroundings: network, device, risk, time. An unknown network or device matches."""
    if policy.networks and is_within(signals.address, policy.networks) is False:
        return "network"
    if policy.excluded_networks and is_within(signals.address, policy.excluded_networks):
        return "network"
    if policy.devices and signals.device is not None and signals.device not in policy.devices:
        return "device"
    if signals.sign_in_risk < policy.sign_in_risk:
        return "sign-in-risk"
    if signals.user_risk < policy.user_risk:
        return "user-risk"
    if policy.window is not None and not policy.window.holds(signals.now):
        return "time"
    return None


def _is_among(principals: Principals, signals: Signals, *, unknown: bool = True) -> bool:
    if signals.is_program:
        is_named = principals.applications or (signals.client is not None and signals.client in principals.clients)
    else:
        is_named = (
            (principals.guests and signals.is_guest)
            or (signals.person is not None and signals.person in principals.people)
            or not principals.groups.isdisjoint(signals.groups)
        )
    if principals.everybody or is_named:
        return True
    if not principals.roles:
        return False
    return unknown if signals.roles is None else not principals.roles.isdisjoint(signals.roles)


def _is_met(control: Control, signals: Signals) -> bool:
    match control:
        case Control.MFA:
            return "mfa" in signals.factors
        case Control.PASSKEY:
            return "hwk" in signals.factors
        case Control.REGISTERED_DEVICE:
            return signals.device in (Device.REGISTERED, Device.COMPLIANT)
        case Control.COMPLIANT_DEVICE:
            return signals.device is Device.COMPLIANT
        case Control.RECENT_SIGN_IN:
            return False
