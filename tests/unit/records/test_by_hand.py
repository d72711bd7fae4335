"""What the trail keeps of statements by hand: their form, and none of their values."""

import pytest

from strongroom.records.by_hand import without_values


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        (
            "select name from account where name = 'Ann' and revenue > 5",
            "SELECT name FROM account WHERE name = ? AND revenue > ?",
        ),
        ("select $$Ann$$, N'Ann', E'Ann', x'4142' -- Ann\n", "SELECT ?, ?, ?, ?"),
        ("select name /* Ann */ from account limit 5", "SELECT name FROM account LIMIT ?"),
    ],
)
def test_a_statement_keeps_its_form_and_loses_its_values(statement: str, kept: str) -> None:
    assert without_values(statement) == kept


@pytest.mark.parametrize("statement", ["select name from (", "select " + "(" * 3_000, "", "select 'Ann"])
def test_of_what_cannot_be_read_the_length_is_kept(statement: str) -> None:
    assert without_values(statement) == f"a statement of {len(statement):,} characters that cannot be read"
