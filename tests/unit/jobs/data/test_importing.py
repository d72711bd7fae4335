"""Imports: what cells mean, what is refused and said, and where an import that was ended goes on."""

import csv
import json
from pathlib import Path

import pytest
from tests.unit.jobs.data.moving import Mover
from tests.worlds import World

from strongroom.errors import AccessDenied, Conflict, InvalidRequest, Unavailable
from strongroom.ids import Reference
from strongroom.jobs.data import importing
from strongroom.jobs.data.journal import Journal
from strongroom.schema.model import Depth, Rights
from strongroom.store.protocol import Database


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def _file(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _errors(path: Path) -> list[dict[str, str]]:
    with path.with_suffix(".errors.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _names(world: World) -> list[str]:
    with world.administrating() as session:
        return sorted(str(row.values["name"]) for row in session.transaction.rows_where(session.table("account"), {}))


def test_headers_are_names_or_labels_and_values_come_by_label(world: World, tmp_path: Path) -> None:
    """As Dataverse's import: choices, booleans and dates as people write them, lookups by name."""
    world.create("contact", firstname="Anna", lastname="Berg")
    path = _file(
        tmp_path,
        "account.csv",
        "Account Name;industrycode;creditonhold;primarycontactid;Annual Revenue;lastonholdtime;remark",
        "Nordwind;accounting;Yes;anna berg;$12.50;2024-05-01 10:15;x",
        "Südwind;1;0;;;;",
    )

    report = Mover(world).load(path, chosen={"remark": ""})

    assert (report.status, report.counts["account"].created) == (0, 2)
    with world.administrating() as session:
        (row,) = session.transaction.rows_where(session.table("account"), {"name": "Nordwind"})
    values = row.values
    assert (values["industrycode"], values["creditonhold"], str(values["revenue"])) == (1, True, "12.5000")
    assert values["lastonholdtime"] == "2024-05-01T10:15:00Z"
    assert isinstance(values["primarycontactid"], Reference)


def test_refused_rows_are_listed_with_line_column_and_values_and_the_others_are_in(
    world: World, tmp_path: Path
) -> None:
    for _ in range(2):
        world.create("contact", firstname="Anna", lastname="Berg")
    path = _file(
        tmp_path,
        "account.csv",
        "name,industrycode,revenue,primarycontactid",
        '"Good\none",1,1,',
        "Choice,Baking,1,",
        'Money,1,"1,000",',
        "Lookup,1,1,Anna Berg",
        "Nobody,1,1,Nobody",
        f"{'x' * 200},1,1,",
        "Short,1",
        "Fine,1,1,",
    )

    report = Mover(world).load(path)

    assert report.status == 1
    assert _names(world) == ["Fine", "Good\none"]
    errors = _errors(path)
    assert [(each["line"], each["column"], each["name"]) for each in errors] == [
        ("4", "industrycode", "Choice"),
        ("5", "revenue", "Money"),
        ("6", "primarycontactid", "Lookup"),
        ("7", "primarycontactid", "Nobody"),
        ("8", "name", "x" * 200),
        ("9", "", "Short"),
    ]
    assert "several rows are called 'Anna Berg'" in errors[2]["message"]
    assert "thousands separators" in errors[1]["message"]
    assert errors[5]["message"] == "The row has 2 cells; the headers name 4 columns."


def test_one_row_that_a_verb_refuses_takes_no_other_with_it(world: World, tmp_path: Path) -> None:
    """SM-92: an owner who may not own such rows is the matter of the verb, found by halves."""
    poor = world.user("Poor")
    rows = [f"Row {number},{poor if number == 7 else ''}" for number in range(20)]
    path = _file(tmp_path, "account.csv", "name,ownerid", *rows)

    report = Mover(world).load(path)

    assert (report.counts["account"].created, report.counts["account"].refused) == (19, 1)
    assert [each["name"] for each in _errors(path)] == ["Row 7"]


def test_an_import_is_made_with_the_rights_of_its_user(world: World, tmp_path: Path) -> None:
    """SM-120: no right to create, no rows; without the right to read nothing is begun at all."""
    reader = world.user("Reader", None, world.role("Reader", {"account": {Rights.READ: Depth.GLOBAL}}))
    path = _file(tmp_path, "account.csv", "name", "One", "Two")

    report = Mover(world, reader).load(path)

    assert (report.status, report.counts["account"].refused) == (2, 2)
    assert "prvCreateAccount" in _errors(path)[0]["message"]
    with pytest.raises(AccessDenied):
        Mover(world, world.user("Nobody")).load(path)
    assert _names(world) == []


def test_rows_with_ids_are_changed_where_they_differ_and_not_written_where_they_do_not(
    world: World, tmp_path: Path
) -> None:
    same, other = world.create("account", name="Same"), world.create("account", name="Other")
    before = world.row("account", same).version
    path = _file(tmp_path, "account.csv", "accountid,name", f"{same},Same", f"{{{str(other).upper()}}},New")

    counts = Mover(world).load(path).counts["account"]

    assert (counts.created, counts.updated, counts.unchanged) == (0, 1, 1)
    assert world.row("account", same).version == before
    assert _names(world) == ["New", "Same"]


def test_a_file_without_ids_imported_twice_makes_each_row_once(world: World, tmp_path: Path) -> None:
    path = _file(tmp_path, "account.jsonl", '{"name": "One"}', '{"name": "Two", "parentaccountid": "One"}')

    assert Mover(world).load(path).counts["account"].created == 2
    assert Mover(world).load(path).counts["account"].unchanged == 2
    assert _names(world) == ["One", "Two"]


def test_a_lookup_to_a_row_that_never_comes_is_said(world: World, tmp_path: Path) -> None:
    """The row is in, without it: status 1, and a line in the errors."""
    path = _file(tmp_path, "account.jsonl", json.dumps({"name": "Child", "parentaccountid": "Ghost"}))

    report = Mover(world).load(path)

    assert (report.status, report.counts["account"].incomplete) == (1, 1)
    assert _errors(path)[0]["message"].startswith("The row is in, without this lookup.")


@pytest.mark.parametrize("dies_before_its_step", [False, True])
def test_an_import_that_was_ended_goes_on_and_repeats_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_before_its_step: bool
) -> None:
    """Ended between two batches, or between the commit of a batch and its step in the journal."""
    monkeypatch.setattr(importing, "BATCH", 3)
    rows = [json.dumps({"name": f"Row {n}", **({"revenue": "much"} if n in (1, 4) else {})}) for n in range(10)]
    path = _file(tmp_path, "account.jsonl", *rows)
    noted: list[object] = []
    note = Journal.note

    def dying(journal: Journal, step: object) -> None:
        if len(noted) == 1 and dies_before_its_step:
            raise Unavailable("gone")
        note(journal, step)  # pyright: ignore[reportArgumentType] -- what the import gives
        noted.append(step)
        if len(noted) == 2:
            raise Unavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "note", dying)
        with pytest.raises(Unavailable):
            Mover(world).load(path)
    first = {name: _version(world, name) for name in _names(world)}
    assert len(first) == 4

    report = Mover(world).load(path)

    assert report.resumed
    assert _names(world) == sorted(f"Row {n}" for n in range(10) if n not in (1, 4))
    assert {name: _version(world, name) for name in first} == first
    assert [each["line"] for each in _errors(path)] == ["2", "5"]
    assert (report.counts["account"].created, report.counts["account"].refused) == (
        (6, 2) if dies_before_its_step else (8, 2)
    )
    assert not path.with_name("account.jsonl.journal").exists()


def _version(world: World, name: str) -> int:
    with world.administrating() as session:
        (row,) = session.transaction.rows_where(session.table("account"), {"name": name})
    return row.version


def test_a_journal_of_another_import_is_not_taken_up(world: World, tmp_path: Path) -> None:
    path = _file(tmp_path, "account.csv", "name", "One")
    Journal(tmp_path / "account.csv.journal", {"file": "another", "environment": "x", "user": "y", "map": {}}).close()

    with pytest.raises(Conflict, match="differs in file, environment, user"):
        Mover(world).load(path)
    held = Journal(tmp_path / "other.csv.journal", {})
    with pytest.raises(Conflict, match="Another import"):
        Mover(world).load(_file(tmp_path, "other.csv", "name", "x"), "account")
    held.close()
    assert _names(world) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("account.csv", b"", "names every column"),
        ("account.csv", b"name,name\n", "of the same name"),
        ("account.csv", b"nmae\nx\n", "no column for 'nmae'"),
        ("account.csv", b"name\nM\xfcller\n", "not UTF-8"),
        ("acount.csv", b"name\nx\n", "no table 'acount'"),
        ("account.doc", b"", "is none of"),
        ("account.xlsx", b"PK", "not a zip"),
        ("data.zip", b"PK", "not a zip"),
    ],
)
def test_files_that_do_not_fit_change_nothing(
    world: World, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InvalidRequest, match=message):
        Mover(world).load(tmp_path / name)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_lookups_and_dates_that_no_store_can_hold_are_refused(world: World, tmp_path: Path) -> None:
    rows = [
        {"name": "Half", "primarycontactid": "\ud800"},
        {"name": "Null", "primarycontactid": "a\x00b"},
        {"name": "Date", "lastonholdtime": "0001-01-01 00:00"},
        {"name": "Leap", "lastonholdtime": "2023-02-29"},
        {"name": "\ud800"},
    ]
    path = _file(tmp_path, "account.jsonl", *(json.dumps(row) for row in rows))

    report = Mover(world).load(path)

    assert (report.status, report.counts["account"].refused) == (2, 5)
    assert [each["column"] for each in _errors(path)] == [*["primarycontactid"] * 2, *["lastonholdtime"] * 2, "name"]


def test_several_tables_take_a_map_behind_the_name_of_the_table(world: World, tmp_path: Path) -> None:
    world.create("account", name="One")
    package = Mover(world).save(tmp_path / "data.zip", "account", "contact")

    with pytest.raises(InvalidRequest, match=r"write TABLE\.name=COLUMN"):
        Mover(world).load(package, chosen={"name": ""})
    assert Mover(world).load(package, chosen={"account.name": "description"}).counts["account"].updated == 1


def test_lines_that_are_no_json_are_refused_one_by_one(world: World, tmp_path: Path) -> None:
    path = _file(
        tmp_path, "account.jsonl", '{"name": "In"}', "[1]", "{", "[" * 100_000, '{"revenue": NaN}', '{"name": 7.5}'
    )

    report = Mover(world).load(path)

    assert (report.status, report.counts["account"].refused) == (1, 4)
    assert _names(world) == ["7.5", "In"]
