"""Sign-in by another authority, a real OpenID provider (TS-708, TS-709, TS-726, TS-728, TS-729)."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from tests.engines import START
from tests.signin.provider import CLIENT_ID, CLIENT_SECRET, NODE, RealProvider, authorize, person_at, sign_out
from tests.signin.realm import ORIGIN, Browser, Realm, send
from tests.signin.test_administration import Administrator

from strongroom.clock import TestClock
from strongroom.environments import Environments
from strongroom.home import open_home
from strongroom.ids import Guid
from strongroom.serving import Site
from strongroom.webapi.app import Application
from strongroom.webapi.protection import Limits, Protection

pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed; the provider cannot run without it")


class Federated:
    """A realm whose people come from a real provider."""

    def __init__(self, realm: Realm, provider: RealProvider) -> None:
        self.realm = realm
        self.provider = provider
        self._people: list[httpx.Client] = []
        self.ada = Administrator(realm)
        made = self.ada.send(
            "POST",
            "identityproviders",
            {
                "name": "Meridian",
                "issuer": provider.issuer,
                "clientid": CLIENT_ID,
                "createsusers": True,
                "groupclaim": "groups",
                "endsat": True,
            },
        )
        assert made.status_code == 204, made.text
        self.id = Guid(made.headers["odata-entityid"][-37:-1])
        self.ada.act("SetProviderSecret", ProviderId=self.id, Secret=CLIENT_SECRET)

    def person(self, account: str, claims: Mapping[str, object] | None = None, amr: str = "pwd") -> httpx.Client:
        """A browser of somebody whom the provider knows."""
        self._people.append(person_at(account, claims, amr))
        return self._people[-1]

    def close(self) -> None:
        """Close the browsers."""
        for each in self._people:
            each.close()

    @property
    def redirect(self) -> str:
        return f"{ORIGIN}/sign-in/back/{self.id}"

    def set(self, **values: object) -> None:
        """Change what the provider is trusted with."""
        assert self.ada.send("PATCH", f"identityproviders({self.id})", values).is_success

    def begin(self, browser: Browser, query: str = "") -> str:
        """To the provider: the address that the browser is sent to."""
        sent = browser.get(f"/sign-in/with/{self.id}{query}")
        assert sent.status_code == 303, sent.text
        return str(sent.headers["location"])

    def come(self, browser: Browser, person: httpx.Client, query: str = "") -> httpx.Response:
        """Sign in by the provider, and what Strongroom says to its answer."""
        return answer_at(browser, authorize(person, self.begin(browser, query)))


def answer_at(browser: Browser, address: str) -> httpx.Response:
    """The browser at the address that the provider sends it back to."""
    parts = urlsplit(address)
    return browser.get(f"{parts.path}?{parts.query}")


@pytest.fixture(scope="module")
def provider() -> Iterator[RealProvider]:
    made = RealProvider()
    yield made
    made.stop()


@pytest.fixture
def federated(template: Realm, provider: RealProvider, tmp_path: Path) -> Iterator[Federated]:
    shutil.copytree(template.home.path, tmp_path / "home")
    settings = tmp_path / "home" / "strongroom.toml"
    settings.write_text(settings.read_text().replace("# allow = []", 'allow = ["127.0.0.1"]'))
    clock = TestClock(START)
    clock.move_to(datetime.now(UTC))
    home = open_home(tmp_path / "home", clock=clock)
    environments = Environments(home)
    site = Site(environments, Application(environments, Protection(Limits(), enforced=False), 1024 * 1024))
    found = Federated(Realm(home, clock, environments, site, template.client_id, template.people), provider)
    provider.start([found.redirect])
    yield found
    provider.stop()
    found.close()
    environments.close()


def test_somebody_signs_in_by_a_provider_and_is_created_just_in_time(federated: Federated) -> None:
    """TS-708, TS-709: discovery, code with PKCE, state and nonce; a second sign-in finds the same person, and asks
    nothing because the provider remembers them."""
    browser, again = federated.realm.browser(), federated.realm.browser()
    cleo = federated.person("cleo", {"name": "Cleo Ray", "preferred_username": "cleo@meridian.example"})
    sent = dict(parse_qsl(urlsplit(federated.begin(browser)).query))

    done = federated.come(browser, cleo, "?next=/account")
    page = browser.get("/account").text
    repeated = federated.come(again, cleo)

    assert (sent["code_challenge_method"], sent["response_type"]) == ("S256", "code")
    assert len(sent["nonce"]) >= 43
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    assert "cleo@meridian.example" in page
    assert repeated.status_code == 303
    rows = federated.ada.send("GET", "directoryusers?$select=externalid,homeissuer,usertype,name").json()["value"]
    mine = [row for row in rows if row["externalid"] == "cleo"]
    assert [(row["name"], row["homeissuer"], row["usertype"]) for row in mine] == [
        ("Cleo Ray", federated.provider.issuer, 1)
    ]


def test_a_mail_address_makes_nobody_somebody_else(federated: Federated) -> None:
    """TS-708: matched by issuer and subject, never by mail or name."""
    browser = federated.realm.browser()

    federated.come(browser, federated.person("mallory", {"preferred_username": "ada@home", "email": "ada@home"}))

    page = browser.get("/account").text
    assert "ada@home#Meridian" in page
    assert browser.get("/console/control").status_code in (303, 403)


def test_whom_the_provider_may_not_create_stays_outside_until_linked(federated: Federated) -> None:
    """TS-708."""
    federated.set(createsusers=False)
    browser, bo = federated.realm.browser(), federated.person("bo-there")

    assert federated.come(browser, bo).status_code == 400
    federated.ada.act(
        "LinkDirectoryUser", UserId=federated.realm.people["bo@home"], ProviderId=federated.id, Subject="bo-there"
    )
    assert federated.come(browser, bo).status_code == 303
    assert "bo@home" in browser.get("/account").text
    assert ("(unknown)", 2, "unknown-at-provider") in federated.realm.log()


def test_groups_of_the_claim_bring_users_teams_and_roles(federated: Federated) -> None:
    """TS-708, TS-726: claims to groups, group teams, and users made when they first enter."""
    group = federated.ada.send("POST", "directorygroups", {"name": "Sales", "externalid": "g-1"})
    main = Administrator(federated.realm, environment="main")
    unit = main.send("GET", "businessunits?$select=name").json()["value"][0]["businessunitid"]
    boss = main.send("GET", "systemusers?$filter=domainname eq 'ada@home'").json()["value"][0]["systemuserid"]
    role = main.send("GET", "roles?$filter=name eq 'Basic User'").json()["value"][0]["roleid"]
    team = main.send(
        "POST",
        "teams",
        {
            "name": "Sales",
            "teamtype": 2,
            "membershiptype": 0,
            "azureactivedirectoryobjectid": group.headers["odata-entityid"][-37:-1],
            "businessunitid@odata.bind": f"/businessunits({unit})",
            "administratorid@odata.bind": f"/systemusers({boss})",
        },
    ).headers["odata-entityid"][-37:-1]
    main.send("POST", f"teams({team})/teamroles_association/$ref", {"@odata.id": f"roles({role})"})
    seller, stranger = federated.realm.browser(), federated.realm.browser()
    federated.come(seller, federated.person("sam", {"name": "Sam Vik", "groups": ["g-1", "unknown"]}))
    federated.come(stranger, federated.person("tom"))

    assert seller.get("/console/main").status_code == 200
    assert stranger.get("/console/main").status_code == 303
    members = main.send("GET", f"teams({team})/teammembership_association?$select=fullname").json()["value"]
    assert [row["fullname"] for row in members] == ["Sam Vik"]
    federated.come(seller, federated.person("sam", {"name": "Sam Vik", "groups": []}))
    seller.get("/console/main")
    assert main.send("GET", f"teams({team})/teammembership_association").json()["value"] == []


def test_a_second_factor_elsewhere_counts_only_where_the_provider_is_trusted(federated: Federated) -> None:
    """TS-708: `amr`; TS-729: a rule can take the trust away."""
    policy = {"name": "MFA", "state": 3, "outcome": 2, "includeusers": "all", "excludeusers": "user:ada@home"}
    assert federated.ada.send("POST", "conditionalaccesspolicies", {**policy, "requires": "mfa"}).status_code == 204
    browser = federated.realm.browser()

    assert federated.come(browser, federated.person("cleo", amr="pwd otp")).status_code == 403
    federated.set(trustmfa=True)
    assert federated.come(browser, federated.person("dora", amr="pwd")).status_code == 403
    assert federated.come(browser, federated.person("cleo", amr="pwd otp")).status_code == 303
    rule = {"name": federated.provider.issuer, "direction": 1, "isallowed": True, "trustmfa": False}
    assert federated.ada.send("POST", "tenantaccessrules", rule).status_code == 204
    assert federated.come(browser, federated.person("cleo", amr="pwd otp")).status_code == 403


def test_other_tenants_come_only_where_a_rule_lets_them(federated: Federated) -> None:
    """TS-729: refused though the credentials hold."""
    browser = federated.realm.browser()
    federated.ada.send(
        "POST", "tenantaccessrules", {"name": "https://other.example", "direction": 3, "isallowed": True}
    )

    assert federated.come(browser, federated.person("cleo")).status_code == 403
    assert ("(unknown)", 2, "cross-tenant-blocked") in federated.realm.log()
    federated.ada.send("POST", "tenantaccessrules", {"name": "*", "direction": 1, "isallowed": True})
    assert federated.come(browser, federated.person("cleo")).status_code == 303


def test_an_answer_counts_only_in_the_browser_that_asked_and_once(federated: Federated) -> None:
    """TS-708: forged and replayed answers, injected codes, another state."""
    mine, other, eve = federated.realm.browser(), federated.realm.browser(), federated.person("eve")
    address = authorize(eve, federated.begin(mine))
    parts = urlsplit(address)
    forged = dict(parse_qsl(parts.query)) | {"state": "x" * 43}

    assert answer_at(other, address).status_code == 400
    federated.begin(other)
    assert answer_at(other, address).status_code == 400
    assert answer_at(mine, f"{ORIGIN}{parts.path}?{urlencode(forged)}").status_code == 400
    address = authorize(eve, federated.begin(mine))
    cookie = mine.cookies["__Host-strongroom-federation"]
    assert answer_at(mine, address).status_code == 303
    assert answer_at(mine, address).status_code == 400
    mine.cookies.set("__Host-strongroom-federation", cookie, domain="crm.example", path="/")
    assert answer_at(mine, address).status_code == 400
    assert mine.get("/account").status_code == 200


def test_answers_of_one_provider_count_nowhere_else(federated: Federated) -> None:
    """TS-708: mix-up; the address is one provider's, and the answer names its issuer (RFC 9207)."""
    second = federated.ada.send(
        "POST",
        "identityproviders",
        {"name": "Other", "issuer": "https://other.example", "clientid": "x", "createsusers": True},
    ).headers["odata-entityid"][-37:-1]
    browser, cleo = federated.realm.browser(), federated.person("cleo")
    parts = urlsplit(authorize(cleo, federated.begin(browser)))
    fields = dict(parse_qsl(parts.query))

    assert fields["iss"] == federated.provider.issuer
    assert browser.get(f"/sign-in/back/{second}?{parts.query}").status_code == 400
    for wrong in ({"iss": "https://other.example"}, {"iss": None}):
        parts = urlsplit(authorize(cleo, federated.begin(browser)))
        changed = {name: value for name, value in {**dict(parse_qsl(parts.query)), **wrong}.items() if value}
        assert browser.get(f"{parts.path}?{urlencode(changed)}").status_code == 400
    assert ("(unknown)", 2, "mixed-up-issuer") in federated.realm.log()


def test_a_stolen_code_is_worth_nothing_without_its_verifier(federated: Federated) -> None:
    """TS-708: code interception; the code comes to a browser with another verifier."""
    victim, thief = federated.realm.browser(), federated.realm.browser()
    stolen = parse_qs(urlsplit(authorize(federated.person("cleo"), federated.begin(victim))).query)["code"][0]
    own = dict(parse_qsl(urlsplit(authorize(federated.person("thief"), federated.begin(thief))).query))

    answer = thief.get(f"/sign-in/back/{federated.id}?{urlencode({**own, 'code': stolen})}")

    assert answer.status_code == 400
    assert thief.get("/account").status_code == 303


def test_new_keys_of_the_provider_need_nothing_here(federated: Federated) -> None:
    """TS-708: key roll-over without a restart; and only where a token names a new one."""
    browser = federated.realm.browser()
    assert federated.come(browser, federated.person("cleo")).status_code == 303

    federated.provider.restart([federated.redirect])
    federated.realm.pass_time(minutes=1)

    assert federated.come(browser, federated.person("cleo")).status_code == 303


def test_clocks_that_differ_by_more_than_two_minutes_are_noticed(federated: Federated) -> None:
    """TS-708: clock skew of 120 seconds, not more."""
    browser = federated.realm.browser()
    federated.realm.pass_time(seconds=100)
    assert federated.come(browser, federated.person("cleo")).status_code == 303

    federated.realm.pass_time(hours=1, minutes=5)

    assert federated.come(browser, federated.person("cleo")).status_code == 400
    assert any(reason.startswith("id-token-") for _, _, reason in federated.realm.log())


def test_signing_out_at_the_provider_ends_the_sessions_here(federated: Federated) -> None:
    """TS-708, TS-709: back-channel logout, and signing out at the provider from here."""
    browser, other = federated.realm.browser(), federated.realm.browser()
    taken: list[httpx.Response] = []

    class Forward(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            taken.append(
                federated.realm.browser().post(f"/sign-in/back-channel/{federated.id}", data=dict(parse_qsl(body)))
            )
            self.send_response(taken[-1].status_code)
            self.end_headers()
            tokens.append(dict(parse_qsl(body))["logout_token"])

        def log_message(self, format: str, *args: object) -> None:
            return

    tokens: list[str] = []
    listener = HTTPServer(("127.0.0.1", 0), Forward)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        federated.provider.stop()
        federated.provider.start([federated.redirect], back_channel=f"http://127.0.0.1:{listener.server_port}/")
        cleo = federated.person("cleo")
        federated.come(browser, cleo)
        federated.come(other, federated.person("dora"))
        assert browser.get("/account").status_code == 200

        out = send(browser, "/sign-out", {}, page=browser.get("/sign-out").text)
        assert "Sign out where you came from" in out.text
        there = browser.get(f"/sign-in/out/{federated.id}").headers["location"]
        federated.come(browser, cleo)
        assert sign_out(cleo, there) == "https://crm.example/sign-in"
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()
    assert [each.status_code for each in taken] == [200]
    assert browser.get("/account").status_code == 303
    assert other.get("/account").status_code == 200
    post = federated.realm.browser().post
    assert post(f"/sign-in/back-channel/{federated.id}", data={"logout_token": "x.y.z"}).status_code == 400
    assert post(f"/sign-in/back-channel/{federated.id}", data={"logout_token": tokens[0] + "A"}).status_code == 400


def test_a_frame_of_the_provider_ends_the_session_that_it_names_and_no_other(federated: Federated) -> None:
    """TS-708: front-channel logout takes the issuer and the session's id there; what is not known changes nothing."""
    federated.provider.stop()
    federated.provider.start([federated.redirect], back_channel="http://127.0.0.1:9/")  # so that it names sessions
    browser, other = federated.realm.browser(), federated.realm.browser()
    federated.come(browser, federated.person("cleo"))
    federated.come(other, federated.person("dora"))
    with federated.realm.directory.reading() as transaction:
        rows = transaction.rows_where(transaction.schema.tables["signinsession"], {"endedon": None})
    newest = [row.values["providersession"] for row in rows if row.values.get("providersession")]
    assert len(newest) == 2
    frame, path = federated.realm.browser(), f"/sign-in/front-channel/{federated.id}"

    for query in ("", "?sid=" + str(newest[0]), f"?iss=https://evil.example&sid={newest[0]}"):
        assert frame.get(path + query).status_code == 200
        assert browser.get("/account").status_code == 200
    assert (
        frame.get(f"{path}?{urlencode({'iss': federated.provider.issuer, 'sid': str(newest[0])})}").status_code == 200
    )
    assert browser.get("/account").status_code == 303
    assert other.get("/account").status_code == 200
    assert frame.get("/sign-in/front-channel/00000000-0000-0000-0000-000000000001").status_code == 404


def test_a_providers_secret_is_written_and_never_read(federated: Federated) -> None:
    """TS-708: over the Web API by an administrator; no row, no trail and no answer has it; who may not, may not."""
    told = federated.ada.send("GET", f"identityproviders({federated.id})").json()
    assert told["hassecret"] is True
    assert CLIENT_SECRET not in str(told)
    with federated.realm.directory.reading() as transaction:
        for table in ("audit", "activitylog", "identityprovider"):
            assert CLIENT_SECRET not in str(
                [row.values for row in transaction.rows_where(transaction.schema.tables[table], {})]
            )
    asked = {"ProviderId": federated.id, "Secret": ""}
    assert federated.ada.send("POST", "SetProviderSecret", asked).status_code == 400
    asked = {"ProviderId": "00000000-0000-0000-0000-000000000001", "Secret": "x"}
    assert federated.ada.send("POST", "SetProviderSecret", asked).status_code == 404


def test_guests_are_invited_and_restricted(federated: Federated) -> None:
    """TS-728: redeemed with their own provider, once; no administration; sponsor and end."""
    federated.set(createsusers=False)
    realm, ada = federated.realm, federated.ada
    invited = ada.act("InviteGuest", Mail="gil@partner.example", DisplayName="Gil", SponsorId=realm.people["bo@home"])
    browser, gil = realm.browser(), federated.person("gil")
    assert "Meridian" in browser.get(invited["RedeemPath"]).text
    token = str(invited["RedeemPath"]).partition("token=")[2]

    assert federated.come(browser, gil, f"?invitation={token}").status_code == 303
    assert federated.come(realm.browser(), federated.person("eve"), f"?invitation={token}").status_code == 400
    row = ada.send("GET", f"directoryusers({invited['DirectoryUserId']})").json()
    assert (row["usertype"], row["externalid"]) == (2, "gil")
    for name in ("main", "control"):
        with realm.environments.named(name).session_of("admin", write=True) as session:
            from strongroom.identity.membership import make_person_user

            guest = Guid(invited["DirectoryUserId"])
            make_person_user(session, guest, "gil@partner.example", "Gil", ["System Administrator"])
    assert browser.get("/console/main").status_code == 403
    assert browser.get("/console/control").status_code == 403
    ada.send("PATCH", f"directoryusers({realm.people['bo@home']})", {"accountenabled": False})
    assert browser.get("/account").status_code == 303
    assert federated.come(browser, gil).status_code == 400


@pytest.mark.parametrize(
    ("values", "target"),
    [
        ({"issuer": "ftp://x"}, "issuer"),
        ({"issuer": "http://provider.example"}, "issuer"),
        ({"issuer": "https://p.example/?x=1"}, "issuer"),
        ({"clientid": ""}, "clientid"),
    ],
)
def test_a_provider_that_cannot_be_one_is_refused(realm: Realm, values: dict[str, object], target: str) -> None:
    """TS-708."""
    body = {"name": "P", "issuer": "https://p.example", "clientid": "x", **values}

    answer = Administrator(realm).send("POST", "identityproviders", body)

    assert answer.status_code == 400
    assert answer.json()["error"]["innererror"]["target"] == target


def test_a_provider_that_the_owner_has_not_listed_is_not_called(realm: Realm) -> None:
    """TS-010, TS-708: nothing goes out to where the setting does not allow."""
    body = {"name": "P", "issuer": "https://p.example", "clientid": "x"}
    made = Administrator(realm).send("POST", "identityproviders", body).headers["odata-entityid"][-37:-1]

    answer = realm.browser().get(f"/sign-in/with/{made}")

    assert answer.status_code == 400
    assert any("outbound.allow" in reason for _, _, reason in realm.log())
    assert cast(Any, realm.browser().get(f"/sign-in/with/{realm.client_id}")).status_code == 404
