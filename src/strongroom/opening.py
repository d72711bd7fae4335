"""The composition root: a home's keys, an environment's store, its schema and its rules put together.

Rules of higher rooms are registered here, in the order of `standard_rules`.
"""

import gc
from collections.abc import Callable
from contextlib import ExitStack

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from strongroom.background.tables import job_tables
from strongroom.environment import Environment
from strongroom.estate import Ledger, estate_tables
from strongroom.estate import register_rules as register_estate
from strongroom.estate.roles import ROLES as ESTATE_ROLES
from strongroom.estate.vault import Asker
from strongroom.estate.vault import resolve as resolve_secret
from strongroom.home import EnvironmentKind, EnvironmentRecord, EnvironmentType, Home
from strongroom.home.registry import CONTROL
from strongroom.identity.directory import Directory
from strongroom.identity.directory_rules import register_rules
from strongroom.identity.elevation import elevation_tables
from strongroom.ids import Guid
from strongroom.incidents.register import register_rules as register_incidents
from strongroom.incidents.tables import incident_tables
from strongroom.keys import Secret
from strongroom.lockbox.reach import Reach
from strongroom.lockbox.roles import ROLES as LOCKBOX_ROLES
from strongroom.lockbox.tables import request_tables, session_tables
from strongroom.lockbox.verbs import register_rules as register_lockbox
from strongroom.monitoring.outbound import Outbound
from strongroom.monitoring.tables import monitoring_tables
from strongroom.monitoring.verbs import register_rules as register_monitoring
from strongroom.records import Birth, Born, genesis
from strongroom.records.own_tables import ensure_tables
from strongroom.records.shipped_roles import lacks, make_shipped_roles
from strongroom.schema.model import Schema
from strongroom.schema.standard_tables import standard_schema
from strongroom.store.database import open_database
from strongroom.store.protocol import Database
from strongroom.store.sqlcipher import DEFAULT_CACHE_MIB

_FILLING_CACHE_MIB = 256
"""Page cache of a store that is made in this process: it is likely to be filled next, with rows in no index's order."""

_VAULT = "vault"
_COLUMNS = "columns"
_CONTROL_ROLES = {**LOCKBOX_ROLES, **ESTATE_ROLES}


def settle_memory() -> None:
    """Take all that is in memory now, metadata above all, for lasting: Python's collector of cyclic garbage would walk
    through it again and again, a tenth of a second each time, in the midst of somebody's request. It does not look
    through it first either: of a hundred thousand objects that a start leaves behind, a thousand are garbage."""
    gc.freeze()
    gc.enable()


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
