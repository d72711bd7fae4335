"""From entries of the trail, in their order, to alerts: pure, without a store and without a clock (TS-823, TS-825).

For each rule and group there is a window of the entries that count. An entry joins its window, those that are older
than the window leave it, and when what is left reaches the threshold, an alert is raised and the window begins anew.
Until its suppression ends, entries of the group are added to the alert instead.

A rule that matches everything is bounded: a window keeps the newest `MOST_KEPT` entries, which is the largest threshold
of a number of them, a rule keeps at most `MOST_GROUPS` groups, and it raises at most `MOST_ALERTS` alerts within
`FLOOD_S`; one more alert then stands for the rule as a whole, and takes up everything that it finds for that long.

The same entries give the same alerts: a trial over the past and the live watch are the same function.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from strongroom.ids import Guid
from strongroom.monitoring.matching import value_of
from strongroom.monitoring.rules import MOST_KEPT, AlertRule, Counts
from strongroom.store.protocol import Row

MOST_GROUPS = 5_000
MOST_ALERTS = 50
FLOOD_S = 3600
FLOODED = "(more groups than this rule can tell apart)"
"""The group of the alert that stands for all others."""

_LONGEST_GROUP = 400


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the trail at its place in the log."""

    sequence: int
    row: Row

    @property
    def at(self) -> int:
        """When, in seconds since 1970."""
        return int(datetime.fromisoformat(str(self.row.values["createdon"])).timestamp())


@dataclass(frozen=True, slots=True)
class Counted:
    """An entry in a window."""

    entry: Entry
    at: int
    weight: int
    value: object = None


@dataclass(frozen=True, slots=True)
class Raised:
    """A new alert: the entries behind it, oldest first, and what they come to."""

    rule: AlertRule
    group: str
    counted: tuple[Counted, ...]
    total: int
    quiet_until: int
    """Until when, in seconds since 1970, further entries are added to it."""


@dataclass(frozen=True, slots=True)
class Added:
    """One more entry for the alert of a group that is suppressed."""

    rule: AlertRule
    group: str
    counted: Counted


Finding = Raised | Added
Further = Callable[[AlertRule, Entry], bool]
"""What a filter cannot say of an entry (`monitoring.conditions`)."""


@dataclass(slots=True)
class _Group:
    counted: deque[Counted] = field(default_factory=lambda: deque[Counted](maxlen=MOST_KEPT))
    weight: int = 0
    quiet_until: int = 0


@dataclass(slots=True)
class Watcher:
    """One rule, with all its windows."""

    rule: AlertRule
    further: Further
    _groups: OrderedDict[str, _Group] = field(default_factory=OrderedDict[str, _Group])
    _raised: deque[int] = field(default_factory=lambda: deque[int](maxlen=MOST_ALERTS))
    _now: int = 0

    def know(self, group: str, last_hit: int, quiet_until: int) -> None:
        """Take up an alert that was raised before this watcher was there: its entries do not count again."""
        known = self._group(group)
        known.quiet_until = max(known.quiet_until, quiet_until)
        known.counted = deque((each for each in known.counted if each.at > last_hit), MOST_KEPT)
        known.weight = sum(each.weight for each in known.counted)
        self._raised.append(quiet_until - self.rule.suppress_s)

    def see(self, entry: Entry, *, only_remember: bool = False) -> Finding | None:
        """Look at the next entry. `only_remember` fills the windows with what others have judged already."""
        rule = self.rule
        if entry.row.table.logical_name != rule.source or rule.applies(entry.row) is not True:
            return None
        if rule.condition is not None and not self.further(rule, entry):
            return None
        self._now = max(self._now, entry.at)  # a clock that went back does not make windows longer
        counted = self._counted(entry)
        if counted is None:
            return None
        name = _shown(value_of(entry.row, rule.group_by)) if rule.group_by else ""
        if only_remember:
            self._join(self._group(name), counted)
            return None
        flood = self._groups.get(FLOODED)
        if flood is not None and flood.quiet_until > self._now:
            return Added(rule, FLOODED, counted)
        group = self._group(name)
        if group.quiet_until > self._now:
            return Added(rule, name, counted)
        self._join(group, counted)
        total = self._total(group)
        if total < rule.threshold:
            return None
        return self._raise(name, group, total)

    def _raise(self, name: str, group: _Group, total: int) -> Raised:
        raised = tuple(group.counted)
        group.counted.clear()
        group.weight = 0
        group.quiet_until = self._now + self.rule.suppress_s
        quiet_until = group.quiet_until
        recent = [at for at in self._raised if at > self._now - FLOOD_S]
        if len(recent) >= MOST_ALERTS:
            name, quiet_until = FLOODED, self._now + FLOOD_S
            self._group(name).quiet_until = quiet_until
        self._raised.append(self._now)
        return Raised(self.rule, name, raised, total, quiet_until)

    def _counted(self, entry: Entry) -> Counted | None:
        rule = self.rule
        if rule.counts is Counts.ENTRIES:
            return Counted(entry, self._now, 1)
        value = value_of(entry.row, rule.count_column)
        if rule.counts is Counts.SUM:
            return Counted(entry, self._now, value) if isinstance(value, int) and value > 0 else None
        return None if value is None else Counted(entry, self._now, 0, value)

    def _join(self, group: _Group, counted: Counted) -> None:
        if len(group.counted) == MOST_KEPT:
            group.weight -= group.counted[0].weight
        group.counted.append(counted)
        group.weight += counted.weight
        begun = self._now - self.rule.window_s
        while group.counted and group.counted[0].at <= begun:
            group.weight -= group.counted.popleft().weight

    def _total(self, group: _Group) -> int:
        if self.rule.counts is Counts.DIFFERENT:
            return len({each.value for each in group.counted})
        return group.weight

    def _group(self, name: str) -> _Group:
        found = self._groups.get(name)
        if found is None:
            found = self._groups[name] = _Group()
            if len(self._groups) > MOST_GROUPS:
                self._groups.popitem(last=False)
        self._groups.move_to_end(name)
        return found


def users_of(counted: tuple[Counted, ...]) -> set[Guid]:
    """Who did what these entries tell, and in whose name."""
    found: set[Guid] = set()
    for each in counted:
        for column in ("userid", "callinguserid"):
            value = value_of(each.entry.row, column)
            if isinstance(value, str):
                found.add(Guid(value))
    return found


def _shown(value: object) -> str:
    return "" if value is None else str(value)[:_LONGEST_GROUP]
