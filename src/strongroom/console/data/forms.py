"""Creating and editing a row: one form made from the metadata, with care for what others changed meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from starlette.responses import Response

from strongroom.console.api import ETAG, ApiError, Json, formatted, text
from strongroom.console.data.columns import form_columns, label
from strongroom.console.data.inputs import BEFORE, Field, FieldProblem, body_of, field_of, typed
from strongroom.console.data.tables import title_of
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit
from strongroom.ids import parse_guid
from strongroom.schema.model import Column, Table

_NO_ROW: Json = {}
_ONCE = "~once"
"""The id that a new row will have: a form that is sent twice makes one row."""

_OWN = frozenset({"etag", _ONCE})


async def new(visit: Visit) -> Response:
    """The form for a new row; after sending, the new row's page."""
    table = visit.table(visit.named("table"))
    first, others = form_columns(table, is_new=True)
    sent: Mapping[str, str] = dict(visit.request.query_params)
    if visit.request.method == "GET":
        return _form(visit, table, visit.texts("New %(table)s", table=table.label), first, others, _NO_ROW, sent)
    sent = await _sent(visit)
    columns = (*first, *others)
    try:
        require_known(visit, table, sent)
        body = await body_of(visit, table, columns, sent, _NO_ROW)
        once = parse_guid(sent.get(_ONCE, ""))
        made = {table.primary_id: once} if once and table.columns[table.primary_id].valid_for_create else {}
        answer = await visit.api.send("POST", table.entity_set_name, {**body, **made})
        row_id = answer.created_id
    except (FieldProblem, ApiError) as problem:
        before = await _made_before(visit, table, sent) if isinstance(problem, ApiError) else None
        if before is not None and not _changed(visit, columns, before, sent):
            row_id = sent[_ONCE]  # the same form a second time: the row is there
        else:
            title = visit.texts("New %(table)s", table=table.label)
            return _form(visit, table, title, first, others, _NO_ROW, sent, problem, before)
    return visit.redirect(f"tables/{table.logical_name}/{row_id}", done="created")


async def _made_before(visit: Visit, table: Table, sent: Mapping[str, str]) -> Json | None:
    """The row that this very form has made already: sent twice, or sent again after going back."""
    once = parse_guid(sent.get(_ONCE, ""))
    if once is None:
        return None
    try:
        return await visit.api.get(f"{table.entity_set_name}({once})")
    except ApiError:
        return None


def require_known(visit: Visit, table: Table, sent: Mapping[str, str]) -> None:
    """Raises `ApiError` 409 when something was typed into a field whose column is not there any more."""
    gone = [
        name
        for name, value in sent.items()
        if value.strip() and name not in table.columns and name not in _OWN and not name.startswith(BEFORE)
    ]
    if gone:
        message = "The table was changed while you were at it: there is no column %(names)s any more. Look at the rest."
        raise ApiError(409, "", visit.texts(message, names=", ".join(gone)))


async def edit(visit: Visit) -> Response:
    """The form of a row. A row that somebody else changed in the meantime shows both versions, and saves nothing."""
    table = visit.table(visit.named("table"))
    address = f"{table.entity_set_name}({visit.row_id()})"
    try:
        row = await visit.api.get(address)
    except ApiError as error:
        if visit.request.method == "GET" or error.status not in (403, 404):
            raise
        return await _orphaned(visit, table)
    name = formatted(row, table.primary_name or table.primary_id)
    first, others = form_columns(table, is_new=False)
    if visit.request.method == "GET":
        return _form(visit, table, name, first, others, row, {})
    sent = await _sent(visit)
    try:
        require_known(visit, table, sent)
        body = await body_of(visit, table, (*first, *others), sent, row)
        if body:
            await visit.api.send("PATCH", address, body, headers={"if-match": sent.get("etag", "")})
    except (FieldProblem, ApiError) as problem:
        is_stale = isinstance(problem, ApiError) and problem.status == 412
        if not is_stale or _changed(visit, (*first, *others), row, sent):
            return _form(visit, table, name, first, others, row, sent, problem)
        # what was typed is what is stored: the same form a second time
    return visit.redirect(f"tables/{table.logical_name}/{visit.row_id()}", done="saved")


async def _orphaned(visit: Visit, table: Table) -> Response:
    """What was typed about a row that is gone, as the form for a new one."""
    sent = {name: value for name, value in (await _sent(visit)).items() if not name.startswith(BEFORE)}
    message = visit.texts(
        "This row is not there any more, or not for you. What you typed is below: saving makes a new row of it."
    )
    title = visit.texts("New %(table)s", table=table.label)
    first, others = form_columns(table, is_new=True)
    return _form(visit, table, title, first, others, _NO_ROW, sent, ApiError(409, "", message))


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
    made_before: Json | None = None,
) -> Response:
    """The form with what was typed, and with what is wrong at the field where it is wrong."""
    is_conflict = isinstance(problem, ApiError) and problem.status == 412 and bool(row)
    once = "" if row else sent.get(_ONCE) if made_before is None else None
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
        "id": visit.request.path_params.get("id") if row else None,
        "once": visit.environment.new_id() if once is None else once,
        "action": "" if row else visit.address(f"tables/{table.logical_name}/new"),
        "made_before": None if made_before is None else text(made_before.get(table.primary_id)),
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
