"""Vaults: what programs keep there, in which versions, until when, and who may use it. A value is taken in and never
shown: it leaves by the Web API alone, for those whom a policy lets (TS-601 to TS-610)."""

import base64
from collections.abc import Mapping, Sequence

from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from strongroom.console.api import ApiError, Json, strings, text
from strongroom.console.data.filters import quoted
from strongroom.console.page import Page
from strongroom.console.sent import filled, line, moment, whole
from strongroom.console.visit import Crumb, Visit

_MOST = 200
_NEWEST = 25
_LARGEST_CERTIFICATE = 256 * 1024
_KEY_TYPES = ("AES-256", "RSA-2048", "RSA-3072", "RSA-4096", "EC-P256", "EC-P384", "EC-P521")
_RIGHTS = ("get", "set", "list", "delete", "recover", "purge", "wrap", "unwrap", "sign", "verify")
_ITEM_ACTIONS = {"delete": "DeleteVaultItem", "recover": "RecoverVaultItem", "purge": "PurgeVaultItem"}


async def show(visit: Visit) -> Response:
    """All vaults; a new one."""
    visit.require_control()
    problem: ApiError | None = None
    if visit.request.method == "POST":
        form = await visit.form()
        body = {"Name": line(form, "name"), "PurgeProtection": bool(line(form, "protected"))}
        try:
            made = await visit.api.send("POST", "CreateVault", body)
            return visit.redirect(f"vaults/{made.body['KeyVaultId']}", done="created")
        except ApiError as error:
            problem = error
    context = {
        "rows": await visit.api.rows_if_allowed("keyvaults", {"$orderby": "name"}, most=_MOST),
        "soon": await _expiring(visit),
        "problem": problem,
    }
    return visit.render("vaults.html", visit.texts("Vaults"), context, status=problem.status if problem else 200)


async def _expiring(visit: Visit) -> Sequence[Json]:
    """What ends next."""
    options = {"$filter": "expireson ne null and deletedon eq null", "$orderby": "expireson"}
    return await visit.api.rows_if_allowed("vaultsecrets", options, most=_NEWEST) or ()


async def one(visit: Visit) -> Response:
    """One vault: its items and its policies."""
    visit.require_control()
    vault = await visit.api.get(f"keyvaults({visit.row_id()})")
    problem: ApiError | None = None
    if visit.request.method == "POST":
        try:
            return await _act(visit, await visit.form(), text(vault.get("name")))
        except ApiError as error:
            problem = error
    of_vault = f"_keyvaultid_value eq {visit.row_id()}"
    context = {
        "vault": vault,
        "items": await visit.api.rows_if_allowed("vaultsecrets", {"$filter": of_vault, "$orderby": "name"}, most=_MOST),
        "policies": await visit.api.rows_if_allowed(
            "vaultaccesspolicies", {"$filter": of_vault, "$orderby": "principal"}, most=_MOST
        ),
        "key_types": _KEY_TYPES,
        "rights": _RIGHTS,
        "problem": problem,
    }
    return _render(visit, "vault.html", vault, None, context, problem)


async def _act(visit: Visit, form: FormData, vault: str) -> Response:
    """Something with the vault, or one of its items."""
    about: dict[str, object] = {"Vault": vault, "Name": line(form, "name")}
    match line(form, "act"):
        case "set":
            # As it was typed: white space at the ends may be part of a secret.
            value = {"Value": text(form.get("value")), **filled(ExpiresOn=moment(visit, form, "expireson"))}
            await visit.api.send("POST", "SetSecret", about | value)
        case "key":
            await visit.api.send("POST", "CreateVaultKey", about | {"Type": line(form, "type")})
        case "certificate":
            hosts = line(form, "hosts").replace(",", " ").split()
            asked: dict[str, object] = {"CommonName": line(form, "common")}
            asked |= filled(Days=whole(form, "days") or None) | ({"Hosts": hosts} if hosts else {})
            await visit.api.send("POST", "CreateCertificate", about | asked)
        case "import":
            await visit.api.send("POST", "ImportCertificate", {**about, **await _certificate(visit, form)})
        case "allow":
            rights = [text(each) for each in form.getlist("right")]
            principal = line(form, "principal")
            policy = filled(name=f"{principal} in {vault}", principal=principal, item=line(form, "item"))
            bound = {"keyvaultid@odata.bind": f"/keyvaults({visit.row_id()})", "rights": ",".join(rights)}
            await visit.api.send("POST", "vaultaccesspolicies", policy | bound)
        case "forbid":
            await visit.api.send("DELETE", f"vaultaccesspolicies({line(form, 'policy')})")
        case _:
            raise ApiError(400, "", visit.texts("Choose what is to be done."))
    return visit.redirect(f"vaults/{visit.row_id()}", done="saved")


async def _certificate(visit: Visit, form: FormData) -> Mapping[str, object]:
    """A certificate with its key, out of the file that was sent."""
    file = form.get("file")
    content = await file.read(_LARGEST_CERTIFICATE + 1) if isinstance(file, UploadFile) else b""
    if not 0 < len(content) <= _LARGEST_CERTIFICATE:
        raise ApiError(400, "", visit.texts("Choose a certificate with its key, as PFX or PEM."))
    return {"Data": base64.b64encode(content).decode(), **filled(Password=text(form.get("password")))}


async def item(visit: Visit) -> Response:
    """One item: its versions, who can read it, and who did."""
    visit.require_control()
    row = await visit.api.get(f"vaultsecrets({visit.row_id('item')})")
    vault = await visit.api.get(f"keyvaults({visit.row_id()})", {"$select": "name"})
    problem: ApiError | None = None
    if visit.request.method == "POST":
        try:
            return await _change(visit, await visit.form(), text(vault.get("name")), text(row.get("name")))
        except ApiError as error:
            problem = error
    versions = await visit.api.rows_if_allowed(
        "vaultitemversions",
        {
            "$select": "version,enabled,expireson,notbefore,createdon,thumbprint",
            "$filter": f"_vaultsecretid_value eq {visit.row_id('item')}",
            "$orderby": "version desc",
        },
        most=_MOST,
    )
    accesses = await visit.api.rows_if_allowed(
        "vaultaccesses",
        {"$filter": f"vault eq {quoted(text(vault.get('name')))} and name eq {quoted(text(row.get('name')))}"}
        | {"$orderby": "createdon desc"},
        most=_NEWEST,
    )
    context = {
        "row": row,
        "versions": versions or (),
        "accesses": accesses or (),
        "can_read": await _can_read(visit, text(vault.get("name")), text(row.get("name"))),
        "is_deleted": row.get("deletedon") is not None,
        "is_secret": row.get("kind") == 1,
        "problem": problem,
    }
    return _render(visit, "vault-item.html", vault, row, context, problem)


async def _can_read(visit: Visit, vault: str, name: str) -> Sequence[str] | None:
    try:
        found = await visit.api.ask("RetrieveSecretExposure", Vault=vault, Name=name)
    except ApiError as error:
        if error.status in (403, 404):
            return None
        raise
    return strings(found.get("CanRead"))


async def _change(visit: Visit, form: FormData, vault: str, name: str) -> Response:
    about: dict[str, object] = {"Vault": vault, "Name": name}
    act = line(form, "act")
    if act in _ITEM_ACTIONS:
        await visit.api.send("POST", _ITEM_ACTIONS[act], about)
        if act == "purge":
            return visit.redirect(f"vaults/{visit.row_id()}", done="deleted")
    elif act == "set":
        value = {"Value": text(form.get("value")), **filled(ExpiresOn=moment(visit, form, "expireson"))}
        await visit.api.send("POST", "SetSecret", about | value)
    elif act == "rotate":
        await visit.api.send("POST", "RotateSecret", about)
    elif act == "disable":
        await visit.api.send("POST", "DisableSecretVersion", about | {"Version": whole(form, "version")})
    else:
        raise ApiError(400, "", visit.texts("Choose what is to be done."))
    return visit.redirect(f"vaults/{visit.row_id()}/{visit.row_id('item')}", done="saved")


def _render(
    visit: Visit,
    template: str,
    vault: Json,
    item_row: Json | None,
    context: Mapping[str, object],
    problem: ApiError | None,
) -> Response:
    name = text(vault.get("name"))
    way = [Crumb(visit.texts("Vaults"), visit.address("vaults"))]
    title = name
    if item_row is not None:
        title = text(item_row.get("name"))
        way.append(Crumb(name, visit.address(f"vaults/{visit.row_id()}")))
    way.append(Crumb(title))
    return visit.render(template, title, context, crumbs=way, status=problem.status if problem else 200)


PAGES = (
    Page("/vaults", show, "vaults", ("GET", "POST")),
    Page("/vaults/{id}", one, "vaults", ("GET", "POST")),
    Page("/vaults/{id}/{item}", item, "vaults", ("GET", "POST")),
)
