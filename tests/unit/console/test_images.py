"""The pictures of the README and the guide are small, and are those that `make images` makes."""

import re
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_PICTURES = _ROOT / "docs" / "images"
_MOST_BYTES = 100_000


def test_pictures_are_small_and_those_that_are_shown_are_there() -> None:
    texts = [_ROOT / "README.md", *(_ROOT / "docs").rglob("*.md")]
    shown = {name for text in texts for name in re.findall(r"images/([\w.-]+)\)", text.read_text(encoding="utf-8"))}
    made = set(re.findall(r'yield "([\w-]+)"', (_ROOT / "tests/browser/images.py").read_text(encoding="utf-8")))
    found = {path.name: path.stat().st_size for path in _PICTURES.iterdir()}

    assert found.keys() == {f"{name}.webp" for name in made}
    assert shown - found.keys() == set()
    assert {name: size for name, size in found.items() if size > _MOST_BYTES} == {}
