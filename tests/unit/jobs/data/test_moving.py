"""Rows out of one environment and into another: the same rows, in every format, on both engines."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import pytest
from defusedxml.ElementTree import fromstring
from openpyxl import load_workbook
from tests.engines import Stores
from tests.unit.jobs.data.moving import FORMATS, Mover
from tests.worlds import World

from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.ids import Guid, Reference
from strongroom.records import associate
from strongroom.schema.model import Depth, Rights
from strongroom.store.protocol import Database


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


_ACCOUNT = Guid("00000000-0000-0000-0000-0000000000a1")
_PARENT = Guid("00000000-0000-0000-0000-0000000000ff")
_CONTACT = Guid("00000000-0000-0000-0000-0000000000c1")


def _fill(world: World) -> None:
    """A child before its parent in the order of ids; texts that files find hard."""
    world.create("account", accountid=_PARENT, name='=HYPERLINK("http://x")', telephone1="+49 30", description="-1\n@")
    world.create("contact", contactid=_CONTACT, firstname="Άννα", lastname='\'=quoted, "too"', address1_longitude=-2.5)
    world.create(
        "account",
        accountid=_ACCOUNT,
        name="Ναυτιλία; Ltd,",
        parentaccountid=Reference("account", _PARENT),
        primarycontactid=Reference("contact", _CONTACT),
        revenue=Decimal("1234.56"),
        numberofemployees=7,
        creditonhold=True,
        industrycode=6,
        lastonholdtime="2024-05-01T10:15:00Z",
        address1_latitude=51.5,
        description="line one\r\nline two\ttab",
        statecode=1,
    )


@pytest.mark.parametrize("ending", FORMATS)
def test_what_is_exported_and_imported_elsewhere_is_the_same(
    world: World, stores: Stores, engine: str, ending: str, tmp_path: Path
) -> None:
    """Owners and currencies are found by their names: their ids are others there."""
    _fill(world)
    here = Mover(world)
    contacts = here.save(tmp_path / f"contact{ending}", "contact")
    accounts = here.save(tmp_path / f"account{ending}", "account")

    with stores.opened(engine) as other:
        there = Mover(World(other))
        assert there.load(contacts).status == 0
        report = there.load(accounts)
        assert (report.status, report.counts["account"].created) == (0, 2)
        again = there.load(accounts)
        assert (again.counts["account"].unchanged, again.counts["account"].updated) == (2, 0)
        plain = ("accountid", "name", "parentaccountid", "primarycontactid", "revenue", "creditonhold", "industrycode")
        more = ("numberofemployees", "description", "telephone1", "lastonholdtime", "address1_latitude", "statecode")
        first = here.save(tmp_path / "first.jsonl", "account", columns=(*plain, *more, "statuscode"))
        second = there.save(tmp_path / "second.jsonl", "account", columns=(*plain, *more, "statuscode"))

    assert first.read_text() == second.read_text()
    assert "line one" in first.read_text()
    assert not list(tmp_path.glob("*.journal")) + list(tmp_path.glob("*.errors.csv")) + list(tmp_path.glob("*.part"))


def test_several_tables_and_links_go_in_a_package(world: World, stores: Stores, engine: str, tmp_path: Path) -> None:
    """As the Configuration Migration tool writes it: lookups with table and name, N:N links, the order of import."""
    _fill(world)
    lead = world.create("lead", lastname="Lead")
    with world.administrating() as session:
        tie = session.schema.many_to_many["accountleads_association"]
        associate(session, tie, Reference("account", _ACCOUNT), Reference("lead", lead))
    package = Mover(world).save(tmp_path / "data.zip", "account", "contact", "lead")
    with ZipFile(package) as packed:
        data, schema = fromstring(packed.read("data.xml")), fromstring(packed.read("data_schema.xml"))
    assert [e.text for e in schema.findall("entityImportOrder/entityName")] == ["account", "contact", "lead"]
    fields = {f.get("name"): f for f in data.findall(f".//record[@id='{_ACCOUNT}']/field")}
    assert fields["primarycontactid"].attrib == {
        "name": "primarycontactid",
        "value": _CONTACT,
        "lookupentity": "contact",
        "lookupentityname": fields["primarycontactid"].get("lookupentityname"),
    }
    assert (fields["creditonhold"].get("value"), fields["lastonholdtime"].get("value")) == (
        "True",
        "2024-05-01T10:15:00.0000000Z",
    )

    with stores.opened(engine) as other:
        there = World(other)
        report = Mover(there).load(package)
        assert report.status == 0, (tmp_path / "data.errors.csv").read_text()
        assert report.counts["links"].linked == 1
        with ZipFile(package) as packed, ZipFile(tmp_path / "again.zip", "w") as other_names:
            text = packed.read("data.xml").decode().replace("accountleads_association", "accountleads")
            other_names.writestr("data.xml", text)
            other_names.writestr("data_schema.xml", packed.read("data_schema.xml"))
        assert Mover(there).load(tmp_path / "again.zip").counts["links"].unchanged == 1
        row = there.row("account", _ACCOUNT)
        assert row.values["primarycontactid"] == Reference("contact", _CONTACT)


def test_no_cell_begins_as_a_formula(world: World, tmp_path: Path) -> None:
    """Texts get an apostrophe, numbers stay numbers; in workbooks every text is a text cell."""
    _fill(world)
    columns = ("name", "telephone1", "description")
    saved = Mover(world).save(tmp_path / "a.csv", "account", columns=columns)
    with saved.open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n")]
    assert '\'=HYPERLINK("http://x")' in cells

    book = load_workbook(Mover(world).save(tmp_path / "a.xlsx", "account", columns=columns))
    assert {cell.data_type for row in book.worksheets[0].iter_rows() for cell in row} <= {"s", "n"}
    contacts = Mover(world).save(tmp_path / "c.csv", "contact", columns=("address1_longitude",))
    assert ",-2.5" in contacts.read_text()


def test_rows_are_filtered_and_the_user_sees_only_its_own(world: World, tmp_path: Path) -> None:
    """SM-5: an export is a read."""
    _fill(world)
    seller = world.role("Seller", {"account": {Rights.READ: Depth.BASIC}})
    ann = world.user("Ann", None, seller)

    found = Mover(world).save(tmp_path / "f.jsonl", "account", columns=("name",), where="numberofemployees eq 7")
    assert [json.loads(line)["name"] for line in found.read_text().splitlines()] == ["Ναυτιλία; Ltd,"]
    assert Mover(world, ann).save(tmp_path / "ann.jsonl", "account").read_text() == ""
    with pytest.raises(AccessDenied):
        Mover(world, ann).save(tmp_path / "ann.csv", "contact")
    with pytest.raises(InvalidRequest, match="there already"):
        Mover(world).save(tmp_path / "f.jsonl", "account")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["ann.jsonl", "f.jsonl"]


@pytest.mark.parametrize("ending", FORMATS)
def test_what_leaves_the_store_is_read_by_its_owner_alone(world: World, ending: str, tmp_path: Path) -> None:
    """Exports, the journal of an import and its refused rows hold what the store encrypts."""
    world.create("account", name="A")
    mover = Mover(world)
    mover.save(tmp_path / f"rows{ending}", "account", columns=("name",))
    rows = tmp_path / "given.csv"
    rows.write_text("name,numberofemployees\nB,many\n", encoding="utf-8")
    rows.chmod(0o644)
    mover.load(rows, "account")
    written = [path for path in tmp_path.iterdir() if path != rows]
    assert len(written) >= 2
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
