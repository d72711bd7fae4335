"""Every package that the project asks for, to run, to build, to develop or as a client under test, has its row and its
reason on the page of dependencies; and what the page names is asked for."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _names(requirements: list[str]) -> set[str]:
    """The packages of a list of requirements, in their normal form."""
    found = (_NAME.match(each) for each in requirements)
    return {match[0].lower().replace("_", "-").replace(".", "-") for match in found if match}


def _asked() -> dict[str, set[str]]:
    """What is asked for, by where that is said."""
    project = _project()
    found = {"to run": _names(project["project"]["dependencies"])}
    for name, extra in project["project"]["optional-dependencies"].items():
        found[f"the extra {name}"] = _names(extra)
    for name, group in project["dependency-groups"].items():
        found[f"the group {name}"] = _names(group)
    package = cast("dict[str, Any]", json.loads((ROOT / "tests" / "clients" / "package.json").read_text()))
    found["tests/clients"] = set(package["dependencies"])
    return found


def _rows() -> dict[str, list[str]]:
    """The cells of the row of each package that a table of the page has."""
    rows: dict[str, list[str]] = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)][1:-1]
        if len(cells) >= 3 and not set(line) <= set("|- ") and "`" in line:
            packages = cells[1] if len(cells) == 4 else cells[0]
            for name in re.findall(r"`([^`]+)`", re.sub(r"\([^)]*\)", "", packages)):
                rows[name.lower()] = cells
    return rows


@pytest.mark.parametrize("where", sorted(_asked()))
def test_every_package_that_is_asked_for_has_its_row(where: str) -> None:
    missing = sorted(_asked()[where] - _rows().keys())
    assert not missing, f"docs/dependencies.md has no row for these of {where}: {missing}"


def test_every_row_says_what_it_is_for_and_what_would_replace_it() -> None:
    for name, cells in _rows().items():
        *_, purpose, replacement = cells
        assert len(purpose) > 10, f"{name}: what is it for?"
        assert replacement, f"{name}: what would replace it?"


def test_every_row_is_of_a_package_that_is_asked_for() -> None:
    asked = set[str]().union(*_asked().values())
    assert sorted(_rows().keys() - asked) == []
