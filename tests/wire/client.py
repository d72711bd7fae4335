"""A small typed client of the Web API: it sends exactly what it is told and adds nothing but the token."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, cast

import httpx

Json = dict[str, Any]
EMPTY: Json = {}
NOBODY = "00000000-0000-0000-0000-000000000009"
NS = "Microsoft.Dynamics.CRM"
FORMATTED = "OData.Community.Display.V1.FormattedValue"
REPRESENTATION = {"Prefer": "return=representation"}

_numbers = count(1)


@dataclass(slots=True)
class Api:
    """One user's connection to one environment. `root` is the service root, with its slash."""

    root: str
    token: str
    http: httpx.Client = field(repr=False)

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request. `body` goes as JSON; `content` goes as it is, without a Content-Type of its own."""
        sent = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        address = path if path.startswith("http") else self.root + path
        return self.http.request(method, address, content=content, headers={**sent, **(headers or {})})

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Json:
        """A GET that must give JSON."""
        answer = self.send("GET", path, headers=headers)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return cast(Json, answer.json())

    def rows(self, path: str, headers: Mapping[str, str] | None = None) -> list[Json]:
        """The rows of a collection."""
        return cast("list[Json]", self.get(path, headers)["value"])

    def new(self, entity_set: str, body: Json | None = None, headers: Mapping[str, str] | None = None) -> str:
        """The id of a new row."""
        answer = self.send("POST", entity_set, body or {}, headers=headers)
        assert answer.status_code == 204, f"{entity_set}: {answer.status_code} {answer.text[:500]}"
        return answer.headers["OData-EntityId"].rstrip(")").rsplit("(", 1)[1]

    def shown(self, method: str, path: str, body: object, status: int | None = None) -> Json:
        """What a write answers with `return=representation`."""
        answer = self.send(method, path, body, headers=REPRESENTATION)
        assert answer.status_code == (status or (201 if method == "POST" else 200)), answer.text[:500]
        return cast(Json, answer.json())

    def ended(self, job: str) -> Json:
        """The system job once it is over."""
        deadline = time.monotonic() + 60
        while (row := self.get(f"asyncoperations({job})"))["statecode"] != 3:
            assert time.monotonic() < deadline, row
        return row

    def refused(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        status: int,
        code: str | None = None,
        says: str = "",
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """A request that must be refused in the form of WA-50, with this status, code and part of the message."""
        answer = self.send(method, path, body, content=content, headers=headers)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        assert answer.headers["Content-Type"].startswith("application/json; odata.metadata=minimal")
        assert answer.headers["OData-Version"] == "4.0"
        error = answer.json()["error"]
        assert isinstance(error["code"], str)
        assert error["message"].splitlines()[0].strip()
        assert code is None or error["code"] == code, error
        assert says in error["message"], error
        return answer


@dataclass(frozen=True, slots=True)
class Person:
    """A user who may do little, and whose directory id is known."""

    id: str
    object_id: str
    role: str

    @property
    def acting(self) -> dict[str, str]:
        """The header by which the administrator acts for the user (WA-420)."""
        return {"MSCRMCallerID": self.id}


def unique(stem: str = "row") -> str:
    """A name that no other test has."""
    return f"{stem} {next(_numbers):04d}"


def without_etag(row: Mapping[str, Any]) -> Json:
    """A row without its control information."""
    return {name: value for name, value in row.items() if "@" not in name}


def label(text: str) -> Json:
    """A label in English."""
    return {"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]}


def column(kind: str, schema_name: str, **more: object) -> Json:
    """The body that makes a column."""
    return {
        "@odata.type": f"{NS}.{kind}AttributeMetadata",
        "SchemaName": schema_name,
        "DisplayName": label(schema_name),
        "RequiredLevel": {"Value": "None"},
        **more,
    }


def table(schema_name: str, *columns: Json, **more: object) -> Json:
    """The body that makes a user-owned table whose primary name is `wire_name`."""
    name = column("String", "wire_Name", IsPrimaryName=True, MaxLength=100, FormatName={"Value": "Text"})
    return {
        "@odata.type": f"{NS}.EntityMetadata",
        "SchemaName": schema_name,
        "DisplayName": label(schema_name),
        "DisplayCollectionName": label(f"{schema_name}s"),
        "OwnershipType": "UserOwned",
        "HasActivities": False,
        "HasNotes": False,
        "Attributes": [name, *columns],
        **more,
    }
