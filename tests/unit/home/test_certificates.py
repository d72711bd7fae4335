"""WA-7: a certificate for localhost is made once, trusted as it is, and valid for nothing else."""

import shutil
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from strongroom.clock import SystemClock, TestClock
from strongroom.errors import HomeError
from strongroom.home.tls import provided_certificate, self_signed


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_client_that_trusts_the_certificate_connects_by_every_local_name(tmp_path: Path, name: str) -> None:
    made = self_signed(tmp_path, SystemClock())
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(made.chain, made.key)
    here, there = socket.socketpair()
    thread = threading.Thread(target=lambda: server_side.wrap_socket(there, server_side=True).close())
    thread.start()

    with ssl.create_default_context(cafile=str(made.chain)).wrap_socket(here, server_hostname=name) as client:
        assert client.version() == "TLSv1.3"
    thread.join()


def test_certificate_is_made_once_and_its_key_is_for_the_owner_only(tmp_path: Path) -> None:
    clock = TestClock(datetime(2026, 1, 1, tzinfo=UTC))
    made = self_signed(tmp_path / "tls", clock)
    first = made.chain.read_bytes()

    assert self_signed(tmp_path / "tls", clock).chain.read_bytes() == first
    assert made.key.stat().st_mode & 0o777 == 0o600
    clock.move_to(clock.now() + timedelta(days=380))
    assert self_signed(tmp_path / "tls", clock).chain.read_bytes() != first


def test_certificate_names_this_machine_only(tmp_path: Path) -> None:
    made = self_signed(tmp_path, SystemClock())
    certificate = x509.load_pem_x509_certificate(made.chain.read_bytes())

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in names} == {"localhost", "127.0.0.1", "::1"}


def test_damaged_certificate_is_named(tmp_path: Path) -> None:
    self_signed(tmp_path, SystemClock())
    (tmp_path / "localhost.pem").write_text("x")

    with pytest.raises(HomeError, match=r"localhost\.pem is no certificate"):
        self_signed(tmp_path, SystemClock())


def test_given_files_must_be_there_and_belong_together(tmp_path: Path) -> None:
    one, two = self_signed(tmp_path / "one", SystemClock()), self_signed(tmp_path / "two", SystemClock())
    shutil.copy(one.chain, tmp_path / "chain.pem")

    assert provided_certificate(tmp_path / "chain.pem", one.key).key == one.key
    with pytest.raises(HomeError, match=r"no file .*nothing\.key.*private key"):
        provided_certificate(one.chain, tmp_path / "nothing.key")
    with pytest.raises(HomeError, match="no certificate with its private key"):
        provided_certificate(one.chain, two.key)
