"""The published token clients, `msal` and `azure-identity`, unmodified, over TLS with the home's own certificate
(WA-25 to WA-29, TS-714, TS-716, TS-717), and the published data client with the tokens that they got."""

import hmac
import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx
import jwt
import msal
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CertificateCredential, ClientSecretCredential
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from jwt.utils import base64url_encode
from PowerPlatform.Dataverse.client import DataverseClient
from tests.servers import RunningServer, run_cli

TENANT = "8f0c9d7e-3b5a-4c1d-9e2f-6a7b8c9d0e1f"
"""An id that an existing program may bring along."""

Json = dict[str, Any]

pytestmark = pytest.mark.parametrize("tls_server", ["sqlcipher"], indirect=True, scope="session")


@dataclass(frozen=True, slots=True)
class Program:
    """A registered program with a secret and a certificate."""

    server: RunningServer
    client_id: str
    secret: str
    key: bytes
    certificate: bytes
    credential: str

    @property
    def ca(self) -> str:
        return str(self.server.home / "tls" / "localhost.pem")

    @property
    def authority(self) -> str:
        return f"{self.server.address}/{TENANT}"

    @property
    def scope(self) -> str:
        return f"{self.server.address}/.default"

    def post(self, **fields: str) -> httpx.Response:
        """A raw request to the token endpoint."""
        with httpx.Client(verify=False) as client:  # noqa: S501 - the clients of the tests above check it
            return client.post(f"{self.authority}/oauth2/v2.0/token", data=fields)

    def get(self, token: str, path: str = "WhoAmI") -> httpx.Response:
        """A raw request to the Web API."""
        with httpx.Client(verify=False) as client:  # noqa: S501
            return client.get(f"{self.server.api}{path}", headers={"Authorization": f"Bearer {token}"})


def cli(server: RunningServer, *arguments: str) -> str:
    """A command on the server's home."""
    return run_cli(*arguments, "--home", str(server.home)).stdout.strip()


def new_key() -> tuple[bytes, bytes]:
    """A key and a certificate of it, as a program's administrator makes them."""
    private = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "integration")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=90))
    key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return key, made.sign(private, SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def program(tls_server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Program:
    client_id = cli(tls_server, "apps", "add", "Integration", "--role", "System Administrator")
    secret = cli(tls_server, "apps", "secret", client_id)
    key, certificate = new_key()
    file = tmp_path_factory.mktemp("keys") / "integration.pem"
    file.write_bytes(certificate)
    credential = cli(tls_server, "apps", "certificate", client_id, str(file))
    return Program(tls_server, client_id, secret, key, certificate, credential)


@pytest.fixture(autouse=True)
def trusted(program: Program, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", program.ca)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the clients leave their sockets to the garbage collector
        warnings.simplefilter("ignore", pytest.PytestUnraisableExceptionWarning)
        yield


def secret_credential(program: Program, secret: str | None = None) -> ClientSecretCredential:
    return ClientSecretCredential(
        TENANT,
        program.client_id,
        secret or program.secret,
        authority=program.server.address,
        disable_instance_discovery=True,
        connection_verify=program.ca,
    )


def test_azure_identity_gets_a_token_by_secret_with_which_the_data_client_works(program: Program) -> None:
    """WA-24, WA-25, TS-716."""
    with secret_credential(program) as credential, DataverseClient(program.server.address, credential) as client:
        account = client.records.create("account", {"name": "Made by a program"})
        found = client.records.retrieve("account", account, select=["name"])

    assert found is not None
    assert found["name"] == "Made by a program"


def test_azure_identity_gets_a_token_by_certificate(program: Program) -> None:
    """RS256, padded x5t, times with fractions (TS-714)."""
    with CertificateCredential(
        TENANT,
        program.client_id,
        certificate_data=program.key + program.certificate,
        authority=program.server.address,
        disable_instance_discovery=True,
        connection_verify=program.ca,
    ) as credential:
        token = credential.get_token(program.scope)

    assert program.get(token.token).status_code == 200


def test_azure_identity_tells_a_wrong_secret_from_a_broken_server(program: Program) -> None:
    """WA-27: the RFC's word and the number that clients look for."""
    with secret_credential(program, "wrong") as credential, pytest.raises(ClientAuthenticationError) as refused:
        credential.get_token(program.scope)

    assert "AADSTS7000215" in str(refused.value)


@pytest.mark.parametrize("how", ["secret", "certificate"])
def test_msal_gets_tokens_and_keeps_them(program: Program, how: str) -> None:
    proof: str | dict[str, str] = program.secret
    if how == "certificate":
        sha1 = x509.load_pem_x509_certificate(program.certificate).fingerprint(SHA1()).hex()  # noqa: S303
        proof = {"private_key": program.key.decode(), "thumbprint": sha1}
    made = cast(Any, msal).ConfidentialClientApplication  # its annotations are narrower than what it takes
    client = made(
        program.client_id,
        authority=program.authority,
        client_credential=proof,
        instance_discovery=False,
        verify=program.ca,
    )

    first = cast(Json, client.acquire_token_for_client([program.scope]))
    second = cast(Json, client.acquire_token_for_client([program.scope]))

    assert first["access_token"] == second["access_token"]
    assert second["token_source"] == "cache"
    assert program.get(first["access_token"]).status_code == 200


def test_the_older_form_with_resource_works(program: Program) -> None:
    """WA-26: /oauth2/token with `resource`; numbers are texts there."""
    with httpx.Client(verify=False) as client:  # noqa: S501
        answer = client.post(
            f"{program.authority}/oauth2/token",
            data={
                "grant_type": "client_credentials",
                "client_id": program.client_id,
                "client_secret": program.secret,
                "resource": program.server.address + "/",
            },
        ).json()

    assert answer["expires_in"] == "3600"
    assert program.get(answer["access_token"]).status_code == 200


def test_the_token_says_who_it_is_and_the_published_key_verifies_it(program: Program) -> None:
    """TS-713."""
    answer = granted(program)
    with httpx.Client(verify=False) as client:  # noqa: S501
        configuration = client.get(f"{program.authority}/v2.0/.well-known/openid-configuration").json()
        keys = client.get(configuration["jwks_uri"]).json()
    header = jwt.get_unverified_header(answer["access_token"])
    key = next(each for each in keys["keys"] if each["kid"] == header["kid"])

    claims = jwt.decode(answer["access_token"], jwt.PyJWK(key).key, algorithms=["EdDSA"], options={"verify_aud": False})

    assert claims["appid"] == claims["azp"] == program.client_id
    assert claims["exp"] - claims["iat"] == 3600
    assert configuration["issuer"] == f"{program.authority}/v2.0"
    assert configuration["token_endpoint"] == f"{program.authority}/oauth2/v2.0/token"


def test_a_new_secret_overlaps_with_the_old_one_whose_tokens_end_when_it_is_removed(program: Program) -> None:
    """TS-712, TS-716: rotation without a gap, and no third secret."""
    server = program.server
    first = json.loads(cli(server, "apps", "secret", program.client_id, "--json"))
    run_cli("apps", "secret", program.client_id, "--home", str(server.home), expect=2)
    token = granted(program, client_secret=first["secret"])["access_token"]
    assert granted(program)["token_type"] == "Bearer"
    assert program.get(token).status_code == 200

    cli(server, "apps", "remove-credential", first["credential"])

    assert program.get(token).status_code == 401
    assert program.post(**asked(program, client_secret=first["secret"])).status_code == 401
    assert program.get(granted(program)["access_token"]).status_code == 200


def test_a_disabled_program_loses_its_tokens_with_the_next_request(program: Program) -> None:
    """TS-712."""
    token = granted(program)["access_token"]

    cli(program.server, "apps", "disable", program.client_id)
    refused, asked_again = program.get(token), program.post(**asked(program))
    cli(program.server, "apps", "enable", program.client_id)

    assert refused.status_code == 401
    assert asked_again.status_code == 401
    assert program.get(token).status_code == 200


def test_a_scope_must_name_an_environment_of_this_server(program: Program) -> None:
    """WA-28."""
    for scope in ("https://contoso.crm.dynamics.com/.default", f"{program.server.address}/e/none/.default", "openid"):
        answer = program.post(**asked(program, scope=scope))
        assert (answer.status_code, answer.json()["error"]) in ((400, "invalid_scope"), (400, "invalid_request")), scope


def test_a_program_that_is_no_user_of_an_environment_gets_no_token_for_it(program: Program) -> None:
    """WA-23: the control environment has no such application user."""
    answer = program.post(**asked(program, scope=f"{program.server.address}/e/control/.default"))

    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")


def test_the_password_grant_is_not_offered(program: Program) -> None:
    """WA-26."""
    answer = program.post(**asked(program, grant_type="password", username="admin", password="x"))

    assert answer.json()["error"] == "unsupported_grant_type"


def asked(program: Program, **fields: str) -> dict[str, str]:
    """A request for a token by secret."""
    whole = {
        "grant_type": "client_credentials",
        "client_id": program.client_id,
        "client_secret": program.secret,
        "scope": program.scope,
    }
    return {**whole, **fields}


def granted(program: Program, **fields: str) -> Json:
    answer = program.post(**asked(program, **fields))
    assert answer.status_code == 200, answer.text
    return cast(Json, answer.json())


# --- assertions that prove nothing -------------------------------------------------------------------------------


def assertion(program: Program, *, key: bytes | None = None, algorithm: str = "RS256", **changes: object) -> str:
    """An assertion as clients sign it; `changes` are claims (None leaves one out) and, as `header`, header fields."""
    now = datetime.now(UTC).timestamp()
    certificate = x509.load_pem_x509_certificate(program.certificate)
    header = {"x5t": base64url_encode(certificate.fingerprint(SHA1())).decode()}  # noqa: S303
    header |= cast("dict[str, str]", changes.pop("header", {}))
    claims: dict[str, object] = {
        "iss": program.client_id,
        "sub": program.client_id,
        "aud": f"{program.authority}/oauth2/v2.0/token",
        "iat": now,
        "exp": now + 300.5,
        "jti": base64url_encode(str(now).encode()).decode(),
    }
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    signing = None if algorithm == "none" else (key or program.key)
    return jwt.encode(claims, cast(str, signing), algorithm=algorithm, headers=header)


def hmac_signed(signed: str, secret: bytes) -> str:
    """The same assertion as HS256 with what everybody knows as the secret; the library refuses to make such a one."""
    head = base64url_encode(json.dumps(jwt.get_unverified_header(signed) | {"alg": "HS256"}).encode()).decode()
    text = f"{head}.{signed.split('.')[1]}"
    return f"{text}.{base64url_encode(hmac.digest(secret, text.encode(), 'sha256')).decode()}"


def by_assertion(program: Program, signed: str) -> httpx.Response:
    return program.post(
        grant_type="client_credentials",
        client_id=program.client_id,
        scope=program.scope,
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion=signed,
    )


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_both_paddings_are_taken(program: Program, algorithm: str) -> None:
    """TS-714."""
    assert by_assertion(program, assertion(program, algorithm=algorithm)).status_code == 200


def test_an_assertion_works_once(program: Program) -> None:
    """TS-717: its `jti` is remembered until it ends."""
    signed = assertion(program)

    assert [by_assertion(program, signed).status_code for _ in range(3)] == [200, 401, 401]


def test_a_clock_that_is_a_little_wrong_is_forgiven_and_one_that_is_far_off_is_not(program: Program) -> None:
    """TS-717: two minutes either way."""
    now = datetime.now(UTC).timestamp()

    def status(**claims: Any) -> int:
        return by_assertion(program, assertion(program, **claims)).status_code

    assert status(iat=now + 90, exp=now + 400, jti="ahead") == 200
    assert status(iat=now - 400, exp=now - 90, jti="behind") == 200
    assert status(iat=now + 300, exp=now + 500, jti="far-ahead") == 401
    assert status(iat=now - 900, exp=now - 300, jti="ended") == 401


def test_every_assertion_that_proves_nothing_is_refused_in_the_same_words(program: Program) -> None:
    """TS-717: algorithm confusion, key-id injection, another audience, another client, another key, too long a life."""
    now = datetime.now(UTC).timestamp()
    other_key, other_certificate = new_key()
    other = x509.load_pem_x509_certificate(other_certificate)
    foreign = base64url_encode(other.fingerprint(SHA1())).decode()  # noqa: S303
    public = x509.load_pem_x509_certificate(program.certificate).public_bytes(Encoding.DER)
    bad = {
        "unsigned": assertion(program, algorithm="none"),
        "the certificate as an HMAC secret": hmac_signed(assertion(program), public),
        "another key under our name": assertion(program, key=other_key),
        "another key with its own name": assertion(program, key=other_key, header={"x5t": foreign}),
        "two names that differ": assertion(program, header={"kid": foreign}),
        "a path for a key id": assertion(program, header={"x5t": "../../keys/root.key"}),
        "an address of a key": assertion(program, key=other_key, header={"jku": "https://evil.example/keys"}),
        "another audience": assertion(program, aud="https://login.microsoftonline.com/common/oauth2/v2.0/token"),
        "another subject": assertion(program, sub="0b5f2c1e-7c1d-4d5b-9a53-3d1b8f0a7c11"),
        "a day of life": assertion(program, exp=now + 86_400, jti="day"),
        "endless": assertion(program, exp=1e300, jti="endless"),
        "no end": assertion(program, exp=None),
        "no id": assertion(program, jti=None),
        "no token": "nonsense",
        "brackets": base64url_encode(b"[" * 5000).decode() + "..",
    }

    answers = {name: by_assertion(program, signed) for name, signed in bad.items()}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(bad, 401)
    words = {answer.json()["error_description"].split(" Trace ID")[0] for answer in answers.values()}
    assert len(words) == 1


def test_secret_and_assertion_together_are_refused(program: Program) -> None:
    answer = program.post(**asked(program, client_assertion=assertion(program)))

    assert answer.json()["error"] == "invalid_request"


def test_a_parameter_that_comes_twice_is_refused(program: Program) -> None:
    """RFC 6749, section 3.1."""
    with httpx.Client(verify=False) as client:  # noqa: S501
        answer = client.post(
            f"{program.authority}/oauth2/v2.0/token",
            content="grant_type=client_credentials&grant_type=refresh_token",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_no_secret_can_be_read_back(program: Program) -> None:
    """The hash is in a column that nobody reads, and the home's log does not have the secret."""
    server = program.server
    token = server.token(environment="control")
    with httpx.Client(verify=False, headers={"Authorization": f"Bearer {token}"}) as client:  # noqa: S501
        root = f"{server.address}/e/control/api/data/v9.2/"
        rows = client.get(f"{root}applicationcredentials").json()["value"]
        hidden = client.get(f"{root}applicationcredentials?$select=secret")

    assert len(rows) >= 2
    assert all("secret" not in row for row in rows)
    assert hidden.status_code == 400
    assert program.secret not in server.log.read_text()
