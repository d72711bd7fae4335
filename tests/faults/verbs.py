"""The writes whose faults are simulated: one of each kind, on a small environment in this process."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.property.witness import Witness

from strongroom.environment import Environment, find_user
from strongroom.environments import Environments
from strongroom.home import open_home
from strongroom.identity import TokenClaims
from strongroom.identity.conditional.gate import Verdict
from strongroom.ids import Guid, new_guid
from strongroom.webapi.http import Request, Response
from strongroom.webapi.service import respond

ACCOUNT = "00000000-0000-4000-8000-00000000000a"
TASKS = tuple(f"00000000-0000-4000-8000-0000000000b{number}" for number in range(3))
NEW_TABLE = {
    "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
    "SchemaName": "new_Fault",
    "DisplayName": {"LocalizedLabels": [{"Label": "Fault", "LanguageCode": 1033}]},
    "DisplayCollectionName": {"LocalizedLabels": [{"Label": "Faults", "LanguageCode": 1033}]},
    "OwnershipType": "UserOwned",
    "HasNotes": False,
    "HasActivities": False,
    "Attributes": [
        {
            "@odata.type": "Microsoft.Dynamics.CRM.StringAttributeMetadata",
            "SchemaName": "new_Name",
            "IsPrimaryName": True,
            "MaxLength": 100,
            "DisplayName": {"LocalizedLabels": [{"Label": "Name", "LanguageCode": 1033}]},
        }
    ],
}
_PART = "--c\r\nContent-Type: application/http\r\nContent-ID: {0}\r\n\r\n{1} HTTP/1.1\r\n\r\n{2}\r\n"
_CHANGES = (
    ("POST contacts", '{"lastname":"set"}'),
    (f"PATCH accounts({ACCOUNT})", '{"name":"changed in a set"}'),
    (f"DELETE tasks({TASKS[0]})", ""),
)
_SET = "".join(_PART.format(number, line, body) for number, (line, body) in enumerate(_CHANGES, 1))


@dataclass(frozen=True, slots=True)
class Verb:
    """One request that writes."""

    name: str
    method: str
    path: str
    body: bytes = b""
    kind: str = "application/json"


VERBS = (
    Verb("create", "POST", "accounts", b'{"name":"new","primarycontactid":{"lastname":"new"},"revenue":7}'),
    Verb("update", "PATCH", f"accounts({ACCOUNT})", b'{"name":"changed","revenue":5}'),
    Verb("cascade delete", "DELETE", f"accounts({ACCOUNT})"),
    Verb(
        "change set",
        "POST",
        "$batch",
        f"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{_SET}--c--\r\n--b--\r\n".encode(),
        "multipart/mixed; boundary=b",
    ),
    Verb("new table", "POST", "EntityDefinitions", json.dumps(NEW_TABLE).encode()),
)


@dataclass(frozen=True, slots=True)
class Open:
    """An open environment of which the verbs' rows are part, its administrator, and a witness beside it."""

    environment: Environment
    administrator: Guid
    witness: Witness

    def send(self, verb: Verb) -> Response:
        """The answer of the service."""
        now = datetime.now(UTC)
        claims = TokenClaims(self.administrator, self.environment.id, new_guid(self.environment.clock), "", now, now)
        headers = {"content-type": verb.kind} if verb.body else {}
        root, request_id = "http://127.0.0.1/api/data/v9.2/", self.environment.new_id()
        request = Request(verb.method, verb.path, "", headers, verb.body, root, request_id, "127.0.0.1")
        return respond(self.environment, request, claims, Verdict())

    def make_rows(self) -> None:
        """The rows that the verbs change: an account with three tasks and a contact."""
        tasks = [{"activityid": task, "subject": "task"} for task in TASKS]
        body = {"accountid": ACCOUNT, "name": "before", "primarycontactid": {"lastname": "p"}, "Account_Tasks": tasks}
        answer = self.send(Verb("rows", "POST", "accounts", json.dumps(body).encode()))
        assert answer.status == 204, answer.body


@contextmanager
def opened(home: Path) -> Generator[Open]:
    """Open the default environment of a home."""
    found = open_home(home)
    environments = Environments(found)
    environment = environments.default()
    witness = Witness(found, environment.record)
    try:
        with environment.database.read() as transaction:
            administrator = find_user(transaction, "admin")
        yield Open(environment, administrator, witness)
    finally:
        witness.close()
        environments.close()
