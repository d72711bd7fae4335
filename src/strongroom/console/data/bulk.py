"""Several rows at once: chosen in a list, changed, assigned, activated or deleted one by one.

Every row is a request of its own: what one is refused takes no other with it, and the outcome tells which.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.datastructures import FormData
from starlette.responses import Response

from strongroom.console.api import ApiError, text
from strongroom.console.data.columns import form_columns, is_required, label
from strongroom.console.data.inputs import BEFORE, Field, FieldProblem, body_of, field_of
from strongroom.console.data.lookups import find_row, named_rows
from strongroom.console.data.tables import title_of
from strongroom.console.page import Page
from strongroom.console.visit import Crumb, Visit
from strongroom.console.working import End, Step, Work, working
from strongroom.ids import parse_guid
from strongroom.schema.model import Column, ColumnType, Table

MOST_ROWS = 250
_ACTS = ("edit", "assign", "activate", "deactivate", "delete")
_EMPTYING = "empty"
_SOMETHING = "-"
"""Stands for what the rows hold in a column that is emptied."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row: `refusal` is empty when it was done."""

    id: str
    name: str
    refusal: str


async def ask(visit: Visit) -> Response:
    """What is to be done with the rows that were chosen, and then doing it."""
    table = visit.table(visit.named("table"))
    form = await visit.form()
    act = text(form.get("act"))
    if act not in _ACTS:
        raise ApiError(400, "", visit.texts("Choose what is to be done with the rows."))
    chosen = await _chosen(visit, table, form)
    problem: ApiError | FieldProblem | None = None
    if form.get("do"):
        try:
            body = await _body(visit, table, act, form)
        except (ApiError, FieldProblem) as error:
            problem = error
        else:
            title, crumbs = _title(visit, table, act, len(chosen)), _crumbs(visit, table)
            return working(visit, title, _work(visit, table, chosen, body), crumbs=crumbs)
    return _question(visit, table, act, chosen, form, problem)


async def _chosen(visit: Visit, table: Table, form: FormData) -> Sequence[tuple[str, str]]:
    """(id, name) of the rows that were chosen. Raises `ApiError` 400 for none, too many, or what is no id."""
    given = [parse_guid(text(value)) for value in form.getlist("row")]
    ids = list(dict.fromkeys(each for each in given if each is not None))
    if not ids or len(ids) > MOST_ROWS or None in given:
        raise ApiError(400, "", visit.texts("Choose between one row and %(most)s rows of the list.", most=MOST_ROWS))
    names: dict[str, str] = {}
    for start in range(0, len(ids), 50):
        listed = ",".join(f"'{each}'" for each in ids[start : start + 50])
        condition = f"Microsoft.Dynamics.CRM.In(PropertyName='{table.primary_id}',PropertyValues=[{listed}])"
        names |= dict(await named_rows(visit, table, condition, most=50))
    return [(each, names.get(each) or each) for each in ids]


def _question(
    visit: Visit,
    table: Table,
    act: str,
    chosen: Sequence[tuple[str, str]],
    form: FormData,
    problem: ApiError | FieldProblem | None,
) -> Response:
    columns = _editable(table) if act == "edit" else ()
    wrong = problem.name if isinstance(problem, FieldProblem) else ""
    message = problem.message if problem else ""
    sent = _sent(form)
    context = {
        "table": table,
        "act": act,
        "chosen": chosen,
        "fields": [_field(visit, c, sent, message if c.logical_name == wrong else "") for c in columns],
        "columns": [(c.logical_name, label(c)) for c in columns if not is_required(c)],
        "emptied": form.getlist(_EMPTYING),
        "given": sent.get("owner", ""),
        "problem": problem,
    }
    title = _title(visit, table, act, len(chosen))
    status = 200 if problem is None else problem.status if isinstance(problem, ApiError) else 400
    return visit.render("bulk.html", title, context, crumbs=_crumbs(visit, table), status=status)


def _field(visit: Visit, column: Column, sent: Mapping[str, str], problem: str) -> Field:
    """An empty field, or what was typed; nothing has to be filled in."""
    field = field_of(visit, column, {}, problem)
    return replace(field, value=sent.get(column.logical_name, ""), is_required=False)


async def _body(visit: Visit, table: Table, act: str, form: FormData) -> Mapping[str, object] | None:
    """The change for each row, None for deleting it. Raises `ApiError` or `FieldProblem`."""
    sent = _sent(form)
    match act:
        case "edit":
            columns = _editable(table)
            given = {c.logical_name: sent[c.logical_name] for c in columns if sent.get(c.logical_name)}
            emptied = set(form.getlist(_EMPTYING))
            for column in columns:
                if column.logical_name in emptied and not is_required(column):
                    given |= {column.logical_name: "", BEFORE + column.logical_name: _SOMETHING}
            body = await body_of(visit, table, columns, given, {})
            if not body:
                raise ApiError(400, "", visit.texts("Fill in at least one field."))
            return body
        case "assign":
            owners, row_id = await find_row(visit, ("systemuser", "team"), sent.get("owner", "").strip())
            return {"ownerid@odata.bind": f"/{owners.entity_set_name}({row_id})"}
        case "activate" | "deactivate":
            return {"statecode": 0 if act == "activate" else 1}
        case _:
            return None


async def _work(
    visit: Visit, table: Table, chosen: Sequence[tuple[str, str]], body: Mapping[str, object] | None
) -> Work:
    outcomes: list[Outcome] = []
    for number, (row_id, name) in enumerate(chosen):
        yield Step(title_of(table), number, len(chosen))
        address = f"{table.entity_set_name}({row_id})"
        try:
            if body is None:
                await visit.api.send("DELETE", address)
            else:
                await visit.api.send("PATCH", address, body, headers={"if-match": "*"})
        except ApiError as error:
            if error.status in (401, 429, 503):
                outcomes += [Outcome(i, n, error.message) for i, n in chosen[number:]]
                break
            outcomes.append(Outcome(row_id, name, error.message))
        else:
            outcomes.append(Outcome(row_id, name, ""))
    refused = [each for each in outcomes if each.refusal]
    context = {"table": table, "refused": refused, "done": len(outcomes) - len(refused), "is_deleted": body is None}
    yield End("bulk-outcome.html", context)


def _editable(table: Table) -> Sequence[Column]:
    first, others = form_columns(table, is_new=False)
    left_out = (ColumnType.STATE, ColumnType.STATUS)
    return [column for column in (*first, *others) if column.type not in left_out]


def _sent(form: FormData) -> Mapping[str, str]:
    sent: dict[str, str] = {}
    for name, value in form.multi_items():
        if isinstance(value, str) and name not in ("row", _EMPTYING):
            sent[name] = f"{sent[name]},{value}" if name in sent else value
    return sent


def _title(visit: Visit, table: Table, act: str, count: int) -> str:
    texts, shown = visit.texts, {"table": title_of(table)}
    match act:
        case "edit":
            return texts.number("Edit %(count)s row: %(table)s", "Edit %(count)s rows: %(table)s", count, **shown)
        case "assign":
            return texts.number("Assign %(count)s row: %(table)s", "Assign %(count)s rows: %(table)s", count, **shown)
        case "activate":
            return texts.number(
                "Activate %(count)s row: %(table)s", "Activate %(count)s rows: %(table)s", count, **shown
            )
        case "deactivate":
            return texts.number(
                "Deactivate %(count)s row: %(table)s", "Deactivate %(count)s rows: %(table)s", count, **shown
            )
        case _:
            return texts.number("Delete %(count)s row: %(table)s", "Delete %(count)s rows: %(table)s", count, **shown)


def _crumbs(visit: Visit, table: Table) -> Sequence[Crumb]:
    return (
        Crumb(visit.texts("Data"), visit.address("tables")),
        Crumb(title_of(table), visit.address(f"tables/{table.logical_name}")),
        Crumb(visit.texts("Chosen rows")),
    )


PAGES = (Page("/tables/{table}/bulk", ask, "data", ("POST",)),)
