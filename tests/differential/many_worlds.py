"""Thousands of random worlds on a real engine, each changed in random order, and compared with the oracle all along."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judging import Disagreement, agree, judge_in_memory, judge_questions, judge_rows, judge_stored
from moving import Move, make_stored, make_told, move_of
from random_worlds import Chance, Seeded, world_of
from row_moves import make_rows_stored, make_rows_told, row_move_of
from stored_worlds import StoredWorld, prepare
from tests.worlds import World as Birthplace

from oracle.decision import RIGHTS
from strongroom.store.protocol import Database

ROUNDS = 2
MOVES = 3
REGRESSIONS = Path(__file__).with_name("failed_seeds.txt")


@dataclass
class Tally:
    """What was compared."""

    worlds: int = 0
    moves: int = 0
    decisions: int = 0

    def __str__(self) -> str:
        return f"{self.worlds:,} worlds, {self.moves:,} moves, {self.decisions:,} decisions"


class _LookedAt(Exception):
    """Raised to leave nothing of a world behind."""


class Ground:
    """One environment that every world stands in for a moment."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tally = Tally()
        self._birthplace = Birthplace(database)
        prepare(self._birthplace)

    def compare(self, seed: str) -> None:
        """Make the world of `seed`, look at it, change it, look again. Raises `Disagreement` with the whole story."""
        chance = Seeded(seed)
        world = world_of(chance)
        story: list[Move] = []
        try:
            self.tally.decisions += judge_in_memory(world)
            with suppress(_LookedAt), self.database.write() as transaction:
                self._live(StoredWorld(self._birthplace, transaction, world), chance, story)
                raise _LookedAt
        except Disagreement as found:
            raise Disagreement(f"seed {seed} on {self.database.engine}, after {story}: {found}") from None
        self.tally.worlds += 1

    def _live(self, stored: StoredWorld, chance: Chance, story: list[Move]) -> None:
        world = stored.world
        self.tally.decisions += judge_stored(stored)
        for _ in range(ROUNDS):
            for _ in range(MOVES):
                self._move(stored, chance, story)
            self.tally.decisions += judge_stored(stored)
            if world["rows"]:
                row, right = chance.one(sorted(world["rows"])), chance.one(RIGHTS)
                self.tally.decisions += judge_questions(stored, row, right)

    def _move(self, stored: StoredWorld, chance: Chance, story: list[Move]) -> None:
        """One change on both sides; both refuse it, or neither."""
        of_rows = (row_move_of, make_rows_stored, make_rows_told)
        draw, make, tell = chance.one((of_rows, of_rows, (move_of, make_stored, make_told)))
        move = draw(chance, stored.world)
        if move is not None:
            story.append(move)
            agree(move, make(stored, move), tell(stored.world, move))
            judge_rows(stored)
            self.tally.moves += 1


def failed_seeds() -> list[str]:
    """Seeds that once showed a disagreement; what follows `#` says which."""
    lines = REGRESSIONS.read_text("utf-8").splitlines()
    return [seed for line in lines if (seed := line.partition("#")[0].strip())]


def keep_failed(seed: str, why: Any) -> None:
    """Remember a seed for every later run of the tests."""
    with REGRESSIONS.open("a", encoding="utf-8") as file:
        file.write(f"{seed}  # {str(why).splitlines()[0][:200]}\n")
