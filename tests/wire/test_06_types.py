"""Section 6: values on the wire (WA-81 to WA-104)."""

from typing import Any

import pytest
from tests.wire.client import FORMATTED, Api, unique

ANNOTATED = {"Prefer": f'return=representation,odata.include-annotations="{FORMATTED}"'}


def _stored(api: Api, boxes: str, name: str, value: object) -> tuple[Any, str | None]:
    """What a value becomes, and how it is shown."""
    answer = api.send("POST", f"{boxes}?$select={name}", {name: value}, headers=ANNOTATED)
    assert answer.status_code == 201, answer.text
    row = answer.json()
    return row[name], row.get(f"{name}@{FORMATTED}")


KEPT: list[tuple[str, object, object, str | None]] = [
    ("wire_name", "", None, None),
    ("wire_name", "  x ", "  x ", None),
    ("wire_memo", "a\r\nb", "a\r\nb", None),
    ("wire_name", "😀" * 50, "😀" * 50, None),
    ("wire_int", 1500, 1500, "1,500"),
    ("wire_int", "5", 5, "5"),
    ("wire_int", 5.0, 5, "5"),
    ("wire_int", -2147483648, -2147483648, "-2,147,483,648"),
    ("wire_int", None, None, None),
    ("wire_big", 9007199254740993, 9007199254740993, "9,007,199,254,740,993"),
    ("wire_dec", 1.25, 1.25, "1.250"),
    ("wire_dec", 1.0005, 1.001, "1.001"),
    ("wire_dec", -1.0005, -1.001, "-1.001"),
    ("wire_dec", 100.0004, 100, "100.000"),
    ("wire_mon", 5000000, 5000000, "$5,000,000.00"),
    ("wire_mon", 1.23456, 1.2346, "$1.23"),
    ("wire_mon", -5, -5, "($5.00)"),
    ("wire_dou", 47.63, 47.63, "47.63"),
    ("wire_dou", 2.345, 2.35, "2.35"),
    ("wire_boo", True, True, "Ja"),
    ("wire_boo", 0, False, "Nein"),
    ("wire_boo", 1, True, "Ja"),
    ("wire_pick", 3, 3, "C"),
    ("wire_multi", "9,1,3,1", "1,3,9", "A; C; I"),
    ("wire_multi", " 3 , 1 ", "1,3", "A; C"),
    ("wire_multi", "", None, None),
    ("wire_local", "2024-05-01T15:19:00Z", "2024-05-01T15:19:00Z", "5/1/2024 3:19 PM"),
    ("wire_local", "2024-05-01T10:15:00+02:00", "2024-05-01T08:15:00Z", "5/1/2024 8:15 AM"),
    ("wire_local", "2024-05-01T10:15:59.999Z", "2024-05-01T10:15:59Z", "5/1/2024 10:15 AM"),
    ("wire_local", "2024-05-01", "2024-05-01T00:00:00Z", "5/1/2024 12:00 AM"),
    ("wire_local", "1753-01-01T00:00:00Z", "1753-01-01T00:00:00Z", "1/1/1753 12:00 AM"),
    ("wire_local", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "12/31/9999 11:59 PM"),
    ("wire_clock", "2024-05-01T10:15:00+02:00", "2024-05-01T10:15:00Z", "5/1/2024 10:15 AM"),
    ("wire_day", "2024-05-01", "2024-05-01", "5/1/2024"),
    ("wire_day", "2024-05-01T00:00:00Z", "2024-05-01", "5/1/2024"),
    ("wire_localday", "2024-05-01", "2024-05-01T00:00:00Z", "5/1/2024"),
    ("wire_localday", "2024-05-01T00:00:00Z", "2024-05-01T00:00:00Z", "5/1/2024"),
]


@pytest.mark.parametrize(("name", "value", "kept", "shown"), KEPT)
def test_a_value_is_kept_in_the_form_of_its_type_and_shown_to_people(
    api: Api, boxes: str, name: str, value: object, kept: object, shown: str | None
) -> None:
    """WA-81 to WA-92, WA-100, WA-104."""
    assert _stored(api, boxes, name, value) == (kept, shown)


REFUSED: list[tuple[str, object, str]] = [
    ("wire_name", 5, "0x80048d19"),
    ("wire_name", "😀" * 51, "0x80044331"),
    ("wire_int", 5.5, "0x80048d19"),
    ("wire_int", "5.5", "0x80048d19"),
    ("wire_int", True, "0x80048d19"),
    ("wire_int", 2147483648, "0x80044331"),
    ("wire_big", 9223372036854775808, "0x80044331"),
    ("wire_dec", 100.001, "0x80044330"),
    ("wire_dec", "x", "0x80048d19"),
    ("wire_mon", {}, "0x80048d19"),
    ("wire_dou", 1000001, "0x80044331"),
    ("wire_boo", 2, "0x80048d19"),
    ("wire_boo", "yes", "0x80048d19"),
    ("wire_pick", 2, "0x80044331"),
    ("wire_multi", "1,2", "0x80044331"),
    ("wire_multi", [1, 3], "0x80048d19"),
    ("wire_local", "1752-12-31T23:59:59Z", "0x80044331"),
    ("wire_local", "2024-02-30T00:00:00Z", "0x80048d19"),
    ("wire_local", "soon", "0x80048d19"),
    ("wire_day", "2024-05-01T10:00:00Z", "0x80048d19"),
    ("wire_day", "1752-12-31", "0x80044331"),
    ("wire_boxid", "xyz", "0x80048d19"),
    ("wire_file", "01a211bb-2209-747a-a71d-e0e0f971f9b2", "0x80048d19"),
]


@pytest.mark.parametrize(("name", "value", "code"), REFUSED)
def test_a_value_that_does_not_fit_is_400(api: Api, boxes: str, name: str, value: object, code: str) -> None:
    """WA-81 to WA-97, WA-100, WA-113."""
    api.refused("POST", boxes, {name: value}, status=400, code=code, says=name)


def test_decimals_are_numbers_without_exponent_and_money_keeps_four_digits(api: Api, boxes: str) -> None:
    """WA-84, WA-85: the bytes on the wire; the currency comes along and the base amount is computed."""
    row = api.new(boxes, {"wire_dec": 0.001, "wire_mon": 5000000})

    text = api.send("GET", f"{boxes}({row})?$select=wire_dec,wire_mon,wire_mon_base").text

    assert '"wire_dec":0.001' in text
    assert '"wire_mon":5000000.0000' in text
    assert '"wire_mon_base":5000000.0000' in text
    currency = api.rows("transactioncurrencies?$select=isocurrencycode")[0]["transactioncurrencyid"]
    assert f'"_transactioncurrencyid_value":"{currency}"' in text


def test_ids_may_be_upper_case_or_in_braces_and_come_back_in_lower_case(api: Api, boxes: str) -> None:
    """WA-93, WA-107."""
    for number, form in ((1, "{}"), (2, "{{{}}}")):
        row = f"AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEE0{number}"
        assert (
            api.shown("POST", f"{boxes}?$select=wire_name", {"wire_boxid": form.format(row)})["wire_boxid"]
            == row.lower()
        )
        assert len(api.rows(f"{boxes}?$select=wire_name&$filter=wire_boxid eq {row}")) == 1
        assert len(api.rows(f"{boxes}?$select=wire_name&$filter=wire_boxid eq '{row}'")) == 1


@pytest.mark.parametrize(
    "condition",
    [
        "wire_name eq 'O''Brian'",
        "wire_int eq 5",
        "wire_dec eq 1.25",
        "wire_mon eq 10",
        "wire_boo eq true",
        "wire_pick eq 3",
        "Microsoft.Dynamics.CRM.ContainValues(PropertyName='wire_multi',PropertyValues=['9'])",
        "wire_local eq 2024-05-01T10:15:00Z",
        "wire_local eq 2024-05-01T12:15:00%2B02:00",
        "wire_day eq 2024-05-01",
        "wire_localday eq 2024-05-01",
        "wire_localday eq 2024-05-01T00:00:00Z",
        "wire_file eq null",
    ],
)
def test_each_type_has_its_literal(api: Api, boxes: str, condition: str) -> None:
    """WA-81 to WA-97: the filter literals of the table of types."""
    code = unique("literal")
    values = {"wire_name": "O'Brian", "wire_int": 5, "wire_dec": 1.25, "wire_mon": 10, "wire_boo": True, "wire_pick": 3}
    dates = {"wire_local": "2024-05-01T10:15:00Z", "wire_day": "2024-05-01", "wire_localday": "2024-05-01"}
    row = api.new(boxes, {"wire_code": code, "wire_multi": "1,9", **values, **dates})

    found = api.rows(f"{boxes}?$select=wire_code&$filter=wire_code eq '{code}' and {condition}")

    assert [r["wire_boxid"] for r in found] == [row]


def test_files_are_only_compared_with_null(api: Api, boxes: str) -> None:
    """WA-97."""
    api.refused("GET", f"{boxes}?$filter=wire_file eq 'x'", status=400)


def test_table_names_are_texts(api: Api) -> None:
    """WA-98."""
    rows = api.rows("savedqueries?$select=returnedtypecode&$filter=returnedtypecode eq 'account'&$top=1")
    assert all(row["returnedtypecode"] == "account" for row in rows)


def test_text_ignores_case_but_not_accents_when_it_is_compared_ordered_and_grouped(api: Api, boxes: str) -> None:
    """WA-101."""
    code = unique("fold")
    for number, name in enumerate(("Édith", "édith", "Edith", "EDITH")):
        api.new(boxes, {"wire_name": name, "wire_part": code, "wire_slot": number, "wire_int": number})

    mine = f"wire_part eq '{code}'"

    assert len(api.rows(f"{boxes}?$select=wire_name&$filter={mine} and wire_name eq 'ÉDITH'")) == 2
    groups = api.rows(f"{boxes}?$apply=filter({mine})/groupby((wire_name),aggregate($count as n))")
    assert sorted(group["n"] for group in groups) == [2, 2]
    order = api.rows(f"{boxes}?$select=wire_int&$filter={mine}&$orderby=wire_name,wire_int")
    assert [row["wire_int"] for row in order] == [2, 3, 0, 1]


def test_annotations_come_before_their_property_and_context_first(api: Api, boxes: str) -> None:
    """WA-102, WA-103: a null column is there with null, a null navigation property too when it is expanded."""
    row = api.new(boxes, {"wire_int": 5})
    shown = api.get(
        f"{boxes}({row})?$select=wire_int,wire_name&$expand=createdonbehalfby($select=fullname)",
        {"Prefer": f'odata.include-annotations="{FORMATTED}"'},
    )
    assert list(shown)[:5] == ["@odata.context", "@odata.etag", f"wire_int@{FORMATTED}", "wire_int", "wire_name"]
    assert shown["wire_name"] is None
    assert shown["createdonbehalfby"] is None


def test_dates_are_shown_in_the_time_zone_of_the_reader_and_lookups_by_name(api: Api, boxes: str) -> None:
    """WA-104."""
    row = api.new(boxes, {"wire_local": "2024-05-12T15:19:00Z", "wire_pick": 1})
    headers = {"Prefer": f'odata.include-annotations="{FORMATTED}"'}
    shown = api.get(f"{boxes}({row})?$select=wire_local,wire_pick,_ownerid_value,statecode,wire_file", headers)
    assert shown[f"wire_local@{FORMATTED}"] == "5/12/2024 3:19 PM"
    assert shown[f"wire_pick@{FORMATTED}"] == "A"
    assert shown[f"_ownerid_value@{FORMATTED}"] == "Administrator"
    assert shown[f"statecode@{FORMATTED}"] == "Active"
    assert f"wire_file@{FORMATTED}" not in shown
