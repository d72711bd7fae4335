"""What the tests of clients prove, as the table of `docs/clients.md`: one line for each test, by its name.

    python -m tests.clients.surface        writes the table anew

A line is there because its test is; that the test passes is the business of the suite, which runs every one of them.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "clients.md"
BEGIN, END = "<!-- begin of what the tests prove -->", "<!-- end of what the tests prove -->"

SOURCES = {
    "powerplatform-dataverse-client 1.1.0": (
        "test_powerplatform_client.py",
        "test_powerplatform_surface.py",
        "test_powerplatform_whole.py",
    ),
    "dataverse-api 1.4.3": ("test_dataverse_api.py",),
    "dynamics-web-api 2.5.0": ("dynamics-web-api.test.mjs", "dynamics-web-api-surface.test.mjs"),
    "dataverse-webapi 3.3.0": ("dataverse-webapi.test.mjs",),
    "mcp-dataverse 0.7.8": ("mcp-dataverse.test.mjs",),
    "odata-csdl 0.11.2": ("test_csdl.py",),
}
_TITLE = re.compile(r'^test\("([^"]+)"', re.MULTILINE)


def table() -> str:
    """The table as Markdown."""
    lines = ["| client | what works |", "| --- | --- |"]
    for client, files in SOURCES.items():
        lines += [f"| {client} | {what} |" for name in files for what in _proved(HERE / name)]
    return "\n".join(lines)


def page(text: str) -> str:
    """The page `text` with the table of now."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


def _proved(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".mjs":
        yield from _TITLE.findall(text)
        return
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name.removeprefix("test_").replace("_", " ")


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
