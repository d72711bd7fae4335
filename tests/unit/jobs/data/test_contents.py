"""Files, images and party lists come along with their rows, out of one environment and into another."""

import json
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from tests.engines import Stores
from tests.pictures import picture
from tests.unit.jobs.data.moving import FORMATS, Mover
from tests.worlds import World

from strongroom.ids import Guid, Reference
from strongroom.jobs.data import contents
from strongroom.records.files import Upload, content, held, upload
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import ColumnType
from strongroom.store.protocol import Database

ACCOUNT = Guid("00000000-0000-0000-0000-0000000000a1")
PLAIN = Guid("00000000-0000-0000-0000-0000000000a2")
CONTACT = Guid("00000000-0000-0000-0000-0000000000c1")
EMAIL = Guid("00000000-0000-0000-0000-0000000000e1")
FILE = "new_paper"
BODY = bytes(range(256)) * 5000  # more than one piece


@pytest.fixture
def world(database: Database) -> World:
    return _prepared(database)


def _prepared(database: Database) -> World:
    world = World(database)
    world.new_column("account", NewColumn("new_Paper", ColumnType.FILE, max_size_kb=4096))
    return world


def _fill(world: World) -> None:
    world.create("contact", contactid=CONTACT, lastname="Ada")
    world.create("account", accountid=PLAIN, name="Plain")
    world.create("account", accountid=ACCOUNT, name="With all", entityimage=picture("PNG", (160, 90)))
    _upload(world, ACCOUNT, "Vertrag Ä.pdf", BODY)


def _upload(world: World, account: Guid, name: str, body: bytes) -> None:
    with world.acting(world.admin) as session:
        table = session.table("account")
        new = Upload(name, "application/pdf", len(body), (body,))
        upload(session, table, account, table.columns[FILE], new)


def _held(world: World, account: Guid, column: str) -> tuple[str, bytes] | None:
    with world.acting(world.admin) as session:
        table = session.table("account")
        _, file = held(session, table, account, table.columns[column])
        return None if file is None else (file.name, content(session, file, 0, file.size))


def test_files_and_images_come_along(world: World, stores: Stores, engine: str, tmp_path: Path) -> None:
    """WA-360, WA-370: in every format the same bytes under the same name; a second time nothing is written."""
    _fill(world)
    with stores.opened(engine) as other:
        there = _prepared(other)
        for ending in FORMATS:
            path = Mover(world).save(tmp_path / f"account{ending}", "account")
            report = Mover(there).load(path, "account")
            counts = report.counts["account"]
            assert (counts.created, counts.files, report.status) == (2, 2, 0), ending
            assert _held(there, ACCOUNT, FILE) == ("Vertrag Ä.pdf", BODY), ending
            image = _held(there, ACCOUNT, "entityimage")
            assert image is not None and image[1] == picture("PNG", (160, 90)), ending
            assert _held(there, PLAIN, FILE) is None
            again = Mover(there).load(path, "account").counts["account"]
            assert (again.files, again.unchanged, again.updated) == (0, 2, 0), ending
            there.delete("account", ACCOUNT)
            there.delete("account", PLAIN)


def test_a_thumbnail_that_comes_again_is_not_written_again(world: World, tmp_path: Path) -> None:
    """WA-370: of a column that keeps thumbnails only, in a file and in a package."""
    world.new_column("contact", NewColumn("new_Face", ColumnType.IMAGE, can_store_full_image=False))
    world.create("contact", contactid=CONTACT, lastname="Ada")
    world.change("contact", CONTACT, {"new_face": picture("PNG", (200, 300))})
    for ending in (".csv", ".zip"):
        path = Mover(world).save(tmp_path / f"contact{ending}", "contact", columns=("lastname", "new_face"))
        counts = Mover(world).load(path, "contact").counts["contact"]
        assert (counts.files, counts.unchanged, counts.incomplete) == (0, 1, 0), ending


def test_party_lists_come_along(world: World, stores: Stores, engine: str, tmp_path: Path) -> None:
    """WA-168: who an activity is from and to, rows and addresses; a second time nothing is written."""
    world.create("contact", contactid=CONTACT, lastname="Ada")
    before = tmp_path / "email.jsonl"
    line = {
        "activityid": EMAIL,
        "subject": "Hello",
        "to": [{"table": "contact", "id": CONTACT}, {"address": "bert@example.org"}],
        "from": [{"table": "contact", "name": "Ada"}],
    }
    before.write_text(json.dumps(line))
    assert Mover(world).load(before).status == 0
    with stores.opened(engine) as other:
        there = World(other)
        there.create("contact", contactid=CONTACT, lastname="Ada")
        for ending in FORMATS:
            path = Mover(world).save(tmp_path / f"emails{ending}", "email")
            report = Mover(there).load(path, "email")
            assert (report.counts["email"].created, report.counts["email"].files, report.status) == (1, 1, 0), ending
            assert _parties(there) == {(1, CONTACT, None), (2, CONTACT, None), (2, None, "bert@example.org")}, ending
            again = Mover(there).load(path, "email").counts["email"]
            assert (again.files, again.unchanged) == (0, 1), ending
            there.delete("email", EMAIL)


def _parties(world: World) -> set[tuple[object, object, object]]:
    with world.acting(world.admin) as session:
        rows = session.transaction.rows_where(session.table("activityparty"), {})
    found: set[tuple[object, object, object]] = set()
    for row in rows:
        party = row.values.get("partyid")
        who = party.id if isinstance(party, Reference) else None
        found.add((row.values.get("participationtypemask"), who, row.values.get("addressused")))
    return found


def test_a_file_that_did_not_come_is_told(world: World, tmp_path: Path) -> None:
    """WA-53: the row is in, and the file of errors says what is missing; nothing is half imported silently."""
    path = tmp_path / "account.csv"
    path.write_text(f"accountid,name,{FILE}\n{ACCOUNT},A,account/x/lost.pdf\n{PLAIN},B,\n")
    report = Mover(world).load(path)
    assert (report.counts["account"].created, report.counts["account"].incomplete, report.status) == (2, 1, 1)
    told = (tmp_path / "account.errors.csv").read_text()
    assert f",{FILE}," in told and "is in, without its files" in told and "There is no file" in told


def test_a_cell_reads_nothing_outside_of_its_folder(world: World, tmp_path: Path) -> None:
    """WA-53: whoever wrote the rows does not choose what of this machine is read, by names or by links."""
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "account.jsonl.files"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret.txt")
    out = ["../secret.txt", "/etc/passwd", "..\\secret.txt", "a/../../secret.txt", "C:/x", "link"]
    ids = [Guid(f"00000000-0000-0000-0000-00000000000{number}") for number in range(len(out))]
    rows = [{"accountid": row_id, "name": "A", FILE: said} for row_id, said in zip(ids, out, strict=True)]
    path = tmp_path / "account.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    report = Mover(world).load(path)
    assert report.counts["account"].incomplete == len(out)
    assert (tmp_path / "account.errors.csv").read_text().count("leads out of") == len(out)
    assert {_held(world, each, FILE) for each in ids} == {None}


def test_an_import_that_is_ended_among_its_files_goes_on(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is lost, none is stored twice; the journal says where it goes on."""
    folder = tmp_path / "account.csv.files"
    folder.mkdir()
    lines = ["accountid,name," + FILE]
    for number in range(4):
        (folder / f"{number}.txt").write_text(f"content {number}")
        lines.append(f"00000000-0000-0000-0000-00000000000{number},A{number},{number}.txt")
    path = tmp_path / "account.csv"
    path.write_text("\n".join(lines))
    done = 0
    real = contents.upload

    def ends(*arguments: object) -> object:
        nonlocal done
        done += 1
        if done == 3:
            raise KeyboardInterrupt
        return real(*arguments)  # pyright: ignore[reportArgumentType] -- passed through

    with monkeypatch.context() as patched:
        patched.setattr(contents, "upload", ends)
        with pytest.raises(KeyboardInterrupt):
            Mover(world).load(path)
    report = Mover(world).load(path)
    assert report.resumed
    assert (report.counts["account"].created, report.counts["account"].files) == (4, 4)
    held_now = [_held(world, Guid(f"00000000-0000-0000-0000-00000000000{n}"), FILE) for n in range(4)]
    assert held_now == [(f"{n}.txt", f"content {n}".encode()) for n in range(4)]


def _package(path: Path, schema: str, data: str, **entries: bytes) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as packed:
        packed.writestr("data_schema.xml", f"<entities>{schema}</entities>")
        packed.writestr("data.xml", f"<entities>{data}</entities>")
        for name, body in entries.items():
            packed.writestr(name, body)
    return path


def test_a_package_tells_rows_apart_by_what_it_compares(world: World, tmp_path: Path) -> None:
    """The Configuration Migration tool's `updateCompare`: rows are found by these columns; lookups and links follow."""
    here = world.create("account", name="Known", accountnumber="7")
    there, new = "00000000-0000-0000-0000-0000000000d1", "00000000-0000-0000-0000-0000000000d2"
    schema = (
        '<entity name="account" primaryidfield="accountid"><fields>'
        '<field name="accountnumber" type="string" updateCompare="true"/><field name="name" type="string"/>'
        '<field name="accountid" type="guid" primaryKey="true"/></fields></entity>'
        '<entity name="contact" primaryidfield="contactid"><fields><field name="lastname" type="string"/>'
        '<field name="parentcustomerid" type="entityreference"/></fields></entity>'
    )
    data = (
        f'<entity name="account"><records><record id="{there}"><field name="accountnumber" value="7"/>'
        f'<field name="name" value="Renamed"/></record><record id="{new}"><field name="accountnumber" value="8"/>'
        '<field name="name" value="New"/></record></records></entity>'
        f'<entity name="contact"><records><record id="{CONTACT}"><field name="lastname" value="Ada"/>'
        f'<field name="parentcustomerid" value="{there}" lookupentity="account" lookupentityname="Known"/>'
        "</record></records></entity>"
    )
    report = Mover(world).load(_package(tmp_path / "data.zip", schema, data))
    assert report.status == 0
    assert (report.counts["account"].created, report.counts["account"].updated) == (1, 1)
    assert world.row("account", here).values["name"] == "Renamed"
    assert world.row("account", Guid(new)).values["name"] == "New"
    assert world.row("contact", CONTACT).values["parentcustomerid"] == Reference("account", here)


def test_what_a_package_compares_must_tell_one_row(world: World, tmp_path: Path) -> None:
    """`updateCompare`: several rows with the same values are refused by name, never guessed."""
    for _ in range(2):
        world.create("account", name="Twice", accountnumber="7")
    schema = (
        '<entity name="account" primaryidfield="accountid"><fields>'
        '<field name="accountnumber" type="string" updateCompare="true"/></fields></entity>'
    )
    row = f'<record id="{ACCOUNT}"><field name="accountnumber" value="7"/></record>'
    path = _package(tmp_path / "data.zip", schema, f'<entity name="account"><records>{row}</records></entity>')
    report = Mover(world).load(path)
    assert (report.counts["account"].refused, report.status) == (1, 2)
    assert "Several rows have this accountnumber" in (tmp_path / "data.errors.csv").read_text()


def test_a_file_of_a_package_that_is_not_in_it_is_told(world: World, tmp_path: Path) -> None:
    """A `filedata` field without `files/<id>.bin`, and an image that is no base64: the row is in, and says so."""
    schema = (
        '<entity name="account" primaryidfield="accountid"><fields>'
        f'<field name="{FILE}" type="filedata"/><field name="entityimage" type="imagedata"/></fields></entity>'
    )
    rows = (
        f'<record id="{ACCOUNT}"><field name="{FILE}" value="{CONTACT}" filename="a.txt"/>'
        f'</record><record id="{PLAIN}"><field name="entityimage" value="x!"/></record>'
    )
    path = _package(tmp_path / "data.zip", schema, f'<entity name="account"><records>{rows}</records></entity>')
    report = Mover(world).load(path)
    assert (report.counts["account"].created, report.counts["account"].incomplete) == (2, 2)
    told = (tmp_path / "data.errors.csv").read_text()
    assert "did not come along" in told and "image as base64" in told
