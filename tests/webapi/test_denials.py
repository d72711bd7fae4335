"""Every code of a denial over HTTP and from the command line, with what each says, on both engines (SM-161, SM-162)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.engines import ENGINES, Stores
from tests.homes import make_home
from tests.servers import RunningServer, start_server
from tests.unit.records.acts import Acts, Asked
from tests.worlds import World

from strongroom.access.rights import RIGHT_NAMES, format_rights
from strongroom.cli.main import run
from strongroom.home import open_home
from strongroom.ids import Reference
from strongroom.opening import open_environment
from strongroom.records import Born
from strongroom.schema.model import Rights

CODES = (
    "user-disabled",
    "no-roles",
    "missing-privilege",
    "no-access-path",
    "does-not-exist",
    "column-not-permitted",
    "owner-cannot-read",
    "owner-disabled",
    "owner-is-access-team",
    "cannot-grant-what-you-lack",
    "share-with-owner",
    "delete-restricted",
)
SAID: dict[str, dict[str, object]] = {
    "missing-privilege": {"Privilege": "prvReadAccount", "TakenByAccessMode": False},
    "no-access-path": {"WidestDepth": "Basic", "WidestRole": "Seller of acts"},
    "column-not-permitted": {"Column": "new_secret", "Lacks": "canread"},
    "cannot-grant-what-you-lack": {"LacksRights": "WriteAccess"},
    "delete-restricted": {"Relationship": "new_seals"},
}
WORDS = {
    "user-disabled": "is disabled",
    "no-roles": "no security role",
    "missing-privilege": "no role of the user has prvReadAccount",
    "no-access-path": "the widest grant is Basic by the role 'Seller of acts', in business unit 'Acts'",
    "does-not-exist": "no such row",
    "column-not-permitted": "no column security profile of the user has canread for 'new_secret'",
    "owner-cannot-read": "given in the business unit of user 'Blind Test'",
    "owner-disabled": "enabling user 'Off Test'",
    "owner-is-access-team": "an access team cannot own rows",
    "cannot-grant-what-you-lack": "the user does not have WriteAccess on the row",
    "share-with-owner": "has all rights on it already",
    "delete-restricted": "through new_seals",
}


class Standing(World):
    """A world in an environment that has its first rows already."""

    def __post_init__(self) -> None:
        first = {name: self.rows(name)[0].id for name in ("organization", "systemuser", "role", "transactioncurrency")}
        root = next(row.id for row in self.rows("businessunit") if row.values["parentbusinessunitid"] is None)
        (admin,) = (row.id for row in self.rows("systemuser") if str(row.values["domainname"]).startswith("admin@"))
        self.born = Born(
            first["organization"], root, admin, first["systemuser"], first["role"], first["transactioncurrency"]
        )
        self.admin, self.root = admin, root
        self._numbers = 0


class Place:
    """A served home with the company of `Acts` in it."""

    def __init__(self, server: RunningServer, acts: Acts, token: str) -> None:
        self.server = server
        self.acts = acts
        self.http = httpx.Client(base_url=server.api, headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def explain(self, asked: Asked) -> dict[str, Any]:
        """The answer of sr_ExplainAccess."""
        act = asked.act
        values = {
            "Principal": self._at(asked.who),
            "Target": self._at(asked.row),
            "Right": f"'{RIGHT_NAMES[asked.right]}'",
            "Column": None if act.column is None else f"'{act.column}'",
            "Owner": None if act.owner is None else self._at(act.owner),
            "With": None if act.shared_with is None else self._at(act.shared_with),
            "Rights": f"'{format_rights(act.rights)}'" if act.rights else None,
        }
        given = {name: value for name, value in values.items() if value is not None}
        parameters = ",".join(f"{name}=@{name.lower()}" for name in given)
        query = "&".join(f"@{name.lower()}={quote(value)}" for name, value in given.items())
        answer = self.http.get(f"sr_ExplainAccess({parameters})?{query}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _at(self, row: Reference) -> str:
        return json.dumps({"@odata.id": f"{self.acts.world.table(row.table).entity_set_name}({row.id})"})

    def command(self, asked: Asked) -> list[str]:
        """The same question for the command line."""
        right = RIGHT_NAMES[asked.right].removesuffix("Access")
        words = ["explain", "--home", str(self.server.home), "--table", asked.row.table, "--id", asked.row.id]
        words += ["--right", right, "--user", asked.who.id]
        act = asked.act
        if act.column is not None:
            words += ["--column", act.column]
        if act.owner is not None:
            words += ["--new-owner-team" if act.owner.table == "team" else "--new-owner", act.owner.id]
        if act.shared_with is not None:
            words += ["--with-user", act.shared_with.id, "--rights", _short(act.rights)]
        return words


def _short(rights: Rights) -> str:
    return format_rights(rights).replace("Access", "")


@pytest.fixture(scope="module", params=ENGINES)
def place(request: pytest.FixtureRequest, stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = make_home(tmp_path_factory.mktemp("denials"), stores, str(request.param))
    server = start_server(home)
    environment = open_environment(open_home(Path(home)))
    acts = Acts(Standing(environment.database, environment.clock))
    place = Place(server, acts, server.token())
    yield place
    place.http.close()
    environment.close()
    server.stop()


@pytest.mark.parametrize("code", CODES)
def test_the_web_api_gives_each_code_and_what_it_is_about(place: Place, code: str) -> None:
    """SM-161, WA-410."""
    found = place.explain(place.acts.asked()[code])

    denial = found["Denial"]
    assert (found["Allowed"], found["Reasons"]) == (False, [])
    assert {"Code": code, **SAID.get(code, {})}.items() <= denial.items()


@pytest.mark.parametrize("code", CODES)
def test_the_command_line_says_each_in_words_and_exits_with_1(
    place: Place, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(place.command(place.acts.asked()[code])) == 1

    shown = capsys.readouterr().out
    assert f"because {code}: " in shown
    assert WORDS[code] in " ".join(shown.split())


def test_a_denial_names_owner_unit_and_anchor_to_those_who_may_know(place: Place) -> None:
    """SM-161: why the widest grant does not reach; and the row that stops a cascade."""
    denial = place.explain(place.acts.asked()["no-access-path"])["Denial"]
    part = place.explain(place.acts.asked()["no-access-path of a part"])["Denial"]

    names = {name: denial[name]["Name"] for name in ("Owner", "OwningBusinessUnit", "Anchor")}
    assert names == {"Owner": "Bo Test", "OwningBusinessUnit": "Acts", "Anchor": "Acts"}
    assert (part["Row"]["Table"], part["Row"]["Name"]) == ("new_part", "P")


def test_who_asks_about_itself_is_not_told_whose_the_row_is(place: Place) -> None:
    """Nobody learns more than they may read."""
    token = place.server.token("ann@test")
    asker = Place(place.server, place.acts, token)

    found = asker.explain(place.acts.asked()["no-access-path"])
    asker.http.close()

    denial = found["Denial"]
    assert denial.keys() == {"Code", "WidestDepth", "WidestRole", "Anchor"}


def test_changes_for_somebody_else_say_for_whom(place: Place) -> None:
    """SM-162: the new owner is in the way, not the principal."""
    found = place.explain(place.acts.asked()["owner-cannot-read"])

    changes = found["WouldAllow"]
    assert [(change["Code"], change["For"]["Name"]) for change in changes] == [
        ("privilege:Basic", "Blind Test"),
        ("team:Deals", "Blind Test"),
    ]
