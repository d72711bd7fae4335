"""What seals the trails of a server's environments, beside the requests."""

import logging
from pathlib import Path

import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home

from strongroom.environments import Environments
from strongroom.home import open_home
from strongroom.records import NewRecord, create
from strongroom.store.database import StoreDatabase
from strongroom.trail import Sealing, Trail


@pytest.mark.parametrize("engine", ENGINES)
def test_a_log_that_was_tampered_with_is_told_of_once_and_not_signed(
    engine: str, stores: Stores, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """TS-812: finding it out reads the whole log, so the server does not look again twice a second."""
    home = open_home(make_home(tmp_path, stores, engine))
    environments = Environments(home)
    try:
        environment = environments.default()
        with environment.session_of("admin", write=True) as session:
            create(session, session.table("account"), NewRecord({"name": "Sealed"}))
        Sealing(environments).look()
        heads = Trail(home, environment).heads()
        assert heads
        assert isinstance(environment.database, StoreDatabase)
        with environment.database.write() as transaction:
            connection = transaction._work.connection  # pyright: ignore[reportPrivateUsage]
            connection.execute(f"update auditleaf set hash = '{'00' * 32}' where sequence = 0")
        with environment.session_of("admin", write=True) as session:
            create(session, session.table("account"), NewRecord({"name": "After"}))

        restarted = Sealing(environments)
        with caplog.at_level(logging.ERROR, "strongroom.trail"):
            for _ in range(3):
                restarted.look()

        assert ["strongroom audit verify" in record.message for record in caplog.records] == [True]
        assert Trail(home, environment).heads() == heads
    finally:
        environments.close()
