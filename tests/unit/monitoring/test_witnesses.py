"""Witnesses keep heads where the owner of the trail cannot reach them, and say no to another history (TS-814, TS-815).
Real receivers: a folder, an HTTP server, another environment, and another home behind its own server."""

import json
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.unit.monitoring.receivers import HttpSink

from strongroom.anchoring import Anchorer, Outcome
from strongroom.audit.exports import decode_key, read_witness
from strongroom.audit.heads import given_head, is_signed
from strongroom.audit.proofs import consistency
from strongroom.environment import Environment
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.home import Home, MovableClock, open_home
from strongroom.ids import Guid
from strongroom.messages import operations
from strongroom.messages.operation import Arguments
from strongroom.monitoring.deposits import begin_anew, keep_head
from strongroom.monitoring.tables import ALERT
from strongroom.monitoring.witness_tables import ANCHOR, WITNESS, WITNESSED
from strongroom.opening import open_environment
from strongroom.records import NewRecord, create, delete, update
from strongroom.store.database import StoreDatabase
from strongroom.store.protocol import Row, Value
from strongroom.trail import Trail


@dataclass
class Anchored:
    """A home whose default environment has witnesses."""

    home: Home
    main: Environment
    control: Environment
    folder: Path
    sink: HttpSink

    @contextmanager
    def reach(self, name: str) -> Generator[Environment]:
        assert name == "control"
        yield self.control

    def anchor(self, *, at_once: bool = True) -> dict[str, Outcome]:
        Trail(self.home, self.main).seal()
        found = Anchorer(self.home, self.main, self.reach).anchor(at_once=at_once)
        return {each.witness: each for each in found}

    def work(self) -> None:
        """Something happens that the trail tells of."""
        with self.main.session_of("admin", write=True) as session:
            create(session, session.table("account"), NewRecord({"name": "Contoso"}))

    def add(self, name: str, **values: Value) -> Guid:
        with self.main.session_of("admin", write=True) as session:
            return create(session, session.table(WITNESS), NewRecord({"name": name, "isenabled": True, **values}))

    def rows(self, environment: Environment, table: str) -> list[Row]:
        with environment.database.read() as transaction:
            return transaction.rows_where(transaction.schema.tables[table], {})

    def alerts(self) -> set[tuple[object, object]]:
        return {(row.values["code"], row.values["groupvalue"]) for row in self.rows(self.main, ALERT)}

    def pass_time(self, **span: float) -> None:
        clock = self.home.clock
        assert isinstance(clock, MovableClock)
        clock.move_to(clock.now() + timedelta(**span))

    def cut(self) -> None:
        """What an intruder with the database key does: the newest entries go, with their leaves and heads."""
        database = self.main.database
        assert isinstance(database, StoreDatabase)
        with database.write() as transaction:
            size = transaction.log.size()
            work = transaction._work  # pyright: ignore[reportPrivateUsage]
            for statement in (
                f"delete from audithead where treesize > {size - 1}",
                "delete from auditleaf where sequence >= (select max(treesize) from audithead)",
            ):
                work.connection.execute(statement)
            assert transaction.log.size() < size


@pytest.fixture(scope="module", params=ENGINES)
def served(
    request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Anchored]:
    """One home for each engine."""
    sink, place = HttpSink(), tmp_path_factory.mktemp("anchored")
    folder = place / "elsewhere"
    path = make_home(place, stores, str(request.param), "--test-clock")
    settings = f'[auditanchor]\npath = "{folder}"\n[outbound]\nallow = ["127.0.0.1:{sink.port}"]\n'
    (path / "strongroom.toml").write_text(settings)
    home = open_home(path)
    main, control = open_environment(home), open_environment(home, "control")
    yield Anchored(home, main, control, folder, sink)
    main.close()
    control.close()
    sink.stop()


@pytest.fixture
def anchored(served: Anchored) -> Anchored:
    """The same without witnesses but the file, which is empty, and with a receiver that takes everything."""
    shutil.rmtree(served.folder, ignore_errors=True)
    served.folder.mkdir()
    served.sink.requests.clear()
    served.sink.raw_answer, served.sink.status = None, 204
    with served.main.database.write() as transaction:
        for name in (WITNESS, ANCHOR, ALERT):
            table = transaction.schema.tables[name]
            transaction.delete(table, transaction.rows_where(table, {}))
    with served.control.database.write() as transaction:
        table = transaction.schema.tables[WITNESSED]
        transaction.delete(table, transaction.rows_where(table, {}))
    return served


def test_heads_go_to_a_file_a_webhook_and_another_environment(anchored: Anchored) -> None:
    """TS-815: each keeps a head that the log's key has signed; nothing that was kept is kept twice."""
    anchored.add("hook", kind=1, address=f"http://127.0.0.1:{anchored.sink.port}/heads")
    anchored.add("control", kind=2, address="control")

    assert {name: each.problem for name, each in anchored.anchor().items()} == dict.fromkeys(
        ("file", "hook", "control")
    )

    trail = Trail(anchored.home, anchored.main)
    (filed,) = read_witness(anchored.folder / "main.jsonl")
    posted = json.loads(anchored.sink.requests[-1].body)
    (kept,) = anchored.rows(anchored.control, WITNESSED)
    assert filed == trail.heads(1)[0] == given_head(posted["head"])
    assert is_signed(filed, decode_key(posted["publickey"]))
    assert (kept.values["treesize"], kept.values["roothash"]) == (filed.tree_size, filed.root)
    assert "x-strongroom-signature" in anchored.sink.requests[-1].headers

    anchored.work()
    anchored.anchor()
    assert len(read_witness(anchored.folder / "main.jsonl")) == len(anchored.rows(anchored.control, WITNESSED)) == 2
    heads, silent = Anchorer(anchored.home, anchored.main, anchored.reach).witnessed()
    assert (len(heads), silent) == (4, [])
    assert trail.verify(elsewhere=heads).doubts == ()


def test_a_witness_says_no_to_a_trail_that_was_cut_and_the_verification_finds_it(anchored: Anchored) -> None:
    """TS-814, TS-815: heads and all were cut, nothing inside tells of it; an alert is raised once."""
    anchored.add("control", kind=2, address="control")
    for _ in range(2):
        anchored.work()
        anchored.anchor()
    (anchored.home.path / "witness" / "main.jsonl").unlink()
    anchored.cut()

    heads, _ = Anchorer(anchored.home, anchored.main, anchored.reach).witnessed()
    assert any("witness kept" in doubt for doubt in Trail(anchored.home, anchored.main).verify(elsewhere=heads).doubts)
    for _ in range(2):
        outcomes = anchored.anchor()
        assert outcomes["file"].disagrees
        assert outcomes["control"].disagrees
    assert [row.values["outcome"] for row in anchored.rows(anchored.main, ANCHOR)] == [4, 4]
    found = [row for row in anchored.rows(anchored.main, ALERT) if row.values["code"] == "witness-disagrees"]
    assert {row.values["groupvalue"] for row in found} == {"file", "control"}
    assert len(found) == 2


def test_heads_that_reach_no_witness_for_a_day_are_an_alert(anchored: Anchored) -> None:
    """TS-815: a receiver that is away, then answers nonsense, is tried again; 24 hours are too long; 409 is a no."""
    anchored.add("hook", kind=1, address=f"http://127.0.0.1:{anchored.sink.port}/heads")
    anchored.sink.raw_answer = b"\x00\xff nonsense\r\n\r\n"
    assert "not HTTP" in str(anchored.anchor()["hook"].problem)
    anchored.pass_time(hours=23)
    anchored.anchor(at_once=False)
    assert ("anchor-gap", "hook") not in anchored.alerts()

    anchored.pass_time(hours=2)
    anchored.sink.raw_answer, anchored.sink.status = None, 500
    assert anchored.anchor(at_once=False)["hook"].problem == "the receiver answered 500"
    assert ("anchor-gap", "hook") in anchored.alerts()
    assert ("anchor-gap", "file") not in anchored.alerts()

    anchored.sink.status = 204
    anchored.pass_time(minutes=2)
    assert anchored.anchor(at_once=False)["hook"].problem is None
    anchored.work()
    anchored.sink.status = 409
    assert anchored.anchor()["hook"].disagrees


def test_nothing_is_due_before_its_time(anchored: Anchored) -> None:
    """A head every ten minutes, and none where nothing happened; one that is asked for goes out at once."""
    assert set(anchored.anchor(at_once=False)) == {"file"}
    anchored.work()
    assert anchored.anchor(at_once=False) == {}
    with anchored.main.session_of("admin", write=True) as session:
        assert operations()["AnchorTreeHead"].run(session, Arguments({})) == {"Witnesses": 1}
    assert set(anchored.anchor(at_once=False)) == {"file"}
    anchored.pass_time(minutes=11)
    anchored.work()
    assert set(anchored.anchor(at_once=False)) == {"file"}


def test_a_full_or_missing_folder_holds_nobody_up(anchored: Anchored) -> None:
    """A disk that is not mounted: the folder is not made, the log goes on, and the witness is tried again."""
    anchored.folder.rmdir()
    assert "No such file" in str(anchored.anchor()["file"].problem)
    assert not anchored.folder.exists()
    (anchored.folder).mkdir()
    anchored.pass_time(minutes=2)
    assert anchored.anchor(at_once=False)["file"].problem is None
    (anchored.folder / "main.jsonl").write_text("no head\n")
    anchored.work()
    assert "is not JSON" in str(anchored.anchor()["file"].problem)


@pytest.mark.parametrize(
    ("values", "target"),
    [
        ({"name": "file"}, "name"),
        ({"name": "Not So"}, "name"),
        ({"address": None}, "address"),
        ({"kind": 3}, "clientid"),
        ({"address": "ftp://127.0.0.1/"}, "address"),
        ({"certificates": "no PEM"}, "certificates"),
    ],
)
def test_a_witness_that_cannot_be_is_refused(anchored: Anchored, values: dict[str, Value], target: str) -> None:
    """TS-815: with the column that is wrong, and nothing is stored."""
    given = {"name": "hook", "kind": 1, "address": f"http://127.0.0.1:{anchored.sink.port}/", **values}
    with pytest.raises(InvalidRequest) as refused:
        anchored.add(**given)  # pyright: ignore[reportArgumentType]  # the name is among them
    assert refused.value.details["target"] == target
    assert anchored.rows(anchored.main, WITNESS) == []


def test_what_is_kept_is_a_ledger_and_an_address_must_be_allowed(anchored: Anchored) -> None:
    """TS-003, TS-819."""
    with pytest.raises(AccessDenied, match=r"outbound\.allow"):
        anchored.add("hook", kind=1, address="https://elsewhere.example/")
    anchored.add("control", kind=2, address="control")
    anchored.anchor()
    kept = anchored.rows(anchored.control, WITNESSED)[-1]
    for act in ("change", "remove"):
        with pytest.raises(AccessDenied), anchored.control.session_of("admin", write=True) as session:
            table = session.table(WITNESSED)
            if act == "change":
                update(session, table, kept.id, {"name": "Another"})
            else:
                delete(session, table, kept.id)
    assert anchored.rows(anchored.control, WITNESSED) == [kept]


def test_after_a_restore_with_permission_a_witness_begins_anew(anchored: Anchored) -> None:
    """What was kept stays; without a reason it does not begin."""
    anchored.add("control", kind=2, address="control")
    for _ in range(2):
        anchored.work()
        anchored.anchor()
    anchored.cut()
    assert anchored.anchor()["control"].disagrees
    with pytest.raises(InvalidRequest, match="Reason"), anchored.control.session_of("admin", write=True) as session:
        begin_anew(session, anchored.main.id, " ")
    with anchored.control.session_of("admin", write=True) as session:
        begin_anew(session, anchored.main.id, "Restored from the back-up of Monday.")
    assert anchored.anchor()["control"].problem is None
    assert len(anchored.rows(anchored.control, WITNESSED)) == 4


def test_a_witness_checks_that_each_head_continues_the_one_before(anchored: Anchored) -> None:
    """TS-815: by the proof that comes with it, and the key; the same head again is no other one."""
    anchored.anchor()
    trail = Trail(anchored.home, anchored.main)
    head = trail.heads(1)[0]
    anchored.work()
    trail.seal()
    newer, other = trail.heads(1)[0], Trail(anchored.home, anchored.control).public_key

    with anchored.control.session_of("admin", write=True) as session:
        first = keep_head(session, head, trail.public_key, (), "main")
        assert keep_head(session, head, trail.public_key, (), "main").id == first.id
        with pytest.raises(AccessDenied, match="does not continue"):
            keep_head(session, newer, trail.public_key, (b"\x00" * 32,), "main")
        with pytest.raises(InvalidRequest, match="not signed"):
            keep_head(session, newer, other, (), "main")
        with anchored.main.database.read() as transaction:
            proof = consistency(transaction.log, head.tree_size, newer.tree_size)
        keep_head(session, newer, trail.public_key, proof, "main")
        with pytest.raises(AccessDenied, match=f"over {newer.tree_size} leaves is kept here"):
            keep_head(session, head, trail.public_key, (), "main")
