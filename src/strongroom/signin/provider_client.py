"""Talking to OpenID providers: discovery, keys, and codes for tokens (TS-708).

Only hosts that the owner of the home has listed (`outbound.allow`) are called, over HTTPS or on this machine;
redirections are not followed, and answers are limited in size and time. Discovery documents are kept for an hour; keys
until a token names one that is not among them, so that a roll-over at the provider needs nothing here.
"""

import base64
import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import cast
from urllib.parse import quote_plus, urlencode, urlsplit

import orjson
from joserfc.jwk import KeySet

from strongroom.environments import Environments
from strongroom.errors import AccessDenied, InvalidRequest
from strongroom.identity.federation.providers import Provider
from strongroom.identity.federation.tokens import TokenRefused, key_set
from strongroom.ids import Guid
from strongroom.monitoring.outbound import Endpoint, Outbound, ended_in_time, endpoint_of

_TIMEOUT_S = 10.0
_MOST_BYTES = 512 * 1024
_KEPT = timedelta(hours=1)
_KEYS_AGAIN_AFTER = timedelta(seconds=30)
_LOCAL = ("localhost", "127.0.0.1", "::1")


class ProviderUnreachable(Exception):
    """The provider does not answer, or not as one does: a word for the log."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a discovery document says, as far as it is needed."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    names_itself: bool
    """Whether the answer at the redirect address must have `iss` (RFC 9207)."""

    secret_in_form: bool


@dataclass(slots=True)
class _Kept:
    metadata: Metadata
    read_on: datetime
    keys: KeySet | None = None
    keys_on: datetime | None = None


class ProviderClient:
    """What one process knows of the providers. Safe to use from several threads."""

    def __init__(self, environments: Environments) -> None:
        self._environments = environments
        self._kept: dict[Guid, _Kept] = {}
        self._lock = Lock()

    def metadata(self, provider: Provider) -> Metadata:
        """The discovery document. Raises `ProviderUnreachable`."""
        return self._of(provider).metadata

    def keys(self, provider: Provider, *, anew: bool = False) -> KeySet:
        """The provider's keys; `anew` when a token names one that is not among them, which asks again only after a
        while, so that made-up names cannot make us call. Raises `ProviderUnreachable`, `TokenRefused`."""
        kept, now = self._of(provider), self._environments.clock.now()
        is_due = kept.keys_on is None or (anew and now - kept.keys_on >= _KEYS_AGAIN_AFTER)
        if kept.keys is None or is_due:
            kept.keys = key_set(self._get(kept.metadata.jwks_uri))
            kept.keys_on = now
        elif anew:
            raise TokenRefused("unknown-key")
        return kept.keys

    def redeem(self, provider: Provider, code: str, verifier: str, redirect: str) -> Mapping[str, object]:
        """The tokens for a code. Raises `ProviderUnreachable`, which a refused code is too."""
        metadata = self._of(provider).metadata
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
            "client_id": provider.client_id,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        secret = self._environments.keys.unseal(provider.secret_name) if provider.has_secret else None
        if secret is not None and metadata.secret_in_form:
            form["client_secret"] = secret.reveal().decode()
        elif secret is not None:
            pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret.reveal().decode())}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return self._call("POST", metadata.token_endpoint, urlencode(form).encode(), headers)

    def _of(self, provider: Provider) -> _Kept:
        now = self._environments.clock.now()
        with self._lock:
            kept = self._kept.get(provider.id)
        if kept is not None and now - kept.read_on < _KEPT:
            return kept
        address = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = _Kept(_metadata(provider, self._get(address)), now)
        with self._lock:
            self._kept[provider.id] = found
        return found

    def _get(self, address: str) -> Mapping[str, object]:
        return self._call("GET", address, None, {})

    def _call(self, method: str, address: str, body: bytes | None, headers: dict[str, str]) -> Mapping[str, object]:
        try:
            endpoint = endpoint_of(address, ("http", "https"), "issuer")
            Outbound(tuple(self._environments.home.settings.outbound.allow)).demand(endpoint, "issuer")
        except (AccessDenied, InvalidRequest) as error:
            raise ProviderUnreachable(error.message) from None
        if endpoint.scheme == "http" and endpoint.host not in _LOCAL:
            raise ProviderUnreachable(f"{endpoint.host} is not reached over HTTPS")
        status, content = _exchange(endpoint, method, body, {"Accept": "application/json", **headers})
        if status != 200:
            raise ProviderUnreachable(f"{endpoint.host} answered {status}")
        try:
            parsed: object = orjson.loads(content)
        except orjson.JSONDecodeError:
            parsed = None
        if not isinstance(parsed, dict):
            raise ProviderUnreachable(f"{endpoint.host} did not answer with a JSON object")
        return cast("Mapping[str, object]", parsed)


def _exchange(endpoint: Endpoint, method: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
    connection: http.client.HTTPConnection
    if endpoint.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(endpoint.host, endpoint.port, timeout=_TIMEOUT_S, context=context)
    else:
        connection = http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=_TIMEOUT_S)
    try:
        with ended_in_time(connection):
            connection.request(method, endpoint.path, body, headers)
            answer = connection.getresponse()
            content = answer.read(_MOST_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise ProviderUnreachable(f"{endpoint.host} cannot be reached: {type(error).__name__}") from None
    finally:
        connection.close()
    if len(content) > _MOST_BYTES:
        raise ProviderUnreachable(f"{endpoint.host} answered with too much")
    return answer.status, content


def _metadata(provider: Provider, found: Mapping[str, object]) -> Metadata:
    if found.get("issuer") != provider.issuer:
        raise ProviderUnreachable("the discovery document is another issuer's")
    addresses = {name: found.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    for name, address in addresses.items():
        parts = urlsplit(address) if isinstance(address, str) else urlsplit("")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
            raise ProviderUnreachable(f"the discovery document has no {name}")
    ends = found.get("end_session_endpoint")
    methods = found.get("token_endpoint_auth_methods_supported")
    offered = cast("list[object]", methods) if isinstance(methods, list) else ["client_secret_basic"]
    return Metadata(
        str(addresses["authorization_endpoint"]),
        str(addresses["token_endpoint"]),
        str(addresses["jwks_uri"]),
        ends if isinstance(ends, str) and ends.startswith(("https://", "http://localhost", "http://127.")) else None,
        found.get("authorization_response_iss_parameter_supported") is True,
        "client_secret_basic" not in offered,
    )
