"""TS-514: what is really spoken over TLS, certificates that are taken anew, and client certificates."""

import socket
import ssl
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from strongroom.clock import TestClock
from strongroom.errors import HomeError
from strongroom.home import tls_context
from strongroom.home.tls import self_signed
from strongroom.home.tls_context import ServerTls

NOW = datetime.now(UTC)


@pytest.fixture
def tls(tmp_path: Path) -> ServerTls:
    made = self_signed(tmp_path / "tls", TestClock(NOW))
    return ServerTls(made.chain, made.key)


@contextmanager
def speaking(context: ssl.SSLContext) -> Generator[int]:
    """A server that shakes hands with whoever comes; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as spoken:
                    spoken.recv(1)
                    spoken.sendall(b"!")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def shaken(port: int, client: ssl.SSLContext) -> tuple[str | None, str, bytes]:
    """Version, suite and certificate of a handshake that succeeded, a byte each way included."""
    with (
        socket.create_connection(("127.0.0.1", port)) as raw,
        client.wrap_socket(raw, server_hostname="localhost") as tls,
    ):
        tls.sendall(b"?")
        assert tls.recv(1) == b"!"
        cipher, certificate = tls.cipher(), tls.getpeercert(binary_form=True)
        assert cipher is not None
        assert certificate is not None
        return tls.version(), cipher[0], certificate


def trusting(chain: Path, *, version: ssl.TLSVersion | None = None, ciphers: str | None = None) -> ssl.SSLContext:
    client = ssl.create_default_context(cafile=str(chain))
    if version is not None:
        client.minimum_version = client.maximum_version = version
    if ciphers is not None:
        client.set_ciphers(ciphers)
    return client


def test_only_new_versions_and_forward_secret_suites_are_spoken(tls: ServerTls) -> None:
    with speaking(tls.context()) as port:
        assert shaken(port, trusting(tls.chain))[0] == "TLSv1.3"
        version, suite, _ = shaken(port, trusting(tls.chain, version=ssl.TLSVersion.TLSv1_2))
        assert version == "TLSv1.2"
        assert suite.startswith("ECDHE-")
        assert "GCM" in suite or "POLY1305" in suite
        for old in ("AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA"):
            with pytest.raises(ssl.SSLError):
                shaken(port, trusting(tls.chain, version=ssl.TLSVersion.TLSv1_2, ciphers=f"{old}:@SECLEVEL=0"))
    offered = {cipher["name"] for cipher in tls.context().get_ciphers()}
    assert all(name.startswith(("ECDHE-", "TLS_")) for name in offered)
    assert not [name for name in offered if "CBC" in name or "RC4" in name or "SHA1" in name]


def test_minimum_can_be_raised(tls: ServerTls) -> None:
    with speaking(ServerTls(tls.chain, tls.key, "1.3").context()) as port:
        assert shaken(port, trusting(tls.chain))[0] == "TLSv1.3"
        with pytest.raises(ssl.SSLError):
            shaken(port, trusting(tls.chain, version=ssl.TLSVersion.TLSv1_2))


def test_certificate_is_taken_anew_without_a_restart(tls: ServerTls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_context, "_LOOK_S", 0.02)
    context = tls(None, lambda: pytest.fail("the web server's own context is not used"))
    with speaking(context) as port:
        before = shaken(port, trusting(tls.chain))[2]
        tls.chain.write_text("half of a pair")  # told, and the old one stays
        time.sleep(0.1)
        tls.chain.unlink()
        made = self_signed(tls.chain.parent, TestClock(NOW))

        limit = time.monotonic() + 20
        while (after := _try(port, made.chain)) in (None, before):
            assert time.monotonic() < limit
            time.sleep(0.02)

    assert after is not None


def _try(port: int, chain: Path) -> bytes | None:
    try:
        return shaken(port, trusting(chain))[2]
    except OSError:
        return None


def test_client_certificate_is_needed_where_it_is_asked_for(tls: ServerTls, tmp_path: Path) -> None:
    authority, client_chain, client_key = _issued(tmp_path)
    with speaking(ServerTls(tls.chain, tls.key, client_authority=authority).context()) as port:
        with pytest.raises(OSError):
            shaken(port, trusting(tls.chain))
        known = trusting(tls.chain)
        known.load_cert_chain(client_chain, client_key)
        assert shaken(port, known)[0] == "TLSv1.3"
        stranger = trusting(tls.chain)
        stranger.load_cert_chain(tls.chain, tls.key)
        with pytest.raises(OSError):
            shaken(port, stranger)


def test_files_that_do_not_fit_are_told(tls: ServerTls, tmp_path: Path) -> None:
    (tmp_path / "nothing.pem").write_text("no certificate")
    with pytest.raises(HomeError, match="cannot be used"):
        ServerTls(tmp_path / "nothing.pem", tls.key).context()
    with pytest.raises(HomeError, match="cannot be used"):
        ServerTls(tls.chain, tls.key, client_authority=tmp_path / "lost.pem").context()


def _issued(folder: Path) -> tuple[Path, Path, Path]:
    """An authority, and a client's certificate of it with its key."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in ("authority", "client"))

    def certificate(subject: x509.Name, public: ec.EllipticCurvePublicKey, *, is_authority: bool) -> bytes:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(hours=1))
            .not_valid_after(NOW + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .sign(root_key, SHA256())
            .public_bytes(Encoding.PEM)
        )

    authority, chain, private = folder / "authority.pem", folder / "client.pem", folder / "client.key"
    authority.write_bytes(certificate(root_name, root_key.public_key(), is_authority=True))
    chain.write_bytes(certificate(name, key.public_key(), is_authority=False))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return authority, chain, private
