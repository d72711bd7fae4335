"""What `serve` tells a person can be pasted as it is."""

import ast
import shlex
from pathlib import Path

import pytest

from strongroom.cli.welcome import welcome
from strongroom.errors import HomeError
from strongroom.home import EnvironmentKind, Home, create_home
from strongroom.home.personas import Persona, read_personas, write_personas

ADDRESS = "http://127.0.0.1:8000"
PERSONAS = (Persona("Sofía Márquez", "sofia@meridian.example", "her own rows"), Persona("Jo", "jo@x", "all"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = create_home(tmp_path / "my home", environ={})
    for name, kind in (("control", EnvironmentKind.CONTROL), ("main", EnvironmentKind.BUSINESS)):
        made.add_environment(name, kind)
        made.finish_environment(name)
    return made


def pasted(lines: list[str]) -> tuple[list[str], str]:
    """The words of the curl command, and the Python script."""
    curl = next(line for line in lines if line.startswith("  curl "))
    start = lines.index("With Python:") + 1
    script = "\n".join(line[2:] for line in lines[start : lines.index("", start)])
    return shlex.split(curl), script


def test_every_address_is_told(home: Home) -> None:
    text = "\n".join(welcome(home, ADDRESS, None))

    assert f"{ADDRESS}/api/data/v9.2/   (main)" in text
    assert f"{ADDRESS}/e/control/api/data/v9.2/" in text
    assert "TEST HOME" not in text


def test_ways_in_are_whole_commands_also_with_spaces_in_the_path(home: Home) -> None:
    words, script = pasted(welcome(home, ADDRESS, None))

    assert words[-1] == f"{ADDRESS}/api/data/v9.2/accounts?$select=name&$top=5"
    assert "--user admin" in words[words.index("-H") + 1]
    constants = [node.value for node in ast.walk(ast.parse(script)) if isinstance(node, ast.Constant)]
    assert str(home.path) in constants
    assert words[-1] in constants


def test_demo_home_names_its_personas_and_lets_the_first_in(home: Home) -> None:
    write_personas(home.path, PERSONAS)
    assert read_personas(home.path) == PERSONAS

    lines = welcome(home, ADDRESS, None)
    assert "  Personas     sofia@meridian.example  Sofía Márquez sees her own rows" in lines
    assert "               jo@x                    Jo sees all" in lines
    assert "--user sofia@meridian.example" in pasted(lines)[0][3]


def test_made_certificate_is_trusted_by_both_ways_in(home: Home) -> None:
    trust = home.tls_folder / "localhost.pem"
    words, script = pasted(welcome(home, "https://localhost:8000", trust))

    assert words[words.index("--cacert") + 1] == str(trust)
    assert str(trust) in script


def test_test_home_says_what_it_is(tmp_path: Path) -> None:
    """TS-006."""
    home = create_home(tmp_path / "home", is_test_home=True, environ={})
    home.add_environment("main", EnvironmentKind.BUSINESS)
    home.finish_environment("main")

    assert "TEST HOME" in "\n".join(welcome(home, ADDRESS, None))


@pytest.mark.parametrize("content", ["{", "[1]", '[{"name": "x"}]', '{"a": 1}'])
def test_damaged_file_of_personas_is_named(home: Home, content: str) -> None:
    (home.path / "demo.json").write_text(content)

    with pytest.raises(HomeError, match=r"demo\.json is damaged"):
        read_personas(home.path)
