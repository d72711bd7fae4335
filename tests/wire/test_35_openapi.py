# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# schemathesis has types in part.
"""`openapi.json`: the description of the Web API, and schemathesis against it (WA-65, WA-434)."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.profiles import examples
from tests.servers import start_server
from tests.wire.client import Api, Json, column, table

TABLES = "account,contact,task"
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


def _described(api: Api, tables: str | None = TABLES) -> Json:
    return api.get("openapi.json" + (f"?tables={tables}" if tables else ""))


def test_the_description_is_valid_and_complete(api: Api) -> None:
    """WA-65, WA-68: every set, and every operation that `$metadata` lists; a new table is in it at once."""
    assert api.send("POST", "EntityDefinitions", table("wire_Described", column("Integer", "wire_Much"))).is_success
    document = _described(api, None)

    validate(cast(Any, document))
    paths = document["paths"]
    sets = {item["name"] for item in api.rows("")}
    assert {f"/{name}" for name in sets - {"EntityDefinitions"}} - paths.keys() == {
        f"/{name}" for name in ("GlobalOptionSetDefinitions", "ManagedPropertyDefinitions", "RelationshipDefinitions")
    }
    assert "wire_much" in document["components"]["schemas"]["wire_described.write"]["properties"]
    imports = set(_names(api.send("GET", "$metadata").text))
    assert imports == {path[1:].partition("(")[0] for path in paths if path[1:].partition("(")[0] in imports}
    assert document["servers"] == [{"url": api.root.rstrip("/")}]


def _names(csdl: str) -> list[str]:
    return re.findall(r'<(?:Function|Action)Import Name="(\w+)"', csdl)


def test_a_part_of_the_description(api: Api) -> None:
    """WA-65: for generators that need no more than some tables."""
    paths = _described(api)["paths"]
    assert "/accounts({accountid})" in paths
    assert "/systemusers" not in paths
    api.refused("GET", "openapi.json?tables=acount", status=400, says="account")
    api.refused("POST", "openapi.json", {}, status=405)
    anonymous = Api(api.root, "no.token", api.http)
    anonymous.refused("GET", "openapi.json", status=401)


@pytest.fixture(scope="module", params=ENGINES)
def own(request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The administrator of a server of its own: nobody knows what random requests leave behind."""
    running = start_server(make_home(tmp_path_factory.mktemp("described"), stores, str(request.param)))
    with httpx.Client(timeout=60) as http:
        yield Api(running.api, running.token(), http)
    running.stop()


def _operations(api: Api) -> list[Any]:
    """What schemathesis reads: the same description, with bodies that hold nothing undeclared."""
    document = _described(api)
    for name, schema in document["components"]["schemas"].items():
        if name.endswith(".write"):
            schema["additionalProperties"] = False
    loaded: Any = schemathesis.openapi.from_dict(document)  # its types are known in part only
    return [result.ok() for result in loaded.get_all_operations()]


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_random_requests_get_answers_as_described(own: Api, mode: GenerationMode) -> None:
    """WA-434, R7: whatever the description allows, and what it does not, is answered as it says, and never by a 5xx
    but for what is not there yet (501)."""
    operations = _operations(own)
    assert len(operations) > 100
    headers = {"Authorization": f"Bearer {own.token}"}
    reached: Counter[int] = Counter()

    @given(st.data())
    @settings(
        max_examples=examples(150),
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    def ask(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(operations))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        answer = case.call(base_url=own.root.rstrip("/"), headers=headers, timeout=30)
        reached[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    ask()
    assert sum(reached[status] for status in (200, 201, 204)) > 10 or mode is GenerationMode.NEGATIVE, reached
