"""Another authority for tests, which signs whatever it is told to: discovery and keys over HTTP, tokens made here."""

import json
import threading
from collections.abc import Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from joserfc import jwt
from joserfc.jwk import ECKey
from tests.signin.realm import Realm


class Authority:
    """Keys, and a server that shows them."""

    def __init__(self) -> None:
        self.keys: list[ECKey] = [new_key()]
        self.calls: list[str] = []
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                authority.calls.append(self.path)
                body = authority.documents().get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def documents(self) -> Mapping[str, object]:
        """What it shows, by path."""
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            },
            "/keys": {"keys": [cast(Any, key).as_dict(private=False) for key in self.keys]},
        }

    def token(
        self, realm: Realm, key: ECKey | None = None, header: Mapping[str, object] | None = None, **claims: Any
    ) -> str:
        """A token of a workload, good unless `claims` say otherwise; None leaves a claim out."""
        now, key = realm.clock.now(), key or self.keys[0]
        body = {
            "iss": self.issuer,
            "sub": "repo:meridian/app:ref:main",
            "aud": "api://AzureADTokenExchange",
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            **claims,
        }
        told = {"alg": "ES256", "kid": key.kid, **(header or {})}
        return jwt.encode(cast(Any, told), {name: value for name, value in body.items() if value is not None}, key)

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def new_key() -> ECKey:
    """A key of an authority."""
    return cast(Any, ECKey).generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
