"""Policies and signals (TS-722, TS-723), whatever they are: the pure decision."""

from dataclasses import replace
from datetime import UTC, datetime, time
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.identity.conditional.model import (
    ClientKind,
    Control,
    Device,
    Policy,
    Principals,
    Signals,
    State,
    Window,
    decide,
    is_within,
    judge,
)
from strongroom.ids import Guid

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)  # a Monday
PEOPLE = [Guid(f"00000000-0000-0000-0000-00000000000{number}") for number in range(4)]
NETWORKS = [ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32")]
ADDRESSES = ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "::ffff:192.0.2.9", "", "socket")

principals = st.builds(
    Principals,
    everybody=st.booleans(),
    guests=st.booleans(),
    applications=st.booleans(),
    people=st.frozensets(st.sampled_from(PEOPLE), max_size=2),
    groups=st.frozensets(st.sampled_from(PEOPLE), max_size=2),
    roles=st.frozensets(st.sampled_from(("seller", "boss")), max_size=1),
)
policies = st.builds(
    Policy,
    id=st.sampled_from(PEOPLE),
    name=st.just("P"),
    state=st.sampled_from(State),
    include=principals,
    exclude=principals,
    environments=st.frozensets(st.sampled_from(("main", "sales")), max_size=1),
    kinds=st.frozensets(st.sampled_from(ClientKind), max_size=1),
    networks=st.lists(st.sampled_from(NETWORKS), max_size=1).map(tuple),
    excluded_networks=st.lists(st.sampled_from(NETWORKS), max_size=1).map(tuple),
    devices=st.frozensets(st.sampled_from(Device), max_size=2),
    sign_in_risk=st.integers(0, 3),
    user_risk=st.integers(0, 3),
    blocks=st.booleans(),
    controls=st.frozensets(st.sampled_from((Control.MFA, Control.PASSKEY, Control.COMPLIANT_DEVICE)), max_size=3),
    one_is_enough=st.booleans(),
    minutes=st.none() | st.integers(5, 60),
    read_only=st.booleans(),
)
signals = st.builds(
    Signals,
    now=st.just(NOW),
    person=st.none() | st.sampled_from(PEOPLE),
    is_program=st.booleans(),
    is_guest=st.booleans(),
    groups=st.frozensets(st.sampled_from(PEOPLE), max_size=2),
    roles=st.none() | st.frozensets(st.sampled_from(("seller", "boss")), max_size=2),
    environment=st.none() | st.sampled_from(("main", "sales")),
    address=st.sampled_from(ADDRESSES),
    kind=st.sampled_from(ClientKind),
    device=st.none() | st.sampled_from(Device),
    factors=st.frozensets(st.sampled_from(("pwd", "mfa", "hwk")), max_size=3),
    sign_in_risk=st.integers(0, 3),
    user_risk=st.integers(0, 3),
)


@given(st.lists(policies, max_size=6), signals)
def test_one_policy_that_blocks_is_enough_and_all_others_must_be_satisfied(found: list[Policy], asked: Signals) -> None:
    """TS-723: the whole is the sum of its parts."""
    decision = decide(found, asked)
    holding = [judge(each, asked) for each in found if each.state is State.ON]

    assert decision.blocked is any(each.applies and each.policy.blocks for each in holding)
    assert decision.is_granted is all(each.satisfied for each in holding)
    assert set(decision.required) == {control for each in holding if each.applies for control in each.missing}


@given(st.lists(policies, max_size=4), signals)
def test_policies_that_are_off_or_only_report_decide_nothing(found: list[Policy], asked: Signals) -> None:
    """TS-725."""
    for state in (State.OFF, State.REPORT_ONLY):
        decision = decide([replace(each, state=state) for each in found], asked)
        assert (decision.is_granted, decision.minutes, decision.read_only) == (True, None, False)


@given(st.lists(policies, max_size=4), signals)
def test_no_policy_judges_an_emergency_account(found: list[Policy], asked: Signals) -> None:
    """TS-725."""
    assert decide(found, replace(asked, is_emergency=True)).is_granted


@given(policies, signals)
def test_not_knowing_never_lets_in(policy: Policy, asked: Signals) -> None:
    """TS-723: an unknown address, device or role is no way round a policy that would hold for some known one, unless
    the policy leaves that one out."""
    on = replace(policy, state=State.ON, exclude=Principals(), excluded_networks=())
    for unknown in ({"address": ""}, {"device": None}, {"roles": None}):
        if not decide([on], asked).is_granted:
            assert not decide([on], replace(asked, **unknown)).is_granted


@given(st.lists(policies, max_size=4), policies, signals)
def test_one_more_policy_never_opens_a_door(found: list[Policy], more: Policy, asked: Signals) -> None:
    """TS-723: policies only take away."""
    if not decide(found, asked).is_granted:
        assert not decide([*found, more], asked).is_granted


@pytest.mark.parametrize(
    ("since", "until", "days", "at", "inside"),
    [
        ("08:00", "18:00", range(5), "2026-05-04T06:30:00+00:00", True),  # 08:30 in Oslo
        ("08:00", "18:00", range(5), "2026-05-04T16:30:00+00:00", False),
        ("08:00", "18:00", range(5), "2026-05-03T10:00:00+00:00", False),  # Sunday
        ("22:00", "06:00", [0], "2026-05-04T21:00:00+00:00", True),  # Monday, 23:00
        ("22:00", "06:00", [0], "2026-05-05T03:00:00+00:00", True),  # the night that began on Monday
        ("22:00", "06:00", [0], "2026-05-04T03:00:00+00:00", False),  # the night that began on Sunday
        ("00:00", "00:00", [6], "2026-05-03T12:00:00+00:00", True),  # all of Sunday
        ("00:00", "00:00", [6], "2026-05-04T12:00:00+00:00", False),
    ],
)
def test_windows_go_by_the_clock_of_a_zone_and_over_midnight(
    since: str, until: str, days: range | list[int], at: str, inside: bool
) -> None:
    """TS-722: time of day."""
    window = Window(frozenset(days), time.fromisoformat(since), time.fromisoformat(until), ZoneInfo("Europe/Oslo"))

    assert window.holds(datetime.fromisoformat(at)) is inside
    assert replace(window, is_outside=True).holds(datetime.fromisoformat(at)) is not inside


def test_an_address_of_one_version_in_the_dress_of_the_other_is_known() -> None:
    """A client cannot leave a network by writing its address as IPv6."""
    assert is_within("::ffff:192.0.2.1", [NETWORKS[0]]) is True
    assert is_within("192.0.3.1", [NETWORKS[0]]) is False
    assert is_within("no address", NETWORKS) is None
