"""WA-190: text conditions and their wildcards, read once and written for each engine."""

import re
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.differential.query_evaluator import like

from strongroom.query.ast import TextMatch
from strongroom.store.compile.patterns import Form, read
from strongroom.store.layout import fold

LETTERS = "aAbZ%_[]^-*?\\.σς0\n|("


@pytest.mark.parametrize(
    ("kind", "pattern", "form", "needle"),
    [
        (TextMatch.LIKE, "Adatum", Form.EQUAL, "adatum"),
        (TextMatch.LIKE, "", Form.EQUAL, ""),
        (TextMatch.LIKE, "Ada%", Form.PREFIX, "ada"),
        (TextMatch.LIKE, "%tum", Form.SUFFIX, "tum"),
        (TextMatch.LIKE, "%%", Form.ANYTHING, ""),
        (TextMatch.CONTAINS, "DAT", Form.CONTAINS, "dat"),
        (TextMatch.CONTAINS, "", Form.ANYTHING, ""),
        (TextMatch.STARTS_WITH, "100[%]", Form.PREFIX, "100%"),
        (TextMatch.ENDS_WITH, "a[_]b", Form.SUFFIX, "a_b"),
        (TextMatch.CONTAINS, "[[]x]", Form.CONTAINS, "[x]"),
        (TextMatch.CONTAINS, "open [bracket", Form.CONTAINS, "open [bracket"),
        (TextMatch.CONTAINS, "a_c", Form.PATTERN, ""),
        (TextMatch.STARTS_WITH, "[a-c]", Form.PATTERN, ""),
        (TextMatch.STARTS_WITH, "ΣΊΣΥΦΟΣ", Form.PREFIX, "σίσυφοσ"),
    ],
)
def test_a_pattern_comes_down_to_the_simplest_condition(kind: TextMatch, pattern: str, form: Form, needle: str) -> None:
    found = read(kind, pattern)

    assert (found.form, found.needle) == (form, needle)


@given(st.sampled_from(tuple(TextMatch)), st.text(LETTERS, max_size=6), st.text(LETTERS, max_size=6))
def test_both_engines_match_what_sql_server_matches(kind: TextMatch, pattern: str, text: str) -> None:
    pattern, text = fold(pattern), fold(text)
    expected = like(kind, text, pattern)
    found = read(kind, pattern)

    if found.form is Form.PATTERN:
        with closing(sqlite3.connect(":memory:")) as connection:
            ((matched,),) = connection.execute("select ? glob ?", (text, found.glob())).fetchall()
        assert bool(matched) == expected
        assert bool(re.search(found.regular_expression().replace("$", r"\Z"), text, re.DOTALL)) == expected
    else:
        simple = {
            Form.ANYTHING: True,
            Form.EQUAL: text == found.needle,
            Form.PREFIX: found.needle <= text < found.end(),
            Form.SUFFIX: text.endswith(found.needle),
            Form.CONTAINS: found.needle in text,
        }
        assert simple[found.form] == expected


@given(st.text(), st.text())
def test_the_end_of_a_prefix_lies_right_behind_all_texts_that_begin_with_it(prefix: str, rest: str) -> None:
    found = read(TextMatch.STARTS_WITH, re.sub(r"[%_\[]", "", prefix))

    if found.form is Form.PREFIX:
        assert found.needle <= found.needle + rest < found.end()


@given(st.text())
def test_folding_folded_text_changes_nothing(text: str) -> None:
    """A position holds folded text and is folded again when the next page is asked for (WA-233)."""
    assert fold(fold(text)) == fold(text)


def test_brackets_that_nothing_closes_are_read_in_one_go() -> None:
    """WA-190, WA-434: found by a request that took 11 seconds."""
    pattern = "[" * 200_000
    assert read(TextMatch.CONTAINS, pattern).needle == pattern
    assert read(TextMatch.CONTAINS, "[[]" + "[" * 3).needle == "[[[["
