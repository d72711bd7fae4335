"""Section 2: authentication (WA-20 to WA-24, WA-29)."""

import pytest
from tests.servers import RunningServer
from tests.wire.client import Api, Person, unique

SAYS = "The requested resource requires authentication."


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer x.y.z", "Basic abc", "Bearer {broken}"])
def test_a_missing_or_wrong_token_is_401_without_a_cause(api: Api, given: str) -> None:
    """WA-21."""
    header = given.replace("{broken}", api.token[:-4] + "AAAA")

    answer = api.refused("GET", "accounts", status=401, says=SAYS, headers={"Authorization": header})

    assert answer.json()["error"]["message"] == SAYS


def test_the_challenge_is_parsed_by_splitting(api: Api) -> None:
    """WA-21: unquoted values, split on `, ` and `=` by clients."""
    answer = api.send("GET", "accounts", headers={"Authorization": ""})

    scheme, _, rest = answer.headers["WWW-Authenticate"].partition(" ")
    parts = dict(part.split("=", 1) for part in rest.split(", "))
    origin = api.root.split("/api/")[0]
    assert scheme == "Bearer"
    assert parts["authorization_uri"].startswith(f"{origin}/")
    assert parts["authorization_uri"].endswith("/oauth2/authorize")
    assert parts["resource_id"] == f"{origin}/"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "nonsense"),
        ("GET", "accounts?$filter=nonsense("),
        ("PATCH", "accounts"),
        ("GET", ""),
        ("GET", "$metadata"),
        ("POST", "$batch"),
        ("GET", "accounts?tag=" + "x" * 33_000),
    ],
)
def test_401_comes_before_everything_else(api: Api, method: str, path: str) -> None:
    """WA-20, WA-22, WA-55: nobody learns which tables exist."""
    api.refused(method, path, status=401, says=SAYS, headers={"Authorization": "Bearer x"})


def test_an_unknown_version_is_401_for_strangers(api: Api) -> None:
    """WA-22."""
    path = api.root.replace("v9.2", "v7.0") + "accounts"
    api.refused("GET", path, status=401, headers={"Authorization": "Bearer x"})


def test_the_scheme_word_has_no_case(api: Api) -> None:
    """WA-20."""
    assert api.send("GET", "WhoAmI", headers={"Authorization": f"bEaReR {api.token}"}).status_code == 200


def test_a_token_has_the_rights_of_its_user_and_a_disabled_user_has_none(
    server: RunningServer, api: Api, unit: str
) -> None:
    """WA-21, WA-24, WA-29: what a token may do follows its user at once."""
    name = f"{unique('user').replace(' ', '')}@wire"
    body = {"firstname": "T", "lastname": unique(), "domainname": name, "internalemailaddress": f"{name}.example"}
    user = api.new("systemusers", {**body, "businessunitid@odata.bind": f"businessunits({unit})"})
    theirs = Api(api.root, server.token(name), api.http)

    theirs.refused("GET", "accounts?$top=1", status=403)
    role = api.rows("roles?$select=roleid&$filter=name eq 'System Administrator'")[0]["roleid"]
    api.send("POST", f"systemusers({user})/systemuserroles_association/$ref", {"@odata.id": f"roles({role})"})
    assert theirs.send("GET", "accounts?$top=1").status_code == 200
    api.send("PATCH", f"systemusers({user})", {"isdisabled": True})
    theirs.refused("GET", "accounts?$top=1", status=401, says=SAYS)


def test_metadata_is_readable_by_every_user(api: Api, reader: Person) -> None:
    """WA-60: the service document does not depend on privileges."""
    assert api.get("", reader.acting) == api.get("")
    assert api.send("GET", "$metadata", headers=reader.acting).status_code == 200
