"""What `keys.json` holds, as values, and its form on disk.

    {"ring": {…}, "mac": "…"}

`mac` authenticates the ring under the root key (HMAC-SHA-256 over its compact form with sorted names), so that a
damaged or edited file is found before anything in it is used. Private keys are in it only wrapped.
"""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar, cast

from strongroom.clock import iso
from strongroom.errors import HomeError
from strongroom.ids import Guid, parse_guid
from strongroom.keys.root import KeySource, ScryptParameters, parse_source
from strongroom.keys.wrapping import RootKey, authenticate

FORMAT = 1


@dataclass(frozen=True, slots=True)
class RootDescription:
    """Which root key the ring is wrapped with, and where it is to be found. `scrypt` is set for passphrases."""

    id: str
    source: KeySource
    scrypt: ScryptParameters | None


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A wrapped key. `version` counts the data keys that an environment has had, from 1."""

    id: str
    version: int
    wrapped: bytes
    created_on: datetime


@dataclass(frozen=True, slots=True)
class EnvironmentKeys:
    """The keys of one environment: `pending` is set while a change of the data key is under way."""

    active: StoredKey
    pending: StoredKey | None = None
    others: Mapping[str, StoredKey] = field(default_factory=dict[str, StoredKey])
    """Keys beside the data key, by purpose: back-ups, vault."""

    custody: tuple[str, ...] = ()
    """The customer's keys under which all of these are wrapped first, from the inside out; two are a double key."""


@dataclass(frozen=True, slots=True)
class CustomerKey:
    """A key that the customer holds with a provider, and which this ring only knows where to find.

    `probe` is a known text that the key sealed: it tells the original key from another one under the same name.
    """

    name: str
    provider: str
    version: int
    created_on: datetime
    probe: bytes
    revoked_on: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StoredSigningKey:
    """An Ed25519 key. The public half is in clear; a retired key signs no more but still verifies for a time."""

    id: str
    public: bytes
    wrapped: bytes
    created_on: datetime
    retired_on: datetime | None = None


@dataclass(frozen=True, slots=True)
class RingDocument:
    """All of `keys.json`. The newest signing key is the last one."""

    home: Guid
    is_test_home: bool
    root: RootDescription
    environments: Mapping[Guid, EnvironmentKeys] = field(default_factory=dict[Guid, EnvironmentKeys])
    signing: tuple[StoredSigningKey, ...] = ()
    sealed: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """Other secrets of the home, by name: connection strings."""

    customer: Mapping[str, CustomerKey] = field(default_factory=dict[str, CustomerKey])
    """Keys of the customer, by name."""


def to_bytes(document: RingDocument, root: RootKey) -> bytes:
    """The file's content."""
    ring = _ring(document)
    mac = authenticate(root, _canonical(ring)).hex()
    return json.dumps({"ring": ring, "mac": mac}, indent=2, ensure_ascii=False).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class UnverifiedDocument:
    """A ring as read, whose `root` alone may be used: to find the key that verifies the rest."""

    root: RootDescription
    _ring: Mapping[str, object]
    _mac: str

    def verified(self, root: RootKey) -> RingDocument:
        """The document, once `root` has proved it. Raises `HomeError` when it was altered."""
        if not hmac.compare_digest(authenticate(root, _canonical(self._ring)).hex().encode(), self._mac.encode()):
            raise HomeError("keys.json was altered or is damaged: its seal does not fit. Restore it from a backup.")
        return _parsed(lambda: _document(self._ring))


def from_bytes(data: bytes) -> UnverifiedDocument:
    """Read the file's content. Raises `HomeError` when it is not a key ring or of a newer format."""

    def read() -> UnverifiedDocument:
        whole = _mapping(json.loads(data))
        ring = _mapping(whole["ring"])
        if ring["format"] != FORMAT:
            raise HomeError(f"keys.json has format {ring['format']}; this version of Strongroom reads format {FORMAT}.")
        return UnverifiedDocument(_root(_mapping(ring["root"])), ring, _text(whole["mac"]))

    return _parsed(read)


def _ring(document: RingDocument) -> dict[str, object]:
    scrypt = document.root.scrypt
    return {
        "format": FORMAT,
        "home": document.home,
        "is_test_home": document.is_test_home,
        "root": {
            "id": document.root.id,
            "source": str(document.root.source),
            "scrypt": scrypt and {"salt": _encode(scrypt.salt), "n": scrypt.n, "r": scrypt.r, "p": scrypt.p},
        },
        "environments": {
            environment: {
                "active": _stored(keys.active),
                "pending": keys.pending and _stored(keys.pending),
                "others": {purpose: _stored(key) for purpose, key in keys.others.items()},
                "custody": list(keys.custody),
            }
            for environment, keys in document.environments.items()
        },
        "signing": [
            {
                "id": key.id,
                "public": _encode(key.public),
                "wrapped": _encode(key.wrapped),
                "created_on": iso(key.created_on),
                "retired_on": key.retired_on and iso(key.retired_on),
            }
            for key in document.signing
        ],
        "sealed": {name: _encode(value) for name, value in document.sealed.items()},
        "customer": {
            name: {
                "provider": key.provider,
                "version": key.version,
                "created_on": iso(key.created_on),
                "probe": _encode(key.probe),
                "revoked_on": key.revoked_on and iso(key.revoked_on),
                "reason": key.reason,
            }
            for name, key in document.customer.items()
        },
    }


def _stored(key: StoredKey) -> dict[str, object]:
    return {
        "id": key.id,
        "version": key.version,
        "wrapped": _encode(key.wrapped),
        "created_on": iso(key.created_on),
    }


def _document(ring: Mapping[str, object]) -> RingDocument:
    environments = {
        _guid(name): EnvironmentKeys(
            active=_stored_key(_mapping(keys["active"])),
            pending=_stored_key(_mapping(keys["pending"])) if keys["pending"] else None,
            others={purpose: _stored_key(_mapping(key)) for purpose, key in _mapping(keys.get("others", {})).items()},
            custody=tuple(_text(each) for each in _list(keys.get("custody", []))),
        )
        for name, value in _mapping(ring["environments"]).items()
        for keys in [_mapping(value)]
    }
    return RingDocument(
        home=_guid(ring["home"]),
        is_test_home=ring["is_test_home"] is True,
        root=_root(_mapping(ring["root"])),
        environments=MappingProxyType(environments),
        signing=tuple(_signing_key(_mapping(key)) for key in _list(ring["signing"])),
        sealed=MappingProxyType({name: _decode(value) for name, value in _mapping(ring["sealed"]).items()}),
        customer=MappingProxyType(
            {name: _customer_key(name, _mapping(key)) for name, key in _mapping(ring.get("customer", {})).items()}
        ),
    )


def _root(value: Mapping[str, object]) -> RootDescription:
    return RootDescription(
        id=_text(value["id"]),
        source=parse_source(_text(value["source"])),
        scrypt=_scrypt(_mapping(value["scrypt"])) if value["scrypt"] else None,
    )


def _scrypt(value: Mapping[str, object]) -> ScryptParameters:
    return ScryptParameters(_decode(value["salt"]), _whole(value["n"]), _whole(value["r"]), _whole(value["p"]))


def _stored_key(value: Mapping[str, object]) -> StoredKey:
    return StoredKey(
        _text(value["id"]), _whole(value["version"]), _decode(value["wrapped"]), _moment(value["created_on"])
    )


def _signing_key(value: Mapping[str, object]) -> StoredSigningKey:
    return StoredSigningKey(
        id=_text(value["id"]),
        public=_decode(value["public"]),
        wrapped=_decode(value["wrapped"]),
        created_on=_moment(value["created_on"]),
        retired_on=_moment(value["retired_on"]) if value["retired_on"] else None,
    )


def _customer_key(name: str, value: Mapping[str, object]) -> CustomerKey:
    return CustomerKey(
        name=name,
        provider=_text(value["provider"]),
        version=_whole(value["version"]),
        created_on=_moment(value["created_on"]),
        probe=_decode(value["probe"]),
        revoked_on=_moment(value["revoked_on"]) if value["revoked_on"] else None,
        reason=_text(value["reason"]),
    )


_T = TypeVar("_T")


def _parsed(read: Callable[[], _T]) -> _T:
    try:
        return read()
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise HomeError(
            f"keys.json is damaged ({type(error).__name__}): it is no key ring of Strongroom. Restore it from a backup."
        ) from None


def _canonical(ring: Mapping[str, object]) -> bytes:
    return json.dumps(ring, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _decode(value: object) -> bytes:
    return base64.b64decode(_text(value), validate=True)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a whole number")
    return value


def _guid(value: object) -> Guid:
    guid = parse_guid(_text(value))
    if guid is None:
        raise ValueError("not a GUID")
    return guid


def _moment(value: object) -> datetime:
    return datetime.fromisoformat(_text(value))


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return cast("Mapping[str, object]", value)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return cast("list[object]", value)
