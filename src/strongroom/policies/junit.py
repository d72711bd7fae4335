"""Outcomes as JUnit XML, which continuous integration shows: one suite for each file, one case for each statement."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement

from strongroom.policies.statements import Outcome


def write_junit(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the report to `path`, over what is there."""
    root = Element("testsuites", _numbers(outcomes))
    files = dict.fromkeys(each.statement.place.file for each in outcomes)
    for file in files:
        own = [each for each in outcomes if each.statement.place.file == file]
        suite = SubElement(root, "testsuite", {"name": file, **_numbers(own)})
        for each in own:
            place = each.statement.place
            case = SubElement(
                suite,
                "testcase",
                {
                    "classname": Path(file).stem,
                    "name": _printable(each.statement.name),
                    "file": file,
                    "line": str(place.line),
                    "time": f"{each.duration_s:.6f}",
                },
            )
            for kind, message in (("failure", each.failure), ("error", each.error)):
                if message is not None:
                    SubElement(case, kind, {"message": _printable(message)}).text = f"{place}: {_printable(message)}"
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _numbers(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {
        "tests": str(len(outcomes)),
        "failures": str(sum(each.failure is not None for each in outcomes)),
        "errors": str(sum(each.error is not None for each in outcomes)),
        "time": f"{sum(each.duration_s for each in outcomes):.6f}",
    }


def _printable(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(letter for letter in text if letter in "\t\n\r" or (letter >= " " and letter not in "\ufffe\uffff"))
