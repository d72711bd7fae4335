"""Where the randomness of a campaign comes from, and the leaves of its requests: names, literals, spoilt texts."""

import random
from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote

_T = TypeVar("_T")

NASTY = (
    "",
    " ",
    "'",
    "''",
    '"',
    "\\",
    "%",
    "%zz",
    "%00",
    "\x00",
    "\x01\x1f",
    "\u2028",
    "\ufeff",
    "\U0001f512" * 3,
    "e\u0301" * 5,
    "İıſßẞ",
    "שלום",
    "../../etc/passwd",
    "${jndi:x}",
    "$1",
    "@p",
    "null",
    "NaN",
    "1e400",
    "-0",
    "9" * 30,
    "0x10",
    "x'; drop table account; --",
    "1 or 1=1",
    "<script>alert(1)</script>",
    "<!DOCTYPE a [<!ENTITY b 'c'>]>",
    "[a-c]%_^",
    "[",
    "a" * 300,
    "ä" * 4001,
)

NUMBERS = ("0", "1", "-1", "5", "5.5", "2147483647", "2147483648", "-9223372036854775808", "1e5", "1e999", "007")
GUIDS = ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-00000000000g", "{x}", "1-2-3")
DATES = ("2024-01-31", "2024-02-30", "2024-01-31T10:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9+14:00")


class Draw:
    """A seeded source of choices. The same seed makes the same requests.

    `is_wild` says whether the request under way may have slips. Half of them have none: they get past the readers,
    and what they meet is the rows.
    """

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self.is_wild = True

    def slips(self, probability: float) -> bool:
        """Whether something goes wrong here; never in a tame request."""
        return self.is_wild and self.chance(probability)

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def number(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    def pick(self, options: Sequence[_T]) -> _T:
        return options[self._random.randrange(len(options))]

    def some(self, options: Sequence[_T], most: int) -> list[_T]:
        """Up to `most` of the options, without repetition."""
        return self._random.sample(options, min(len(options), self._random.randint(0, most)))

    def data(self, length: int) -> bytes:
        return self._random.randbytes(length)

    def text(self) -> str:
        """Some text: mostly harmless, often not."""
        if self.chance(0.5):
            return self.pick(("Contoso", "a", "Zoë", "東京", "x y", "O'Brien", "100%"))
        return self.pick(NASTY)

    def name(self, known: Sequence[str]) -> str:
        """One of the known names; now and then another one, or a known one with a slip."""
        if known and not self.slips(0.05):
            return self.pick(known)
        if known and self.chance(0.5):
            return self.spoilt(self.pick(known))
        return self.pick(("nothing", "Name", "id", "_x_value", "a.b", "a/b", "*", "", "ä", "$value", "1a"))

    def spoilt(self, text: str) -> str:
        """`text` with one to three slips: something missing, doubled, swapped, put in, or cut off."""
        for _ in range(self.number(1, 3)):
            at = self.number(0, len(text))
            match self.number(0, 5):
                case 0:
                    text = text[:at] + text[at + 1 :]
                case 1:
                    text = text[:at] + text[at : at + 1] * 2 + text[at + 1 :]
                case 2:
                    text = text[:at] + self.pick(("'", '"', "(", ")", ",", "/", " ", "$", "@", ";", "\x00", "ü", "%"))
                    text += text[at + 1 :]
                case 3:
                    text = text[:at]
                case 4:
                    text = text[:at] + self.pick(NASTY)[:50] + text[at:]
                case _:
                    end = self.number(at, len(text))
                    text = text[:at] + text[at:end][::-1] + text[end:]
        return text

    def escaped(self, text: str) -> str:
        """`text` as it may stand in a URL: fully encoded, half encoded, or the raw bytes that a parser lets in."""
        way = self.number(0, 29) if self.is_wild else 0
        whole = text.encode("utf-8", "surrogatepass")
        if way < 24:
            return quote(whole, safe="()',=/$@:;*")
        if way < 28:
            raw = whole.decode("latin-1").translate({ord(c): quote(c) for c in " #&%+?\r\n\t\x00"})
            return "".join(c if c.isprintable() or ord(c) > 0x7F else quote(c.encode("latin-1")) for c in raw)
        if way == 28:
            return quote(whole, safe="").replace("%2", "%252")
        return quote(whole[: self.number(0, len(whole))] + self.pick((b"\xff", b"\xc3", b"\xed\xa0\x80")), safe="'()")
