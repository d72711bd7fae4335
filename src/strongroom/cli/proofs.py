"""`strongroom environment prove-isolation` and `prove-encryption`: signed reports of what was tried and found."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from strongroom.cli.operating import run_operation
from strongroom.cli.options import home_option, json_option
from strongroom.cli.output import print_json, say, table

if TYPE_CHECKING:
    from collections.abc import Mapping

_Rows = list["Mapping[str, object]"]

out_option = click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write the signed report to this file."
)


@click.command("prove-isolation", short_help="Try to reach each environment from each other one.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@out_option
@home_option
@json_option
def prove_isolation(names: tuple[str, ...], out: Path | None, home: Path, as_json: bool) -> int:
    """Put a random word into each environment NAME..., try to reach it from each other one, through rows, search,
    trail, tokens, keys, stores and back-ups, look for it in all files of the home, and take it out again.

    Exits with 1 when anything was reached.
    """
    answer = run_operation(home, "prove-isolation", {"names": ",".join(names)})
    doors = cast("_Rows", answer["Doors"])
    rows = [tuple(str(door[name]) for name in ("Door", "From", "To", "Attempt", "Got", "Result")) for door in doors]
    return _show(answer, out, table(("DOOR", "FROM", "TO", "ATTEMPT", "GOT", "RESULT"), rows), as_json)


@click.command("prove-encryption", short_help="Read what lies on disk, and say whether it is encrypted.")
@click.argument("name")
@out_option
@home_option
@json_option
def prove_encryption(name: str, out: Path | None, home: Path, as_json: bool) -> int:
    """Read what lies on disk of the environment NAME: store, log, back-ups, journal and encrypted columns; try the keys
    of others on it, and look for its own keys in all files of the home.

    Exits with 1 when anything is in clear, or opens with another key.
    """
    answer = run_operation(home, "prove-encryption", {"name": name})
    files, columns = cast("_Rows", answer["Files"]), cast("_Rows", answer["Columns"])
    rows = [(str(each["File"]), str(each["Check"]), str(each["Result"])) for each in files]
    rows += [(str(each["Column"]), f"{each['Plain']} values in plain", str(each["Result"])) for each in columns]
    return _show(answer, out, table(("WHAT", "CHECK", "RESULT"), rows), as_json)


def _show(answer: "dict[str, object]", out: Path | None, text: str, as_json: bool) -> int:
    report = {name: value for name, value in answer.items() if name != "operation"}
    if out is not None:
        out.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    if as_json:
        print_json(report)
    else:
        say(text)
        say(f"{report['Result']}")
    return 1 if report["Result"] == "Failed" else 0
