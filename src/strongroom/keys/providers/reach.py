"""Which providers of keys this home may ask (TS-010): those elsewhere stand in the setting `outbound.allow` like every
other address that something is sent to. Files and tokens of this machine are asked without it."""

from collections.abc import Callable
from urllib.parse import urlsplit

from strongroom.errors import HomeError
from strongroom.keys.providers.address import ProviderAddress

Allows = Callable[[str, int], bool]
"""Whether something may be sent to a host and port."""

_PORTS = {"http": 80, "https": 443}


class ProviderUnreachable(HomeError):
    """The provider does not answer: no network, no token in the slot, no medium; or it may not be asked."""


def nowhere(_: str, __: int) -> bool:
    """Nothing is sent anywhere: what holds where nobody has said otherwise."""
    return False


def endpoint_of(address: ProviderAddress) -> tuple[str, int] | None:
    """The host and port at which a provider is asked; None for one of this machine. Raises `HomeError`."""
    if address.kind == "vault-transit":
        return _host_and_port(address.option("address"))
    if address.kind == "aws-kms":
        endpoint = address.options.get("endpoint")
        return _host_and_port(endpoint) if endpoint else (f"kms.{address.option('region')}.amazonaws.com", 443)
    return None


def demand_allowed(address: ProviderAddress, allows: Allows) -> None:
    """Raise `ProviderUnreachable` for a provider that may not be asked, before anything is sent."""
    found = endpoint_of(address)
    if found is not None and not allows(*found):
        host, port = found
        raise ProviderUnreachable(
            f"The key provider at {host}:{port} may not be asked: list it in the setting outbound.allow, such as"
            f' ["{host}:{port}"].',
            details={"reason": "not-allowed", "rule": "TS-010"},
        )


def _host_and_port(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None:
        raise HomeError("The address of a key provider has the form https://host:port.")
    return parts.hostname.lower(), port or _PORTS[parts.scheme]
