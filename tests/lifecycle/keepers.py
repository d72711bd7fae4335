"""Places where a customer's key can live, real ones where the machine has them: a file, SoftHSM2, a stand-in for AWS
KMS (`moto`, over HTTP), and a stand-in for Vault's transit engine at HTTP level, because Vault itself is no package."""

import base64
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
SOFTHSM = next((path for path in map(Path, _MODULES) if path.exists()), None)
KINDS = ("file", "pkcs11", "aws-kms", "vault-transit-stand-in")


@contextmanager
def keeper(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[str, "Taking"]]:
    """The address of a fresh key, and how its owner takes it away."""
    if kind == "file":
        from strongroom.keys.providers.files import make

        path = folder / "customer.key"
        make(path)
        yield f"file:{path}", Taking(lambda: path.rename(f"{path}.away"), lambda: Path(f"{path}.away").rename(path))
    elif kind == "pkcs11":
        yield from _hsm(folder, monkeypatch)
    elif kind == "aws-kms":
        yield from _kms(monkeypatch)
    else:
        yield from _transit(monkeypatch)


class Taking:
    """What the owner of a key does at the provider, beside the home."""

    def __init__(self, take: Any, give: Any) -> None:
        self.take = take
        self.give = give


def _hsm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[str, Taking]]:
    if SOFTHSM is None or shutil.which("softhsm2-util") is None:
        if os.environ.get("CI"):
            pytest.fail("SoftHSM2 is missing: `make test` installs it where it can (Debian: softhsm2)")
        pytest.skip("SoftHSM2 is not installed (Debian: softhsm2), so no key lives in an HSM")
    tokens = folder / "tokens"
    tokens.mkdir()
    config = folder / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(config))
    monkeypatch.setenv("HSM_PIN", "123456")
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", "strongroom", "--so-pin", "654321", "--pin", "123456"],
        check=True,
        capture_output=True,
    )
    from strongroom.keys.providers import pkcs11
    from strongroom.keys.providers.address import parse_address

    address = f"pkcs11:{SOFTHSM}?token=strongroom&key=customer&pin=env:HSM_PIN"
    pkcs11.reload_module(str(SOFTHSM))
    pkcs11.make(parse_address(address, ("pkcs11",)))
    yield (
        address,
        Taking(lambda: monkeypatch.setenv("HSM_PIN", "999999"), lambda: monkeypatch.setenv("HSM_PIN", "123456")),
    )


def _kms(monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[str, Taking]]:
    from moto.server import ThreadedMotoServer

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = cast("Any", boto3).client("kms", region_name="eu-central-1", endpoint_url=endpoint)
    key = client.create_key()["KeyMetadata"]["KeyId"]
    try:
        yield (
            f"aws-kms:{key}?region=eu-central-1&endpoint={endpoint}",
            Taking(lambda: client.disable_key(KeyId=key), lambda: client.enable_key(KeyId=key)),
        )
    finally:
        server.stop()


class _Transit(BaseHTTPRequestHandler):
    """As much of Vault's transit engine as there is to know about one key."""

    keys: dict[int, bytes]
    is_allowed: bool

    def log_message(self, format: str, *args: Any) -> None:
        """Tell nobody."""

    def do_GET(self) -> None:
        self._answer(self._of("GET", {}))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        self._answer(self._of("POST", body))

    do_PUT = do_POST

    def _of(self, method: str, body: dict[str, Any]) -> dict[str, Any] | None:
        cls = type(self)
        newest = max(cls.keys)
        if self.headers.get("X-Vault-Token") != "s.test" or not cls.is_allowed:
            return None
        if self.path.endswith("/rotate"):
            cls.keys[newest + 1] = os.urandom(32)
            return {}
        if method == "GET":
            return {"latest_version": newest, "deletion_allowed": False, "exportable": False}
        place = base64.b64decode(body.get("associated_data") or "")
        if "/encrypt/" in self.path:
            nonce = os.urandom(12)
            sealed = nonce + AESGCM(cls.keys[newest]).encrypt(nonce, base64.b64decode(body["plaintext"]), place)
            return {"ciphertext": f"vault:v{newest}:{base64.b64encode(sealed).decode()}"}
        _, version, text = str(body["ciphertext"]).split(":")
        sealed = base64.b64decode(text)
        try:
            opened = AESGCM(cls.keys[int(version[1:])]).decrypt(sealed[:12], sealed[12:], place)
        except InvalidTag:
            return None
        return {"plaintext": base64.b64encode(opened).decode()}

    def _answer(self, data: dict[str, Any] | None) -> None:
        body = json.dumps({"errors": ["permission denied"]} if data is None else {"data": data}).encode()
        self.send_response(403 if data is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _transit(monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[str, Taking]]:
    monkeypatch.setenv("VAULT_TOKEN", "s.test")
    handler = type("Transit", (_Transit,), {"keys": {1: os.urandom(32)}, "is_allowed": True})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"

    def allow(is_allowed: bool) -> None:
        handler.is_allowed = is_allowed  # pyright: ignore[reportAttributeAccessIssue]  # made by type()

    try:
        yield (
            f"vault-transit:customer?address={address}&token=env:VAULT_TOKEN",
            Taking(lambda: allow(False), lambda: allow(True)),
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
