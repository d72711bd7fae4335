"""How long property tests look: Hypothesis' profiles, chosen by the variable HYPOTHESIS_PROFILE.

`dev` (the default) finds new examples at each run; `ci` tries the same ones every time, and is the default where the
variable CI is set; `long` looks much longer, for `make long`; `mutants` stops at the first example that fails, for
`make mutants`, which only wants to know that there is one.
"""

import os

from hypothesis import HealthCheck, Phase, settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
_LONGER = 20
_SHORTER = 5


def examples(number: int) -> int:
    """`max_examples` of a test that names its own: so many, more in a long run, and fewer for each of many mutants."""
    match PROFILE:
        case "long":
            return number * _LONGER
        case "mutants":
            return max(1, number // _SHORTER)
        case _:
            return number


def load_profile() -> None:
    """Make the profiles known and the chosen one the default of all tests."""
    settings.register_profile("dev", deadline=None)
    settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
    settings.register_profile(
        "long",
        deadline=None,
        max_examples=examples(100),
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.register_profile(
        "mutants", deadline=None, derandomize=True, database=None, phases=(Phase.explicit, Phase.generate)
    )
    settings.load_profile(PROFILE)
