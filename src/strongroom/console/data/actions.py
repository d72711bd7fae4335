"""What is done with a whole row: delete, assign, share, activate and deactivate. Each asks before it does."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from strongroom.access.rights import RIGHT_NAMES
from strongroom.console.api import ApiError, Json, as_object, objects, reference, text
from strongroom.console.data.lookups import find_row, name_or_id
from strongroom.console.data.records import Subject, crumbs_of, name_of, typed_reference
from strongroom.console.data.tables import title_of
from strongroom.console.page import Page
from strongroom.console.visit import Visit
from strongroom.schema.model import Rights

_SHAREABLE = [right for right in RIGHT_NAMES if right is not Rights.CREATE]


async def delete(visit: Visit) -> Response:
    """What a delete would take along, then the delete."""
    subject = await name_of(visit)
    if visit.request.method == "POST":
        await visit.api.send("DELETE", subject.address)
        return visit.redirect(f"tables/{subject.table.logical_name}", done="deleted")
    effects: dict[str, list[str]] = {"Cascade": [], "RemoveLink": [], "Restrict": []}
    for relationship in visit.schema.children_of(subject.table.logical_name):
        child = visit.schema.tables[relationship.referencing_table]
        if relationship.cascade.delete in effects and not child.is_intersect:
            effects[relationship.cascade.delete].append(title_of(child))
    shown = {kind: sorted(set(names)) for kind, names in effects.items()}
    context = {"subject": subject, "effects": shown}
    return visit.render(
        "delete.html",
        visit.texts("Delete %(name)s", name=subject.name),
        context,
        crumbs=crumbs_of(visit, subject, visit.texts("Delete")),
    )


async def assign(visit: Visit) -> Response:
    """A new owner."""
    subject = await name_of(visit)
    problem: ApiError | None = None
    given = ""
    if visit.request.method == "POST":
        given = text((await visit.form()).get("owner")).strip()
        try:
            table, row_id = await find_row(visit, ("systemuser", "team"), given)
            await visit.api.send(
                "PATCH",
                subject.address,
                {"ownerid@odata.bind": f"/{table.entity_set_name}({row_id})"},
                headers={"if-match": "*"},
            )
            return visit.redirect(subject.path, done="assigned")
        except ApiError as error:
            problem = error
    context = {"subject": subject, "problem": problem, "given": given}
    return visit.render(
        "assign.html",
        visit.texts("Assign %(name)s", name=subject.name),
        context,
        crumbs=crumbs_of(visit, subject, visit.texts("Assign")),
        status=problem.status if problem else 200,
    )


async def share(visit: Visit) -> Response:
    """Who has shares of a row; giving, changing and ending one."""
    subject = await name_of(visit)
    problem: ApiError | None = None
    sent: Mapping[str, Sequence[str]] = {}
    if visit.request.method == "POST":
        form = await visit.form()
        sent = {name: [text(value) for value in form.getlist(name)] for name in ("principal", "right", "revoke")}
        try:
            return await _share(visit, subject, sent)
        except ApiError as error:
            problem = error
    found = await visit.api.ask(
        "RetrieveSharedPrincipalsAndAccess", Target=reference(subject.table.entity_set_name, subject.id)
    )
    context = {
        "subject": subject,
        "problem": problem,
        "given": (sent.get("principal") or [""])[0],
        "shares": [await _share_row(visit, each) for each in objects(found.get("PrincipalAccesses"))],
        "rights": [(RIGHT_NAMES[right], RIGHT_NAMES[right].removesuffix("Access")) for right in _SHAREABLE],
    }
    return visit.render(
        "share.html",
        visit.texts("Share %(name)s", name=subject.name),
        context,
        crumbs=crumbs_of(visit, subject, visit.texts("Share")),
        status=problem.status if problem else 200,
    )


async def _share(visit: Visit, subject: Subject, sent: Mapping[str, Sequence[str]]) -> Response:
    target = typed_reference(subject.table, subject.id)
    if sent["revoke"]:
        table, _, row_id = sent["revoke"][0].partition(":")
        revokee = typed_reference(visit.table(table), row_id)
        await visit.api.send("POST", "RevokeAccess", {"Target": target, "Revokee": revokee})
        return visit.redirect(f"{subject.path}/share", done="unshared")
    rights = [right for right in sent["right"] if right in RIGHT_NAMES.values()]
    if not rights:
        raise ApiError(400, "", visit.texts("Choose at least one right."))
    table, row_id = await find_row(visit, ("systemuser", "team"), (sent["principal"] or [""])[0].strip())
    access = {"Principal": typed_reference(table, row_id), "AccessMask": ",".join(rights)}
    await visit.api.send("POST", "GrantAccess", {"Target": target, "PrincipalAccess": access})
    return visit.redirect(f"{subject.path}/share", done="shared")


async def _share_row(visit: Visit, share: Json) -> tuple[str, str, str, str]:
    """(table, id, name, rights) of one share."""
    row = as_object(share.get("Principal"))
    table = text(row.get("@odata.type")).rpartition(".")[2]
    known = visit.table(table)
    row_id = text(row.get(known.primary_id) or row.get("ownerid"))
    return table, row_id, await name_or_id(visit, known, row_id), text(share.get("AccessMask")).replace("Access", "")


async def state(visit: Visit) -> Response:
    """Activate or deactivate a row."""
    subject = await name_of(visit)
    wanted = 0 if text((await visit.form()).get("state")) == "0" else 1
    await visit.api.send("PATCH", subject.address, {"statecode": wanted}, headers={"if-match": "*"})
    return visit.redirect(subject.path, done="state")


PAGES = (
    Page("/tables/{table}/{id}/delete", delete, "data", ("GET", "POST")),
    Page("/tables/{table}/{id}/assign", assign, "data", ("GET", "POST")),
    Page("/tables/{table}/{id}/share", share, "data", ("GET", "POST")),
    Page("/tables/{table}/{id}/state", state, "data", ("POST",)),
)
