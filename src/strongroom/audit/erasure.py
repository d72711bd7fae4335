"""Erasing what entries say, while their leaves and all proofs stay (TS-816).

A leaf holds salted digests of the texts that may be personal. Erasing puts each digest in the place of its text and
forgets the salt: the leaf has the same hash as before, and nobody can find out what the text was, not even by trying
texts. An entry that stays names the places, so that whoever erases without saying so is found by a verification.
"""

from collections.abc import Sequence

from strongroom.audit.entries import Action, Author, Operation, told
from strongroom.audit.leaf import SALTED, erased_text, is_erased
from strongroom.audit.removals import ERASED_PLACES, ranges_of
from strongroom.audit.taking_out import tells_of_removal
from strongroom.errors import Conflict
from strongroom.ids import Reference
from strongroom.store.protocol import Row, Transaction, Value


def erase_entries(transaction: Transaction, author: Author, about: Reference, rows: Sequence[Row]) -> int:
    """Erase the texts of these entries; how many had any. 409 for entries that are not sealed yet: they have no digest
    to put in place of their texts."""
    going = [row for row in rows if not tells_of_removal(row) and _texts(row)]
    leaves = transaction.log.salts_of(going)
    if len(leaves) != len(going):
        raise Conflict("Some of these entries are not sealed yet; a running server seals within a second. Try again.")
    places: list[int] = []
    for row in going:
        place, salt = leaves[row.key]
        changes = {name: erased_text(salt, name, text) for name, text in _texts(row).items()}
        transaction.log.erase(row, place, changes)
        places.append(place)
    if going:
        changed: dict[str, tuple[Value, Value]] = {
            "entries": (len(going), None),
            ERASED_PLACES: (ranges_of(places), None),
        }
        entry = told(author, about, Operation.DELETE, Action.AUDIT_LOG_DELETION, changed)
        transaction.append_audit((entry,))
    return len(going)


def _texts(row: Row) -> dict[str, str]:
    """The texts of an entry that may be personal and are still there."""
    values = {name: row.values.get(name) for name in SALTED}
    return {name: text for name, text in values.items() if isinstance(text, str) and not is_erased(text)}
