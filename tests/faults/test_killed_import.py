"""An import that is killed in the middle: the next run brings what is missing, and nothing twice."""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.engines import Stores
from tests.homes import make_home

from strongroom.cli.main import run
from strongroom.home import open_home
from strongroom.opening import open_environment

_ROWS = 4000


def test_an_import_that_is_killed_loses_and_repeats_nothing(stores: Stores, engine: str, tmp_path: Path) -> None:
    """kill -9 right after a batch, three times; rows without ids, so that only the journal and the file tell them."""
    home = make_home(tmp_path, stores, engine)
    path = tmp_path / "account.csv"
    path.write_text("name\n" + "".join(f"Row {number}\n" for number in range(_ROWS)))
    arguments = ["import-data", str(path), "--home", str(home)]

    for _ in range(3):
        with subprocess.Popen([sys.executable, "-m", "strongroom.cli", *arguments], stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            process.stderr.readline()  # the first progress: a batch is in
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert (tmp_path / "account.csv.journal").exists()
    assert run(arguments) == 0

    environment = open_environment(open_home(home))
    try:
        with environment.database.read() as transaction:
            accounts = transaction.rows_where(transaction.schema.tables["account"], {})
            entries = transaction.rows_where(transaction.schema.tables["audit"], {"objecttypecode": "account"})
    finally:
        environment.close()
    assert Counter(str(row.values["name"]) for row in accounts) == Counter(f"Row {n}" for n in range(_ROWS))
    assert Counter(str(entry.values["objectid"]) for entry in entries).most_common(1)[0][1] == 1
    assert len(entries) == _ROWS
    assert not (tmp_path / "account.csv.journal").exists()
