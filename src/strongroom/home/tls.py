"""A certificate for development, made in the home (WA-7).

It is its own authority and names `localhost`, `127.0.0.1` and `::1` only, so trusting it (`REQUESTS_CA_BUNDLE`,
`NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE` = `tls/localhost.pem`) lets its holder pose as nobody else.
"""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from strongroom.clock import Clock
from strongroom.errors import HomeError
from strongroom.keys.disk import Disk, replace_file

_LIFE = timedelta(days=397)
"""Longer ones are refused by some clients."""

_RENEW_BEFORE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The files of a certificate chain and of its private key (PEM)."""

    chain: Path
    key: Path


def provided_certificate(chain: Path, key: Path) -> Certificate:
    """The files that somebody names. Raises `HomeError` when one is missing or they do not belong together."""
    for path, what in ((chain, "certificate"), (key, "private key")):
        if not path.is_file():
            raise HomeError(f"There is no file {path}; it must hold the server's TLS {what} (PEM).")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise HomeError(f"{chain} and {key} are no certificate with its private key in PEM ({error}).") from None
    return Certificate(chain, key)


def self_signed(folder: Path, clock: Clock) -> Certificate:
    """The certificate for localhost in `folder`; made when there is none or it ends within a month."""
    found = Certificate(folder / "localhost.pem", folder / "localhost.key")
    if found.chain.exists() and found.key.exists() and not _is_ending(found.chain, clock):
        return found
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    hosts = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    ]
    public = private.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(hours=1))
        .not_valid_after(clock.now() + _LIFE)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, SHA256())
    )
    disk = Disk()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    folder.mkdir(mode=0o700, exist_ok=True)
    replace_file(disk, found.key, pem)
    replace_file(disk, found.chain, certificate.public_bytes(Encoding.PEM))
    return found


def _is_ending(chain: Path, clock: Clock) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(chain.read_bytes())
    except ValueError:
        raise HomeError(f"{chain} is no certificate; remove it, and a new one is made.") from None
    return certificate.not_valid_after_utc < clock.now() + _RENEW_BEFORE
