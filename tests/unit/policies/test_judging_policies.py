"""Statements judged against an environment, on both engines: what holds, what fails and says why, what is an error."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.worlds import World, depths, user

from strongroom.errors import AccessDenied
from strongroom.policies.document import read_text
from strongroom.policies.junit import write_junit
from strongroom.policies.recording import record, representatives
from strongroom.policies.running import run, total
from strongroom.policies.statements import Outcome
from strongroom.schema.model import Depth, Rights


@pytest.fixture
def company(world: World) -> World:
    """Ann owns A and B; Ben, of the same role, owns C; Cy reads all accounts; Dan has no role."""
    seller = world.role("Seller", {"account": depths(Depth.BASIC, (Rights.READ, Rights.WRITE))})
    reader = world.role("Reader", {"account": depths(Depth.GLOBAL, (Rights.READ,))})
    ann, ben = world.user("Ann", None, seller), world.user("Ben", None, seller)
    world.user("Cy", None, reader)
    world.user("Dan")
    world.team("Deals", None, seller, members=[ben])
    for name, owner in (("A", ann), ("B", ann), ("C", ben), ("Twin", ben), ("Twin", ben)):
        world.create("account", name=name, ownerid=user(owner))
    return world


def judged(world: World, text: str) -> list[Outcome]:
    with world.administrating() as session:
        return list(run(session, [read_text(text, "p.yaml")]))


HOLDS = """\
as: ann@test
tests:
  - {row: {account: A}, can: [Read, Write], because: role-basic-own}
  - {row: {account: C}, cannot: [Read, Write], because: no-access-path}
  - {row: {account: a}, cannot: Delete, because: missing-privilege}
  - {table: account, can: Read, cannot: Delete}
  - {sees: {account: 2, contact: 0}}
  - {sees: {account: [B, A]}}
  - {sees: {account: {count: 2, including: [A], excluding: [C]}}}
  - {as: cy@test, sees: {account: {including: [A, C]}}, row: {account: C}, can: Read, because: [role-global]}
  - {as: dan@test, row: {account: A}, cannot: Read, because: no-roles}
  - {as: dan@test, sees: {account: 0, product: []}}
  - {as: {team: Deals}, table: account, can: Write}
"""


def test_somebody_with_a_role_alone_has_its_privileges_and_owns_nothing(company: World) -> None:
    """SM-21, SM-32: `{role: …}` is nobody who exists; what others own or share does not reach them."""
    outcomes = judged(
        company,
        """\
tests:
  - {as: {role: Seller}, table: account, can: [Read, Write], cannot: [Delete, Share]}
  - {as: {role: Seller}, sees: {account: 0}, row: {account: A}, cannot: Read, because: no-access-path}
  - {as: {role: Reader}, sees: {account: 5}, row: {account: A}, can: Read, because: role-global}
  - {as: {role: Nobody has it}, table: account, can: Read}
""",
    )

    assert [each.failure for each in outcomes] == [None] * 9
    assert [each.error for each in outcomes] == [*[None] * 8, "There is no role 'Nobody has it'."]


def test_statements_that_hold_pass(company: World) -> None:
    outcomes = judged(company, HOLDS)

    assert [(each.failure, each.error) for each in outcomes] == [(None, None)] * 17
    assert total(outcomes) == (17, 0, 0)


@pytest.mark.parametrize(
    ("statement", "failure"),
    [
        (
            "{row: {account: A}, cannot: Read}",
            "ann@test can Read account 'A', because of role-basic-own (role 'Seller').",
        ),
        (
            "{row: {account: C}, can: Read}",
            "ann@test cannot Read account 'C': no-access-path (the widest grant is Basic by role 'Seller').",
        ),
        (
            "{row: {account: A}, can: Delete}",
            "ann@test cannot Delete account 'A': missing-privilege (prvDeleteAccount).",
        ),
        ("{table: account, can: Delete}", "ann@test cannot Delete any account: missing-privilege (prvDeleteAccount)."),
        ("{table: account, cannot: Read}", "ann@test can Read any account."),
        (
            "{row: {account: A}, can: Read, because: [role-deep, role-basic-own]}",
            "ann@test can Read account 'A', but for other reasons: expected role-basic-own, role-deep; "
            "found role-basic-own.",
        ),
        (
            "{row: {account: C}, cannot: Read, because: no-roles}",
            "ann@test cannot Read account 'C', but for other reasons: expected no-roles; found no-access-path.",
        ),
        ("{sees: {account: 3}}", "ann@test sees 2 account, not 3."),
        ("{sees: {account: [A, B, C]}}", "ann@test sees 2 account, not 3 (missing: 'C')."),
        ("{sees: {account: [A, C]}}", "ann@test sees other account than these (missing: 'C'; besides: 'B')."),
        ("{sees: {account: {including: [C]}}}", "ann@test does not see account 'C'."),
        ("{sees: {account: {excluding: [A]}}}", "ann@test sees account 'A'."),
    ],
)
def test_a_failure_says_what_is_so(company: World, statement: str, failure: str) -> None:
    (outcome,) = judged(company, f"as: ann@test\ntests:\n  - {statement}\n")

    assert (outcome.failure, outcome.error) == (failure, None)
    assert str(outcome.statement.place) == "p.yaml:3"


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("{as: zoe@test, table: account, can: Read}", "There is no user 'zoe@test'"),
        ("{as: {team: Nobody}, table: account, can: Read}", "There is no team 'Nobody'."),
        ("{as: ann@test, table: acount, can: Read}", "There is no table 'acount'. Did you mean 'account'?"),
        ("{as: ann@test, row: {account: Z}, can: Read}", "There is no account 'Z'."),
        ("{as: ann@test, row: {account: Twin}, can: Read}", "There are several account 'Twin'; name one by its id."),
        ("{as: ann@test, table: account, can: Read, because: role-global}", "'because' tells why a row is reached"),
    ],
)
def test_what_is_not_there_cannot_be_judged(company: World, statement: str, error: str) -> None:
    (outcome,) = judged(company, f"tests:\n  - {statement}\n")

    assert outcome.failure is None
    assert outcome.error is not None
    assert error in outcome.error
    assert total([outcome]) == (0, 0, 1)


def test_policy_tests_are_for_administrators(company: World) -> None:
    ann = company.rows("systemuser", domainname="ann@test")[0].id
    with company.acting(ann) as session, pytest.raises(AccessDenied):
        list(run(session, []))


def test_what_is_recorded_holds_until_something_changes(company: World) -> None:
    """Users who hold the same roles do the same, so one of them stands for all."""
    with company.administrating() as session:
        chosen = representatives(session)
        users = session.transaction.directory().users.values()
        names = [user.name for each in chosen for user in users if user.id == each]
        text = record(session, chosen)

    before = judged(company, text)
    company.create("account", name="New", ownerid=user(company.rows("systemuser", domainname="ann@test")[0].id))
    after = judged(company, text)

    assert names == ["Administrator", "Ann Test", "Cy Test"]
    assert all(each.is_passed for each in before)
    assert len(before) > 30
    failed = {each.statement.who for each in after if not each.is_passed}
    assert failed == {"admin@test", "ann@test", "cy@test"}


def test_the_report_is_junit_with_a_suite_for_each_file(company: World, tmp_path: Path) -> None:
    outcomes = judged(
        company,
        'tests:\n  - {as: ann@test, sees: {account: 3}, name: "<\\x01&>"}\n  - {as: ann@test, sees: {account: 2}}\n'
        "  - {as: zoe@test, sees: {account: 2}}\n",
    )

    write_junit(tmp_path / "report.xml", outcomes)

    root = ElementTree.parse(tmp_path / "report.xml").getroot()  # noqa: S314 - written by us
    (suite,) = root
    assert (root.tag, suite.tag, suite.get("name")) == ("testsuites", "testsuite", "p.yaml")
    assert [suite.get(name) for name in ("tests", "failures", "errors")] == ["3", "1", "1"]
    failed, passed, broken = suite
    assert (failed.get("name"), failed.get("line"), failed.get("file")) == ("<&>", "2", "p.yaml")
    assert [each.tag for each in failed] == ["failure"]
    assert failed[0].text == "p.yaml:2: ann@test sees 2 account, not 3."
    assert list(passed) == []
    assert [each.tag for each in broken] == ["error"]
