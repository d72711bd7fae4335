"""Section 15: `$apply` (WA-220 to WA-226)."""

from urllib.parse import quote

import pytest
from tests.wire.client import FORMATTED, Api, Json
from tests.wire.sample import Sample, make_sample


@pytest.fixture(scope="module")
def sample(api: Api) -> Sample:
    return make_sample(api)


def applied(sample: Sample, steps: str, extra: str = "", headers: dict[str, str] | None = None) -> list[Json]:
    """The rows of `$apply` over the sample."""
    own = f"filter(startswith(name,'{sample.stem}'))/"
    return sample.api.rows(f"accounts?$apply={quote(own + steps)}{extra}", headers)


def refused(sample: Sample, steps: str, extra: str = "", says: str = "") -> None:
    sample.api.refused("GET", f"accounts?$apply={quote(steps)}{extra}", status=400, code="0x80060888", says=says)


def test_aggregates_of_every_method(sample: Sample) -> None:
    """WA-221, WA-223: averages of integers are decimals; nulls do not count."""
    found = applied(
        sample,
        "aggregate(revenue with sum as total,numberofemployees with average as mean,revenue with min as least,"
        "revenue with max as most,numberofemployees with countdistinct as kinds,$count as n)",
    )

    (row,) = found
    assert row == {"total": 501.0, "mean": pytest.approx(25 / 3), "least": 100.5, "most": 300.0, "kinds": 2, "n": 4}


def test_nothing_to_aggregate(sample: Sample) -> None:
    """WA-223: a sum over no rows is null, their number is 0."""
    none = f"filter(name eq '{sample.stem}nobody')/aggregate(revenue with sum as total,$count as n)"
    for headers in ({}, {"Prefer": 'odata.include-annotations="*"'}):
        (row,) = sample.api.rows(f"accounts?$apply={quote(none)}", headers)
        assert (row["total"], row["n"]) == (None, 0)


def test_groups_have_no_etag_and_no_null_keys(api: Api, sample: Sample) -> None:
    """WA-222."""
    answer = api.get(f"accounts?$apply={quote('groupby((statecode),aggregate($count as n))')}")
    assert answer["@odata.context"] == f"{api.root}$metadata#accounts"

    groups = applied(sample, "groupby((numberofemployees,creditonhold),aggregate($count as n))")
    key = {(row.get("numberofemployees"), row["creditonhold"]): row["n"] for row in groups}
    assert key == {(5, False): 1, (10, True): 1, (10, False): 1, (None, False): 1}
    assert all("@odata.etag" not in row for row in groups)
    assert [row for row in groups if "numberofemployees" not in row] == [{"creditonhold": False, "n": 1}]


def test_groups_by_lookups_and_related_columns(sample: Sample) -> None:
    """WA-222: `_x_value`, and `{target table}_{column}` behind a lookup; both with annotations, too (WA-226)."""
    grace, linus = sample.contacts["Grace"], sample.contacts["Linus"]
    by_lookup = applied(sample, "groupby((_primarycontactid_value),aggregate($count as n))")
    assert {row.get("_primarycontactid_value"): row["n"] for row in by_lookup} == {grace: 2, linus: 1, None: 1}

    by_name = applied(sample, "groupby((primarycontactid/firstname))")
    assert sorted(row.get("contact_firstname", "") for row in by_name) == ["", "Grace", "Linus"]

    annotated = applied(
        sample,
        "groupby((_primarycontactid_value,industrycode),aggregate(revenue with sum as total))",
        headers={"Prefer": 'odata.include-annotations="*"'},
    )
    first = next(row for row in annotated if row.get("_primarycontactid_value") == grace)
    assert first[f"_primarycontactid_value@{FORMATTED}"] == f"Grace {sample.stem.strip()}"
    assert first["_primarycontactid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "contact"
    assert first[f"industrycode@{FORMATTED}"] == "Accounting"
    assert first[f"total@{FORMATTED}"] == "$100.50"


def test_a_filter_goes_first_or_stands_beside(sample: Sample) -> None:
    """WA-220, WA-224: `$filter` beside `$apply` is applied before grouping."""
    steps = f"filter(startswith(name,'{sample.stem}') and numberofemployees eq 10)/aggregate($count as n)"
    inside = sample.api.rows(f"accounts?$apply={quote(steps)}")
    beside = applied(sample, "aggregate($count as n)", "&$filter=numberofemployees eq 10")
    assert inside == beside == [{"n": 2}]
    assert applied(sample, "aggregate($count as n)", "&$count=true") == [{"n": 4}]


def test_order_is_by_group_columns_only(sample: Sample) -> None:
    """WA-224."""
    steps = "groupby((numberofemployees),aggregate($count as n))"
    ordered = applied(sample, steps, "&$orderby=numberofemployees desc")
    assert [row.get("numberofemployees") for row in ordered] == [10, 5, None]
    refused(sample, steps, "&$orderby=n", "The query node SingleValueOpenPropertyAccess is not supported")


@pytest.mark.parametrize(
    "steps",
    [
        "concat(aggregate($count as n),aggregate($count as m))",
        "compute(revenue as x)",
        "topcount(2,revenue)",
        "identity",
        "expand(primarycontactid)",
        "aggregate(revenue with sum)",
        "aggregate(revenue with sum as 1x)",
        "aggregate(revenue with median as x)",
        "aggregate(name with sum as x)",
        "groupby((statecode),aggregate(revenue with sum as statecode))",
        "groupby((createdon))",
        "groupby((nope))",
        "groupby(statecode)",
        "",
    ],
)
def test_what_is_not_supported_is_400(sample: Sample, steps: str) -> None:
    """WA-220, WA-221, WA-224."""
    refused(sample, steps)


@pytest.mark.parametrize("option", ["$top=1", "$select=name", "$expand=primarycontactid"])
def test_other_options_beside_it_are_400(sample: Sample, option: str) -> None:
    """WA-224."""
    refused(sample, "aggregate($count as n)", f"&{option}")
