"""How HTTPS is spoken: versions and suites (ASVS 12.1.1, 12.1.2)."""

import socket
import ssl
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/data/v9.2/WhoAmI"),
        ("GET", "/api/data/v9.2/accounts(00000000-0000-0000-0000-00000000abcd)"),
        ("POST", "/api/data/v9.2/$batch"),
        ("GET", "/api/data/v9.2/$metadata"),
        ("GET", "/nowhere"),
        ("GET", "/"),
        ("OPTIONS", "/api/data/v9.2/accounts"),
        ("GET", "/healthz"),
        ("GET", "/console/"),
        ("GET", "/.well-known/openid-configuration"),
    ],
)
def test_every_answer_over_tls_has_the_security_headers(tls_server: RunningServer, method: str, path: str) -> None:
    """TS-311: also refusals, what is not there, and what needs no token; cookies are Secure and HttpOnly."""
    with httpx.Client(verify=False, timeout=60) as plain:  # noqa: S501 - a certificate of its own; headers are looked at
        answer = plain.request(method, tls_server.address + path)

    headers = answer.headers
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["x-content-type-options"] == "nosniff"
    assert "referrer-policy" in headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe-inline" not in headers["content-security-policy"]
    for cookie in headers.get_list("set-cookie"):
        assert {"secure", "httponly"} <= {part.strip().lower() for part in cookie.split(";")}, cookie


def test_without_tls_nothing_is_said_about_staying_with_it(server: RunningServer) -> None:
    """TS-311: RFC 6797 forbids the header there."""
    answer = httpx.get(server.api + "WhoAmI", timeout=60)

    assert "strict-transport-security" not in answer.headers
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_plain_request_at_the_tls_port_gets_no_answer(tls_server: RunningServer) -> None:
    """TS-514"""
    with pytest.raises(httpx.TransportError):
        httpx.get(tls_server.address.replace("https:", "http:") + "/healthz", timeout=60)


def test_renegotiation_and_compression_are_not_offered(tls_server: RunningServer) -> None:
    """TS-514: no compression (CRIME), and a certificate key that is not weak."""
    parts = urlsplit(tls_server.address)
    context = client(newest=ssl.TLSVersion.TLSv1_2)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as spoken,
    ):
        shown = x509.load_der_x509_certificate(spoken.getpeercert(binary_form=True) or b"")
        assert spoken.compression() is None
    key = shown.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    assert key.key_size >= (256 if isinstance(key, ec.EllipticCurvePublicKey) else 2048)
    assert shown.signature_hash_algorithm is not None
    assert shown.signature_hash_algorithm.name in ("sha256", "sha384", "sha512")
