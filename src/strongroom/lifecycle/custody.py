"""Keys that the customer holds, as operations: each step is written down, and providers are asked whether the keys are
still given (TS-506 to TS-510)."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from strongroom.clock import iso
from strongroom.estate import Ledger
from strongroom.estate.ledger import when
from strongroom.home import Home
from strongroom.ids import Guid
from strongroom.keys import KeyState
from strongroom.keys.disk import Disk
from strongroom.keys.document import CustomerKey
from strongroom.opening import open_environment
from strongroom.store.protocol import Value

_ACTIVE, _REVOKED = 1, 3


def add_key(home: Home, ledger: Ledger, name: str, address: str, *, unprotected: bool, by: str) -> CustomerKey:
    """Make a key known."""
    key = home.keys.customer.add(name, address, home.clock, unprotected=unprotected)
    _note(home, ledger, "add", name, by)
    return key


def assign_key(home: Home, ledger: Ledger, environment: str, names: Sequence[str], *, by: str) -> None:
    """Put an environment under these keys; none takes it back to the home's own key alone. The environment must open,
    so that a policy never hides one that is lost already."""
    record = home.record(environment)
    open_environment(home, environment).close()
    before = home.keys.customer.custody_of(record.id)
    home.keys.customer.assign(record.id, tuple(names))
    for name in sorted({*before, *names}):
        _note(home, ledger, "assign" if name in names else "unassign", name, by)


def rotate_key(home: Home, ledger: Ledger, name: str, address: str | None, *, by: str) -> CustomerKey:
    """Put everything under the key's next version."""
    key = home.keys.customer.rotate(name, home.clock, address)
    _note(home, ledger, "rotate", name, by)
    return key


def revoke_key(home: Home, ledger: Ledger, name: str, reason: str, *, by: str) -> list[str]:
    """Lock every environment under a key; their names."""
    home.keys.customer.find(name)
    with _settling(home):
        locked = home.keys.customer.revoke(name, reason, home.clock)
        _note(home, ledger, "revoke", name, by, reason)
    return _names(home, locked)


def restore_key(home: Home, ledger: Ledger, name: str, *, by: str) -> list[str]:
    """Give access back, with the original key alone; the names of the environments that open again."""
    with _settling(home):
        opened = home.keys.customer.restore(name)
        _note(home, ledger, "restore", name, by)
    return _names(home, opened)


def remove_key(home: Home, ledger: Ledger, name: str, *, by: str) -> None:
    """Forget a key that guards nothing."""
    home.keys.customer.remove(name)
    _note(home, ledger, "remove", name, by)


def check_keys(home: Home, ledger: Callable[[], Ledger], unreached: dict[str, float]) -> list[str]:
    """Ask the providers of keys that guard something, and revoke those that are not given any more: at once where the
    provider says so, after the grace where it does not answer (TS-510). `unreached` keeps since when. The names."""
    revoked = _revoke_again(home, ledger)
    grace_s = home.settings.key_grace_minutes * 60
    for key in home.keys.customer.listed():
        if key.revoked_on or not home.keys.customer.environments(key.name):
            unreached.pop(key.name, None)
            continue
        state = home.keys.customer.state(key.name)
        if state.is_enabled:
            unreached.pop(key.name, None)
            continue
        since = unreached.setdefault(key.name, time.monotonic())
        if not state.is_reached and time.monotonic() - since < grace_s:
            continue
        revoke_key(home, ledger(), key.name, f"the provider: {state.detail}", by="the server")
        revoked.append(key.name)
    return revoked


def _revoke_again(home: Home, ledger: Callable[[], Ledger]) -> list[str]:
    """Revoke the keys that the ledger knows as revoked and the ring does not: the ring is an older file that somebody
    put back, which must not give access again (TS-508). A restore that was interrupted before it was written down ends
    here too, and is asked for again."""
    if all(key.revoked_on for key in home.keys.customer.listed()):
        return []
    with _settling(home):  # not between the two steps of a restore
        home.keys.refresh()
        told = {str(row.values["name"]) for row in ledger().rows("keyreference", state=_REVOKED)}
        found = [key.name for key in home.keys.customer.listed() if not key.revoked_on and key.name in told]
    for name in found:
        revoke_key(home, ledger(), name, "the key ring was older than the ledger: it was put back", by="the server")
    return found


@contextmanager
def _settling(home: Home) -> Generator[None]:
    """Ring and ledger are about to say the same of a key: nobody compares them in the block."""
    with Disk().lock(home.path / "custody.lock"):
        yield


def states(home: Home) -> list[tuple[CustomerKey, KeyState, list[str]]]:
    """Each key with what its provider says now, and the environments that it guards."""
    known = home.keys.customer
    return [(key, known.state(key.name), _names(home, known.environments(key.name))) for key in known.listed()]


def mirror_keys(home: Home, ledger: Ledger) -> None:
    """Make the rows of `keyreference` say what the ring says."""
    for key in home.keys.customer.listed():
        names = _names(home, home.keys.customer.environments(key.name))
        values: dict[str, Value] = {
            "provider": key.provider.partition(":")[0],
            "externalid": key.provider,
            "state": _REVOKED if key.revoked_on else _ACTIVE,
            "version": key.version,
            "activatedon": iso(key.created_on),
            "revokedon": when(key.revoked_on),
            "reason": key.reason or None,
            "environments": ", ".join(names) or None,
        }
        known = ledger.rows("keyreference", name=key.name)
        if known:
            ledger.change("keyreference", known[0].id, values)
        else:
            ledger.add("keyreference", {"name": key.name, **values})


def _note(home: Home, ledger: Ledger, kind: str, name: str, by: str, detail: str = "") -> None:
    key = home.keys.document.customer.get(name)
    names = _names(home, home.keys.customer.environments(name))
    values: dict[str, Value] = {
        "name": f"{kind} {name}",
        "keyname": name,
        "keyversion": key.version if key else None,
        "environments": ", ".join(names) or None,
        "requestedby": by[:200],
        "detail": detail[:1000] or None,
    }
    ledger.add("keyoperation", values)
    mirror_keys(home, ledger)


def _names(home: Home, ids: Sequence[Guid]) -> list[str]:
    known = {record.id: record.name for record in home.environments()}
    return [known[each] for each in ids if each in known]
