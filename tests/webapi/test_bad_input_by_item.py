"""Bad input, item by item: one entry for each kind that is promised to be refused, with what is sent, the status and
code of the answer, and what its message says is wrong or would be right. None of them changes anything (WA-53).

Kinds that are not about requests (a missing home, a wrong key, a port in use, a database that is not there) are in
`test_bad_homes`; the many forms of each kind here are in `test_bad_input`.
"""

import base64
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from tests.webapi.conftest import Wire

NS = "Microsoft.Dynamics.CRM"
QUERY, PAYLOAD, ARGUMENT = "0x80060888", "0x80048d19", "0x80040203"
NOBODY = "11111111-1111-1111-1111-111111111111"
QUICK_S = 10.0
"""Well below what a hostile input would take if it were worked at, and above what a busy machine adds."""


@dataclass(frozen=True)
class Item:
    """One kind of bad input: what is asked (`{…}` stands for the world's ids) and how it is refused."""

    name: str
    method: str
    path: str
    status: int
    code: str
    says: tuple[str, ...]
    body: object = None
    user: str = "admin"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def filled(value: object, ids: Mapping[str, str]) -> object:
    """A body or path with the world's ids in it."""
    text = json.dumps(value)
    for name, found in ids.items():
        text = text.replace(f"<{name}>", found)
    return json.loads(text)


@pytest.fixture(scope="module")
def ids(wire: Wire) -> Iterator[dict[str, str]]:
    """A tree of units, a chain of managers, a role that somebody has, and a row."""
    root = wire.send("GET", "businessunits?$filter=parentbusinessunitid eq null").json()["value"][0]["businessunitid"]
    stamp = root[-4:] + str(wire.witness.rows("select version from stamp")[0][0])
    unit = wire.create(
        "businessunits", {"name": f"u{stamp}", "parentbusinessunitid@odata.bind": f"businessunits({root})"}
    )
    below = wire.create(
        "businessunits", {"name": f"b{stamp}", "parentbusinessunitid@odata.bind": f"businessunits({unit})"}
    )
    closed = wire.create(
        "businessunits", {"name": f"c{stamp}", "parentbusinessunitid@odata.bind": f"businessunits({root})"}
    )

    def person(name: str, home: str, **more: object) -> str:
        body = {
            "lastname": name,
            "domainname": f"{name}{stamp}@x",
            "businessunitid@odata.bind": f"businessunits({home})",
        }
        return wire.create("systemusers", {**body, **more})

    boss = person("boss", root)
    report = person("report", root, **{"parentsystemuserid@odata.bind": f"systemusers({boss})"})
    inside = person("inside", closed)
    assert wire.send("PATCH", f"businessunits({closed})", {"isdisabled": True}).status_code == 204
    role = wire.create("roles", {"name": f"r{stamp}", "businessunitid@odata.bind": f"businessunits({root})"})
    administrators = wire.send(
        "GET", f"roles?$select=roleid&$filter=name eq 'System Administrator' and _businessunitid_value eq {root}"
    ).json()["value"]
    privilege = wire.send("GET", "privileges?$filter=name eq 'prvReadTransactionCurrency'").json()["value"][0]
    yield {
        "root": root,
        "unit": unit,
        "below": below,
        "closed": closed,
        "boss": boss,
        "report": report,
        "inside": inside,
        "role": role,
        "administrators": administrators[0]["roleid"],
        "me": wire.send("GET", "WhoAmI").json()["UserId"],
        "currency": privilege["privilegeid"],
        "account": wire.account,
        "contact": wire.contact,
    }


_ACCOUNT = {"@odata.type": f"{NS}.account", "accountid": "<account>"}
_BOSS = {"@odata.type": f"{NS}.systemuser", "systemuserid": "<boss>"}


def _share(principal: Mapping[str, object], mask: str) -> dict[str, object]:
    return {"Target": _ACCOUNT, "PrincipalAccess": {"Principal": principal, "AccessMask": mask}}


REQUESTS = (
    Item("unknown table", "GET", "acounts", 404, "0x8006088a", ("'acounts'", "Did you mean 'accounts'?")),
    Item("unknown column", "GET", "accounts?$select=nme", 400, QUERY, ("'nme'", f"{NS}.account", "'name'")),
    Item("unknown option", "GET", "accounts?$skip=1", 400, QUERY, ("$skip",)),
    Item("unknown function", "GET", "accounts?$filter=tolower(name) eq 'x'", 400, QUERY, ("tolower",)),
    Item("malformed filter (with the position)", "GET", "accounts?$filter=name eqq 'x'", 400, QUERY, ("position 5",)),
    Item("wrong type", "POST", "accounts", 400, PAYLOAD, ("'creditonhold'", "takes"), {"creditonhold": "yes"}),
    Item("value too long", "POST", "accounts", 400, "0x80044331", ("'name'", "'160'"), {"name": "x" * 161}),
    Item("number out of range", "POST", "accounts", 400, "0x80044331", ("valid range",), {"numberofemployees": -1}),
    Item("unknown choice value", "POST", "accounts", 400, "0x80044331", ("'4711'", "Accepted"), {"industrycode": 4711}),
    Item(
        "a lookup to a row that does not exist",
        "POST",
        "accounts",
        404,
        "0x80040217",
        (f"contact With Id = {NOBODY} Does Not Exist",),
        {"name": "x", "primarycontactid@odata.bind": f"contacts({NOBODY})"},
    ),
    Item(
        "a lookup to a row that the caller may not append to",
        "POST",
        "accounts",
        403,
        "0x80040220",
        ("prvAppendToContact",),
        {"name": "x", "primarycontactid@odata.bind": "contacts(<contact>)"},
        user="seller",
    ),
    Item(
        "duplicate key",
        "POST",
        "accounts",
        412,
        "0x80040237",
        ("Cannot insert duplicate key",),
        {"accountid": "<account>", "name": "x"},
    ),
    Item(
        "stale ETag",
        "PATCH",
        "accounts(<account>)",
        412,
        "0x80060882",
        ("RowVersion",),
        {"name": "x"},
        headers={"If-Match": 'W/"1"'},
    ),
    Item(
        "deeply nested body", "POST", "accounts", 400, PAYLOAD, ("100 levels",), b'{"name":' * 5000 + b"1" + b"}" * 5000
    ),
    Item(
        "wrong content type",
        "POST",
        "accounts",
        415,
        "0x80060801",
        ("'text/plain'", "application/json"),
        b"name=x",
        headers={"Content-Type": "text/plain"},
    ),
    Item("invalid UTF-8", "POST", "accounts", 400, PAYLOAD, ("UTF-8", "byte 9"), b'{"name":"\xff"}'),
)
"""Requests of the first milestone. Oversized bodies, refused before they are sent, are in `test_broken_http`."""

SECURITY = (
    Item(
        "cycles in business units",
        "PATCH",
        "businessunits(<unit>)",
        400,
        ARGUMENT,
        ("make a loop",),
        {"parentbusinessunitid@odata.bind": "businessunits(<below>)"},
    ),
    Item(
        "cycles in managers",
        "PATCH",
        "systemusers(<boss>)",
        400,
        "0x80041d25",
        ("somebody below the user",),
        {"parentsystemuserid@odata.bind": "systemusers(<report>)"},
    ),
    Item(
        "roles from another environment",
        "POST",
        "systemusers(<boss>)/systemuserroles_association/$ref",
        404,
        "0x80040217",
        (f"role With Id = {NOBODY} Does Not Exist",),
        {"@odata.id": f"https://other.example/api/data/v9.2/roles({NOBODY})"},
    ),
    Item(
        "unknown rights",
        "POST",
        "GrantAccess",
        400,
        ARGUMENT,
        ("'FlyAccess' is not an access right", "ReadAccess, WriteAccess"),
        _share(_BOSS, "ReadAccess, FlyAccess"),
    ),
    Item(
        "shares to missing principals",
        "POST",
        "GrantAccess",
        404,
        "0x80040217",
        (f"systemuser With Id = {NOBODY} Does Not Exist",),
        _share({"@odata.type": f"{NS}.systemuser", "systemuserid": NOBODY}, "ReadAccess"),
    ),
    Item(
        "depth on a privilege that does not support it",
        "POST",
        f"roles(<role>)/{NS}.AddPrivilegesRole",
        403,
        "0x800404bb",
        ("prvReadTransactionCurrency cannot be held at depth Basic", "Global"),
        {"Privileges": [{"PrivilegeId": "<currency>", "Depth": "Basic"}]},
    ),
    Item(
        "deleting a business unit that is not disabled", "DELETE", "businessunits(<unit>)", 400, ARGUMENT, ("disabled",)
    ),
    Item(
        "deleting a business unit that is in use",
        "DELETE",
        "businessunits(<closed>)",
        405,
        "0x80040227",
        ("move them",),
    ),
    Item("deleting the root", "DELETE", "businessunits(<root>)", 400, ARGUMENT, ("root",)),
    Item("deleting the administrators' role", "DELETE", "roles(<administrators>)", 400, "0x80041d2e", ("cannot be",)),
    Item(
        "the last administrator giving the role away",
        "DELETE",
        "systemusers(<me>)/systemuserroles_association(<administrators>)/$ref",
        400,
        "0x80041d30",
        ("give the role to somebody else first",),
    ),
    Item(
        "the last administrator disabling themselves",
        "PATCH",
        "systemusers(<me>)",
        400,
        "0x80041d2f",
        ("give the role to somebody else first",),
        {"isdisabled": True},
    ),
    Item(
        "the last administrator removing themselves",
        "DELETE",
        "systemusers(<me>)",
        400,
        "0x80041d30",
        ("give the role to somebody else first",),
    ),
)


@pytest.mark.parametrize("item", REQUESTS + SECURITY, ids=lambda item: item.name)
def test_each_kind_is_refused_by_name_and_changes_nothing(wire: Wire, ids: dict[str, str], item: Item) -> None:
    """WA-50 to WA-57, SM-13, SM-31, SM-64, SM-74, SM-149."""
    path = str(filled(item.path, ids))
    body = item.body if isinstance(item.body, bytes) else filled(item.body, ids)
    wire.refused(
        item.method,
        path,
        body,
        status=item.status,
        code=item.code,
        says=item.says,
        user=item.user,
        headers=dict(item.headers),
    )


def test_a_share_with_a_disabled_user_gives_nothing_while_they_are_disabled(wire: Wire, ids: dict[str, str]) -> None:
    """SM-60: shares of the disabled stay, and are of no use to them."""
    path = f"systemusers({ids['report']})"
    assert wire.send("PATCH", path, {"isdisabled": True}).status_code == 204
    principal = {"@odata.type": f"{NS}.systemuser", "systemuserid": ids["report"]}
    answer = wire.send("POST", "GrantAccess", filled(_share(principal, "ReadAccess"), ids))
    assert answer.status_code == 204
    target = f"{{'@odata.id':'accounts({ids['account']})'}}"
    found = wire.send("GET", f"{path}/{NS}.RetrievePrincipalAccess(Target=@t)?@t={target}")
    assert found.status_code == 403 or found.json()["AccessRights"] == "None"


# --- hostile input ---------------------------------------------------------------------------------------------------


def _zipped(files: Mapping[str, bytes]) -> str:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return base64.b64encode(held.getvalue()).decode()


def _bomb() -> dict[str, object]:
    """Little to send, and more than half a gigabyte to unpack."""
    held, piece = io.BytesIO(), bytes(1 << 20)
    with (
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("customizations.xml", "w", force_zip64=True) as member,
    ):
        for _ in range(520):
            member.write(piece)
    return {"CustomizationFile": base64.b64encode(held.getvalue()).decode(), "ImportJobId": NOBODY}


def _entities() -> str:
    """An XML document whose entities grow to gigabytes."""
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE x [<!ENTITY e0 "xxxxxxxxxx">{lines}]>'


def _solution(**files: bytes) -> dict[str, object]:
    named = {name.replace("__", "."): content for name, content in files.items()}
    return {"CustomizationFile": _zipped(named), "ImportJobId": NOBODY, "OverwriteUnmanagedCustomizations": True}


_FETCH = "<fetch><entity name='account'>{}</entity></fetch>"

HOSTILE: tuple[tuple[str, str, str, object, str], ...] = (
    ("entity expansion in FetchXML", "GET", f"accounts?fetchXml={_entities()}<fetch/>", None, "XML"),
    (
        "entity expansion in a solution",
        "POST",
        "ImportSolution",
        _solution(
            solution__xml=(_entities() + "<ImportExportXml>&e11;</ImportExportXml>").encode(),
            customizations__xml=b"<x/>",
        ),
        "",
    ),
    ("path traversal in an archive", "POST", "ImportSolution", _solution(**{"../../../../tmp/evil": b"x"}), ""),
    ("zip bomb", "POST", "ImportSolution", _bomb, "MiB"),
    ("an archive that is none", "POST", "ImportSolution", {"CustomizationFile": "AAAA", "ImportJobId": NOBODY}, ""),
    (
        "deep recursion in $filter",
        "GET",
        "accounts?$filter=" + "not (" * 3000 + "name eq 'x'" + ")" * 3000,
        None,
        "100",
    ),
    ("deep recursion in $expand", "GET", "accounts?$expand=" + "parentaccountid($expand=" * 900 + ")" * 900, None, ""),
    (
        "deep recursion in FetchXML",
        "GET",
        "accounts?fetchXml=" + _FETCH.format("<filter>" * 1000 + "</filter>" * 1000),
        None,
        "",
    ),
    ("deep recursion in SQL", "GET", "accounts?sql=select name from account where " + "(" * 4000, None, ""),
    (
        "deep recursion in the arguments of a function",
        "GET",
        "RetrieveMetadataChanges(Query=@q)?@q=" + '{"Criteria":' * 2000 + "1" + "}" * 2000,
        None,
        "",
    ),
)


@pytest.mark.parametrize(
    ("method", "path", "body", "says"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
def test_hostile_input_is_refused_quickly(wire: Wire, method: str, path: str, body: object, says: str) -> None:
    """WA-241, WA-196, WA-434."""
    sent = body() if callable(body) else body
    before = wire.witness.state()
    started = time.monotonic()
    answer = wire.send(method, path, sent)
    assert time.monotonic() - started < QUICK_S
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json()["error"]
    assert error["message"].strip()
    assert says in error["message"], error
    assert wire.witness.state() == before


PATTERNS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("many wildcards", lambda: "accounts?$filter=contains(name,'" + "%25a" * 2000 + "')"),
    ("many character classes", lambda: "accounts?$filter=contains(name,'" + "[a-z]%25" * 1000 + "x')"),
    ("an open class", lambda: "accounts?$filter=contains(name,'" + "[" * 5000 + "')"),
    ("a like of wildcards", lambda: "accounts?sql=select name from account where name like '" + "%25_" * 3000 + "'"),
)


@pytest.mark.parametrize("pattern", [each[1] for each in PATTERNS], ids=[each[0] for each in PATTERNS])
def test_pathological_patterns_do_not_hold_the_server_up(wire: Wire, pattern: Callable[[], str]) -> None:
    """WA-190, WA-434: answered or refused, but soon."""
    long_name = wire.create("accounts", {"name": "a" * 150})
    started = time.monotonic()
    answer = wire.send("GET", pattern())
    assert time.monotonic() - started < QUICK_S
    assert answer.status_code in (200, 400)
    assert wire.send("DELETE", f"accounts({long_name})").status_code == 204


@pytest.mark.parametrize("bad", [b"POST accounts\r\n\r\n{}", b"", b"\xff\xfe", b"POST accounts HTTP/1.1\r\n\r\n{"])
def test_a_bad_part_of_a_batch_affects_its_own_change_set_only(wire: Wire, bad: bytes) -> None:
    """WA-289, WA-291, WA-292: what cannot be read as a batch changes nothing at all; what can, fails alone."""
    name = f"Batch {time.monotonic_ns()}"

    def change_set(mark: str, *parts: bytes) -> bytes:
        inner = b"".join(
            b"--%s\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\n%s\r\n" % (mark.encode(), p) for p in parts
        )
        return b"Content-Type: multipart/mixed; boundary=%s\r\n\r\n%s--%s--\r\n" % (mark.encode(), inner, mark.encode())

    good = b"POST accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n" + json.dumps({"name": name}).encode()
    sets = (change_set("c1", good), change_set("c2", good, bad), change_set("c3", good))
    body = b"".join(b"--b\r\n" + each for each in sets) + b"--b--\r\n"
    headers = {"Content-Type": "multipart/mixed; boundary=b", "Prefer": "odata.continue-on-error"}

    answer = wire.send("POST", "$batch", body, headers=headers)

    made = wire.send("GET", f"accounts?$select=name&$filter=name eq '{name}'").json()["value"]
    assert (answer.status_code, len(made)) in ((200, 2), (400, 0)), answer.text
    for row in made:
        wire.send("DELETE", f"accounts({row['accountid']})")
