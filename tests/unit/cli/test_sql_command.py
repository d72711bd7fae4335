"""`strongroom sql`: a statement by hand with somebody's eyes, on PostgreSQL (decision 0011)."""

import json
from pathlib import Path

import pytest
from tests.engines import Stores
from tests.homes import make_home

from strongroom.cli.main import run
from strongroom.environment import Identity, find_user
from strongroom.home import open_home
from strongroom.opening import open_environment
from strongroom.records import NewRecord, RequestFacts, create


def _filled(home: Path) -> None:
    """Two accounts of the administrator's, and a user without roles."""
    environment = open_environment(open_home(home))
    with environment.database.read() as transaction:
        admin = find_user(transaction, "admin")
        root = transaction.rows_where(transaction.schema.tables["businessunit"], {})[0].reference()
    with environment.session(Identity(admin), RequestFacts(), write=True) as session:
        for name in ("One", "Two"):
            create(session, session.table("account"), NewRecord({"name": name}))
        person = {"firstname": "No", "lastname": "Body", "domainname": "nobody@test"}
        create(session, session.table("systemuser"), NewRecord({**person, "businessunitid": root}))
    environment.close()


@pytest.fixture(scope="module")
def home(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_home(tmp_path_factory.mktemp("sql"), stores, "postgresql")
    _filled(made)
    return made


def _said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    capsys.readouterr()
    found = run(["sql", *arguments])
    said = capsys.readouterr()
    assert found == status, said
    return said.out if status == 0 else said.err


def test_rows_are_printed_for_people_and_for_programs(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("select name, length(name) as n from account order by name", "--user", "admin", "--home", str(home))

    assert "One   3" in _said(capsys, *asked)
    assert json.loads(_said(capsys, *asked, "--json")) == [{"name": "One", "n": 3}, {"name": "Two", "n": 3}]
    assert len(json.loads(_said(capsys, *asked, "--json", "--limit", "1"))) == 1
    assert "No rows." in _said(capsys, "select fullname from contact", "--user", "admin", "--home", str(home))


def test_what_is_refused_is_said_in_a_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for sql, says in (
        ("delete from account", "syntax error"),
        ("select set_config('role', 'postgres', true)", "permission denied"),
        ("select id from principal", "permission denied"),
    ):
        assert says in _said(capsys, sql, "--user", "admin", "--home", str(home), status=2)
    said = _said(capsys, "select name from account", "--user", "nobody@test", "--home", str(home), status=2)
    assert "role" in said


def test_the_question_is_noted_without_its_values(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _said(capsys, "select name from account where name = 'Somebody'", "--user", "admin", "--home", str(home))

    environment = open_environment(open_home(home))
    with environment.database.read() as transaction:
        told = transaction.rows_where(transaction.schema.tables["activitylog"], {"activity": "sql"})
        noted = [str(row.values) for row in told]
    environment.close()
    assert any("WHERE name = ?" in each for each in noted)
    assert not any("Somebody" in each for each in noted)
