"""Tells at the end of a run how much was compared with the oracle."""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Sum up the numbers that tests recorded under names that begin with `compared`."""
    sums = Counter[str]()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name.startswith("compared") and isinstance(value, int):
                sums[name] += value
    for name, value in sorted(sums.items()):
        terminalreporter.write_line(f"{name}: {value:,}")
