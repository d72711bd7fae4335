"""Query strings are split as section 11 of the Web API says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import QueryError
from strongroom.query.odata import Options, split_options


def refusal(raw: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        split_options(raw)
    return caught.value


def test_values_are_decoded_once_and_plus_is_a_space():
    """WA-4."""
    options = split_options("$filter=name+eq%20'a%2Bb%2520c'&%24top=3")

    assert options.get("$filter") == "name eq 'a+b%20c'"
    assert options.top == 3


def test_raw_characters_are_taken():
    """WA-5."""
    assert split_options("$filter=name eq 'x' and (a<b)").get("$filter") == "name eq 'x' and (a<b)"


def test_other_options_and_aliases_are_kept_apart():
    options = split_options("fetchXml=%3Cfetch/%3E&tag=a&@p1=revenue&@p2=null&UnMaskedData=true")

    assert options == Options(
        {},
        {"fetchXml": "<fetch/>", "tag": "a", "UnMaskedData": "true"},
        {"@p1": "revenue", "@p2": "null"},
    )


def test_fetchxml_may_be_written_in_lower_case():
    """WA-240."""
    assert split_options("fetchxml=x").custom == {"fetchXml": "x"}


@pytest.mark.parametrize("raw", ["", "?", "&", "$select=name&", "?&&$select=name"])
def test_empty_parts_are_fine(raw: str):
    """WA-177."""
    assert split_options(raw).custom == {}


@pytest.mark.parametrize("name", ["$search", "$format", "$compute", "$levels", "$index", "$x"])
def test_unknown_system_options_are_named(name: str):
    """WA-171."""
    assert f"'{name}'" in refusal(f"{name}=1").message


def test_skip_has_the_words_of_wa_171():
    assert "Skip Clause is not supported in CRM" in refusal("$skip=5").message


def test_option_names_are_case_sensitive():
    """WA-172."""
    assert refusal("$Select=name").message == "The query parameter '$Select' is not supported. Did you mean '$select'?"


def test_an_option_occurs_once():
    """WA-171."""
    assert "'$top' was specified more than once" in refusal("$top=1&$top=1").message
    assert "'$filter' was specified more than once" in refusal("$filter=a&$filter=a").message
    assert "'@p' was specified more than once" in refusal("@p=1&@p=2").message


def test_a_next_link_may_repeat_equal_options():
    """WA-450: a client appends its parameters again to every next link."""
    options = split_options("$filter=a&$orderby=b&$skiptoken=t&$orderby=b&$filter=a")

    assert options.system == {"$filter": "a", "$orderby": "b", "$skiptoken": "t"}
    assert "more than once" in refusal("$filter=a&$skiptoken=t&$filter=b").message
    assert "more than once" in refusal("$top=1&$skiptoken=t&$top=1").message


def test_broken_encodings_are_refused():
    assert "not valid UTF-8" in refusal("$filter=%ff").message
    assert "NUL" in refusal("$filter=name eq '%00'").message


@pytest.mark.parametrize(("text", "top"), [("1", 1), (" 7 ", 7), ("5000", 5000), ("9999999", 5000)])
def test_top_is_at_most_5000(text: str, top: int):
    """WA-175."""
    assert split_options(f"$top={text}").top == top


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", "", "٣", "1" * 5000])
def test_other_tops_are_refused(text: str):
    """WA-175."""
    with pytest.raises(QueryError, match="whole number from 1 to 5000"):
        _ = split_options(f"$top={text}").top


def test_count_is_true_or_false():
    assert split_options("$count=true").count is True
    assert split_options("$count=false").count is False
    assert split_options("").count is False
    with pytest.raises(QueryError, match="true or false"):
        _ = split_options("$count=yes").count


def test_a_resource_may_restrict_the_options():
    options = split_options("$select=name&$top=1&tag=x")

    assert options.only("$select", "$top", where="here") is options
    with pytest.raises(QueryError, match=r"'\$top' is not allowed on a single row\. Allowed: \$select, \$expand\."):
        options.only("$select", "$expand", where="on a single row")


@given(st.text(st.characters(codec="ascii"), max_size=60))
def test_any_text_is_split_or_refused(raw: str):
    try:
        options = split_options(raw)
    except QueryError as error:
        assert error.message
    else:
        assert all(name.startswith("$") for name in options.system)
