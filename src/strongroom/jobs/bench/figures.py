"""What the benchmark finds: figures with their spread, their targets and verdicts, as a table and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

_HEAD = ("measure", "median", "min", "max", "target", "verdict")


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, least and greatest of all rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure should be: at most `most`, or at least `least`."""

    most: float | None = None
    least: float | None = None

    def __str__(self) -> str:
        return f"≤ {_number(self.most)}" if self.most is not None else f"≥ {_number(self.least or 0)}"

    def miss(self, value: float) -> float:
        """By which factor `value` misses the target; 1 or less when it meets it."""
        if self.most is not None:
            return value / self.most
        return (self.least or 0) / max(value, 1e-12)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing.

    `measure` begins with the workload (`W2 own, page 1`); `unit` is `x` for a ratio to `reference`, else a unit of its
    own (`ms`, `rows/s`, `MiB`). `absolute` is the product's own time in microseconds behind a ratio.
    """

    measure: str
    spread: Spread
    unit: str = "x"
    reference: str = ""
    target: Target | None = None
    absolute: float | None = None

    @property
    def verdict(self) -> str:
        """`meets`, `misses x1.3`, or nothing without a target."""
        if self.target is None:
            return ""
        miss = self.target.miss(self.spread.median)
        return "meets" if miss <= 1 else f"misses x{miss:.2f}"

    def cells(self) -> tuple[str, ...]:
        """The line of the table."""
        spread = (self.spread.median, self.spread.least, self.spread.most)
        shown = [f"x{value:.2f}" if self.unit == "x" else f"{_number(value)} {self.unit}" for value in spread]
        return (self.measure, *shown, "" if self.target is None else str(self.target), self.verdict)

    def as_json(self) -> dict[str, object]:
        """The figure for programs."""
        return {
            "measure": self.measure,
            "unit": self.unit,
            "median": self.spread.median,
            "min": self.spread.least,
            "max": self.spread.most,
            "reference": self.reference,
            "target": None if self.target is None else str(self.target),
            "verdict": self.verdict,
            "absolute_us": self.absolute,
        }


@dataclass(slots=True)
class Report:
    """All figures of one run on one or two engines."""

    accounts: int
    rounds: int
    machine: str
    figures: dict[str, list[Figure]] = field(default_factory=dict[str, list[Figure]])
    """Engine → figures, in the order of measuring."""

    def as_json(self) -> dict[str, object]:
        """The report for programs."""
        return {
            "accounts": self.accounts,
            "rounds": self.rounds,
            "machine": self.machine,
            "engines": {engine: [figure.as_json() for figure in found] for engine, found in self.figures.items()},
        }

    def as_text(self) -> str:
        """The report for people."""
        parts = [f"{self.accounts:,} accounts, {self.rounds} rounds, {self.machine}"]
        for engine, found in self.figures.items():
            parts.append(f"\n{engine}\n{_table([_HEAD, *(figure.cells() for figure in found)])}")
        return "\n".join(parts)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
