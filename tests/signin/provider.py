"""A real OpenID provider, npm `oidc-provider`, started for tests, and a browser that signs in there."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, cast

import httpx
from joserfc.jwk import RSAKey
from tests.servers import free_port

CLIENTS = Path(__file__).parent.parent / "clients"
NODE = shutil.which("node")
CLIENT_ID, CLIENT_SECRET = "strongroom", "a secret of 32 characters or more!"


def new_keys() -> dict[str, Any]:
    """A JWKS with one private key."""
    return {
        "keys": [
            cast(Any, RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)).as_dict(private=True)
        ]
    }


@dataclass
class RealProvider:
    """The provider in its process. `browser` keeps its cookies, as that of a person does."""

    port: int = field(default_factory=free_port)
    keys: dict[str, Any] = field(default_factory=new_keys)
    process: "subprocess.Popen[str] | None" = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(
        self, redirects: list[str], *, back_channel: str = "", after: str = "https://crm.example/sign-in"
    ) -> None:
        """Serve one client, with a secret."""
        client = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uris": redirects,
            "post_logout_redirect_uris": [after],
            **(
                {"backchannel_logout_uri": back_channel, "backchannel_logout_session_required": True}
                if back_channel
                else {}
            ),
        }
        configuration = json.dumps({"clients": [client], "jwks": self.keys})
        self.process = subprocess.Popen(
            [NODE or "node", "oidc-provider.mjs", str(self.port), configuration],
            cwd=CLIENTS,
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
            text=True,
        )
        assert self.process.stdout is not None
        while (line := self.process.stdout.readline()) and line.strip() != "ready":
            pass
        assert line, "the provider did not start; `make test` installs it"

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=30)
            if self.process.stdout is not None:
                self.process.stdout.close()

    def restart(self, redirects: list[str]) -> None:
        """Come back with other keys."""
        self.stop()
        self.keys = new_keys()
        self.start(redirects)


def person_at(account: str, claims: Mapping[str, object] | None = None, amr: str = "pwd") -> httpx.Client:
    """A browser of somebody whom the provider knows."""
    headers = {"x-account": account, "x-claims": json.dumps(claims or {}), "x-amr": amr}
    return httpx.Client(headers=headers, follow_redirects=False, timeout=30)


def authorize(browser: httpx.Client, address: str) -> str:
    """Go to the provider, sign in as needed, and come back with the address that it answers at."""
    for _ in range(12):
        answer = browser.get(address)
        assert answer.status_code in (302, 303), answer.text
        address = str(httpx.URL(address).join(answer.headers["location"]))
        if not address.startswith("http://127.0.0.1"):
            return address
    raise AssertionError("the provider sends in circles")


def sign_out(browser: httpx.Client, address: str) -> str:
    """Confirm at the provider that one signs out, and say where it leads."""
    page = browser.get(address)
    fields = {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', page.text)}
    action = re.search(r'action="([^"]+)"', page.text)
    assert action is not None, page.text
    return str(browser.post(unescape(action[1]), data={**fields, "logout": "yes"}).headers["location"])
