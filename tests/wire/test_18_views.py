"""Section 18: saved and user queries (WA-262 to WA-264)."""

import pytest
from tests.wire.client import NOBODY, Api, Json, Person, unique


def _fetch(table: str, *attributes: str, where: str = "") -> str:
    columns = "".join(f"<attribute name='{name}'/>" for name in attributes)
    return f"<fetch><entity name='{table}'>{columns}{where}<order attribute='wire_code'/></entity></fetch>"


@pytest.fixture(scope="module")
def mark(api: Api, boxes: str) -> str:
    """The memo of five rows, by which the tests know theirs."""
    mark = unique("view")
    for number in range(5):
        api.new(boxes, {"wire_name": unique(), "wire_code": f"{mark} {number}", "wire_memo": mark, "wire_int": number})
    return mark


def _view(mark: str, table: str = "wire_box") -> Json:
    where = f"<filter><condition attribute='wire_memo' operator='eq' value='{mark}'/></filter>"
    return {
        "name": mark,
        "returnedtypecode": table,
        "fetchxml": _fetch("wire_box", "wire_code", where=where),
        "layoutxml": "<grid/>",
        "querytype": 0,
    }


@pytest.mark.parametrize(("entity_set", "option"), [("savedqueries", "savedQuery"), ("userqueries", "userQuery")])
def test_a_view_gives_its_rows_and_its_columns(api: Api, boxes: str, mark: str, entity_set: str, option: str) -> None:
    """WA-262, WA-263: both kinds of views are ordinary rows."""
    view = api.new(entity_set, _view(mark))
    rows = api.rows(f"{boxes}?{option}={view}")
    assert [row["wire_code"][-1] for row in rows] == list("01234")
    assert "wire_int" not in rows[0]
    assert api.get(f"{entity_set}({view})?$select=returnedtypecode")["returnedtypecode"] == "wire_box"


def test_a_view_is_paged(api: Api, boxes: str, mark: str) -> None:
    """WA-264."""
    view = api.new("savedqueries", _view(mark))
    path: str | None = f"{boxes}?savedQuery={view}"
    pages: list[int] = []
    codes: list[str] = []
    while path is not None:
        page = api.get(path, {"Prefer": "odata.maxpagesize=2"})
        pages.append(len(page["value"]))
        codes += [row["wire_code"] for row in page["value"]]
        path = page.get("@odata.nextLink")
    assert (pages, codes) == ([2, 2, 1], sorted(codes))


def test_a_filter_beside_a_view_narrows_it(api: Api, boxes: str, mark: str) -> None:
    """WA-262: never the reverse."""
    view = api.new("savedqueries", _view(mark))
    assert len(api.rows(f"{boxes}?savedQuery={view}&$filter=wire_int gt 2")) == 2
    assert len(api.rows(f"{boxes}?savedQuery={view}&$top=3")) == 3
    first = api.get(f"{boxes}?savedQuery={view}&$filter=wire_int gt 1", {"Prefer": "odata.maxpagesize=2"})
    assert [row["wire_code"][-1] for row in first["value"]] == ["2", "3"]
    assert [row["wire_code"][-1] for row in api.rows(first["@odata.nextLink"])] == ["4"]
    says = "columns of the table itself"
    api.refused("GET", f"{boxes}?savedQuery={view}&$filter=ownerid/fullname eq 'x'", status=400, says=says)
    api.refused("GET", f"{boxes}?savedQuery={view}&$orderby=wire_int", status=400, says="a view")
    assert len(api.rows(f"{boxes}?savedQuery={view}&$filter=wire_memo ne '{mark}'")) == 0


def test_a_view_that_does_not_fit_is_refused(api: Api, boxes: str, mark: str, reader: Person) -> None:
    """WA-262, WA-263: unknown ids, no ids, views of other tables, and those of somebody else."""
    api.refused("GET", f"{boxes}?savedQuery={NOBODY}", status=404, code="0x80040217")
    api.refused("GET", f"{boxes}?userQuery={NOBODY}", status=404, code="0x80040217")
    api.refused("GET", f"{boxes}?savedQuery=mine", status=400, says="'mine'")
    view = api.new("savedqueries", _view(mark))
    api.refused("GET", f"accounts?savedQuery={view}", status=400, says="wire_box")
    api.refused("GET", f"{boxes}?userQuery={view}", status=404)
    mine = api.new("userqueries", {**_view(mark), "fetchxml": _fetch("account", "name").replace("wire_code", "name")})
    api.refused("GET", f"{boxes}?userQuery={mine}", status=403, headers=reader.acting)
