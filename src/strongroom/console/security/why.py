"""Why somebody may or may not, who may, and what somebody sees: the questions, drawn."""

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from strongroom.access.rights import RIGHT_NAMES
from strongroom.console.api import ApiError, Json, objects, reference, text
from strongroom.console.data.lookups import find_row, name_or_id
from strongroom.console.data.records import crumbs_of, name_of
from strongroom.console.data.tables import shown_tables
from strongroom.console.page import Page
from strongroom.console.security.words import Told, denial_of, denial_words, reason_words, remedy_words, told
from strongroom.console.visit import Visit

_MOST_USERS = 200


async def who(visit: Visit) -> Response:
    """Everybody who has a right on a row, each with the reasons."""
    subject = await name_of(visit)
    right = _right(visit.parameter("right"))
    found = await visit.api.ask("sr_WhoCan", Target=reference(subject.table.entity_set_name, subject.id), Right=right)
    users = objects(found.get("Users"))
    words = reason_words(visit.texts)
    context = {
        "subject": subject,
        "tab": "access",
        "right": right,
        "rights": list(RIGHT_NAMES.values()),
        "count": found.get("Count"),
        "users": [(text(u.get("Id")), text(u.get("Name")), _short(words, u)) for u in users[:_MOST_USERS]],
        "most": _MOST_USERS,
    }
    return visit.render(
        "who.html", subject.name, context, crumbs=crumbs_of(visit, subject, visit.texts("Who can see this"))
    )


def _short(words: Mapping[str, str], user: Json) -> Sequence[tuple[str, str]]:
    """(words, where from) of each reason of a user."""
    found: list[tuple[str, str]] = []
    for reason in objects(user.get("Reasons")):
        code = text(reason.get("Code"))
        names = " · ".join(text(source.get("Name")) for source in objects(reason.get("Sources")))
        found.append((words.get(code, code), names))
    return found


async def why(visit: Visit) -> Response:
    """The decision on a user, a row and a right, drawn as paths; for a denial, what is missing and what would help."""
    context: dict[str, object] = {
        "tables": [(table.logical_name, table.label) for table in shown_tables(visit)],
        "rights": list(RIGHT_NAMES.values()),
        "right": _right(visit.parameter("right")),
        "problem": None,
        "answer": None,
    }
    status = 200
    if visit.parameter("user") and visit.parameter("row"):
        try:
            context |= await _explained(visit, _right(visit.parameter("right")))
        except ApiError as error:
            context["problem"] = error
            status = error.status
    return visit.render("why.html", visit.texts("Why"), context, status=status)


async def _explained(visit: Visit, right: str) -> dict[str, object]:
    principals = ("systemuser", "team")
    principal, principal_id = await find_row(visit, principals, visit.parameter("user"))
    table = visit.table(visit.parameter("table") or "account")
    _, row_id = await find_row(visit, (table.logical_name,), visit.parameter("row"))
    found = await visit.api.ask(
        "sr_ExplainAccess",
        Principal=reference(principal.entity_set_name, principal_id),
        Target=reference(table.entity_set_name, row_id),
        Right=right,
    )
    user = await name_or_id(visit, principal, principal_id)
    row = await name_or_id(visit, table, row_id)
    reasons: Sequence[Told] = [told(visit, user, row, reason) for reason in objects(found.get("Reasons"))]
    return {
        "answer": found,
        "user": user,
        "row": row,
        "row_address": visit.address(f"tables/{table.logical_name}/{row_id}"),
        "user_address": visit.address(
            f"people/{principal_id}" if principal.logical_name == "systemuser" else f"teams/{principal_id}"
        ),
        "reasons": reasons,
        "denial": denial_words(visit.texts, denial_of(found)) if denial_of(found) else "",
        "remedies": [remedy_words(visit.texts, text(each.get("Code"))) for each in objects(found.get("WouldAllow"))],
    }


def _right(wanted: str) -> str:
    return wanted if wanted in RIGHT_NAMES.values() else "ReadAccess"


PAGES = (Page("/why", why, "why"), Page("/tables/{table}/{id}/access", who, "data"))
