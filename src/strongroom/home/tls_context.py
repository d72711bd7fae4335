"""How HTTPS is spoken (TS-514): TLS 1.2 and 1.3 with forward-secret AEAD suites alone, a certificate that is taken anew
when its files change, and client certificates where a settings file asks for them."""

import logging
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from strongroom.errors import HomeError
from strongroom.keys.disk import Disk

_TLS_12_SUITES = (
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
)
"""The suites of TLS 1.2; those of 1.3 are all of this kind."""

_LOOK_S = 1.0
_logger = logging.getLogger("strongroom.tls")


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What a server needs to know. `client_authority` is a file of certificates (PEM): who connects must then have one
    that was issued by them."""

    chain: Path
    key: Path
    minimum: str = "1.2"
    client_authority: Path | None = None

    def __call__(self, _: object, __: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        """The context of one process, which follows the files; in the form that the web server asks for."""
        context = self.context()
        threading.Thread(target=_follow, args=(self, context), name="certificate", daemon=True).start()
        return context

    def context(self) -> ssl.SSLContext:
        """A context with the certificate as it is now. Raises `HomeError` for files that do not fit."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3 if self.minimum == "1.3" else ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_TLS_12_SUITES)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        try:
            context.load_cert_chain(self.chain, self.key, password="")
            if self.client_authority is not None:
                context.load_verify_locations(self.client_authority)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ValueError) as error:  # `ssl.SSLError` is an `OSError`
            raise HomeError(f"The files for HTTPS cannot be used: {error}.") from None
        return context


def _follow(tls: ServerTls, context: ssl.SSLContext) -> None:
    """Load the certificate into the context whenever its files have changed: connections that come then have the new
    one. A pair that does not fit is told, and the old one stays."""
    disk = Disk()
    known = disk.signature(tls.chain), disk.signature(tls.key)
    pause = threading.Event()
    while not pause.wait(_LOOK_S):
        found = disk.signature(tls.chain), disk.signature(tls.key)
        if found == known or None in found:
            continue
        try:
            ServerTls(tls.chain, tls.key).context()  # both files may not be there yet: never half of a pair
            context.load_cert_chain(tls.chain, tls.key, password="")
        except (HomeError, OSError, ValueError) as error:
            _logger.error("the new certificate cannot be used, the old one stays: %s", error)
        else:
            _logger.info("the certificate was taken anew")
        known = found
