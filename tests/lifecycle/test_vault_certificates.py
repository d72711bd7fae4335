"""TS-607, TS-606: certificates in vaults: brought along, made, asked for; their keys; telling of their end."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from tests.lifecycle.test_vault import ADMIN, OTHER, control
from tests.servers import run_cli

from strongroom.cli.main import run
from strongroom.clock import iso
from strongroom.errors import AccessDenied, Conflict, InvalidRequest, StrongroomError
from strongroom.estate import vault_certificates as certificates
from strongroom.estate import vault_keys
from strongroom.estate.vault_certificates import Subject
from strongroom.home import MovableClock
from strongroom.keys import Secret
from strongroom.messages import operations
from strongroom.messages.operation import Arguments
from strongroom.records import Session

PASSWORD = b"twelve bytes and more"
_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Authority:
    """An authority that exists for a test."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")])
        self.certificate = self.sign(self.name, self.key, is_authority=True)

    def sign(self, name: x509.Name, key: _Key, *, is_authority: bool = False) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=90))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def answer(self, request: str) -> bytes:
        """The chain for a request."""
        asked = x509.load_pem_x509_csr(request.encode())
        key = asked.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(asked.subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=60))
            .sign(self.key, hashes.SHA256())
        )
        return made.public_bytes(Encoding.PEM) + self.certificate.public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A test home with the vault `certs`."""
    home = tmp_path_factory.mktemp("certificates") / "home"
    run_cli("init", "--test-clock", "--home", str(home))
    run_cli("vault", "create", "certs", "--home", str(home))
    return home


@pytest.fixture
def session(home: Path) -> Iterator[Session]:
    with control(home) as session:
        yield session


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def pfx(key: _Key, chain: list[x509.Certificate], password: bytes = PASSWORD) -> bytes:
    return pkcs12.serialize_key_and_certificates(b"x", key, chain[0], chain[1:], BestAvailableEncryption(password))


def test_pfx_and_pem_come_in_with_their_chain_times_and_thumbprint(session: Session) -> None:
    """TS-607: a new version each; the key is in no readable column."""
    authority, key = Authority(), ec.generate_private_key(ec.SECP384R1())
    leaf = authority.sign(named("crm.example.com"), key)
    given = pfx(key, [leaf, authority.certificate])
    assert (
        certificates.import_certificate(session, "certs", "web", given, Secret(PASSWORD), ADMIN, exportable=True) == 1
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem += leaf.public_bytes(Encoding.PEM)
    assert certificates.import_certificate(session, "certs", "web", pem, None, ADMIN, exportable=False) == 2

    rows = session.transaction.rows_where(session.table("vaultitemversion"), {})
    first = next(row for row in rows if row.values["name"] == "web 1")
    assert first.values["thumbprint"] == leaf.fingerprint(hashes.SHA256()).hex().upper()
    assert first.values["expireson"] == iso(leaf.not_valid_after_utc)
    assert str(first.values["publicpart"]).count("BEGIN CERTIFICATE") == 2
    assert "PRIVATE KEY" not in str([row.values for row in rows])

    exported = certificates.export_pfx(session, "certs", "web", Secret(PASSWORD), ADMIN, 1)
    back, certificate, others = pkcs12.load_key_and_certificates(exported, PASSWORD)
    assert isinstance(back, ec.EllipticCurvePrivateKey)
    assert back.private_numbers() == key.private_numbers()
    assert certificate == leaf
    assert others == [authority.certificate]
    with pytest.raises(AccessDenied, match="may not leave"):
        certificates.export_pfx(session, "certs", "web", Secret(PASSWORD), ADMIN, 2)
    with pytest.raises(AccessDenied):
        certificates.export_pfx(session, "certs", "web", Secret(PASSWORD), OTHER, 1)


def _bad() -> dict[str, tuple[bytes, bytes | None, str]]:
    authority, key, other = (
        Authority(),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    leaf, weak = authority.sign(named("a"), key), rsa.generate_private_key(65537, 1024)  # noqa: S505 - this is what is refused
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + leaf.public_bytes(Encoding.PEM)
    return {
        "no certificate": (b"not a certificate", None, "cannot be read"),
        "wrong password": (pfx(key, [leaf]), b"another", "password is wrong"),
        "another key": (pem, None, "not the one"),
        "weak key": (pfx(weak, [authority.sign(named("w"), weak)]), PASSWORD, "2,048"),
        "other curve": (_on_another_curve(authority), PASSWORD, "P-256"),
        "foreign chain": (pfx(key, [leaf, Authority().certificate]), PASSWORD, "chain does not hold"),
        "too large": (b"x" * 30_000, None, "at most"),
    }


def _on_another_curve(authority: Authority) -> bytes:
    key = ec.generate_private_key(ec.SECP256K1())
    return pfx(key, [authority.sign(named("k"), key)])


@pytest.mark.parametrize(
    "kind", ["no certificate", "wrong password", "another key", "weak key", "other curve", "foreign chain", "too large"]
)
def test_what_cannot_be_used_is_refused_and_leaves_nothing(session: Session, kind: str) -> None:
    """TS-607: with the reason, before anything is stored."""
    data, password, why = _bad()[kind]
    before = len(session.transaction.rows_where(session.table("vaultitemversion"), {}))
    with pytest.raises(InvalidRequest, match=why):
        given = Secret(password) if password else None
        certificates.import_certificate(session, "certs", "bad", data, given, ADMIN, exportable=False)
    assert len(session.transaction.rows_where(session.table("vaultitemversion"), {})) == before


def test_made_here_it_signs_inside_and_is_verified_outside(session: Session) -> None:
    """TS-607: what client authentication needs, `private_key_jwt`: a signature, and the certificate."""
    for kind in ("EC-P256", "RSA-2048"):
        name = f"own-{kind}"
        subject = Subject("robot", ("robot.example.com",))
        certificates.make_self_signed(session, "certs", name, subject, ADMIN, kind=kind, days=30, exportable=False)
        _, chain = certificates.chain_of(session, "certs", name, ADMIN)
        certificate = x509.load_pem_x509_certificate(chain.encode())
        signature = vault_keys.sign(session, "certs", name, b"assertion", ADMIN)
        public = certificate.public_key()
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, b"assertion", ec.ECDSA(hashes.SHA256()))
        else:
            assert isinstance(public, rsa.RSAPublicKey)
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            public.verify(signature, b"assertion", pss, hashes.SHA256())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["robot.example.com"]


def test_a_request_waits_for_the_certificate_of_its_key(session: Session) -> None:
    """TS-607: not usable before; another authority's answer to another key is none."""
    authority, subject = Authority(), Subject("mail.example.com")

    def ask(name: str) -> tuple[int, str]:
        return certificates.request_certificate(
            session, "certs", name, subject, ADMIN, kind="EC-P256", exportable=False
        )

    version, asked = ask("mail")
    with pytest.raises(StrongroomError):
        certificates.chain_of(session, "certs", "mail", ADMIN)
    _, elsewhere = ask("other")
    with pytest.raises(Conflict, match="No open request"):
        certificates.complete_request(session, "certs", "mail", authority.answer(elsewhere), ADMIN)

    assert certificates.complete_request(session, "certs", "mail", authority.answer(asked), ADMIN) == version
    _, chain = certificates.chain_of(session, "certs", "mail", ADMIN)
    assert chain.count("BEGIN CERTIFICATE") == 2
    assert vault_keys.sign(session, "certs", "mail", b"x", ADMIN)


def test_the_end_of_a_certificate_is_told_once(session: Session) -> None:
    """TS-606: a row that alert rules can watch, `notifydays` before the end, for each version."""
    certificates.make_self_signed(
        session, "certs", "short", Subject("s"), ADMIN, kind="EC-P256", days=40, exportable=False
    )
    certificates.tell_of_ends(session)

    def told() -> int:
        found = session.transaction.rows_where(
            session.table("vaultaccess"), {"name": "short", "operation": "ends soon"}
        )
        return len(found)

    assert told() == 0
    clock = session.clock
    assert isinstance(clock, MovableClock)
    clock.move_to(clock.now() + timedelta(days=15))
    later = Session(session.transaction, session.caller, clock, session.rules)
    certificates.tell_of_ends(later)
    certificates.tell_of_ends(later)
    assert told() == 1


def test_the_web_api_and_the_command_line_do_the_same(home: Path, tmp_path: Path) -> None:
    """TS-607: actions of the control environment; nowhere else are they there."""
    with control(home) as session:
        known = operations()
        values = {"Vault": "certs", "Name": "api", "CommonName": "api.example.com", "Exportable": True}
        assert known["CreateCertificate"].run(session, Arguments(values)) == {"Version": 1}
        told = known["GetCertificate"].run(session, Arguments({"Vault": "certs", "Name": "api"}))
        assert told is not None
        assert "BEGIN CERTIFICATE" in str(told["Certificate"])
        password = {"Vault": "certs", "Name": "api", "Password": PASSWORD.decode()}
        exported = known["ExportCertificate"].run(session, Arguments(password))
        assert exported is not None
        data = str(exported["Data"])
        again = {**password, "Name": "again", "Data": data}
        assert known["ImportCertificate"].run(session, Arguments(again)) == {"Version": 1}
    (tmp_path / "password").write_bytes(PASSWORD + b"\n")
    (tmp_path / "in.pfx").write_bytes(base64.b64decode(data))
    options = ("--home", str(home))
    given = ("--password-file", str(tmp_path / "password"))
    run_cli(
        "vault", "certificate", "import", "certs", "line", str(tmp_path / "in.pfx"), *given, "--exportable", *options
    )
    run_cli("vault", "certificate", "export", "certs", "line", str(tmp_path / "out.pfx"), *given, *options)
    assert (tmp_path / "out.pfx").stat().st_mode & 0o077 == 0
    run_cli(
        "vault", "certificate", "create", "certs", "made", "made.example.com", "--host", "made.example.com", *options
    )
    assert "BEGIN CERTIFICATE" in run_cli("vault", "certificate", "show", "certs", "made", *options).stdout
    asked = run_cli("vault", "certificate", "request", "certs", "asked", "asked.example.com", *options).stdout
    (tmp_path / "chain.pem").write_bytes(Authority().answer(asked))
    run_cli("vault", "certificate", "complete", "certs", "asked", str(tmp_path / "chain.pem"), *options)
    assert run(["vault", "certificate", "import", "certs", "bad", str(tmp_path / "password"), *options]) == 2
