"""`strongroom import`, `export` and `solutions`, on either engine: from one home to another, and out again."""

import json
from pathlib import Path

import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.unit.solutions.exports import small

from strongroom.cli.main import run

_SOLUTION = Path(__file__).parents[2] / "data" / "solutions" / "test-engine.zip"


class Shown:
    """Commands on one home, and what they print."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._home = home
        self._capsys = capsys

    def __call__(self, *arguments: str, status: int = 0) -> str:
        """Run a command that ends with `status`, and give what it says."""
        found = run([*arguments, "--home", str(self._home)])
        said = self._capsys.readouterr()
        assert found == status, said
        return said.out if status < 2 else said.err

    def json(self, *arguments: str) -> list[dict[str, object]]:
        """What a command prints for programs."""
        shown: list[dict[str, object]] = json.loads(self(*arguments, "--json"))
        return shown


@pytest.mark.parametrize("engine", ENGINES)
def test_a_solution_goes_from_home_to_home_and_out_again(
    engine: str, stores: Stores, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Imported, exported managed, imported elsewhere, and removed there with all that it brought."""
    source = Shown(make_home(tmp_path / "a", stores, engine), capsys)
    target = Shown(make_home(tmp_path / "b", stores, engine), capsys)
    file = tmp_path / "carried.zip"
    capsys.readouterr()

    assert "Would be created" in source("import", str(_SOLUTION), "--plan", status=1)
    assert "TestEngine" not in source("solutions", "list")
    assert "Created" in source("import", str(_SOLUTION), status=1)
    assert "1.0.0.1" in source("solutions", "list")
    assert f"{file}: " in source("export", "TestEngine", str(file), "--managed")
    kept = file.read_bytes()
    assert str(file) in source("export", "TestEngine", str(file), status=2)
    assert file.read_bytes() == kept

    target("import", str(file), status=1)  # what waited at the source waits here, too
    (carried,) = [each for each in target.json("solutions", "list") if each["uniquename"] == "TestEngine"]
    assert carried["ismanaged"] is True
    assert "TestEngine" in target("solutions", "layers", "te_key.te_name")
    assert "te_key" in target("solutions", "contents", "TestEngine")
    assert "a higher one" in target("import", str(file), "--upgrade", status=2)
    assert "te_key" in target("solutions", "remove", "TestEngine", "--plan")
    assert "TestEngine" in target("solutions", "list")
    assert "te_key" in target("solutions", "remove", "TestEngine")
    assert "TestEngine" not in target("solutions", "list")
    out = str(tmp_path / "none.csv")
    assert "te_key" in target("export-data", "--table", "te_key", "--out", out, status=2)


def test_an_upgrade_is_planned_staged_and_promoted_and_a_patch_made(
    stores: Stores, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """WA-405, by the command line."""
    home = Shown(make_home(tmp_path / "h", stores, "sqlcipher"), capsys)
    capsys.readouterr()
    first, second = (_managed(tmp_path, version) for version in ("1.0", "2.0"))
    home("import", str(first))

    assert "new_offer" in home("import", str(second), "--upgrade", "--plan")
    assert "new_offer" in home("solutions", "contents", "sales")
    home("import", str(second), "--stage")
    assert "sales_Upgrade" in home("solutions", "list")
    assert "new_offer" in home("solutions", "promote", "sales")
    assert "new_offer" not in home("solutions", "contents", "sales")
    assert "exclude" in home("import", str(second), "--stage", "--upgrade", status=2)
    assert "is managed" in home("solutions", "patch", "sales", "2.0.1", status=2)
    assert "No upgrade" in home("solutions", "promote", "sales", status=2)


def _managed(folder: Path, version: str) -> Path:
    """A managed solution with a table, and one more in its first version."""
    names = ("deal", "offer") if version == "1.0" else ("deal",)
    entities = "".join(
        f'<Entity><Name>new_{each}</Name><EntityInfo><entity Name="new_{each}"><attributes>'
        '<attribute PhysicalName="new_Name"><Type>nvarchar</Type><IsCustomField>1</IsCustomField>'
        "<DisplayMask>PrimaryName</DisplayMask></attribute></attributes></entity></EntityInfo></Entity>"
        for each in names
    )
    archive = small(f"<Entities>{entities}</Entities>", name="sales", version=version, managed="1")
    assert archive.packed is not None
    path = folder / f"sales-{version}.zip"
    path.write_bytes(archive.packed)
    return path


@pytest.mark.parametrize("command", [("export", "Unheard", "file.zip"), ("solutions", "remove", "Unheard")])
def test_a_solution_that_is_not_there_is_named_and_nothing_is_written(
    command: tuple[str, ...],
    stores: Stores,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = Shown(make_home(tmp_path, stores, "sqlcipher"), capsys)
    capsys.readouterr()

    assert "Unheard" in commands(*command, status=2)
    assert not Path("file.zip").exists()
