"""The how-to pages about solutions: their commands run, in their order."""

import shlex
import shutil
from pathlib import Path

import pytest
from tests.docs.blocks import PROJECT, blocks
from tests.servers import run_cli
from tests.unit.solutions.exports import FOLDER, published, small

from strongroom.cli.main import run


def test_the_commands_about_importing_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _prepare(tmp_path, monkeypatch)
    shutil.copy(FOLDER / "sales-order-processing.managed.zip", tmp_path / "sales.zip")
    for name, content in published("development-hub.unpacked.zip").files.items():
        path = tmp_path / "src" / "solutions" / "hub" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    shown = _run("docs/how-to/import-a-solution.md", capsys)

    assert "Would be created" in shown
    assert "aipod_salesorderheader" in shown
    assert (tmp_path / "hub.zip").exists()
    assert (tmp_path / "hub-managed.zip").exists()


def test_the_commands_about_upgrading_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _prepare(tmp_path, monkeypatch)
    for number, names in ((1, ("deal", "offer")), (2, ("deal", "visit")), (3, ("deal",))):
        archive = small(_tables(*names), name="sales", version=f"{number}.0", managed="1")
        assert archive.packed is not None
        (tmp_path / f"sales-{number}.zip").write_bytes(archive.packed)
    ours = small("", name="ours", version="1.0.0.0")
    assert ours.packed is not None
    (tmp_path / "ours.zip").write_bytes(ours.packed)
    assert run(["import", "ours.zip", "--home", "home"]) == 0

    shown = _run("docs/how-to/upgrade-a-solution.md", capsys)

    assert "Would be removed" in shown
    assert "ours_Patch_" in shown
    assert "ours 1.1.0.0" in shown


def _prepare(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_cli("init", "--home", str(folder / "home"))
    monkeypatch.chdir(folder)


def _run(page: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run every command of a page. An import ends with 1 when something waits."""
    text = (PROJECT / page).read_text()
    for line in (line for block in blocks(text, "sh") for line in block.splitlines()):
        arguments = shlex.split(line)[1:]
        assert run(arguments) in ((0, 1) if arguments[0] == "import" else (0,)), f"{line}: {capsys.readouterr()}"
    return capsys.readouterr().out


def _tables(*names: str) -> str:
    entities = "".join(
        f'<Entity><Name>new_{each}</Name><EntityInfo><entity Name="new_{each}"><attributes>'
        '<attribute PhysicalName="new_Name"><Type>nvarchar</Type><IsCustomField>1</IsCustomField>'
        "<DisplayMask>PrimaryName</DisplayMask></attribute></attributes></entity></EntityInfo></Entity>"
        for each in names
    )
    return f"<Entities>{entities}</Entities>"
