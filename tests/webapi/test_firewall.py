"""The IP firewall of an environment (TS-308), on both engines. The proxy in front of the tests is this machine."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.servers import RunningServer, run_cli

ON: dict[str, Any] = {"enableipbasedfirewallrule": True, "allowediprangeforfirewall": "192.0.2.0/24, 2001:db8::/32"}
INSIDE, OUTSIDE = "192.0.2.77", "198.51.100.7"


class Client:
    """Requests that a proxy on this machine passes on."""

    def __init__(self, server: RunningServer) -> None:
        self._http = httpx.Client(base_url=server.api, timeout=30)
        self._token = server.token()
        self.organization = self.ask("organizations?$select=name").json()["value"][0]["organizationid"]

    def ask(self, path: str = "WhoAmI", address: str = INSIDE, *, token: str | None = None) -> httpx.Response:
        headers = {"authorization": f"Bearer {token or self._token}", "x-forwarded-for": address}
        return self._http.get(path, headers=headers)

    def set(self, address: str = INSIDE, confirm: str | None = None, **values: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._token}", "x-forwarded-for": address}
        if confirm is not None:
            headers["x-sr-confirm"] = confirm
        return self._http.patch(f"organizations({self.organization})", json=values, headers=headers)

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    made = Client(server)
    yield made
    run_cli("firewall", "reset", "--home", str(server.home))
    made.set(enableipbasedfirewallruleinauditmode=False, reverseproxyipaddresses=None)
    made.close()


def test_only_listed_networks_reach_an_environment_with_or_without_a_token(client: Client) -> None:
    """TS-308: before authentication, from the next request on, also for valid tokens."""
    assert client.set(**ON).status_code == 204

    assert client.ask().status_code == 200
    assert client.ask(address="2001:db8::1").status_code == 200
    for token in (None, "nonsense"):
        refused = client.ask(address=OUTSIDE, token=token)
        assert refused.status_code == 403
        assert refused.json()["error"]["innererror"]["reason"] == "ip-blocked"
        assert "access to your IP is blocked" in refused.json()["error"]["message"]
    assert client.ask(token="nonsense").status_code == 401


def test_the_address_is_the_rightmost_hop_that_is_no_proxy(client: Client) -> None:
    """TS-308: what a client itself writes into the header counts for nothing."""
    client.set(**ON, reverseproxyipaddresses="203.0.113.1")

    assert client.ask(address=f"{INSIDE}, {OUTSIDE}").status_code == 403
    assert client.ask(address=f"{OUTSIDE}, {INSIDE}").status_code == 200
    assert client.ask(address=f"{OUTSIDE}, {INSIDE}, 203.0.113.1").status_code == 200
    assert client.ask(address=f"{INSIDE}, {OUTSIDE}, 203.0.113.1").status_code == 403


def test_an_administrator_does_not_lock_out_the_own_address_unawares(client: Client) -> None:
    """TS-308: 409, unless the header says that it is meant; the machine itself is the way back."""
    refused = client.set(OUTSIDE, **ON)

    assert refused.status_code == 409
    assert refused.json()["error"]["innererror"]["reason"] == "would-lock-you-out"
    assert client.set(OUTSIDE, "lockout", **ON).status_code == 204
    assert client.ask(address=OUTSIDE).status_code == 403


def test_audit_mode_lets_in_and_tells(client: Client) -> None:
    """TS-308: audit action 118."""
    client.set(**ON, enableipbasedfirewallruleinauditmode=True)

    assert client.ask(address=OUTSIDE).status_code == 200
    told = client.ask("audits?$filter=action eq 118&$select=action,changedata").json()["value"]
    assert OUTSIDE in told[0]["changedata"]


@pytest.mark.parametrize("ranges", ["192.0.2.1/24", "here", "300.0.0.0/8", ",".join(["10.0.0.0/8"] * 201), ""], ids=str)
def test_a_list_that_is_none_is_refused(client: Client, ranges: str) -> None:
    """TS-308: not a CIDR block, host bits set, too many, none."""
    answer = client.set(enableipbasedfirewallrule=True, allowediprangeforfirewall=ranges)

    assert answer.status_code == 400
    assert answer.json()["error"]["innererror"]["target"] == "allowediprangeforfirewall"
    assert client.ask(address=OUTSIDE).status_code == 200
