"""What is done to environments: making, copying, resetting, closing, deleting (TS-406 to TS-412).

Each function does one thing whole, under the home's lock for operations, and returns what there is to say. What it
means for a ledger and who may ask is the matter of `lifecycle.operations`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import timedelta

from strongroom.clock import iso
from strongroom.errors import Conflict, HomeError, InvalidRequest, StrongroomError
from strongroom.home import EnvironmentKind, EnvironmentRecord, EnvironmentState, EnvironmentType, Home
from strongroom.keys import Secret
from strongroom.lifecycle.backups import MANUAL, Backups
from strongroom.lifecycle.certificates import certificate
from strongroom.lifecycle.forks import forking, newest_head
from strongroom.lifecycle.replacing import being_replaced, replace_store, require_free, require_replaceable
from strongroom.lifecycle.structure import fresh_store
from strongroom.opening import create_environment, open_environment
from strongroom.records import Birth
from strongroom.store.copying import Receiver, StoreCopy, copy_into
from strongroom.store.database import remove_database

TRIAL_DAYS = 30
RECOVERY_DAYS = (7, 90)


def create(
    home: Home, name: str, kind: EnvironmentType, *, region: str = "", database: Secret | None = None
) -> EnvironmentRecord:
    """A new environment with the standard tables and one administrator. Nothing is left of one that failed."""
    _require_region(home, region)
    birth = Birth(name, _administrator(home))
    environment, _ = create_environment(home, name, birth, database=database, type=kind, region=region)
    environment.close()
    record = home.record(name)
    if kind is EnvironmentType.TRIAL:
        record = home.change_environment(replace(record, ends_on=home.clock.now() + timedelta(days=TRIAL_DAYS)))
    return record


def copy(
    home: Home, source: str, target: str, *, everything: bool, by: str, database: Secret | None = None
) -> EnvironmentRecord:
    """`target` becomes as `source` is: all of it, or its structure alone. It gets a data key of its own, and is in
    administration mode. A target that is not there is made, as a sandbox (TS-407)."""
    origin = _business(home, source)
    known = next((record for record in home.environments() if record.name == target), None)
    if known is None:
        known, _ = home.add_environment(
            target, EnvironmentKind.BUSINESS, database, type=EnvironmentType.SANDBOX, region=origin.region
        )
        try:
            _copy_into(home, origin, known, everything=everything, by=by)
        except BaseException:
            home.drop_environment(target)
            raise
        return home.record(target)
    if known.id == origin.id:
        raise InvalidRequest("An environment is not copied onto itself.")
    require_replaceable(_business(home, target))
    if known.region != origin.region:
        raise InvalidRequest(
            f"'{target}' lies in the region '{known.region or 'none'}' and '{source}' in '{origin.region or 'none'}'.",
            details={"reason": "outside-geography", "rule": "TS-407"},
        )
    _copy_into(home, origin, known, everything=everything, by=by)
    return home.record(target)


def _copy_into(home: Home, origin: EnvironmentRecord, target: EnvironmentRecord, *, everything: bool, by: str) -> None:
    source = {"Environment": origin.id, "Kind": "everything" if everything else "structure only"}
    given_up = newest_head(home, target) if target.state is not EnvironmentState.CREATING else None
    note = forking(home, target, source, given_up, by=by, is_own=False)
    with being_replaced(home, target):
        if everything:
            live = open_environment(home, origin.name)
            try:
                key = home.keys.data_key(origin.id) if origin.engine == "sqlcipher" else None
                reading = _reading(live.database.copy, key)
                replace_store(home, target, reading, origin.engine, note, has_new_key=True, of=origin.id)
            finally:
                live.close()
        else:
            live = open_environment(home, origin.name)
            try:
                with fresh_store(home, target, live.database) as (fresh, key):
                    reading = _reading(fresh.copy, key)
                    replace_store(home, target, reading, target.engine, note, has_new_key=True, of=target.id)
            finally:
                live.close()


def reset(home: Home, name: str, *, by: str) -> EnvironmentRecord:
    """Back to a fresh environment of the same name, region and type. What was there is in a last back-up (TS-410)."""
    record = _business(home, name)
    require_replaceable(record)
    Backups(home).take(name, kind=MANUAL, label="before a reset")
    note = forking(home, record, {"Kind": "reset"}, newest_head(home, record), by=by, is_own=False)
    with (
        being_replaced(home, record),
        fresh_store(home, record, None, Birth(name, _administrator(home))) as (fresh, key),
    ):
        replace_store(home, record, _reading(fresh.copy, key), record.engine, note, has_new_key=True, of=record.id)
    return home.record(name)


def _reading(
    copying: Callable[[], AbstractContextManager[StoreCopy]], key: Secret | None
) -> Callable[[Callable[[Secret | None], Receiver]], Receiver]:
    def read(make: Callable[[Secret | None], Receiver]) -> Receiver:
        receiver = make(key)
        try:
            copy_into(copying, receiver)
        except BaseException:
            receiver.give_up()
            raise
        return receiver

    return read


# --- who gets in ----------------------------------------------------------------------------------------------------


def set_state(home: Home, name: str, state: EnvironmentState, message: str = "") -> EnvironmentRecord:
    """Open it to all, to administrators, or to nobody (TS-412)."""
    record = _business(home, name)
    home.environment(name)
    if record.type is EnvironmentType.TRIAL and record.ends_on and record.ends_on <= home.clock.now():
        raise Conflict(f"The trial '{name}' has ended; convert it to another type.")
    return home.change_environment(replace(record, state=state, message=message[:500]))


def convert(home: Home, name: str, kind: EnvironmentType) -> EnvironmentRecord:
    """Give an environment another type."""
    record = _business(home, name)
    home.environment(name)
    if kind is EnvironmentType.TRIAL and record.type is not EnvironmentType.TRIAL:
        raise InvalidRequest("A trial is made as one; nothing else becomes a trial.")
    ends_on = record.ends_on if kind is EnvironmentType.TRIAL else None
    return home.change_environment(replace(record, type=kind, ends_on=ends_on))


def move(home: Home, name: str, region: str) -> EnvironmentRecord:
    """Note that an environment lies in another region of the home. Its files stay where they are: a home is in one
    place, and what moves between places is a back-up or an export."""
    record = _business(home, name)
    _require_region(home, region)
    return home.change_environment(replace(record, region=region))


def hold(home: Home, name: str, *, is_held: bool) -> EnvironmentRecord:
    """Put an environment under a legal hold, or lift it (TS-411)."""
    return home.change_environment(replace(_business(home, name), is_held=is_held))


def retain(home: Home, name: str, days: int) -> EnvironmentRecord:
    """Keep system back-ups for so many days, 7 or more (TS-408)."""
    if days < 7:
        raise InvalidRequest("System back-ups are kept for 7 days or more.")
    return home.change_environment(replace(_business(home, name), retention_days=days))


# --- leaving ----------------------------------------------------------------------------------------------------------


def delete(home: Home, name: str, *, days: int = RECOVERY_DAYS[0]) -> EnvironmentRecord:
    """Unreachable at once, and recoverable for some days (TS-410)."""
    record = _business(home, name)
    home.environment(name)
    require_free(record)
    if not RECOVERY_DAYS[0] <= days <= RECOVERY_DAYS[1]:
        raise InvalidRequest(f"A deleted environment is kept for {RECOVERY_DAYS[0]} to {RECOVERY_DAYS[1]} days.")
    now = home.clock.now()
    return home.change_environment(
        replace(record, state=EnvironmentState.DELETED, deleted_on=now, ends_on=now + timedelta(days=days))
    )


def recover(home: Home, name: str) -> EnvironmentRecord:
    """Have a deleted environment back, with all that it had."""
    record = _business(home, name)
    if record.state is not EnvironmentState.DELETED:
        raise Conflict(f"'{name}' is not deleted.")
    return home.change_environment(replace(record, state=EnvironmentState.READY, deleted_on=None, ends_on=None))


def purge(home: Home, name: str, *, by: str) -> dict[str, object]:
    """Destroy a deleted environment for good: first its keys, so that no copy of its store or of a back-up opens any
    more, then the files. The certificate of that (TS-515)."""
    record = _business(home, name)
    if record.state not in (EnvironmentState.DELETED, EnvironmentState.CREATING):
        raise Conflict(f"'{name}' is purged after it was deleted: `strongroom environment delete {name}` first.")
    require_free(record)
    backups = Backups(home)
    kept = [{"Id": each.id, "TakenOn": each.taken_on, "Sha256": each.sha256} for each in backups.listed(record.id)]
    keys = home.keys.document.environments.get(record.id)
    destroyed = [key.id for key in (keys.active, keys.pending, *keys.others.values()) if key] if keys else []
    custody = list(keys.custody) if keys else []
    address = home.database_address(record).reveal().decode() if record.engine == "postgresql" else None
    with home.used(record, alone=True, wait_s=10.0):
        home.keys.remove_environment(record.id)
        proof = _does_not_open(home, record)
        backups.remove_all(record.id)
        remove_database(address or home.database_file(record), record.name)
        home.drop_environment(name)
    return certificate(
        home,
        {
            "Environment": {"Id": record.id, "Name": record.name, "Type": record.type.value, "Region": record.region},
            "DeletedOn": iso(record.deleted_on) if record.deleted_on else None,
            "DestroyedOn": iso(home.clock.now()),
            "By": by,
            "Method": "the keys were destroyed, then the store and its back-ups were removed",
            "KeysDestroyed": destroyed,
            "Custody": custody,
            "BackupsDestroyed": kept,
            "Proof": proof,
        },
    )


def _does_not_open(home: Home, record: EnvironmentRecord) -> str:
    """What trying to open the environment meets, once its keys are gone. Raises when it opens."""
    try:
        home.keys.open_environment(record.id, lambda _: None)
    except HomeError:
        return "the key ring has no key that opens the store or a back-up of it"
    raise HomeError(f"'{record.name}' still opens after its keys were destroyed; nothing more was done.")


def over(home: Home) -> list[EnvironmentRecord]:
    """Deleted environments whose time for recovery is over, and trials that have ended."""
    now = home.clock.now()
    return [record for record in home.environments() if record.ends_on and record.ends_on <= now and not record.is_held]


# --- inside -----------------------------------------------------------------------------------------------------------


def _business(home: Home, name: str) -> EnvironmentRecord:
    record = home.record(name)
    if record.kind is EnvironmentKind.CONTROL:
        raise InvalidRequest("That is not done to the control environment: the home has it for as long as it exists.")
    return record


def _require_region(home: Home, region: str) -> None:
    known = home.settings.regions
    if region and region not in known:
        said = f"it has: {', '.join(known)}" if known else "the setting 'regions' names none"
        raise InvalidRequest(
            f"The home has no region '{region}'; {said}.", details={"reason": "outside-geography", "rule": "TS-406"}
        )
    if known and not region:
        raise InvalidRequest(f"An environment of this home lies in one of its regions: {', '.join(known)}.")


def _administrator(home: Home) -> str:
    """The sign-in name of the home's first administrator."""
    control = open_environment(home, "control")
    try:
        with suppress(StrongroomError), control.database.read() as transaction:
            users = transaction.rows_where(transaction.schema.tables["systemuser"], {}, limit=10)
            found = [str(each.values.get("domainname")) for each in users]
            return next((each for each in found if each.startswith("admin@")), f"admin@{home.path.name.lower()}")
    finally:
        control.close()
    return f"admin@{home.path.name.lower()}"
