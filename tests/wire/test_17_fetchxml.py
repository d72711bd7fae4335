"""Section 17: FetchXML (WA-240 to WA-259)."""

import html
import re
from urllib.parse import quote, unquote

import pytest
from tests.wire.client import FORMATTED, NS, Api, Json
from tests.wire.sample import Sample, make_sample

_ALL = {"Prefer": 'odata.include-annotations="*"'}
_NAME = "<attribute name='name'/>"
_COOKIE = f"@{NS}.fetchxmlpagingcookie"
_MORE = f"@{NS}.morerecords"


@pytest.fixture(scope="module")
def sample(api: Api) -> Sample:
    return make_sample(api)


def page(sample: Sample, inside: str, attributes: str = "", headers: dict[str, str] | None = None) -> Json:
    return sample.api.get(f"accounts?fetchXml={quote(sample.fetch(inside, attributes))}", headers or _ALL)


def refused(sample: Sample, fetch: str, code: str | None = "0x80040201", says: str = "", status: int = 400) -> None:
    sample.api.refused("GET", f"accounts?fetchXml={quote(fetch)}", status=status, code=code, says=says)


def entity(inside: str, attributes: str = "") -> str:
    return f"<fetch {attributes}><entity name='account'>{inside}</entity></fetch>"


def test_the_set_must_fit_and_other_options_do_not(api: Api, sample: Sample) -> None:
    """WA-240."""
    fetch = quote(sample.fetch(_NAME))
    api.refused("GET", f"contacts?fetchXml={fetch}", status=400)
    assert len(api.rows(f"accounts?fetchxml={fetch}")) == 4
    assert api.get(f"accounts?fetchXml={fetch}&$count=true")["@odata.context"]
    for option in ("$select=name", "$filter=name eq 'a'", "$orderby=name", "$top=1", "$expand=owninguser"):
        api.refused("GET", f"accounts?fetchXml={fetch}&{option}", status=400)
    api.refused("GET", f"accounts?fetchXml={fetch}&$apply={quote('aggregate($count as n)')}", status=400)


def test_documents_are_read_without_dtd_and_within_limits(sample: Sample) -> None:
    """WA-241."""
    refused(sample, "<!DOCTYPE f [<!ENTITY a 'b'>]>" + entity(_NAME))
    refused(sample, "<!DOCTYPE f SYSTEM 'file:///etc/passwd'>" + entity(_NAME))
    refused(sample, entity("<filter>" * 70 + "</filter>" * 70))
    refused(sample, "<fetch>")
    refused(sample, "no xml")


def test_attributes_of_fetch(sample: Sample) -> None:
    """WA-242: what is heeded, what is ignored after a check, what is refused."""
    known = (
        "OptimizeForUnknown, ForceOrder, DisableRowGoal, EnableOptimizerHotfixes, LoopJoin, MergeJoin, HashJoin, "
        "NO_PERFORMANCE_SPOOL, ENABLE_HIST_AMENDMENT_FOR_ASC_KEYS, Recompile"
    )
    ignored = "version='1.0' output-format='xml-platform' mapping='logical' no-lock='true' latematerialize='true' "
    assert len(sample.fetched(_NAME, f"top='2' {ignored} options='{known}'")) == 2
    assert set(sample.fetched("<no-attrs/>")[0]) == {"@odata.etag", "accountid"}
    assert "revenue" in sample.fetched("<all-attributes/>")[0]
    refused(sample, entity(_NAME, "options='Bad'"))
    refused(sample, entity(_NAME, "datasource='retained'"), code=None, status=501)
    for attributes in ("top='0'", "top='5001'", "count='x'", "foo='1'", "distinct='maybe'"):
        refused(sample, entity(_NAME, attributes))


def test_unknown_parts_have_codes_of_their_own(sample: Sample) -> None:
    """WA-257, WA-245."""
    refused(sample, entity("<foo/>"))
    refused(sample, entity("<attribute name='nope'/>"), "0x80041103", "doesn't contain attribute with Name = 'nope'")
    refused(sample, "<fetch><entity name='nope'/></fetch>", "0x80041102")
    refused(sample, entity("<filter><condition attribute='name' operator='bogus' value='a'/></filter>"))
    refused(sample, entity("<link-entity name='nope' from='a' to='b'/>"), None)


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ("<condition attribute='accountnumber' operator='eq' value='ada'/>", ["ada"]),
        ("<condition attribute='accountnumber' operator='ne' value='ada'/>", ["c%d"]),
        ("<condition attribute='accountnumber' operator='neq' value='ada'/>", ["c%d"]),
        ("<condition attribute='numberofemployees' operator='gt' value='5'/>", ["bob", "Éva"]),
        ("<condition attribute='numberofemployees' operator='le' value='5'/>", ["ada"]),
        ("<condition attribute='accountnumber' operator='like' value='_d%'/>", ["ada"]),
        ("<condition attribute='accountnumber' operator='not-like' value='_d%'/>", ["c%d"]),
        ("<condition attribute='accountnumber' operator='begins-with' value='A'/>", ["ada"]),
        ("<condition attribute='accountnumber' operator='not-begin-with' value='A'/>", ["c%d"]),
        ("<condition attribute='accountnumber' operator='ends-with' value='a'/>", ["ada"]),
        ("<condition attribute='accountnumber' operator='null'/>", ["bob", "Éva"]),
        ("<condition attribute='accountnumber' operator='not-null'/>", ["ada", "c%d"]),
        (
            "<condition attribute='numberofemployees' operator='in'><value>5</value><value>6</value></condition>",
            ["ada"],
        ),
        ("<condition attribute='numberofemployees' operator='not-in'><value>5</value></condition>", ["bob", "Éva"]),
        (
            "<condition attribute='numberofemployees' operator='between'><value>5</value><value>9</value></condition>",
            ["ada"],
        ),
        ("<condition attribute='creditonhold' operator='eq' value='1'/>", ["bob"]),
        ("<condition attribute='creditonhold' operator='eq' value='true'/>", ["bob"]),
        ("<condition attribute='industrycode' operator='eq' value='2'/>", ["c%d"]),
        ("<condition attribute='createdon' operator='today'/>", ["ada", "bob", "c%d", "Éva"]),
        ("<condition attribute='createdon' operator='last-x-hours' value='2'/>", ["ada", "bob", "c%d", "Éva"]),
        ("<condition attribute='createdon' operator='on-or-before' value='01/31/2020'/>", []),
        ("<condition attribute='createdon' operator='on-or-after' value='2020-01-31'/>", ["ada", "bob", "c%d", "Éva"]),
        ("<condition attribute='ownerid' operator='eq-userid'/>", ["ada", "bob", "c%d", "Éva"]),
        ("<condition attribute='owningbusinessunit' operator='ne-businessid'/>", []),
        ("<condition attribute='ownerid' operator='eq-useroruserteams'/>", ["ada", "bob", "c%d", "Éva"]),
    ],
)
def test_condition_operators(sample: Sample, conditions: str, found: list[str]) -> None:
    """WA-245, WA-246."""
    assert sample.meeting(conditions) == found


def test_values_are_typed(sample: Sample) -> None:
    """WA-246: braces around ids; a value that does not fit is 400."""
    grace = sample.contacts["Grace"].upper()
    condition = f"<condition attribute='primarycontactid' operator='eq' value='{{{grace}}}' uitype='contact'/>"
    assert sample.meeting(condition) == ["ada", "bob"]
    bad = "<filter><condition attribute='numberofemployees' operator='eq' value='abc'/></filter>"
    refused(sample, entity(bad), None)


def test_filters_nest(sample: Sample) -> None:
    """WA-242: and, or; `and` is the default."""
    inside = (
        "<condition attribute='revenue' operator='not-null'/><filter type='or'>"
        "<condition attribute='accountnumber' operator='eq' value='ADA'/>"
        "<condition attribute='numberofemployees' operator='eq' value='10'/></filter>"
    )
    assert sample.meeting(inside) == ["ada", "Éva"]


def test_columns_compare_with_columns(sample: Sample) -> None:
    """WA-247."""
    assert sample.meeting("<condition attribute='accountnumber' operator='ne' valueof='name'/>") == ["ada", "c%d"]
    for operator, other in (("like", "name"), ("eq", "numberofemployees")):
        refused(
            sample,
            entity(f"<filter><condition attribute='name' operator='{operator}' valueof='{other}'/></filter>"),
        )


def test_links_and_their_column_names(sample: Sample) -> None:
    """WA-243, WA-249, WA-250: `alias.column`, `{table}{n}` without an alias, the attribute's alias alone."""
    link = "<link-entity name='contact' from='contactid' to='primarycontactid' {}>{}</link-entity>"
    columns = "<attribute name='firstname'/><attribute name='createdby'/><attribute name='jobtitle' alias='job'/>"
    rows = page(sample, _NAME + link.format("alias='c'", columns) + "<order attribute='name'/>")["value"]

    assert [row["c.firstname"] for row in rows] == ["Grace", "Grace", "Linus"]
    first = rows[0]
    assert first["job"] == f"{sample.stem}Grace"
    assert first["c.createdby"]
    assert first[f"c.createdby@{FORMATTED}"]
    assert first[f"c.createdby@{NS}.lookuplogicalname"] == "systemuser"
    assert first["job@OData.Community.Display.V1.AttributeName"] == "jobtitle"
    unnamed = sample.fetched(_NAME + link.format("", "<attribute name='firstname'/>"))
    assert {row["contact1.firstname"] for row in unnamed} == {"Grace", "Linus"}
    outer = sample.fetched(_NAME + link.format("alias='c' link-type='outer'", "<attribute name='firstname'/>"))
    assert len(outer) == 4


def test_conditions_on_outer_links_filter_after_the_join(sample: Sample) -> None:
    """WA-248."""
    rows = sample.fetched(
        _NAME + "<link-entity name='contact' from='contactid' to='primarycontactid' alias='c' link-type='outer'/>"
        "<filter><condition entityname='c' attribute='contactid' operator='null'/></filter>"
    )
    assert [sample.short(row["name"]) for row in rows] == ["Éva"]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("any", ["ada"]),
        ("not any", ["bob", "c%d", "Éva"]),
        ("not all", ["ada"]),
        ("all", ["bob"]),
    ],
)
def test_links_that_only_ask(sample: Sample, kind: str, found: list[str]) -> None:
    """WA-244: `not all` is the same as `any`; `all` means linked rows, none of which satisfies the filter."""
    link = (
        f"<link-entity name='task' from='regardingobjectid' to='accountid' link-type='{kind}'>"
        "<filter><condition attribute='statecode' operator='eq' value='1'/></filter></link-entity>"
    )
    assert sample.meeting(link) == found
    refused(sample, entity(f"<link-entity name='task' from='regardingobjectid' to='accountid' link-type='{kind}'/>"))


@pytest.mark.parametrize("kind", ["exists", "in", "matchfirstrowusingcrossapply"])
def test_links_that_give_each_parent_once(sample: Sample, kind: str) -> None:
    """WA-243."""
    link = f"<link-entity name='task' from='regardingobjectid' to='accountid' link-type='{kind}'/>"
    rows = sample.fetched(f"{_NAME}{link}<order attribute='name'/>")
    assert [sample.short(row["name"]) for row in rows] == ["ada", "bob"]


def test_links_are_inferred_and_limited(sample: Sample) -> None:
    """WA-243: from and to are found when one relationship fits; at most 15 links."""
    assert sample.fetched(f"{_NAME}<link-entity name='annotation' link-type='outer'/>")
    refused(sample, entity("<link-entity name='contact'/>"))
    link = "<link-entity name='contact' from='contactid' to='primarycontactid' alias='c{}' link-type='outer'/>"
    assert len(sample.fetched(_NAME + "".join(link.format(number) for number in range(15)))) == 4
    refused(
        sample,
        entity("".join(link.format(number) for number in range(16))),
        "0x8004430d",
        "Number of link entities in query exceeded maximum limit.",
    )


def test_aggregates(sample: Sample) -> None:
    """WA-251."""
    (row,) = sample.fetched(
        "<attribute name='accountid' alias='n' aggregate='count'/>"
        "<attribute name='accountnumber' alias='numbers' aggregate='countcolumn'/>"
        "<attribute name='numberofemployees' alias='kinds' aggregate='countcolumn' distinct='true'/>"
        "<attribute name='revenue' alias='total' aggregate='sum'/>"
        "<attribute name='revenue' alias='least' aggregate='min'/>"
        "<attribute name='revenue' alias='most' aggregate='max'/>"
        "<attribute name='revenue' alias='mean' aggregate='avg'/>",
        "aggregate='true'",
    )
    assert (row["n"], row["numbers"], row["kinds"]) == (4, 2, 2)
    assert (row["total"], row["least"], row["most"], row["mean"]) == (501.0, 100.5, 300.0, 167.0)
    nothing = "<filter><condition attribute='accountnumber' operator='eq' value='none'/></filter>"
    (empty,) = sample.fetched(f"<attribute name='revenue' alias='s' aggregate='sum'/>{nothing}", "aggregate='true'")
    assert empty == {"s": None}
    refused(sample, entity("<attribute name='accountid' aggregate='count'/>", "aggregate='true'"))
    refused(
        sample,
        sample.fetch(
            "<attribute name='accountid' alias='n' aggregate='count'/>", "aggregate='true' aggregatelimit='3'"
        ),
        "0x8004e023",
        "AggregateQueryRecordLimit exceeded. Cannot perform this operation.",
    )


def test_groups(sample: Sample) -> None:
    """WA-251: by column, by lookup with its annotations, by parts of a date; ordered by alias."""
    count = "<attribute name='accountid' alias='n' aggregate='count'/>"
    by_contact = sample.fetched(
        f"<attribute name='primarycontactid' alias='who' groupby='true'/>{count}<order alias='n' descending='true'/>",
        "aggregate='true'",
        _ALL,
    )
    assert (by_contact[0]["who"], by_contact[0]["n"]) == (sample.contacts["Grace"], 2)
    assert by_contact[0][f"who@{FORMATTED}"] == f"Grace {sample.stem.strip()}"
    for part in ("day", "week", "month", "quarter", "year"):
        grouped = (
            f"<attribute name='createdon' alias='d' groupby='true' dategrouping='{part}'/>{count}<order alias='d'/>"
        )
        rows = sample.fetched(grouped, "aggregate='true'")
        assert sum(row["n"] for row in rows) == 4
        assert all(isinstance(row["d"], int) for row in rows)


def test_paging_with_cookies_as_clients_do(sample: Sample) -> None:
    """WA-252, WA-253: the cookie names the next page, decodes twice, and is absent on the last page."""
    seen: list[str] = []
    cookie, number = "", 1
    while True:
        paging = f"count='2' page='{number}' {cookie}"
        answer = page(sample, f"{_NAME}<order attribute='name'/>", paging)
        seen += [sample.short(row["name"]) for row in answer["value"]]
        if _MORE not in answer:
            break
        assert answer[_MORE] is True
        outer = re.fullmatch(
            r'<cookie pagenumber="(\d+)" pagingcookie="([^"]+)" istracking="False" />', answer[_COOKIE]
        )
        assert outer is not None
        inner = unquote(unquote(outer[2]))
        assert f'page="{number}"' in inner
        assert int(outer[1]) == number + 1
        cookie, number = f"paging-cookie='{html.escape(inner)}'", number + 1
    assert _COOKIE not in answer
    assert seen == ["ada", "bob", "c%d", "Éva"]


def test_simple_paging_and_foreign_cookies(sample: Sample) -> None:
    """WA-252, WA-253: pages by number up to 50,000 rows; a cookie of another query is 400."""
    second = page(sample, f"{_NAME}<order attribute='name'/>", "count='3' page='2'")
    assert [sample.short(row["name"]) for row in second["value"]] == ["Éva"]
    refused(sample, sample.fetch(_NAME, "count='5000' page='12'"))
    first = page(sample, _NAME, "count='2'")
    inner = unquote(unquote(re.findall(r'pagingcookie="([^"]+)"', first[_COOKIE])[0]))
    for fetch in (
        sample.fetch("<attribute name='fax'/>", f"count='2' page='2' paging-cookie='{html.escape(inner)}'"),
        sample.fetch(_NAME, "count='2' page='2' paging-cookie='nonsense'"),
    ):
        refused(sample, fetch, None)


def test_no_cookie_where_no_position_is_unique(sample: Sample) -> None:
    """WA-254: order by a linked column, distinct rows: only `morerecords`."""
    order = "<order attribute='firstname'/>"
    linked = f"<link-entity name='contact' from='contactid' to='primarycontactid'>{order}</link-entity>"
    for inside, more in (
        (_NAME + linked, ""),
        ("<attribute name='creditonhold'/><order attribute='creditonhold'/>", "distinct='true'"),
    ):
        answer = page(sample, inside, f"count='1' {more}")
        assert answer[_MORE] is True
        assert _COOKIE not in answer


def test_next_links_come_only_with_a_preferred_size(sample: Sample) -> None:
    """WA-255."""
    assert "@odata.nextLink" not in page(sample, _NAME, "count='2'")
    first = page(sample, _NAME, "", {"Prefer": "odata.maxpagesize=3"})
    following = sample.api.get(first["@odata.nextLink"], {"Prefer": "odata.maxpagesize=3"})
    assert len(first["value"]) == 3
    assert len(following["value"]) == 1
    assert "@odata.nextLink" not in following


def test_totals(sample: Sample) -> None:
    """WA-256."""
    total = f"@{NS}.totalrecordcount"
    counted = page(sample, _NAME, "count='2' returntotalrecordcount='true'")
    assert (counted[total], counted[f"{total}limitexceeded"]) == (4, False)
    assert page(sample, _NAME, "count='2'")[total] == -1
    fetch = quote(sample.fetch(_NAME))
    assert sample.api.get(f"accounts?fetchXml={fetch}&$count=true", _ALL)[total] == 4


def test_long_queries_go_through_a_batch(api: Api, sample: Sample) -> None:
    """WA-258, WA-196: 500 conditions, more than a URL may have."""

    def sent(number: int) -> str:
        conditions = "<condition attribute='accountnumber' operator='eq' value='ADA'/>" * number
        fetch = quote(sample.fetch(f"{_NAME}<filter type='or'>{conditions}</filter>"))
        part = f"--b\r\nContent-Type: application/http\r\n\r\nGET accounts?fetchXml={fetch} HTTP/1.1\r\n\r\n--b--\r\n"
        return api.send(
            "POST", "$batch", content=part.encode(), headers={"Content-Type": "multipart/mixed; boundary=b"}
        ).text

    assert f"{sample.stem}ada" in sent(490)
    assert "HTTP/1.1 400" in sent(501)


def test_distinct_rows(sample: Sample) -> None:
    """WA-259: duplicates go, and the primary key is not added."""
    rows = sample.fetched("<attribute name='creditonhold'/>", "distinct='true'")
    assert sorted(rows, key=str) == [{"creditonhold": False}, {"creditonhold": True}]
