"""Every parser of what clients send: whatever the text, an answer or an error of the house, soon (WA-434, R7).

A text is put together of the words of its language, so that it gets further than random bytes would. What grows faster
than its text shows when one word, or two, are repeated up to the longest text there can be.
"""

import os
import random
import time
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.profiles import examples
from tests.property.parsers import PARSERS, Parser

from strongroom.errors import IntegrityViolation, StrongroomError

MOST_S = 5.0
"""Processor time for one text. Each takes less than half a second; squares of 30,000 take minutes."""

CAMPAIGN_S = float(os.environ.get("STRONGROOM_CAMPAIGN_S", "600"))


def read(parser: Parser, text: str) -> float:
    """Read a text; the processor time. Anything but an error that a client may be told fails the test."""
    started = time.process_time()
    try:
        parser.read(text)
    except StrongroomError as error:
        assert not isinstance(error, IntegrityViolation), f"{parser.name}: {error}"
        assert 400 <= error.status < 500, f"{parser.name}: {error.status} {error}"
        assert error.message.strip()
    return time.process_time() - started


def repeated(parser: Parser, first: str, second: str) -> list[str]:
    """The longest texts of two words: taking turns, and one after the other."""
    number = parser.longest // max(1, len((first + second).encode("utf-8", "surrogatepass")))
    return [(first + second) * number, first * number + second * number]


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
@given(data=st.data())
@settings(max_examples=examples(30))
def test_any_text_is_read_or_refused(parser: Parser, data: st.DataObject) -> None:
    """R7: also texts that hold half of a surrogate pair, or what no word of the language is."""
    words = st.one_of(st.sampled_from(parser.words), st.text(max_size=3))
    read(parser, "".join(data.draw(st.lists(words, max_size=30))))


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_no_word_that_is_repeated_takes_long(parser: Parser) -> None:
    """WA-196, WA-434: neither quadratic time nor deep recursion."""
    for word in parser.words[:8]:
        taken = read(parser, repeated(parser, word, "")[0])
        assert taken < MOST_S, f"{parser.name}: {word!r} repeated takes {taken:.1f} s"


@pytest.mark.campaign
def test_campaign_of_pairs_of_words() -> None:
    """R7, campaign: pairs of words in a new order, until the time given by STRONGROOM_CAMPAIGN_S is over."""
    until = time.monotonic() + CAMPAIGN_S
    pairs = [(parser, *pair) for parser in PARSERS for pair in permutations(parser.words, 2)]
    random.SystemRandom().shuffle(pairs)
    for parser, first, second in pairs:
        if time.monotonic() > until:
            return
        for text in repeated(parser, first, second):
            taken = read(parser, text)
            assert taken < MOST_S, f"{parser.name}: {first!r} and {second!r} take {taken:.1f} s"
