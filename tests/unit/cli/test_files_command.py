"""`strongroom files`: up, down and away, on either engine."""

import json
from pathlib import Path

import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.pictures import CAMERA, opened, picture, taken_somewhere

from strongroom.cli.main import run

ACCOUNT = "018cc251-f41d-7010-9f5b-0a7c1b2d3e4f"
PLACE = f"account/{ACCOUNT}/entityimage"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_picture_goes_up_and_comes_down(
    engine: str, stores: Stores, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """WA-370: full and as a thumbnail, without what its camera told; gone when it is removed."""
    home = str(make_home(tmp_path, stores, engine))
    rows = tmp_path / "account.csv"
    rows.write_text(f"accountid,name\n{ACCOUNT},Ada\n")
    source = tmp_path / "logo.jpg"
    source.write_bytes(picture("JPEG", (300, 200), exif=taken_somewhere()))
    full, small = tmp_path / "full.jpg", tmp_path / "small.jpg"
    assert run(["import-data", str(rows), "--home", home]) == 0

    assert run(["files", "put", PLACE, str(source), "--home", home]) == 0
    assert run(["files", "get", PLACE, str(full), "--home", home]) == 0
    capsys.readouterr()
    assert run(["files", "get", PLACE, str(small), "--thumbnail", "--json", "--home", home]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["name"], shown["type"]) == ("logo.jpg", "image/jpeg")
    assert opened(full.read_bytes()).size == (300, 200) and CAMERA not in opened(full.read_bytes()).getexif()
    assert opened(small.read_bytes()).size == (144, 144)
    assert full.stat().st_mode & 0o777 == 0o600

    assert run(["files", "get", PLACE, str(full), "--home", home]) == 2  # it is there already
    assert run(["files", "remove", PLACE, "--home", home]) == 0
    assert run(["files", "get", PLACE, str(tmp_path / "none.jpg"), "--home", home]) == 2
    assert "holds nothing" in capsys.readouterr().err
    assert not (tmp_path / "none.jpg").exists()
    for wrong in ("account/x/entityimage", f"nothing/{ACCOUNT}/entityimage", f"account/{ACCOUNT}/name"):
        assert run(["files", "remove", wrong, "--home", home]) == 2
    said = capsys.readouterr().err
    assert "TABLE/ID/COLUMN" in said and "no table 'nothing'" in said and "not a file or image column" in said
