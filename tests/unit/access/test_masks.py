"""Masking rules one by one (SM-137, SM-7, decision 0006)."""

import time

import pytest

from strongroom.access.masking import LONGEST_PATTERN, Mask, check_mask
from strongroom.errors import InvalidRequest

CARD = Mask("[0-9](?=[0-9]{4})", "#")
SLOW = Mask("(a+)+$", "*")
"""Takes years on a text of many `a` and one other letter."""


def test_each_character_of_every_match_becomes_the_masking_character() -> None:
    """SM-137."""
    assert CARD("12345678") == "####5678"
    assert CARD("no 12345, 67890") == "no #2345, #7890"
    assert Mask("an+", "*")("banner, banana") == "b***er, b****a"
    assert CARD("1234") == "1234"


def test_null_stays_null_and_what_is_no_text_is_masked_whole() -> None:
    """SM-7: a rule on a column that became another type shows nothing."""
    assert CARD(None) is None
    assert CARD(12345678) == "#"


@pytest.mark.parametrize("pattern", ["(", "x" * (LONGEST_PATTERN + 1), "(a{1000}){1000}"])
def test_a_rule_that_cannot_be_used_masks_everything(pattern: str) -> None:
    """SM-7."""
    assert Mask(pattern, "#")("secret") == "######"


def test_what_is_not_matched_in_time_is_masked_whole_and_so_is_all_that_follows() -> None:
    """SM-7: an answer has one limit for all its values; until it is reached other values are masked as they should."""
    mask = SLOW.for_answer()
    slow = "a" * 2000 + "!"
    began = time.perf_counter()

    assert [mask("xaa"), mask("aax")] == ["x**", "aax"]
    answers = [mask(slow) for _ in range(40)]

    assert set(answers) == {"*" * len(slow)}
    assert time.perf_counter() - began < 2, "the whole answer has a limit"
    assert mask("xaa") == "***"
    assert SLOW.for_answer()("xaa") == "x**", "another answer has its own"


def test_a_good_rule_can_be_stored() -> None:
    check_mask(CARD)
    check_mask(Mask("x" * LONGEST_PATTERN, "#"))
    for pattern in ("a{100000}", "a{,1}b{100000}", "a{1,}b{100000}", "a{1}b{100000}"):
        check_mask(Mask(pattern, "#"))


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (Mask("a", ""), "'maskedcharacter' takes exactly one printable character, such as '#'."),
        (Mask("a", "##"), "exactly one printable character"),
        (Mask("a", "\n"), "exactly one printable character"),
        (Mask("", "#"), "'regularexpression' cannot be empty: it says which characters are masked."),
        (Mask("x" * (LONGEST_PATTERN + 1), "#"), f"at most {LONGEST_PATTERN} characters"),
        (Mask("a{100001}", "#"), "multiply to more than 100000"),
        (Mask("(a{ 400 , 500 }){ , 201 }", "#"), "multiply to more than 100000"),
        (Mask("a{0,0}b{100001}", "#"), "multiply to more than 100000"),
        (Mask("(", "#"), "is no regular expression: "),
        (
            Mask("(a+)+$", "#"),
            "'regularexpression' takes too long to match a long text. Repetitions inside repetitions, as in '(a+)+', "
            "and alternatives that begin alike are the usual reasons.",
        ),
    ],
)
def test_a_bad_rule_is_refused_with_what_is_wrong(mask: Mask, says: str) -> None:
    """What is refused here could mask nothing, or hold up every reader."""
    with pytest.raises(InvalidRequest) as refused:
        check_mask(mask)

    assert says in refused.value.message
    assert refused.value.message.startswith("'")
