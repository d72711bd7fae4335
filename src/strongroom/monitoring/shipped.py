"""The rules that come along (TS-823): made in every environment when it is first watched, switched on, and from then on
the environment's own. What the trail cannot tell (a sealer that is behind, a log that was tampered with) is found by
`strongroom.watch` and raised under codes of its own.

`action` and `operation` are those of `audit.entries`; `category`, `activity` and `outcome` those of `audit.activities`.
A sign-in is about a person of the directory (`objectid`), since nobody is a user before it.
"""

from dataclasses import dataclass

from strongroom.audit.activities import Activity, Category, Outcome
from strongroom.audit.entries import Action, Operation
from strongroom.identity.directory import find, make
from strongroom.monitoring.rules import Condition, Counts, Severity
from strongroom.monitoring.tables import RULE
from strongroom.records import Session
from strongroom.store.protocol import Value

_DELETED, _CREATED, _UPDATED = (each.value for each in (Operation.DELETE, Operation.CREATE, Operation.UPDATE))
_EXPORTS = f"category eq {Category.EXPORT.value}"
_SIGN_INS = f"activity eq '{Activity.SIGN_IN.value}'"
_FAILED, _SUCCEEDED = (f"outcome eq {each.value}" for each in (Outcome.FAILURE, Outcome.SUCCESS))
_ACTIVITIES = "activitylog"


@dataclass(frozen=True, slots=True)
class Shipped:
    """One of them."""

    code: str
    name: str
    severity: Severity
    filter: str
    source: str = "audit"
    window: int = 10
    threshold: int = 1
    group: str = "userid"
    suppress: int = 60
    counts: Counts = Counts.ENTRIES
    column: str | None = None
    condition: Condition | None = None

    def values(self) -> dict[str, Value]:
        """The row."""
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity.value,
            "filter": self.filter,
            "source": self.source,
            "windowminutes": self.window,
            "threshold": self.threshold,
            "groupby": self.group or None,
            "suppressminutes": self.suppress,
            "counts": self.counts.value,
            "countcolumn": self.column,
            "condition": None if self.condition is None else self.condition.value,
            "isenabled": True,
        }


def _acts(*acts: Action) -> str:
    return f"action in ({','.join(str(act.value) for act in acts)})"


def _done(*activities: Activity) -> str:
    return f"activity in ({','.join(repr(each.value) for each in activities)})"


def _sum(code: str, name: str, filter_: str, threshold: int) -> Shipped:
    return Shipped(
        code, name, Severity.HIGH, filter_, _ACTIVITIES, 60, threshold, counts=Counts.SUM, column="objectcount"
    )


SHIPPED: tuple[Shipped, ...] = (
    # data
    Shipped("mass-delete", "Many rows deleted by one user", Severity.HIGH, f"operation eq {_DELETED}", threshold=100),
    _sum("mass-export", "Many rows exported by one user", _EXPORTS, 1000),
    Shipped("many-exports", "Many exports by one user", Severity.HIGH, _EXPORTS, _ACTIVITIES, 60, 5),
    _sum("mass-sensitive-read", "Many rows read with sensitive columns", "sensitivecolumns ne null", 1000),
    Shipped(
        "unmasked-read",
        "Many values read unmasked by one user",
        Severity.MEDIUM,
        f"operation eq {Operation.ACCESS.value} and action eq {Action.RETRIEVE.value} and attributemask ne ''",
        window=60,
        threshold=100,
    ),
    # rights
    Shipped(
        "administrator-added",
        "System Administrator role given",
        Severity.HIGH,
        _acts(Action.ASSIGN_ROLE_TO_USER, Action.ASSIGN_ROLE_TO_TEAM),
        suppress=5,
        condition=Condition.ADMINISTRATOR_ROLE,
    ),
    Shipped(
        "rights-to-oneself",
        "A user gave a role to themselves",
        Severity.HIGH,
        _acts(Action.ASSIGN_ROLE_TO_USER),
        suppress=5,
        condition=Condition.TO_ONESELF,
    ),
    Shipped(
        "role-widened",
        "A role was widened to the whole organization",
        Severity.HIGH,
        f"""{_acts(Action.ADD_PRIVILEGES, Action.REPLACE_PRIVILEGES)} and contains(changedata,'"newValue":"Global"')""",
        group="objectid",
    ),
    Shipped(
        "denied",
        "Many denied attempts by one user",
        Severity.MEDIUM,
        f"category eq {Category.DENIED.value}",
        _ACTIVITIES,
        10,
        20,
    ),
    Shipped(
        "ledger-write",
        "A change of evidence was refused",
        Severity.HIGH,
        f"{_acts(Action.REFUSED)} and contains(changedata,'ledger')",
    ),
    # the trail itself
    Shipped(
        "audit-off", "Auditing was switched off", Severity.CRITICAL, _acts(Action.AUDIT_DISABLED), group="", suppress=5
    ),
    Shipped(
        "trail-deleted",
        "Entries of the trail were deleted",
        Severity.HIGH,
        _acts(Action.AUDIT_LOG_DELETION),
        suppress=5,
    ),
    Shipped(
        "rule-off",
        "An alert rule was switched off or removed",
        Severity.HIGH,
        _done(Activity.ALERT_RULE_OFF),
        _ACTIVITIES,
        suppress=5,
    ),
    Shipped(
        "stream-failing",
        "The stream of events cannot be delivered",
        Severity.HIGH,
        _done(Activity.STREAM_FAILING, Activity.STREAM_GAP),
        _ACTIVITIES,
        group="details",
    ),
    # people and programs
    Shipped(
        "failed-sign-ins",
        "Failed sign-ins of one user",
        Severity.MEDIUM,
        f"{_SIGN_INS} and {_FAILED} and _objectid_value ne null",
        _ACTIVITIES,
        10,
        10,
        "objectid",
    ),
    Shipped(
        "failed-sign-ins-address",
        "Failed sign-ins from one address",
        Severity.HIGH,
        f"{_SIGN_INS} and {_FAILED}",
        _ACTIVITIES,
        10,
        50,
        "address",
    ),
    Shipped(
        "new-network",
        "Sign-in from a new network",
        Severity.LOW,
        f"{_SIGN_INS} and {_SUCCEEDED}",
        _ACTIVITIES,
        group="objectid",
        condition=Condition.NEW_NETWORK,
    ),
    Shipped(
        "many-places",
        "One user signed in from many addresses",
        Severity.MEDIUM,
        f"{_SIGN_INS} and {_SUCCEEDED}",
        _ACTIVITIES,
        60,
        4,
        "objectid",
        counts=Counts.DIFFERENT,
        column="address",
    ),
    Shipped(
        "dormant-active",
        "A user came back after 90 days",
        Severity.MEDIUM,
        f"{_SIGN_INS} and {_SUCCEEDED}",
        _ACTIVITIES,
        group="objectid",
        condition=Condition.LONG_INACTIVE,
    ),
    Shipped(
        "factor-removed",
        "A way to prove an identity was removed",
        Severity.MEDIUM,
        f"objecttypecode eq 'authenticationmethod' and operation eq {_DELETED}",
    ),
    Shipped(
        "application-credential",
        "A program got a secret or a certificate",
        Severity.MEDIUM,
        f"objecttypecode eq 'applicationcredential' and operation eq {_CREATED}",
    ),
    Shipped("key-action", "A key was changed", Severity.HIGH, _done(Activity.KEY_ACTION), _ACTIVITIES, suppress=5),
    # those who operate the machine
    Shipped(
        "machine-token",
        "A token was made on the machine",
        Severity.MEDIUM,
        f"{_done(Activity.TOKEN_ISSUED)} and contains(details,'operator')",
        _ACTIVITIES,
    ),
    Shipped(
        "lockbox",
        "Support asks for access, or has it",
        Severity.MEDIUM,
        f"objecttypecode eq 'lockboxrequest' and operation in ({_CREATED},{_UPDATED})",
        group="objectid",
        suppress=1,
    ),
    Shipped(
        "break-glass",
        "Access without consent in an emergency",
        Severity.CRITICAL,
        _done(Activity.BREAK_GLASS),
        _ACTIVITIES,
        suppress=1,
    ),
)


def ship(session: Session) -> int:
    """Make the rules that the environment has never had; how many. One that was removed stays removed: what was
    shipped is remembered by the code of each, on rows that are only switched off or changed."""
    made = 0
    for each in SHIPPED:
        if find(session.transaction, RULE, code=each.code) is None:
            make(session, RULE, each.values())
            made += 1
    return made
