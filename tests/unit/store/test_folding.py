"""Text is compared alike everywhere (WA-101): Python and both engines fold every character to the same text."""

import sys
import unicodedata

from tests.engines import Stores
from tests.unit.store.people import below

from strongroom.store.database import StoreDatabase
from strongroom.store.layout import fold
from strongroom.store.postgresql import PostgresqlEngine
from strongroom.store.sqlcipher import SqlcipherEngine

_CHARACTERS = [
    chr(point)
    for point in range(1, sys.maxunicode + 1)
    if unicodedata.category(chr(point)) not in ("Cn", "Cs")  # what a newer Unicode adds is not known to all three
]


def test_folding_is_the_same_in_python_and_in_the_engine(stores: Stores, engine: str) -> None:
    with stores.opened(engine) as database:
        different = _different(database)

    assert different == []


def _different(database: StoreDatabase) -> list[str]:
    with database.read() as tx:
        work = below(tx)
        assert isinstance(work.engine, PostgresqlEngine | SqlcipherEngine)
        unnest = "unnest(?::text[])" if database.engine == "postgresql" else "json_each(?)"
        column = "c.c" if database.engine == "postgresql" else "c.value"
        folded = work.connection.query(
            f"select {column}, {work.engine.dialect.fold(column)} from {unnest} c",
            (work.engine.as_list(_CHARACTERS),),
        )
    return [text for text, found in folded if found != fold(text)]


def test_folding_keeps_accents_and_makes_final_sigma_a_sigma() -> None:
    assert fold("ΌΛΟΣ Ärger İ") == "όλοσ ärger i"
