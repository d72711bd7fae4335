"""How HTTPS is spoken: versions and suites (ASVS 12.1.1, 12.1.2)."""

import socket
import ssl
from urllib.parse import urlsplit

import pytest
from tests.servers import RunningServer


def handshake(server: RunningServer, context: ssl.SSLContext) -> tuple[str | None, str]:
    """Version and suite that a client gets."""
    parts = urlsplit(server.address)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as client,
    ):
        cipher = client.cipher()
        return client.version(), "" if cipher is None else cipher[0]


def client(ciphers: str = "ALL:@SECLEVEL=0", *, newest: ssl.TLSVersion) -> ssl.SSLContext:
    """A client that takes nothing newer, and whatever is weak."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.set_ciphers(ciphers)
    made.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    made.maximum_version = newest
    return made


def test_the_newest_version_is_preferred(tls_server: RunningServer) -> None:
    assert handshake(tls_server, client(newest=ssl.TLSVersion.MAXIMUM_SUPPORTED))[0] == "TLSv1.3"


def test_version_1_2_has_forward_secrecy_and_authenticated_encryption(tls_server: RunningServer) -> None:
    version, suite = handshake(tls_server, client(newest=ssl.TLSVersion.TLSv1_2))

    assert version == "TLSv1.2"
    assert suite.startswith("ECDHE-")
    assert "GCM" in suite or "CHACHA20" in suite


@pytest.mark.parametrize(
    "ciphers", ["AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA"]
)
def test_weak_suites_are_refused(tls_server: RunningServer, ciphers: str) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(tls_server, client(f"{ciphers}:@SECLEVEL=0", newest=ssl.TLSVersion.TLSv1_2))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_are_refused(tls_server: RunningServer) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(tls_server, client(newest=ssl.TLSVersion.TLSv1_1))
