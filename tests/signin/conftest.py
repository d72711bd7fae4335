"""A realm for each test, made once and copied: making one takes some seconds."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines import START
from tests.signin.realm import Realm, make_realm

from strongroom.clock import TestClock
from strongroom.environments import Environments
from strongroom.home import open_home
from strongroom.serving import Site
from strongroom.webapi.app import Application
from strongroom.webapi.protection import Limits, Protection


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Realm:
    """The realm that is copied."""
    made = make_realm(tmp_path_factory.mktemp("realm"))
    made.environments.close()
    return made


@pytest.fixture
def realm(template: Realm, tmp_path: Path) -> Iterator[Realm]:
    """A realm of the test's own."""
    shutil.copytree(template.home.path, tmp_path / "home")
    clock = TestClock(START)
    home = open_home(tmp_path / "home", clock=clock)
    environments = Environments(home)
    site = Site(environments, Application(environments, Protection(Limits(), enforced=False), 1024 * 1024))
    yield Realm(home, clock, environments, site, template.client_id, template.people)
    environments.close()
