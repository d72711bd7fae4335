"""`$metadata` read by the tool of those who wrote the standard: `odata-csdl` of OASIS (WA-61, WA-69).

The tool reads strictly, and gives the document in the JSON form that the standard has a JSON schema for. What neither
looks at, whether names that are used are names of something, is looked at here.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from jsonschema import Draft7Validator
from tests.servers import RunningServer
from tests.wire.client import Api, Json, column, table

HERE = Path(__file__).parent
_PROPERTY = re.compile(r"\\\\p\{\w+\}")
"""Classes of characters that Python's patterns do not have."""

NAMESPACES = {"mscrm": "Microsoft.Dynamics.CRM", "sr": "Strongroom"}


def _read(csdl: bytes) -> Json:
    assert shutil.which("node"), "node reads $metadata in this test"
    done = subprocess.run(["node", "csdl.cjs"], cwd=HERE, input=csdl, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    # Dataverse writes Scale="Variable" (WA-63), where the standard has a small letter.
    return cast(Json, json.loads(done.stdout.replace(b'"$Scale":"Variable"', b'"$Scale":"variable"')))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed; the converter cannot run without it")
@pytest.mark.parametrize("query", ["", "?annotations=true"])
def test_the_metadata_keeps_the_rules_of_csdl(server: RunningServer, query: str) -> None:
    """WA-61, WA-64 to WA-67, WA-69: with a table that somebody made, whose labels are not only letters."""
    with httpx.Client(timeout=60) as http:
        api = Api(server.api, server.token(), http)
        if not query:
            made = api.send(
                "POST", "EntityDefinitions", table("csdl_Odd", column("Integer", "csdl_N", Description=_odd()))
            )
            assert made.status_code == 204, made.text
        document = _read(api.send("GET", f"$metadata{query}").content)

    text = (HERE / "node_modules/odata-csdl/schemas/csdl.schema.json").read_text()
    validator: Any = Draft7Validator(json.loads(_PROPERTY.sub(r"\\\\w", text)))
    assert [str(error)[:500] for error in validator.iter_errors(document)] == []
    known = {f"{space}.{name}" for space in NAMESPACES.values() for name in cast(Json, document.get(space, {}))}
    assert "Microsoft.Dynamics.CRM.csdl_odd" in known
    assert sorted({name for name in _types(document) if _full(name) not in known}) == []
    assert _lost_partners(document["Microsoft.Dynamics.CRM"]) == []


def _odd() -> Json:
    return {"LocalizedLabels": [{"Label": 'a "b" <c> & d\u00e9 ]]>', "LanguageCode": 1033}]}


def _full(name: str) -> str:
    space, _, short = name.rpartition(".")
    return f"{NAMESPACES.get(space, space)}.{short}"


def _types(value: object) -> Iterator[str]:
    """Every name of a type, a base type, a function or an action that the document uses."""
    if isinstance(value, dict):
        for key, inner in cast(Json, value).items():
            if key in ("$Type", "$BaseType", "$Function", "$Action") and isinstance(inner, str):
                if not inner.startswith("Edm."):
                    yield inner
            else:
                yield from _types(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _types(inner)


def _lost_partners(types: Json) -> list[str]:
    """Navigation properties whose other side has no property of the name that they give."""
    lost: list[str] = []
    for name, type_ in types.items():
        for nav, declared in cast(Json, type_).items() if isinstance(type_, dict) else ():
            if not isinstance(declared, dict) or "$Partner" not in cast(Json, declared):
                continue
            target = cast(Json, types[str(cast(Json, declared)["$Type"]).rpartition(".")[2]])
            while declared["$Partner"] not in target and "$BaseType" in target:
                target = cast(Json, types[str(target["$BaseType"]).rpartition(".")[2]])
            if declared["$Partner"] not in target:
                lost.append(f"{name}/{nav}")
    return lost
