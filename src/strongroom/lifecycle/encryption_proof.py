"""`ProveEncryption`: reads what really lies on disk of an environment, and says whether it is encrypted.

TS-503, TS-512. Of a file: no header of SQLite, pages without a pattern, none of the values that it holds in clear,
opened by its own key and by no other; the same of its log, its back-ups and its journal. Of PostgreSQL the files are
the server's matter, which is said as *NotMeasurable*; what of it we encrypt ourselves, encrypted columns, is read and
counted. No data key lies anywhere in the home in clear.
"""

import base64
from collections.abc import Iterator
from pathlib import Path

from strongroom.home import EnvironmentRecord, Home
from strongroom.ids import Guid
from strongroom.keys import Secret
from strongroom.keys.wrapping import new_key
from strongroom.lifecycle.backups import Backups
from strongroom.lifecycle.proofs import FAILED, NOT_MEASURABLE, PASSED, overall, signed
from strongroom.opening import open_environment
from strongroom.store.at_rest import PAGE, cipher_of, content_of, found_in, opens, texts_of

KIND = "strongroom proof of encryption"
_LEAST_ENTROPY = 7.8
"""Bits per byte of the plainest page. 4,096 random bytes have 7.95; less than 7.9 does not happen by chance."""

_SAMPLES = (("systemuser", "fullname"), ("account", "name"), ("contact", "fullname"), ("organization", "name"))
_MOST_SAMPLES = 25
_AGE = b"age-encryption.org/v1"


def prove_encryption(home: Home, name: str) -> dict[str, object]:
    """The signed document about one environment. Raises `EnvironmentLocked` while it is locked."""
    record = home.record(name)
    files = [*_store(home, record), *_kept(home, record)]
    columns = _columns(home, record)
    leaks = _keys_in_clear(home, record)
    files.append({"File": "every file of the home", "Check": "no data key in clear", "Result": _said(not leaks)})
    module, fips = _module(home, record)
    return signed(
        home,
        KIND,
        {
            "EnvironmentId": record.id,
            "Environment": record.name,
            "Engine": record.engine,
            "KeyVersion": home.keys.document.environments[record.id].active.version,
            "Files": files,
            "Columns": columns,
            "CryptoModule": module,
            "Fips": fips,
            "Result": overall([str(each["Result"]) for each in (*files, *columns)]),
        },
    )


def _store(home: Home, record: EnvironmentRecord) -> Iterator[dict[str, object]]:
    if record.engine != "sqlcipher":
        yield {
            "File": "the server's files",
            "Check": "encrypted at rest",
            "Detail": "They are the matter of the server's host; no program that asks the server can see them.",
            "Result": NOT_MEASURABLE,
        }
        return
    path = home.database_file(record)
    key = home.keys.data_key(record.id).reveal()
    shown = texts_of(path, key, _SAMPLES, _MOST_SAMPLES)
    for each in (path, path.with_name(f"{path.name}-wal")):
        if each.exists() and each.stat().st_size >= PAGE:
            yield _looked_at(each, has_header=each == path)
            found = found_in(each, shown)
            yield {
                "File": each.name,
                "Check": f"none of {len(shown)} values that it holds is in clear",
                "Result": _said(not found),
            }
    others = {other.name: other.id for other in home.environments() if other.id != record.id}
    wrong = {"a random key": new_key().reveal()}
    for other, identity in others.items():
        if home.keys.customer.lock_of(identity) is None:
            wrong[f"the key of '{other}'"] = home.keys.data_key(identity).reveal()
    yield {"File": path.name, "Check": "opens with its key", "Result": _said(opens(path, key))}
    for whose, one in wrong.items():
        yield {"File": path.name, "Check": f"does not open with {whose}", "Result": _said(not opens(path, one))}


def _kept(home: Home, record: EnvironmentRecord) -> Iterator[dict[str, object]]:
    """Back-ups, and the segments of the journal."""
    backups = Backups(home)
    for manifest in backups.listed(record.id):
        path = backups.path_of(manifest)
        if path.is_file():
            with path.open("rb") as file:
                is_age = file.read(len(_AGE)) == _AGE
            yield {**_looked_at(path), "Check": "an age file without a pattern"} | (
                {} if is_age else {"Result": FAILED}
            )
    for path in sorted((backups.folder / record.id).rglob("*.segment")):
        if path.stat().st_size >= PAGE:
            yield _looked_at(path)


def _looked_at(path: Path, *, has_header: bool = False) -> dict[str, object]:
    """Whether a file has a pattern. The first page of others than a database begins with a header in clear: a log tells
    its salts, an age file its recipients."""
    content = content_of(path)
    is_fine = not content.has_plain_header and content.least_entropy >= _LEAST_ENTROPY
    return {
        "File": path.name,
        "Check": "no SQLite header, no page with a pattern" if has_header else "no page with a pattern",
        "SizeBytes": content.size_bytes,
        "Pages": content.pages,
        "LeastEntropy": f"{content.least_entropy:.3f}",
        "Result": _said(is_fine),
    }


def _columns(home: Home, record: EnvironmentRecord) -> list[dict[str, object]]:
    """What is stored of each encrypted column."""
    environment = open_environment(home, record.name)
    try:
        with environment.database.read() as transaction:
            told: list[dict[str, object]] = []
            for table, columns in transaction.schema.encrypted.items():
                for column in columns.values():
                    held = transaction.column_encryption.held(transaction.schema.tables[table], column)
                    told.append(
                        {
                            "Column": f"{table}.{column.logical_name}",
                            "Sealed": held.sealed,
                            "Broken": held.broken,
                            "Plain": held.plain,
                            "Result": _said(held.plain == held.broken == 0),
                        }
                    )
            return told
    finally:
        environment.close()


def _keys_in_clear(home: Home, record: EnvironmentRecord) -> list[str]:
    """Files of the home in which a key of the environment lies as bytes, hexadecimal or base64."""
    needles: dict[str, bytes] = {}
    for purpose, key in _keys(home, record.id):
        raw = key.reveal()
        forms = {"raw": raw, "hexadecimal": raw.hex().encode(), "base64": base64.b64encode(raw)}
        needles |= {f"{purpose} {form}": data for form, data in forms.items()}
    return [str(path) for path in sorted(home.path.rglob("*")) if path.is_file() and found_in(path, needles)]


def _keys(home: Home, environment: Guid) -> Iterator[tuple[str, Secret]]:
    yield "data", home.keys.data_key(environment)
    for purpose in sorted(home.keys.document.environments[environment].others):
        yield purpose, home.keys.environment_key(environment, purpose, home.clock)


def _module(home: Home, record: EnvironmentRecord) -> tuple[str, bool]:
    """The cryptographic module, and whether it runs in FIPS mode: what it says of itself, and no more."""
    from cryptography.hazmat.backends.openssl.backend import backend

    module = backend.openssl_version_text()
    if record.engine != "sqlcipher":
        return module, False
    told = cipher_of(home.database_file(record), home.keys.data_key(record.id).reveal())
    cipher = f"SQLCipher {told['cipher_version']} with {told['cipher_provider']} {told['cipher_provider_version']}"
    return f"{cipher}; {module}", told["cipher_fips_status"] == "1"


def _said(is_fine: bool) -> str:
    return PASSED if is_fine else FAILED
