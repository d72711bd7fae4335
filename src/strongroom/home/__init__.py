"""A home: the folder that holds everything of one installation.

    strongroom.toml        settings
    keys.json              the key ring; what makes the folder a home
    root.key               the root key, when it is a file
    environments.json      which environments there are
    environments/NAME.db   the store of each (or a PostgreSQL database elsewhere)
    tls/                   certificates made here
    demo.json              only in a demo home: whom it can be tried as
    test-clock             only in a test home: how far its clock was moved

- `folder`    `create_home`, `open_home`, `Home`
- `registry`  `environments.json`
- `testclock` the clock of a test home (TS-006)
- `making`    `put_in_place`: a home under its name only when it is complete
- `personas`  `demo.json`
- `tls`       certificates: given, or made for localhost (WA-7)
"""

from strongroom.home.folder import Home, create_home, open_home
from strongroom.home.making import put_in_place
from strongroom.home.registry import EnvironmentKind, EnvironmentRecord, EnvironmentState, EnvironmentType
from strongroom.home.testclock import MovableClock

__all__ = [
    "EnvironmentKind",
    "EnvironmentRecord",
    "EnvironmentState",
    "EnvironmentType",
    "Home",
    "MovableClock",
    "create_home",
    "open_home",
    "put_in_place",
]
