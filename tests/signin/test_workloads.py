"""Programs that prove themselves by a token of another authority (TS-717, RFC 7523, RFC 8693), and the attacks on it:
algorithm confusion, key-id injection, other issuers, subjects and audiences, clocks."""

import base64
import hmac
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import jwt as plain
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.engines import START
from tests.signin.authority import Authority, new_key
from tests.signin.realm import ORIGIN, Realm
from tests.signin.test_administration import Administrator

from strongroom.clock import TestClock
from strongroom.environments import Environments
from strongroom.home import open_home
from strongroom.identity.assertions import ASSERTION_TYPE
from strongroom.identity.membership import make_application_user
from strongroom.ids import Guid
from strongroom.serving import Site
from strongroom.webapi.app import Application
from strongroom.webapi.protection import Limits, Protection

SUBJECT = "repo:meridian/app:ref:main"
Json = dict[str, Any]


class Workload:
    """A program that runs elsewhere."""

    def __init__(self, realm: Realm, authority: Authority) -> None:
        self.realm, self.authority = realm, authority
        self.ada = Administrator(realm)
        made = self.ada.send(
            "POST", "identityproviders", {"name": "Builds", "issuer": authority.issuer, "clientid": "unused"}
        )
        self.provider = made.headers["odata-entityid"][-37:-1]
        app = self.ada.act("AddApplication", Name="Deployment")
        self.client = Guid(app["ClientId"])
        self.ada.act("AddFederatedCredential", ClientId=self.client, ProviderId=self.provider, Subject=SUBJECT)
        with realm.environments.named("main").session_of("admin", write=True) as session:
            make_application_user(session, Guid(app["ApplicationRegistrationId"]), self.client, "D", ["Basic User"])

    def ask(self, token: str, **changes: str) -> tuple[int, Json]:
        """A token request that brings a token of the authority."""
        fields = {
            "grant_type": "client_credentials",
            "client_id": self.client,
            "client_assertion": token,
            "client_assertion_type": ASSERTION_TYPE,
            "scope": f"{ORIGIN}/.default",
            **changes,
        }
        answer = self.realm.browser().post("/common/oauth2/v2.0/token", data=fields)
        return answer.status_code, cast(Json, answer.json())

    def token(self, **claims: Any) -> str:
        return self.authority.token(self.realm, **claims)


@pytest.fixture
def workload(template: Realm, tmp_path: Path) -> Iterator[Workload]:
    shutil.copytree(template.home.path, tmp_path / "home")
    settings = tmp_path / "home" / "strongroom.toml"
    settings.write_text(settings.read_text().replace("# allow = []", 'allow = ["127.0.0.1"]'))
    clock = TestClock(START)
    home = open_home(tmp_path / "home", clock=clock)
    environments = Environments(home)
    site = Site(environments, Application(environments, Protection(Limits(), enforced=False), 1024 * 1024))
    authority = Authority()
    yield Workload(Realm(home, clock, environments, site, template.client_id, template.people), authority)
    authority.close()
    environments.close()


def test_a_token_of_the_authority_stands_in_for_a_secret(workload: Workload) -> None:
    """Federated credentials: as `client_assertion`, and as token exchange."""
    status, answer = workload.ask(workload.token())
    exchange = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "client_id": workload.client,
        "subject_token": workload.token(),
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "scope": f"{ORIGIN}/.default",
    }
    exchanged = workload.realm.browser().post("/common/oauth2/v2.0/token", data=exchange)

    assert (status, exchanged.status_code) == (200, 200), exchanged.text
    assert exchanged.json()["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    for token in (answer["access_token"], exchanged.json()["access_token"]):
        headers = {"authorization": f"Bearer {token}"}
        assert workload.realm.browser().get("/api/data/v9.2/WhoAmI", headers=headers).status_code == 200
    credential = workload.ada.send("GET", "applicationcredentials?$filter=kind eq 3").json()["value"][0]
    workload.ada.act("RemoveApplicationCredential", CredentialId=credential["applicationcredentialid"])
    headers = {"authorization": f"Bearer {answer['access_token']}"}
    assert workload.realm.browser().get("/api/data/v9.2/WhoAmI", headers=headers).status_code == 401
    assert workload.ask(workload.token())[0] == 401


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "repo:meridian/app:ref:other"},
        {"sub": None},
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"exp": None},
        {"exp": 1},
        {"exp": "soon"},
        {"iat": 99_999_999_999},
        {"nbf": 99_999_999_999},
    ],
)
def test_a_token_that_says_something_else_is_worth_nothing(workload: Workload, claims: dict[str, object]) -> None:
    """TS-717: the same refusal whatever is wrong; the log knows why."""
    status, told = workload.ask(workload.token(**claims))

    assert (status, told["error"]) == (401, "invalid_client")
    assert len({reason for _, result, reason in workload.realm.log() if result == 2}) == 1


def test_clocks_may_differ_by_two_minutes(workload: Workload) -> None:
    """Clock skew."""
    ends = int((workload.realm.clock.now() - timedelta(seconds=110)).timestamp())
    late = int((workload.realm.clock.now() - timedelta(seconds=130)).timestamp())

    assert workload.ask(workload.token(exp=ends))[0] == 200
    assert workload.ask(workload.token(exp=late))[0] == 401


def test_no_other_algorithm_or_key_gets_in(workload: Workload) -> None:
    """Algorithm confusion, `none`, key-id injection, keys that the token brings itself."""
    realm, authority = workload.realm, workload.authority
    own, stranger = authority.keys[0], new_key()
    public = cast(Any, own).public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = plain.decode(workload.token(), options={"verify_signature": False})

    def signed_by_hand(header: dict[str, object], key: bytes) -> str:
        made = plain.encode({**body}, b"x" * 32, algorithm="HS256", headers={**header, "alg": "HS256"})
        head, claims, _ = made.split(".")
        signature = hmac.new(key, f"{head}.{claims}".encode(), "sha256").digest()
        return f"{head}.{claims}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    confused = signed_by_hand({"kid": own.kid}, public)
    none = plain.encode({**body}, "", algorithm="none", headers={"kid": own.kid})
    injected = authority.token(realm, stranger, {"kid": own.kid})
    unknown = authority.token(realm, stranger)
    path = authority.token(realm, stranger, {"kid": "../../etc/passwd"})
    brought = authority.token(
        realm, stranger, {"kid": own.kid, "jwk": cast(Any, stranger).as_dict(private=False), "jku": f"{ORIGIN}/keys"}
    )
    cut = workload.token()[:-8]

    for token in (confused, none, injected, unknown, path, brought, cut, "x.y.z", "", "é" * 40, "a" * 20_000):
        status, _ = workload.ask(token)
        assert status in (400, 401), token[:80]
    assert workload.ask(workload.token())[0] == 200


def test_new_keys_are_looked_for_once_in_a_while(workload: Workload) -> None:
    """Key roll-over; made-up key ids do not make the server call."""
    assert workload.ask(workload.token())[0] == 200
    workload.authority.keys.append(new_key())
    newer = workload.authority.keys[1]
    workload.realm.pass_time(minutes=1)
    assert workload.ask(workload.authority.token(workload.realm, newer))[0] == 200

    before = workload.authority.calls.count("/keys")
    for _ in range(5):
        assert workload.ask(workload.authority.token(workload.realm, new_key()))[0] == 401

    assert workload.authority.calls.count("/keys") - before <= 1


def test_a_disabled_provider_vouches_for_nobody(workload: Workload) -> None:
    """TS-708."""
    token = workload.token()
    workload.ada.send("PATCH", f"identityproviders({workload.provider})", {"isdisabled": True})

    assert workload.ask(token)[0] == 401


def test_secrets_change_with_an_overlap(workload: Workload) -> None:
    """TS-716: the old one goes on for so many days, and no longer."""

    def works(secret: str) -> bool:
        fields = {
            "grant_type": "client_credentials",
            "client_id": workload.client,
            "client_secret": secret,
            "scope": f"{ORIGIN}/.default",
        }
        return workload.realm.browser().post("/common/oauth2/v2.0/token", data=fields).status_code == 200

    old = workload.ada.act("AddApplicationSecret", ClientId=workload.client)["Secret"]
    new = workload.ada.act("RotateApplicationSecret", ClientId=workload.client, OverlapDays=7)["Secret"]

    assert works(old)
    assert works(new)
    workload.realm.pass_time(days=7, minutes=1)
    assert not works(old)
    assert works(new)
    body = {"ClientId": workload.client, "OverlapDays": 32}
    assert workload.ada.send("POST", "RotateApplicationSecret", body).status_code == 400
