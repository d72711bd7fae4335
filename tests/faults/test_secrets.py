"""R19, R20: what is confidential stays where it belongs.

A session of ordinary, refused and broken requests, full of marked texts; then the log, the metrics and the files of
the home, the log of writes and the temporary folder included, are searched for the marks, the token and the keys.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.servers import RunningServer
from tests.servers import start_server as serve

from strongroom.home import open_home

MARK = "Qx7ConfidentialZz"
TAIL = "ürich 株式会社"


@dataclass(frozen=True, slots=True)
class Session:
    """What was served, what was said, and where things lie."""

    server: RunningServer
    token: str
    temporary: Path
    errors: tuple[str, ...]


@pytest.fixture(scope="module", params=ENGINES)
def session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, stores: Stores
) -> Iterator[Session]:
    """A server that has had a busy time."""
    folder = tmp_path_factory.mktemp("secrets")
    temporary = folder / "temporary"
    temporary.mkdir()
    home = make_home(folder, stores, str(request.param))
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = os.environ["SQLITE_TMPDIR"] = str(temporary)
    try:
        server = serve(home)
    finally:
        del os.environ["SQLITE_TMPDIR"]
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before
    token = server.token()
    yield Session(server, token, temporary, tuple(_requests(server, token)))
    server.stop()


def _requests(server: RunningServer, token: str) -> Iterator[str]:
    """The bodies of all errors on the way."""
    text = MARK + TAIL
    body = {"name": text, "description": text * 50, "accountnumber": MARK}
    with httpx.Client(base_url=server.api, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        ids: list[str] = []
        for _ in range(30):
            contact = {"lastname": text, "emailaddress1": f"{MARK}@x.example"}
            answer = client.post("accounts", json={**body, "primarycontactid": contact})
            assert answer.status_code == 204, answer.text
            ids.append(answer.headers["OData-EntityId"][-37:-1])
        account = f"accounts({ids[0]})"
        for number in range(3):
            client.post("annotations", json={"subject": text, "notetext": text * (number + 1) * 100})
        client.patch(account, json={"description": "short"})
        client.delete(f"accounts({ids[1]})")
        client.get(f"accounts?$filter=contains(name,'{text}')&$orderby=description,name&$top=3")
        client.get("accounts?$apply=groupby((name))")
        client.get("contacts?$select=lastname&$orderby=lastname desc", headers={"Prefer": "odata.maxpagesize=2"})
        for method, path, sent in (
            ("GET", f"accounts({MARK})", None),
            ("GET", f"accounts?$filter=name eq '{text}", None),
            ("POST", "accounts", {MARK: text}),
            ("POST", "accounts", {"name": text * 20}),
            ("POST", "accounts", {"accountid": ids[0], "name": text}),
            ("PATCH", account, {"industrycode": 99999, "name": text}),
            ("GET", f"systemusers?$filter=domainname eq '{text}'&$skip=1", None),
            ("GET", f"accounts?sql=select * from account where name = '{text}' and", None),
        ):
            answer = client.request(method, path, json=sent)
            assert 400 <= answer.status_code < 500, answer.text
            yield answer.text
    for wrong in (token + "x", token[:-3], f"{MARK}.{MARK}.{MARK}"):
        answer = httpx.get(f"{server.api}accounts", headers={"Authorization": f"Bearer {wrong}"})
        assert answer.status_code == 401
        yield answer.text


def test_log_names_no_person_no_value_and_no_secret(session: Session) -> None:
    """R19."""
    lines = [line for line in session.server.log.read_text().splitlines() if line.startswith("{")]
    assert len(lines) > 40
    secrets = (
        MARK,
        "株式会社",
        session.token,
        session.token.split(".")[1],
        "Bearer ",
        "eyJ",
        "postgresql://",
        "admin@",
    )
    for line in lines:
        for secret in secrets:
            assert secret not in line, line


def test_metrics_name_no_row_and_no_secret(session: Session) -> None:
    """R19."""
    text = httpx.get(f"{session.server.address}/metrics").text
    assert "strongroom_requests_total" in text
    assert MARK not in text
    assert session.token not in text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text), "an id of a row"


def test_errors_repeat_what_was_sent_at_most(session: Session) -> None:
    """R19, WA-54: neither paths, nor SQL, nor keys, nor the token."""
    for text in session.errors:
        for secret in (str(session.server.home), session.token, "Traceback", "sqlite", "psycopg", "insert into"):
            assert secret not in text


def test_no_file_of_the_home_holds_a_row_in_plain_text(session: Session) -> None:
    """R20: neither the database, nor its log, nor what is temporary; in no encoding that the store uses."""
    files = [path for path in [*session.server.home.rglob("*"), *session.temporary.rglob("*")] if path.is_file()]
    assert len(files) > 3
    marks = [MARK, TAIL, MARK.lower(), "ürich"]
    for path in files:
        content = path.read_bytes()
        for mark in marks:
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                assert mark.encode(encoding) not in content, f"{path} holds {mark} as {encoding}"
        if path.suffix == ".db" or path.name.endswith(("-wal", "-shm")):
            assert not content.startswith(b"SQLite format 3"), path


def test_data_keys_and_tokens_lie_in_no_file_as_they_are(session: Session) -> None:
    """R20: a copy of the home without its root key opens nothing."""
    home = open_home(session.server.home)
    record = home.default_environment()
    key = home.keys.open_environment(record.id, lambda found: found.reveal())
    for path in session.server.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for secret in (key, key.hex().encode(), session.token.encode()):
                assert secret not in content, path
