"""Creating and editing a row: one form made from the metadata, with care for what others changed meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from starlette.responses import Response

from strongroom.console.api import ETAG, ApiError, Json, formatted, text
from strongroom.console.data.columns import form_columns, label
from strongroom.console.data.inputs import Field, FieldProblem, body_of, field_of, typed
from strongroom.console.data.tables import title_of
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit
from strongroom.schema.model import Column, Table

_NO_ROW: Json = {}


async def new(visit: Visit) -> Response:
    """The form for a new row; after sending, the new row's page."""
    table = visit.table(visit.named("table"))
    first, others = form_columns(table, is_new=True)
    sent: Mapping[str, str] = dict(visit.request.query_params)
    if visit.request.method == "GET":
        return _form(visit, table, visit.texts("New %(table)s", table=table.label), first, others, _NO_ROW, sent)
    sent = await _sent(visit)
    try:
        body = await body_of(visit, table, (*first, *others), sent, _NO_ROW)
        answer = await visit.api.send("POST", table.entity_set_name, body)
    except (FieldProblem, ApiError) as problem:
        title = visit.texts("New %(table)s", table=table.label)
        return _form(visit, table, title, first, others, _NO_ROW, sent, problem)
    return visit.redirect(f"tables/{table.logical_name}/{answer.created_id}", done="created")


async def edit(visit: Visit) -> Response:
    """The form of a row. A row that somebody else changed in the meantime shows both versions, and saves nothing."""
    table = visit.table(visit.named("table"))
    address = f"{table.entity_set_name}({visit.row_id()})"
    row = await visit.api.get(address)
    name = formatted(row, table.primary_name or table.primary_id)
    first, others = form_columns(table, is_new=False)
    if visit.request.method == "GET":
        return _form(visit, table, name, first, others, row, {})
    sent = await _sent(visit)
    try:
        body = await body_of(visit, table, (*first, *others), sent, row)
        if body:
            await visit.api.send("PATCH", address, body, headers={"if-match": sent.get("etag", "")})
    except (FieldProblem, ApiError) as problem:
        return _form(visit, table, name, first, others, row, sent, problem)
    return visit.redirect(f"tables/{table.logical_name}/{visit.row_id()}", done="saved")


async def _sent(visit: Visit) -> Mapping[str, str]:
    form = await visit.form()
    sent: dict[str, str] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            sent[name] = f"{sent[name]},{value}" if name in sent else value
    return sent


def _form(
    visit: Visit,
    table: Table,
    title: str,
    first: Sequence[Column],
    others: Sequence[Column],
    row: Json,
    sent: Mapping[str, str],
    problem: FieldProblem | ApiError | None = None,
) -> Response:
    """The form with what was typed, and with what is wrong at the field where it is wrong."""
    is_conflict = isinstance(problem, ApiError) and problem.status == 412
    crumbs = (
        Crumb(visit.texts("Data"), visit.address("tables")),
        Crumb(title_of(table), visit.address(f"tables/{table.logical_name}")),
        Crumb(title),
    )
    context = {
        "table": table,
        "row": row,
        "etag": text(row.get(ETAG)),
        "first": [_field(visit, column, row, sent, problem) for column in first],
        "others": [_field(visit, column, row, sent, problem) for column in others],
        "others_open": isinstance(problem, FieldProblem) and any(c.logical_name == problem.name for c in others),
        "problem": problem,
        "is_conflict": is_conflict,
        "changed": _changed(visit, (*first, *others), row, sent) if is_conflict else (),
        "id": visit.request.path_params.get("id"),
    }
    status = 200 if problem is None else problem.status if isinstance(problem, ApiError) else 400
    return visit.render("form.html", title, context, crumbs=crumbs, status=status)


def _field(
    visit: Visit, column: Column, row: Json, sent: Mapping[str, str], problem: FieldProblem | ApiError | None
) -> Field:
    said = problem.message if isinstance(problem, FieldProblem) and problem.name == column.logical_name else ""
    field = field_of(visit, column, row, said)
    given = typed(column, sent)
    return replace(field, value=given) if given is not None else field


def _changed(
    visit: Visit, columns: Sequence[Column], row: Json, sent: Mapping[str, str]
) -> Sequence[tuple[str, str, str]]:
    """(label, what is stored now, what was typed) of the fields that differ."""
    found: list[tuple[str, str, str]] = []
    for column in columns:
        given = typed(column, sent)
        if given is not None and given != field_of(visit, column, row).value:
            found.append((label(column), formatted(row, column.property_name), given))
    return found


PAGES = (
    Page("/tables/{table}/new", new, "data", ("GET", "POST")),
    Page("/tables/{table}/{id}/edit", edit, "data", ("GET", "POST")),
)
