"""Vaults: secrets of programs, in versions, for those whom a policy lets (TS-601 to TS-610).

A value is sealed under the key that the control environment has for vaults, for its item and version alone, and lies in
a column that nobody reads. It leaves by `get_secret` and nowhere else, each time with a row of `vaultaccess`. Holding a
role gives nothing here: a right on an item comes from rows of `vaultaccesspolicy`, which are in the trail like any
other.

    keyvault ──< vaultsecret (name, kind) ──< vaultitemversion (version, sealed value, times)
         └────< vaultaccesspolicy (principal, item or all, rights)
"""

import base64
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from strongroom.clock import iso
from strongroom.errors import AccessDenied, Conflict, IntegrityViolation, InvalidRequest, NotFound
from strongroom.estate.ledger import add, change
from strongroom.ids import Reference
from strongroom.keys import Secret
from strongroom.keys.wrapping import expand, unwrap, wrap
from strongroom.records import Session
from strongroom.store.protocol import Row, Value

MOST_BYTES = 25 * 1024
RECOVERABLE = timedelta(days=90)
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_REFERENCE = re.compile(r"vault/([0-9A-Za-z-]{1,127})/secrets/([0-9A-Za-z-]{1,127})(?:/([0-9]{1,9}))?")
_GENERATED_BYTES = 32


class ItemKind(Enum):
    """`vaultsecret.kind`."""

    SECRET = 1
    KEY = 2
    CERTIFICATE = 3


class VaultRight(Enum):
    """What a policy may give."""

    LIST = "list"
    GET = "get"
    SET = "set"
    DELETE = "delete"
    RECOVER = "recover"
    PURGE = "purge"
    WRAP = "wrap"
    UNWRAP = "unwrap"
    SIGN = "sign"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants to use a vault: a user of some environment by sign-in name, and the extension that acts for them."""

    principal: str
    extension: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """The value of one version."""

    value: Secret
    version: int


def sealing_key(session: Session) -> Secret:
    """The key under which values are sealed. Raises `NotFound` where there are no vaults."""
    found = session.rules.vault_key
    if found is None:
        raise NotFound("Vaults are in the control environment.")
    return found()


# --- vaults -----------------------------------------------------------------------------------------------------------


def create_vault(session: Session, name: str, owner: Asker, *, is_purge_protected: bool = False) -> Row:
    """A new vault; whoever makes it may do everything in it until they give that away."""
    _require_name(name)
    if _find_vault(session, name) is not None:
        raise Conflict(f"There is a vault '{name}' already.")
    vault = add(session, "keyvault", {"name": name, "purgeprotected": is_purge_protected})
    rights = ",".join(right.value for right in VaultRight)
    give(session, vault, owner.principal, rights)
    return vault


def give(session: Session, vault: Row, principal: str, rights: str, item: str = "") -> Row:
    """Let somebody use a vault, or one item of it. Raises `InvalidRequest` for a right that there is not."""
    wanted = [each.strip() for each in rights.split(",") if each.strip()]
    known = {right.value for right in VaultRight}
    unknown = [each for each in wanted if each not in known]
    if unknown or not wanted:
        said = f"'{unknown[0]}' is no right" if unknown else "A policy gives at least one right"
        raise InvalidRequest(f"{said}; there are: {', '.join(sorted(known))}.")
    values: dict[str, Value] = {
        "name": f"{principal} in {vault.values['name']}",
        "keyvaultid": vault.reference(),
        "principal": principal,
        "item": item or None,
        "rights": ",".join(wanted),
    }
    return add(session, "vaultaccesspolicy", values)


def vault_named(session: Session, name: str) -> Row:
    """The vault of this name."""
    found = _find_vault(session, name)
    if found is None:
        raise NotFound(f"There is no vault '{name[:127]}'.")
    return found


def _find_vault(session: Session, name: str) -> Row | None:
    found = session.transaction.rows_where(session.table("keyvault"), {"name": name}, limit=1)
    return found[0] if found else None


# --- secrets ----------------------------------------------------------------------------------------------------------


def set_secret(
    session: Session,
    vault: str,
    name: str,
    value: Secret,
    asker: Asker,
    *,
    not_before: str | None = None,
    expires_on: str | None = None,
    content_type: str | None = None,
) -> int:
    """A new version of a secret, which is made when it is not there; its number. Older versions stay readable."""
    if len(value.reveal()) > MOST_BYTES:
        raise _refused(f"A secret has at most {MOST_BYTES} bytes.", "secret-too-large", "TS-601", "Value")
    _require_name(name)
    holder = vault_named(session, vault)
    _demand(session, holder, name, VaultRight.SET, asker)
    item = _find_item(session, holder, name)
    if item is not None and item.values.get("deletedon") is not None:
        raise Conflict(f"'{name}' was deleted and can be recovered; recover or purge it first.")
    if item is not None and item.values.get("kind") != ItemKind.SECRET.value:
        raise Conflict(f"'{name}' is no secret.")
    item = item or new_item(session, holder, name, ItemKind.SECRET)
    version = add_version(session, item, value, {"notbefore": not_before, "expireson": expires_on})
    if content_type:
        change(session, item, {"contenttype": content_type})
    note(session, vault, name, version, "set", asker)
    return version


def get_secret(session: Session, vault: str, name: str, asker: Asker, version: int | None = None) -> Opened:
    """The value of a version, the current one where none is named; and a row that says that it was read."""
    holder = vault_named(session, vault)
    _demand(session, holder, name, VaultRight.GET, asker)
    found = version_of(session, item_named(session, holder, name), version)
    opened = Opened(open_version(session, found), int(str(found.values["version"])))
    note(session, vault, name, opened.version, "get", asker)
    return opened


def rotate_secret(session: Session, vault: str, name: str, asker: Asker) -> int:
    """A new version with a generated value; its number. Whoever uses the secret has it with the next use."""
    return set_secret(session, vault, name, Secret(secrets.token_urlsafe(_GENERATED_BYTES).encode()), asker)


def disable_version(session: Session, vault: str, name: str, version: int, asker: Asker) -> None:
    """Let nobody read a version any more."""
    holder = vault_named(session, vault)
    _demand(session, holder, name, VaultRight.SET, asker)
    for row in _versions(session, item_named(session, holder, name)):
        if row.values.get("version") == version:
            change(session, row, {"enabled": False})
            note(session, vault, name, version, "disable", asker)
            return
    raise NotFound(f"'{name}' has no version {version}.")


def delete_item(session: Session, vault: str, name: str, asker: Asker) -> None:
    """Take an item away; it can be recovered for 90 days."""
    holder = vault_named(session, vault)
    _demand(session, holder, name, VaultRight.DELETE, asker)
    now = session.clock.now()
    changes: dict[str, Value] = {"deletedon": iso(now), "recoverableuntil": iso(now + RECOVERABLE)}
    change(session, item_named(session, holder, name), changes)
    note(session, vault, name, None, "delete", asker)


def recover_item(session: Session, vault: str, name: str, asker: Asker) -> None:
    """Have a deleted item back, with its versions."""
    holder = vault_named(session, vault)
    _demand(session, holder, name, VaultRight.RECOVER, asker)
    change(session, item_named(session, holder, name, deleted=True), {"deletedon": None, "recoverableuntil": None})
    note(session, vault, name, None, "recover", asker)


def purge_item(session: Session, vault: str, name: str, asker: Asker) -> None:
    """Destroy a deleted item for good. With purge protection, not before its 90 days are over."""
    holder = vault_named(session, vault)
    _demand(session, holder, name, VaultRight.PURGE, asker)
    item = item_named(session, holder, name, deleted=True)
    until = str(item.values.get("recoverableuntil") or "")
    if holder.values.get("purgeprotected") is True and until > session.now:
        raise Conflict(f"'{name}' is protected until {until}.", details={"reason": "purge-protected", "rule": "TS-602"})
    session.transaction.delete(session.table("vaultitemversion"), _versions(session, item))
    session.transaction.delete(session.table("vaultsecret"), [item])
    note(session, vault, name, None, "purge", asker)


# --- items and versions, for keys and certificates too ----------------------------------------------------------------


def new_item(session: Session, vault: Row, name: str, kind: ItemKind) -> Row:
    """An item without a version yet."""
    _require_name(name)
    values: dict[str, Value] = {"name": name, "keyvaultid": vault.reference(), "kind": kind.value, "currentversion": 0}
    return add(session, "vaultsecret", values)


def item_of_kind(session: Session, vault: Row, name: str, kind: ItemKind, *, make: bool = True) -> Row:
    """The item of this name, made when it is not there. Raises `Conflict` when it is of another kind, or deleted."""
    found = _find_item(session, vault, name)
    if found is None:
        if not make:
            raise NotFound(f"There is no item '{name[:127]}' in this vault.")
        return new_item(session, vault, name, kind)
    if found.values.get("kind") != kind.value:
        raise Conflict(f"'{name}' is no {kind.name.lower()}.")
    if found.values.get("deletedon") is not None:
        raise Conflict(f"'{name}' was deleted and can be recovered; recover or purge it first.")
    return found


def versions_of(session: Session, item: Row) -> list[Row]:
    """All versions of an item, in the order in which they were made."""
    return sorted(_versions(session, item), key=lambda row: int(str(row.values["version"])))


def add_version(session: Session, item: Row, value: Secret, facts: dict[str, Value], *, is_current: bool = True) -> int:
    """Seal a value as the next version of an item, the current one unless it has to wait; its number."""
    known = [int(str(row.values["version"])) for row in _versions(session, item)]
    version = max([int(str(item.values.get("currentversion") or 0)), *known]) + 1
    sealed = wrap(expand(sealing_key(session)), value, *_place(item, version))
    values: dict[str, Value] = {
        "name": f"{item.values['name']} {version}",
        "vaultsecretid": item.reference(),
        "version": version,
        "sealed": base64.b64encode(sealed).decode(),
        "enabled": True,
        **facts,
    }
    add(session, "vaultitemversion", values)
    if is_current:
        change(session, item, {"currentversion": version, "expireson": facts.get("expireson")})
    return version


def item_named(session: Session, vault: Row, name: str, *, deleted: bool = False) -> Row:
    """An item that is there, or one that was deleted."""
    item = _find_item(session, vault, name)
    if item is None or (item.values.get("deletedon") is not None) != deleted:
        raise NotFound(f"There is no{' deleted' if deleted else ''} item '{name[:127]}' in this vault.")
    return item


def version_of(session: Session, item: Row, version: int | None) -> Row:
    """A version that may be used now. Raises `AccessDenied` outside of its time, or when it is disabled (TS-602)."""
    wanted = version or item.values.get("currentversion")
    found = next((row for row in _versions(session, item) if row.values.get("version") == wanted), None)
    if found is None:
        raise NotFound(f"'{item.values['name']}' has no version {wanted}.")
    begins, ends = str(found.values.get("notbefore") or ""), str(found.values.get("expireson") or "")
    if found.values.get("enabled") is not True or session.now < begins or (ends and session.now >= ends):
        raise AccessDenied(
            f"Version {wanted} of '{item.values['name']}' is not valid now.",
            details={"reason": "secret-not-valid-now", "rule": "TS-602"},
        )
    return found


def open_version(session: Session, version: Row) -> Secret:
    """The value of a version."""
    item = version.values["vaultsecretid"]
    row = session.transaction.row(session.table("vaultsecret"), item.id) if isinstance(item, Reference) else None
    if row is None:
        raise IntegrityViolation("a version of a vault without its item")
    sealed = base64.b64decode(str(version.values["sealed"]))
    return unwrap(expand(sealing_key(session)), sealed, *_place(row, int(str(version.values["version"]))))


def demand_right(session: Session, vault: str, name: str, right: VaultRight, asker: Asker) -> Row:
    """The vault, once it is sure that the asker has a right on an item of it."""
    holder = vault_named(session, vault)
    _demand(session, holder, name, right, asker)
    return holder


def note(session: Session, vault: str, name: str, version: int | None, operation: str, asker: Asker) -> None:
    """Write down that an item was used; never its value (TS-610)."""
    values: dict[str, Value] = {
        "name": name,
        "vault": vault,
        "version": version,
        "operation": operation,
        "principal": asker.principal,
        "extension": asker.extension or None,
        "outcome": "done",
    }
    add(session, "vaultaccess", values)


def resolve(session: Session, reference: str, asker: Asker) -> str:
    """The value behind `vault/<vault>/secrets/<name>[/<version>]`, for a program at run time (TS-604)."""
    matched = _REFERENCE.fullmatch(reference.strip())
    if matched is None:
        raise Conflict(
            "The reference must have the form vault/<vault>/secrets/<name>[/<version>].",
            details={"reason": "secret-not-mapped", "rule": "TS-609"},
        )
    version = int(matched[3]) if matched[3] else None
    return get_secret(session, matched[1], matched[2], asker, version).value.reveal().decode()


def exposure(session: Session, vault: str, name: str) -> tuple[list[str], list[dict[str, object]]]:
    """Who can read a secret, and who did (TS-610)."""
    holder = vault_named(session, vault)
    can = [
        str(row.values["principal"])
        for row in _policies(session, holder)
        if VaultRight.GET.value in _rights(row) and row.values.get("item") in (None, name)
    ]
    used = session.transaction.rows_where(session.table("vaultaccess"), {"name": name})
    did = [
        {"Principal": row.values["principal"], "On": row.values["createdon"], "Version": row.values["version"]}
        for row in used
        if row.values.get("vault") == vault and row.values.get("operation") == "get"
    ]
    return sorted(set(can)), did


def due_for_rotation(session: Session) -> list[tuple[str, str]]:
    """Secrets (vault, name) whose newest version is older than they may be (TS-606)."""
    names = {row.id: str(row.values["name"]) for row in session.transaction.rows_where(session.table("keyvault"), {})}
    due: list[tuple[str, str]] = []
    for item in session.transaction.rows_where(session.table("vaultsecret"), {"kind": ItemKind.SECRET.value}):
        days, vault = item.values.get("rotateeverydays"), item.values["keyvaultid"]
        if not isinstance(days, int) or days < 1 or not isinstance(vault, Reference):
            continue
        if item.values.get("deletedon") is not None:
            continue
        newest = max(_versions(session, item), key=lambda row: int(str(row.values["version"])), default=None)
        made = datetime.fromisoformat(str(newest.values["createdon"])).astimezone(UTC) if newest else None
        if made is not None and made + timedelta(days=days) <= session.clock.now():
            due.append((names[vault.id], str(item.values["name"])))
    return due


def rotate_due(session: Session) -> int:
    """Give every secret whose time is over a generated value, in the platform's name; how many (TS-606)."""
    due = due_for_rotation(session)
    for vault, name in due:
        value = Secret(secrets.token_urlsafe(_GENERATED_BYTES).encode())
        version = add_version(session, item_named(session, vault_named(session, vault), name), value, {})
        note(session, vault, name, version, "rotate", Asker("the server"))
    return len(due)


# --- inside -----------------------------------------------------------------------------------------------------------


def _demand(session: Session, vault: Row, item: str, right: VaultRight, asker: Asker) -> None:
    principals = {asker.principal.lower(), f"extension:{asker.extension}".lower() if asker.extension else ""}
    for row in _policies(session, vault):
        is_about = row.values.get("item") in (None, "", item)
        if is_about and str(row.values["principal"]).lower() in principals and right.value in _rights(row):
            return
    raise AccessDenied(
        f"No policy of the vault gives the right '{right.value}' on '{item[:127]}'.",
        details={"reason": "no-vault-right", "rule": "TS-603"},
    )


def _policies(session: Session, vault: Row) -> list[Row]:
    return session.transaction.rows_where(session.table("vaultaccesspolicy"), {"keyvaultid": vault.reference()})


def _rights(policy: Row) -> set[str]:
    return {each.strip() for each in str(policy.values.get("rights") or "").split(",")}


def _find_item(session: Session, vault: Row, name: str) -> Row | None:
    columns: dict[str, Value] = {"keyvaultid": vault.reference(), "name": name}
    found = session.transaction.rows_where(session.table("vaultsecret"), columns, limit=1)
    return found[0] if found else None


def _versions(session: Session, item: Row) -> list[Row]:
    return session.transaction.rows_where(session.table("vaultitemversion"), {"vaultsecretid": item.reference()})


def _place(item: Row, version: int) -> tuple[str, ...]:
    return "vault", item.id, str(version)


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise _refused("A name in a vault has 1 to 127 letters, digits and hyphens.", "bad-name", "TS-601", "Name")


def _refused(message: str, reason: str, rule: str, target: str) -> InvalidRequest:
    return InvalidRequest(message, details={"reason": reason, "rule": rule, "target": target})
