"""A new store aside: empty, or with the structure of another one and none of its business rows (TS-407, TS-410).

Structure is the metadata, and the rows that say how an environment works: units, roles and what they hold, teams
without members, column profiles, forms and views, solutions, currencies. Users come along, since roles and owners of
such rows name them; accounts, activities, shares, files and the trail do not.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from strongroom.home import EnvironmentRecord, Home
from strongroom.ids import new_guid
from strongroom.keys import Secret
from strongroom.keys.wrapping import new_key
from strongroom.opening import column_root
from strongroom.records import Birth, genesis
from strongroom.schema.standard_tables import standard_schema
from strongroom.store.database import StoreDatabase, open_database, remove_database
from strongroom.store.portable import copy_tables
from strongroom.store.protocol import Database

STRUCTURE = frozenset(
    {
        "appmodule",
        "appmoduleroles",
        "attributemaskingrule",
        "businessunit",
        "columnkey",
        "connectionrole",
        "customapi",
        "duplicaterule",
        "duplicaterulecondition",
        "environmentvariabledefinition",
        "environmentvariablevalue",
        "fieldpermission",
        "fieldsecurityprofile",
        "maskingrule",
        "organization",
        "position",
        "principal",
        "privilege",
        "publisher",
        "role",
        "roleprivileges",
        "roletemplate",
        "roletemplateprivileges",
        "savedquery",
        "savedqueryvisualization",
        "sdkmessage",
        "sdkmessagefilter",
        "sitemap",
        "solution",
        "solutioncomponent",
        "systemform",
        "systemuser",
        "systemuserprofiles",
        "systemuserroles",
        "team",
        "teamprofiles",
        "teamroles",
        "teamtemplate",
        "transactioncurrency",
        "webresource",
        "workflow",
    }
)
"""Tables whose rows are structure. Currencies and units of measure are what other structure is written in."""


@contextmanager
def fresh_store(
    home: Home, target: EnvironmentRecord, like: Database | None, birth: Birth | None = None
) -> Generator[tuple[StoreDatabase, Secret | None]]:
    """A store on the engine of `target`, aside, with its key: with the structure of `like`, or with the first rows of a
    `birth`. It goes when the block ends."""
    scratch = f"aside-{new_guid(home.clock)[:8]}"
    key = new_key() if target.engine == "sqlcipher" else None
    place: str | Path
    if key is None:
        place = home.database_address(target).reveal().decode()
    else:
        place = home.database_file(target).with_name(f"{scratch}.aside")
    schema = standard_schema()
    if like is not None:
        with like.read() as transaction:
            schema = transaction.schema
    database = open_database(
        place,
        data_key=key and key.reveal(),
        create=True,
        name=scratch,
        clock=home.clock,
        schema=schema,
        column_root=column_root(home, target.id),
    )
    try:
        if birth is not None:
            with database.write() as transaction:
                genesis(transaction, home.clock, birth)
        if like is not None:
            with like.dumping() as dump, database.loading() as load:
                copy_tables(dump, load, STRUCTURE)
        yield database, key
    finally:
        database.close()
        remove_database(place, scratch)
